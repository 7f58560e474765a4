"""The Gaussian path p_t(x|z) = N(α_t z, β_t² I), Notes (16): x_t = α_t z + β_t ε, Notes (17)."""

from __future__ import annotations

from torch import Tensor

from course_lib.paths.conversions import Quantity, convert
from course_lib.paths.schedule import Schedule
from course_lib.shapes import check_alike, expand_time

__all__ = ["GaussianPath"]


class GaussianPath:
    """From noise at t = 0 to a data point z at t = 1, for points and images alike.

    Every method takes states (batch, ...) of one shape and times `t` in [0, 1], a number or of
    shape () or (batch,), and returns one state; it raises ValueError for another shape or time.

    Args:
        schedule: α and β.
    """

    def __init__(self, schedule: Schedule) -> None:
        if not isinstance(schedule, Schedule):
            raise ValueError(f"schedule is a {type(schedule).__name__}; expected a Schedule")
        self.schedule = schedule

    def sample(self, z: Tensor, t: Tensor | float, noise: Tensor) -> Tensor:
        """x = α_t z + β_t ε, Notes (17), for the data `z` and the standard normal `noise`."""
        check_alike(z=z, noise=noise)
        time = expand_time(t, z)
        return self.schedule.alpha(time).to(z) * z + self.schedule.beta(time).to(z) * noise

    def target(self, z: Tensor, t: Tensor | float, noise: Tensor) -> Tensor:
        """α̇_t z + β̇_t ε: the conditional velocity at `sample(z, t, noise)`, below Notes (47).

        Raises:
            ValueError: t = 1 with a schedule whose β̇ is infinite there.
        """
        check_alike(z=z, noise=noise)
        time = expand_time(t, z)
        return self.schedule.alpha_dot(time).to(z) * z + self.schedule.beta_dot(time).to(z) * noise

    def conditional_velocity(self, x: Tensor, z: Tensor, t: Tensor | float) -> Tensor:
        """u_t(x|z) = α̇ z + (β̇/β) (x - α z), Notes (21); ValueError at β = 0, where x is z."""
        return self.convert(z, x, t, given="data", wanted="velocity")

    def conditional_score(self, x: Tensor, z: Tensor, t: Tensor | float) -> Tensor:
        """∇ log p_t(x|z) = (α z - x) / β², Notes (28); ValueError at β = 0, where x is z."""
        return self.convert(z, x, t, given="data", wanted="score")

    def convert(
        self, value: Tensor, x: Tensor, t: Tensor | float, *, given: Quantity, wanted: Quantity
    ) -> Tensor:
        """The quantity `wanted` at `x` from the one `given`, Notes (54), (55).

        The four are "velocity", "score", "noise" E[ε|x] and "data" E[z|x]. Exact at both ends of
        time; ValueError where the answer does not follow from what is given.
        """
        return convert(self.schedule, value, x, t, given=given, wanted=wanted)
