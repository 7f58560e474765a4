"""A grid of times 0 = t_0 < t_1 < … < t_n = 1, and the states of a simulation at some of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from course_lib.shapes import check_count, check_number

__all__ = ["Trajectory", "time_grid"]


@dataclass(frozen=True)
class Trajectory:
    """States of a simulation.

    Attributes:
        times: shape (n,), increasing.
        states: shape (n, batch, ...); `states[i]` is the state at `times[i]`.
    """

    times: Tensor
    states: Tensor

    @property
    def final(self) -> Tensor:
        """The last state, shape (batch, ...)."""
        return self.states[-1]

    def __len__(self) -> int:
        return len(self.times)


def time_grid(
    n_steps: int, start: float = 0.0, end: float = 1.0, dtype: torch.dtype | None = None
) -> Tensor:
    """The n_steps + 1 evenly spaced times of `n_steps` steps, both ends included.

    (The loop of Notes, Algorithm 1, makes one step too few: it stops at 1 - h.)

    Raises:
        ValueError: `n_steps` below 1, or `end` not after `start`.
    """
    check_count("n_steps", n_steps)
    if check_number("end", end) <= check_number("start", start):
        raise ValueError(f"end is {end}; expected a time after the start, {start}")
    return torch.linspace(start, end, n_steps + 1, dtype=dtype)
