"""Solvers against the exact solution: paths in the plane, and the error against the step."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from course_lib.simulate import euler_maruyama_step, euler_step, heun_step
from course_lib.widgets.controls import Choice, Control, Slider
from course_lib.widgets.explorer import Explorer
from course_lib.widgets.scene import Layer, Lines, Panel, Points, Readout, Scene
from course_lib.widgets.spiral import exact_flow, exact_noisy, velocity
from course_lib.widgets.yours import name_of, result_of

__all__ = ["SolverExplorer"]

END, MOST = 3.0, 128  # time, and steps of the finest solver: the frames
COUNTS = (4, 8, 16, 32, 64, 128)  # numbers of steps in the panel of errors
PARTICLES, SHOWN = 256, 8
RANGE = 3.0
LOWEST = -4.2  # of log₁₀ of an error
NOISY = "Euler-Maruyama"
STEPS: dict[str, Callable[..., Tensor]] = {
    "Euler": euler_step,
    "Heun": heun_step,
    NOISY: euler_maruyama_step,
}


class SolverExplorer(Explorer):
    """Euler, Heun and Euler-Maruyama on a spiral whose exact solution is known.

    The error is the root mean square distance of a simulated particle from its own exact end; with
    noise, both are driven by the same Brownian path.

    Args:
        step: your own step, shown beside the truth: a function of (velocity, x, t, h), as
            `euler_step`, or of (drift, diffusion, x, t, h, noise), as `euler_maruyama_step`.
        values: initial values of controls.

    Raises:
        ValueError: a step that is no function of four or six arguments.
    """

    title = "Steps and the truth"
    question = (
        "Halve the step: by what factor does each error fall? With which solver do the particles "
        "fly apart when the step is too long?"
    )
    frozen = {"solver": tuple(STEPS), "n": (4, 8, 16, 32)}

    def __init__(self, step: Callable[..., Tensor] | None = None, **values: object) -> None:
        self.step = step
        self.noisy = step is not None and _is_noisy(step)
        first = NOISY if self.noisy else "Euler"
        self.controls: Sequence[Control] = (
            Choice("solver", "solver", tuple(STEPS), first),
            Slider("n", "steps", 4, MOST, 16, steps=5, logarithmic=True, whole=True),
            Slider("sigma", "noise σ", 0.0, 1.0, 0.5, steps=10),
        )
        super().__init__(**values)

    def scene(self, solver: str, n: int, sigma: float) -> Scene:
        n = 2 ** round(math.log2(n))
        noise = sigma if solver == NOISY else 0.0
        walks = {solver: STEPS[solver]}
        if self.step is not None and self.noisy == (solver == NOISY):
            walks[name_of(self.step)] = self.step
        truth, increments = _truth(noise)
        color = dict(zip(walks, ("simulated", "yours"), strict=False))
        exact = Lines(_paths(truth), color="exact", dashed=True, width=1.6, growing=True)
        plane: list[Layer] = [exact]
        errors, readouts = list[Layer](), list[Readout]()
        for name, step in walks.items():
            states = _walk(step, n, noise, increments)
            fine = _between(states)
            plane += [
                Lines(_paths(fine), color=color[name], width=1.8, growing=True),
                Points(fine[:, :SHOWN], color=color[name], size=8, alpha=1.0),
            ]
            log_h, log_error = _errors(step, noise, increments, truth)
            line = np.stack([log_h, log_error], axis=-1)
            here = COUNTS.index(n)
            errors += [
                Lines(line[None], color=color[name], width=1.5),
                Points(line, color=color[name], size=6, alpha=1.0),
                Points(line[here : here + 1], color=color[name], size=15, alpha=1.0),
            ]
            readouts += [
                Readout(f"{name}: error", 10 ** log_error[here], color=color[name]),
                Readout("slope", _slope(log_h, log_error), digits=2, color=color[name]),
            ]
        low, high = float(math.log10(END / MOST)), math.log10(END / COUNTS[0])
        order = 2 if solver == "Heun" else 1
        guide = [[[low, -0.3 - order * (high - low)], [high, -0.3]]]
        errors.append(Lines(guide, color="exact", dashed=True, width=1.4))
        kinds = [(color[name], "line", name) for name in walks]
        return Scene(
            panels=[
                Panel(
                    plane, x=(-RANGE, RANGE), y=(-RANGE, RANGE), equal=True, xlabel="x₁",
                    ylabel="x₂", title=f"{SHOWN} of {PARTICLES} particles, h = {END / n:g}",
                    describe=f"paths of particles by {solver} in {n} steps, and their exact paths",
                ),
                Panel(
                    errors, x=(low - 0.1, high + 0.1), y=(LOWEST, 1.6),
                    xlabel="log₁₀ of the step h", ylabel="log₁₀ of the error",
                    title="Distance from the exact end",
                    describe="error against step, both logarithmic; dashed, the slope "
                    f"{order} that theory says",
                ),
            ],
            times=torch.linspace(0, END, MOST + 1),
            legend=[("exact", "dashed", f"exact, and the slope {order}"), *kinds],
            readouts=readouts,
            note="σ matters with Euler-Maruyama alone: the exact paths then see the same noise."
            if solver != NOISY
            else "",
        )  # fmt: skip


def _is_noisy(step: Callable[..., Tensor]) -> bool:
    try:
        count = len(inspect.signature(step).parameters)
    except (TypeError, ValueError):
        count = 0
    if count not in (4, 6):
        raise ValueError(
            f"step is {step!r}; expected a function of (velocity, x, t, h), "
            "or of (drift, diffusion, x, t, h, noise)"
        )
    return count == 6


def _start() -> Tensor:
    """Where the particles begin: the first few on a ring, (particles, 2)."""
    angle = torch.arange(PARTICLES) * (2 * torch.pi / SHOWN)
    radius = 2.2 + 0.1 * torch.randn(PARTICLES, generator=torch.Generator().manual_seed(1))
    return radius[:, None] * torch.stack([angle.cos(), angle.sin()], dim=-1)


def _truth(sigma: float) -> tuple[Tensor, Tensor]:
    """The exact states at every frame, and the increments of the Brownian motion between them."""
    draw = torch.Generator().manual_seed(0)
    h = END / MOST
    increments = h**0.5 * torch.randn(MOST, PARTICLES, 2, generator=draw)
    extra = torch.randn(MOST, PARTICLES, 2, generator=draw)
    if sigma == 0:
        return exact_flow(_start(), torch.linspace(0, END, MOST + 1)), increments
    return exact_noisy(_start(), h, sigma, increments, extra), increments


def _walk(step: Callable[..., Tensor], n: int, sigma: float, increments: Tensor) -> Tensor:
    """States (n + 1, particles, 2) of `n` steps that see the given Brownian motion."""
    h = END / n
    noise = increments.unflatten(0, (n, MOST // n)).sum(1) / h**0.5
    x, states = _start(), [_start()]
    for i in range(n):
        t = torch.tensor(i * h)
        if step is euler_maruyama_step or (step not in STEPS.values() and _is_noisy(step)):
            arguments = (velocity, lambda t: torch.full_like(t, sigma), x, t, h, noise[i])
        else:
            arguments = (velocity, x, t, h)  # type: ignore[assignment]
        x = result_of(step, x, *arguments)
        states.append(x)
    return torch.stack(states)


def _between(states: Tensor) -> Tensor:
    """The states at every frame, on straight lines between the steps."""
    n = len(states) - 1
    share = torch.arange(MOST // n)[:, None, None] / (MOST // n)
    parts = states[:-1, None] + share * (states[1:] - states[:-1])[:, None]
    return torch.cat([parts.flatten(0, 1), states[-1:]])


def _paths(states: Tensor) -> Tensor:
    """The first few paths as lines, (lines, frames, 2)."""
    return states[:, :SHOWN].transpose(0, 1)


def _errors(
    step: Callable[..., Tensor], sigma: float, increments: Tensor, truth: Tensor
) -> tuple[np.ndarray, np.ndarray]:
    """log₁₀ of the step, and of the root mean square error at the end, for each of `COUNTS`."""
    errors = []
    for n in COUNTS:
        end = _walk(step, n, sigma, increments)[-1]
        errors.append((end - truth[-1]).square().sum(-1).mean().sqrt().item())
    with np.errstate(divide="ignore"):
        return np.log10(END / np.array(COUNTS)), np.log10(np.array(errors))


def _slope(log_h: np.ndarray, log_error: np.ndarray) -> float:
    """Of a straight line through the three smallest steps."""
    return float(np.polyfit(log_h[-3:], log_error[-3:], 1)[0])
