"""Five data points in the plane, and the exact Gaussian path of each: Lab 2's theatre."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course_lib.distributions import GaussianMixture
from course_lib.oracles import Marginal
from course_lib.paths import (
    Cosine,
    GaussianPath,
    Linear,
    Schedule,
    SquareRoot,
    VariancePreserving,
)

__all__ = ["SCHEDULES", "SEATS", "WEIGHTS", "cell_masses", "circles", "conditional", "marginal"]

SEATS = torch.tensor([[-2.2, 1.1], [-1.3, -1.7], [0.5, 2.1], [2.2, 0.6], [1.3, -1.6]])
WEIGHTS = torch.tensor([0.15, 0.3, 0.1, 0.2, 0.25])  # how many have a ticket for each
NARROW = 1e-10  # a variance; as good as none beside β² ≥ 0.0016
SCHEDULES: dict[str, Schedule] = {
    "linear": Linear(),
    "square root": SquareRoot(),
    "cosine": Cosine(),
    "variance preserving": VariancePreserving(),
}


def marginal(schedule: Schedule) -> Marginal:
    """The law of the whole crowd."""
    return Marginal(GaussianPath(schedule), GaussianMixture(SEATS, NARROW, WEIGHTS))


def conditional(schedule: Schedule, x: Tensor, t: Tensor) -> Tensor:
    """u_t(x|z), Notes (21), for x (batch, 2), t (batch,) and every seat z; (batch, seats, 2)."""
    n = len(SEATS)
    z = SEATS.repeat(len(x), 1)
    arrows = GaussianPath(schedule).conditional_velocity(
        x.repeat_interleave(n, 0), z, t.repeat_interleave(n)
    )
    return arrows.view(len(x), n, 2)


def cell_masses(schedule: Schedule, t: Tensor, half: float, side: int) -> Tensor:
    """What p_t, Notes (14), puts into each of side × side cells of the square [-half, half]².

    Exact, however narrow p_t is: a round Gaussian's share of a cell is a product of two
    differences of erf. Rows begin at the lowest; shape (times, side, side).
    """
    edges = torch.linspace(-half, half, side + 1)
    centres = schedule.alpha(t)[:, None, None] * SEATS  # (times, seats, 2)
    steps = (edges - centres[..., None]) / (math.sqrt(2) * schedule.beta(t)[:, None, None, None])
    shares = torch.erf(steps).diff(dim=-1) / 2  # (times, seats, 2, side)
    return torch.einsum("tsr,tsc,s->trc", shares[:, :, 1], shares[:, :, 0], WEIGHTS)


def circles(schedule: Schedule, t: Tensor, z: Tensor, corners: int = 33) -> Tensor:
    """One and two standard deviations of p_t(x|z) = N(α z, β² I); (times, 2, corners, 2)."""
    angle = torch.linspace(0, 2 * math.pi, corners)
    ring = torch.stack([angle.cos(), angle.sin()], dim=-1)
    radius = schedule.beta(t)[:, None] * torch.tensor([1.0, 2.0])
    centre = schedule.alpha(t)[:, None] * z
    return centre[:, None, None] + radius[..., None, None] * ring
