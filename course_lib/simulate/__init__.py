"""Simulation: `simulate(process, x, times)` makes one `*_step` after another.

>>> import torch
>>> from course_lib.processes import LinearODE
>>> path = simulate(LinearODE(1.0), torch.ones(3, 2), time_grid(100))
>>> path.states.shape, path.final[0, 0]
(torch.Size([101, 3, 2]), tensor(0.3660))
"""

from course_lib.simulate.loop import simulate
from course_lib.simulate.steps import (
    euler_maruyama_step,
    euler_step,
    heun_step,
    midpoint_step,
    rk4_step,
)
from course_lib.simulate.trajectory import Trajectory, time_grid

__all__ = [
    "Trajectory",
    "euler_maruyama_step",
    "euler_step",
    "heun_step",
    "midpoint_step",
    "rk4_step",
    "simulate",
    "time_grid",
]
