"""Exact laws on the line: of Brownian motion, Ornstein-Uhlenbeck, and Langevin in two wells."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.distributions import GaussianMixture
from course_lib.processes import BrownianMotion, Langevin, OrnsteinUhlenbeck
from course_lib.widgets.langevin_line import LangevinLine

__all__ = ["GRID", "HIGH", "LOW", "WELLS", "Known", "Law", "law_of", "normal"]

Known = BrownianMotion | OrnsteinUhlenbeck | Langevin

LOW, HIGH = -5.0, 5.0  # what is shown
GRID, ON_GRID = torch.linspace(LOW, HIGH, 201), slice(80, 481, 2)  # of the cells of `_wells`
SPIKE = 0.02  # a narrower law is a spike that no axis holds
WELLS = GaussianMixture(
    means=torch.tensor([[-1.8], [1.5]]),
    covariances=torch.tensor([0.35, 0.25]),
    weights=torch.tensor([0.4, 0.6]),
)


class Law(NamedTuple):
    """Density on GRID (frames, grid), NaN for a spike; mean and standard deviation (frames,)."""

    density: Tensor
    mean: Tensor
    std: Tensor


def law_of(process: Known, start: float, times: Tensor) -> Law:
    """The exact law at `times` (frames,) from x = `start`; Langevin dynamics are those on WELLS."""
    if isinstance(process, Langevin):
        line = _wells()
        density = line.density(start, process.sigma**2 / 2 * times)
        mean = line.width * density @ line.x
        square = line.width * density @ line.x.square()
        std = (square - mean.square()).clamp(min=0).sqrt()
        density[std < SPIKE] = torch.nan
        return Law(density[:, ON_GRID].float(), mean.float(), std.float())
    law = process.transition(torch.full((len(times), 1), start), times)
    mean, std = law.mean[:, 0], law.scale.expand(len(times))
    return Law(normal(mean, std), mean, std)


def normal(mean: Tensor, std: Tensor) -> Tensor:
    """Normal densities on GRID, (frames, grid)."""
    width = std[:, None].clamp(min=1e-3)
    density = torch.exp(-0.5 * ((GRID - mean[:, None]) / width).square())
    density = density / (width * (2 * torch.pi) ** 0.5)
    density[std < SPIKE] = torch.nan
    return density


@cache
def _wells() -> LangevinLine:
    x = torch.linspace(-7, 7, 561, dtype=torch.float64)
    return LangevinLine(x, WELLS.log_prob(x[:, None].float()).double())
