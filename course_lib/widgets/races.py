"""A crowd that a solver moves, beside the exact solution: paths, errors, order."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import torch
from torch import Tensor

from course_lib.widgets.spiral import Spiral
from course_lib.widgets.yours import Own

__all__ = ["COUNTS", "END", "MOST", "PARTICLES", "TAKES", "Race", "is_noisy", "slope"]

# What a step takes, by whether it is noisy.
TAKES = {False: "(velocity, x, t, h)", True: "(drift, diffusion, x, t, h, noise)"}

END, MOST = 3.0, 128  # time, and steps of the finest solver
COUNTS = (4, 8, 16, 32, 64, 128)  # numbers of steps whose errors are compared
PARTICLES, RING = 256, 8


class Race:
    """Particles in a `field` with noise σ, always on the same Brownian path; float64.

    Attributes:
        truth: the exact states, shape (MOST + 1, particles, 2).
    """

    def __init__(self, field: Spiral, sigma: float) -> None:
        draw = torch.Generator().manual_seed(0)
        h, shape = END / MOST, (MOST, PARTICLES, 2)
        self.field, self.sigma, self.start = field, sigma, _start()
        self.increments = h**0.5 * torch.randn(shape, generator=draw, dtype=torch.float64)
        if sigma == 0:
            times = torch.linspace(0, END, MOST + 1, dtype=torch.float64)
            self.truth = field.exact_flow(self.start, times)
        else:
            extra = torch.randn(shape, generator=draw, dtype=torch.float64)
            self.truth = field.exact_noisy(self.start, h, sigma, self.increments, extra)

    def path(self, step: Own, noisy: bool, n: int) -> Tensor:
        """States (n + 1, particles, 2) after each of `n` steps; `n` divides MOST.

        Args:
            step: of what `TAKES` says.

        Raises:
            ValueError: the step raised an exception, or returned no tensor like x.
        """
        h = END / n
        noise = self.increments.unflatten(0, (n, MOST // n)).sum(1) / h**0.5
        x, states = self.start, [self.start]
        for i in range(n):
            t = torch.tensor(i * h, dtype=torch.float64)
            if noisy:
                x = step.result(x, self.field.velocity, self.diffusion, x, t, h, noise[i])
            else:
                x = step.result(x, self.field.velocity, x, t, h)
            states.append(x)
        return torch.stack(states)

    def diffusion(self, t: Tensor) -> Tensor:
        """σ, shaped like `t`."""
        return torch.full_like(t, self.sigma)

    def log_errors(self, step: Own, noisy: bool) -> tuple[Tensor, str]:
        """log₁₀ of the root mean square distance from the exact end, for each of `COUNTS`; NaN
        where the step is at fault, and what is wrong with the first such."""
        errors, fault = [], ""
        for n in COUNTS:
            try:
                off = self.path(step, noisy, n)[-1] - self.truth[-1]
            except ValueError as error:
                errors.append(torch.tensor(torch.nan, dtype=torch.float64))
                fault = fault or f"With {n} steps: {error}"
            else:
                errors.append(off.square().sum(-1).mean().sqrt().log10())
        return torch.stack(errors), fault


def slope(log_errors: Tensor) -> float:
    """Of the least-squares line through the errors of the three smallest steps."""
    log_h = torch.log10(END / torch.tensor(COUNTS[-3:], dtype=torch.float64))
    log_h = log_h - log_h.mean()
    return (log_h @ log_errors[-3:] / log_h.square().sum()).item()


def is_noisy(step: Callable[..., Tensor]) -> bool:
    """Whether `step` takes (drift, diffusion, x, t, h, noise) and not (velocity, x, t, h)."""

    def takes(count: int) -> bool:
        try:
            inspect.signature(step).bind(*range(count))
        except (TypeError, ValueError):
            return False
        return True

    return takes(6) and not takes(4)


def _start() -> Tensor:
    """Where the particles begin: near a ring, eight of them all round it; (particles, 2)."""
    angle = torch.arange(PARTICLES) * (2 * torch.pi / RING)
    radius = 2.2 + 0.1 * torch.randn(PARTICLES, generator=torch.Generator().manual_seed(1))
    return (radius[:, None] * torch.stack([angle.cos(), angle.sin()], dim=-1)).double()
