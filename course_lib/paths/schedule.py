"""A schedule: x_t = α_t z + β_t ε goes from noise (α = 0, β = 1) to data (α = 1, β = 0)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from torch import Tensor

from course_lib.shapes import check_time

__all__ = ["Schedule", "ScheduleValues"]


class ScheduleValues(NamedTuple):
    """A schedule at some times: α_t, β_t and their derivatives by t, each shaped like t."""

    alpha: Tensor
    beta: Tensor
    alpha_dot: Tensor
    beta_dot: Tensor


class Schedule(ABC):
    """How much data α_t and how much noise β_t make up x_t, Notes Example 9.

    Every method takes times in [0, 1], of any shape, and keeps their shape, dtype and device; it
    raises ValueError for a time outside. A subclass writes down the four formulas.
    """

    beta_dot_is_finite = True
    """False where β̇ → -∞ as t → 1; 2 β β̇ is finite all the same."""

    def __call__(self, t: Tensor | float) -> ScheduleValues:
        """α, β, α̇ and β̇ at the times `t`; raises ValueError where `beta_dot` does."""
        return ScheduleValues(self.alpha(t), self.beta(t), self.alpha_dot(t), self.beta_dot(t))

    def alpha(self, t: Tensor | float) -> Tensor:
        """α_t, the share of the data."""
        return self._alpha(check_time(t))

    def beta(self, t: Tensor | float) -> Tensor:
        """β_t, the standard deviation of the noise."""
        return self._beta(check_time(t))

    def alpha_dot(self, t: Tensor | float) -> Tensor:
        """Derivative of α by t."""
        return self._alpha_dot(check_time(t))

    def beta_dot(self, t: Tensor | float) -> Tensor:
        """Derivative of β by t; ValueError at t = 1 where it is infinite there."""
        t = check_time(t)
        if not self.beta_dot_is_finite and (t == 1).any():
            raise ValueError(
                f"t is 1, where beta_dot of {type(self).__name__} is infinite; "
                "expected t below 1, or use beta_squared_dot"
            )
        return self._beta_dot(t)

    def beta_squared_dot(self, t: Tensor | float) -> Tensor:
        """Derivative 2 β β̇ of β² by t: finite everywhere."""
        return self._beta_squared_dot(check_time(t))

    @abstractmethod
    def _alpha(self, t: Tensor) -> Tensor: ...

    @abstractmethod
    def _beta(self, t: Tensor) -> Tensor: ...

    @abstractmethod
    def _alpha_dot(self, t: Tensor) -> Tensor: ...

    @abstractmethod
    def _beta_dot(self, t: Tensor) -> Tensor: ...

    def _beta_squared_dot(self, t: Tensor) -> Tensor:
        return 2 * self._beta(t) * self._beta_dot(t)
