"""The schedules of the course: linear, square root, cosine and variance preserving."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course_lib.paths.schedule import Schedule
from course_lib.shapes import check_number

__all__ = ["Cosine", "Linear", "SquareRoot", "VariancePreserving"]


class Linear(Schedule):
    """α = t, β = 1 - t: the CondOT path, Notes Example 19."""

    def _alpha(self, t: Tensor) -> Tensor:
        return t.clone()

    def _beta(self, t: Tensor) -> Tensor:
        return 1 - t

    def _alpha_dot(self, t: Tensor) -> Tensor:
        return torch.ones_like(t)

    def _beta_dot(self, t: Tensor) -> Tensor:
        return -torch.ones_like(t)


class SquareRoot(Schedule):
    """α = t, β = √(1 - t); β̇ → -∞ as t → 1."""

    beta_dot_is_finite = False

    def _alpha(self, t: Tensor) -> Tensor:
        return t.clone()

    def _beta(self, t: Tensor) -> Tensor:
        return (1 - t).sqrt()

    def _alpha_dot(self, t: Tensor) -> Tensor:
        return torch.ones_like(t)

    def _beta_dot(self, t: Tensor) -> Tensor:
        return -1 / (2 * self._beta(t))

    def _beta_squared_dot(self, t: Tensor) -> Tensor:
        return -torch.ones_like(t)


class Cosine(Schedule):
    """α = sin(πt/2), β = cos(πt/2), so that α² + β² = 1."""

    def _alpha(self, t: Tensor) -> Tensor:
        return (math.pi / 2 * t).sin()

    def _beta(self, t: Tensor) -> Tensor:
        return (math.pi / 2 * (1 - t)).sin()  # the cosine, but exactly 0 at t = 1

    def _alpha_dot(self, t: Tensor) -> Tensor:
        return math.pi / 2 * self._beta(t)

    def _beta_dot(self, t: Tensor) -> Tensor:
        return -math.pi / 2 * self._alpha(t)


class VariancePreserving(Schedule):
    """α = exp(-½ ∫₀^{1-t} rate(s) ds), β = √(1 - α²): the path of the VP diffusion.

    The rate grows linearly, rate(s) = rate_min + s (rate_max - rate_min), on the clock s = 1 - t
    of that diffusion, which starts at the data. Two ends are not those of the other schedules:
    α₀ is 0.0066 by default, so a little of the data is left at t = 0; and β̇ → -∞ as t → 1.

    Args:
        rate_min: rate at the data, positive.
        rate_max: rate at the noise, `rate_min` or more.

    Raises:
        ValueError: a rate outside its range.
    """

    beta_dot_is_finite = False

    def __init__(self, rate_min: float = 0.1, rate_max: float = 20.0) -> None:
        self.rate_min = check_number("rate_min", rate_min, positive=True)
        self.rate_max = check_number("rate_max", rate_max, least=self.rate_min)

    def _alpha(self, t: Tensor) -> Tensor:
        return (-self._integral(t) / 2).exp()

    def _beta(self, t: Tensor) -> Tensor:
        return (-torch.expm1(-self._integral(t))).sqrt()

    def _alpha_dot(self, t: Tensor) -> Tensor:
        return self._rate(t) / 2 * self._alpha(t)

    def _beta_dot(self, t: Tensor) -> Tensor:
        return self._beta_squared_dot(t) / (2 * self._beta(t))

    def _beta_squared_dot(self, t: Tensor) -> Tensor:
        return -self._rate(t) * self._alpha(t).square()

    def _rate(self, t: Tensor) -> Tensor:
        return self.rate_min + (1 - t) * (self.rate_max - self.rate_min)

    def _integral(self, t: Tensor) -> Tensor:
        """∫₀^{1-t} rate(s) ds."""
        s = 1 - t
        return s * (self.rate_min + s / 2 * (self.rate_max - self.rate_min))
