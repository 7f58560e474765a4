"""The linear ODE dX = -θ X dt, whose flow is ψ_t(x) = exp(-θ t) x, Notes (3)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course_lib.processes.base import ODE
from course_lib.processes.transition import Transition, elapsed_time
from course_lib.shapes import as_floats, check_points, expand_time

__all__ = ["LinearODE"]


class LinearODE(ODE):
    """The velocity u_t(x) = -θ x, for a rate θ or a matrix θ of rates.

    Args:
        theta: a number, or a matrix (d, d); [[0, 1], [-1, 0]] turns the plane anticlockwise.

    Raises:
        ValueError: another shape, or NaN.
    """

    def __init__(self, theta: Any) -> None:
        self.theta = as_floats("theta", theta)
        square = self.theta.ndim == 2 and self.theta.shape[0] == self.theta.shape[1]
        if self.theta.ndim != 0 and not square:
            raise ValueError(f"theta has shape {tuple(self.theta.shape)}; expected () or (d, d)")

    def velocity(self, x: Tensor, t: Tensor) -> Tensor:
        """-θ x, shaped like `x`: (batch, ...), or (batch, d) for a matrix."""
        theta = self.theta.to(x)
        if theta.ndim == 0:
            return -theta * x
        check_points(x, len(theta))
        return x @ -theta.mT

    def flow(self, x: Tensor, t: float | Tensor) -> Tensor:
        """ψ_t(x) = exp(-θ t) x, Notes (3): where `x` is after time t, a number, () or (batch,).

        Negative times run the flow backwards.
        """
        theta, time = self.theta.to(x), torch.as_tensor(t, dtype=x.dtype, device=x.device)
        if theta.ndim == 0:
            return (-theta * expand_time(time, x)).exp() * x
        check_points(x, len(theta))
        expand_time(time, x)
        propagator = torch.linalg.matrix_exp(-theta * time[..., None, None])
        return torch.einsum("...ij,...j->...i", propagator, x)

    def transition(self, x: Tensor, elapsed: float | Tensor) -> Transition:
        """The flow, with no spread: N(ψ_s(x), 0)."""
        time = elapsed_time(elapsed, x)
        return Transition(self.flow(x, time), torch.zeros_like(time))
