"""Langevin dynamics between two round modes: the true share of each, and the time it takes."""

from __future__ import annotations

from functools import lru_cache

import torch

from course_lib.distributions import GaussianMixture
from course_lib.widgets.langevin_line import LangevinLine

__all__ = ["left_share", "settled_spread", "settling_time", "two_modes"]

CELLS, MARGIN = 240, 5.0  # of the grid, which ends so many standard deviations beyond the modes


def two_modes(distance: float, weight: float, std: float) -> GaussianMixture:
    """ω N((-d/2, 0), s² I) + (1 - ω) N((d/2, 0), s² I)."""
    means = torch.tensor([[-distance / 2, 0.0], [distance / 2, 0.0]])
    return GaussianMixture(means, std**2, torch.tensor([weight, 1 - weight]))


def left_share(distance: float, weight: float, std: float) -> float:
    """The probability of x₁ < 0 under `two_modes`."""
    beyond = 0.5 * torch.special.erfc(torch.tensor(distance / 2 / std / 2**0.5)).item()
    return weight * (1 - beyond) + (1 - weight) * beyond


def settled_spread(std: float, sigma: float, h: float) -> float:
    """Standard deviation of x₂ to which Euler-Maruyama settles; infinite if it explodes.

    The score of `two_modes` along x₂ is -x₂/s², so x₂ is an Ornstein-Uhlenbeck process with
    θ = σ²/2s², whose simulated variance is s² / (1 - θh/2) for θh < 2.
    """
    pull = sigma**2 * h / (2 * std**2)
    return std / (1 - pull / 2) ** 0.5 if pull < 2 else float("inf")


def settling_time(distance: float, weight: float, std: float, sigma: float) -> float:
    """The time 1/λ in which the slowest deviation from `two_modes` falls to 1/e, Notes (31).

    λ is the smallest positive eigenvalue of minus the generator, ½ σ² (∂² + (log p)' ∂), in x₁,
    on which alone the slowest one depends.
    """
    return _slowest(distance, weight, std) * 2 / sigma**2


@lru_cache(256)
def _slowest(distance: float, weight: float, std: float) -> float:
    """1/λ for ½ σ² = 1."""
    half = distance / 2 + MARGIN * std
    x = torch.linspace(-half, half, CELLS, dtype=torch.float64)
    log_p = two_modes(distance, weight, std).log_prob(torch.stack([x, 0 * x], dim=1))
    return LangevinLine(x, log_p).relaxation
