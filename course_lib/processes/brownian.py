"""Scaled Brownian motion X = σ W: increments over a time s are N(0, σ² s I), Notes (5)."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.processes.base import SDE
from course_lib.processes.transition import Transition, elapsed_time
from course_lib.shapes import check_number

__all__ = ["BrownianMotion"]


class BrownianMotion(SDE):
    """The SDE dX = σ dW.

    Args:
        sigma: diffusion coefficient σ, zero or more.
    """

    def __init__(self, sigma: float = 1.0) -> None:
        self.sigma = check_number("sigma", sigma, least=0.0)

    def drift(self, x: Tensor, t: Tensor) -> Tensor:
        """Zero, shaped like `x`."""
        return torch.zeros_like(x)

    def diffusion(self, t: Tensor) -> Tensor:
        """σ, shaped like `t`."""
        return torch.full_like(t, self.sigma)

    def transition(self, x: Tensor, elapsed: float | Tensor) -> Transition:
        """N(x, σ² s I) after a time s."""
        return Transition(x, self.sigma * elapsed_time(elapsed, x).sqrt())
