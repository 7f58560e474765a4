"""Paths from noise at t = 0 to data at t = 1: a `GaussianPath` runs on a `Schedule`.

>>> import torch
>>> path = GaussianPath(Linear())
>>> z, noise, t = torch.ones(3, 2), torch.zeros(3, 2), torch.tensor([0.0, 0.5, 1.0])
>>> path.sample(z, t, noise)[:, 0]
tensor([0.0000, 0.5000, 1.0000])
"""

from course_lib.paths.conversions import Quantity, convert
from course_lib.paths.gaussian_path import GaussianPath
from course_lib.paths.linear_path import LinearPath
from course_lib.paths.schedule import Schedule, ScheduleValues
from course_lib.paths.schedules import Cosine, Linear, SquareRoot, VariancePreserving

__all__ = [
    "Cosine",
    "GaussianPath",
    "Linear",
    "LinearPath",
    "Quantity",
    "Schedule",
    "ScheduleValues",
    "SquareRoot",
    "VariancePreserving",
    "convert",
]
