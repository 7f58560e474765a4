"""The linear path from any source to any target: x_t = (1 - t) x₀ + t z, Notes §4.3."""

from __future__ import annotations

from torch import Tensor

from course_lib.shapes import check_alike, check_time, expand_time

__all__ = ["LinearPath"]


class LinearPath:
    """From a sample x₀ of any distribution at t = 0 to a sample z of another at t = 1.

    Every method takes states (batch, ...) of one shape and times `t` in [0, 1], a number or of
    shape () or (batch,), and returns one state; it raises ValueError for another shape or time.
    """

    def sample(self, z: Tensor, t: Tensor | float, start: Tensor) -> Tensor:
        """x = (1 - t) x₀ + t z, for the target's sample `z` and the source's `start`."""
        time = _time(t, z=z, start=start)
        return (1 - time).to(z) * start + time.to(z) * z

    def target(self, z: Tensor, t: Tensor | float, start: Tensor) -> Tensor:
        """z - x₀, the velocity along the path, the same at every time."""
        _time(t, z=z, start=start)
        return z - start

    def conditional_velocity(self, x: Tensor, z: Tensor, t: Tensor | float) -> Tensor:
        """u_t(x|z) = (z - x) / (1 - t): straight to `z`, to be there at t = 1.

        Raises:
            ValueError: t = 1, where x is z, wherever it came from.
        """
        time = _time(t, x=x, z=z)
        if (time == 1).any():
            raise ValueError("t is 1, where x is z wherever it came from; expected t below 1")
        return (z - x) / (1 - time).to(x)


def _time(t: Tensor | float, **states: Tensor) -> Tensor:
    check_alike(**states)
    return check_time(expand_time(t, next(iter(states.values()))))
