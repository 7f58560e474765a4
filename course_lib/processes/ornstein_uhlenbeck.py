"""The Ornstein-Uhlenbeck process dX = -θ X dt + σ dW, Notes (8)."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.distributions import Gaussian
from course_lib.processes.base import SDE
from course_lib.processes.transition import Transition, elapsed_time
from course_lib.shapes import check_number, expand_time

__all__ = ["OrnsteinUhlenbeck"]


class OrnsteinUhlenbeck(SDE):
    """A pull -θ x towards 0 and steady noise σ, Notes (8).

    Args:
        theta: rate θ of the pull, positive, in units of 1/time.
        sigma: diffusion coefficient σ, zero or more.

    Raises:
        ValueError: a parameter outside its range, or NaN.
    """

    def __init__(self, theta: float, sigma: float) -> None:
        self.theta = check_number("theta", theta, positive=True)
        self.sigma = check_number("sigma", sigma, least=0.0)

    def drift(self, x: Tensor, t: Tensor) -> Tensor:
        """-θ x, shaped like `x`."""
        return -self.theta * x

    def diffusion(self, t: Tensor) -> Tensor:
        """σ, shaped like `t`."""
        return torch.full_like(t, self.sigma)

    def transition(self, x: Tensor, elapsed: float | Tensor) -> Transition:
        """N(exp(-θ s) x, σ² (1 - exp(-2 θ s)) / 2θ I) after a time s."""
        time = elapsed_time(elapsed, x)
        variance = -torch.expm1(-2 * self.theta * time) * self.sigma**2 / (2 * self.theta)
        return Transition((-self.theta * expand_time(time, x)).exp() * x, variance.sqrt())

    def stationary(
        self,
        dim: int,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> Gaussian:
        """N(0, σ²/2θ I) in `dim` dimensions. (Example 6 of the Notes misprints σ².)

        Raises:
            ValueError: σ = 0, where everything ends in one point.
        """
        if self.sigma == 0:
            raise ValueError("sigma is 0; expected a positive one: without noise all ends at 0")
        mean = torch.zeros(dim, dtype=dtype, device=device)
        return Gaussian(mean, self.sigma**2 / (2 * self.theta))
