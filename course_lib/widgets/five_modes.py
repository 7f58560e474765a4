"""Lab 2's five modes on the linear path, and how far a crowd is from their exact law."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course_lib.distributions import GaussianMixture
from course_lib.oracles import Marginal
from course_lib.paths import GaussianPath, Linear

__all__ = [
    "MODES",
    "PATH",
    "TRUTH",
    "energy_ratio",
    "mean_square",
    "mean_square_chance",
    "variance",
]

STD = 0.6
MODES = GaussianMixture.ring(modes=5, radius=2.0, std=STD, weights=[0.35, 0.15, 0.25, 0.10, 0.15])
PATH = GaussianPath(Linear())
TRUTH = Marginal(PATH, MODES)


def variance(t: Tensor) -> Tensor:
    """v = α² s² + β², of each mode in each direction; shaped like `t`."""
    return (PATH.schedule.alpha(t) * STD).square() + PATH.schedule.beta(t).square()


def mean_square(t: Tensor) -> Tensor:
    """E|x_t|² = Σ w α²|m|² + 2 v of the exact law; shaped like `t`."""
    far = MODES.weights @ MODES.means.square().sum(1)
    return PATH.schedule.alpha(t).square() * far + 2 * variance(t)


def mean_square_chance(t: Tensor, n: int) -> Tensor:
    """Standard error of the mean of |x_t|² over n exact samples; shaped like `t`.

    In the plane |m + √v ε|² has the variance 4 v |m|² + 4 v², and all modes are as far from 0.
    """
    v, far = variance(t), MODES.weights @ MODES.means.square().sum(1)
    return 2 * (v * (PATH.schedule.alpha(t).square() * far + v) / n).sqrt()


def energy_ratio(states: Tensor, t: Tensor) -> Tensor:
    """Energy distance of crowds (frames, n, 2) to p_t, in units of chance; shape (frames,).

    D = 2 E|X - Y| - E|X - X'| - E|Y - Y'| with Y from p_t, whose means are known: no second
    sample adds its own luck. As in `metrics.energy_distance`, a particle with itself is a pair
    too, so that n exact samples have D = E|Y - Y'| / n on average. That is 1 here.
    """
    means = PATH.schedule.alpha(t)[:, None, None] * MODES.means  # (frames, modes, 2)
    std = variance(t).sqrt()[:, None, None]
    exactly = "donot_use_mm_for_euclid_dist"  # else near pairs lose their distance
    to_modes = torch.cdist(states, means, compute_mode=exactly)
    across = (_mean_length(to_modes, std) @ MODES.weights).mean(1)
    within = torch.cdist(states, states, compute_mode=exactly).mean((1, 2))
    apart = _mean_length(torch.cdist(means, means, compute_mode=exactly), math.sqrt(2) * std)
    among = torch.einsum("fij,i,j->f", apart, MODES.weights, MODES.weights)
    return (2 * across - within - among) * states.shape[1] / among


def _mean_length(length: Tensor, std: Tensor) -> Tensor:
    """E|d + std ε| in the plane, for d of this `length`: the mean of Rice's distribution."""
    k = (length / (2 * std)).square()
    bessel = (1 + 2 * k) * torch.special.i0e(k) + 2 * k * torch.special.i1e(k)
    return math.sqrt(math.pi / 2) * std * bessel
