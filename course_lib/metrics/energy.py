"""Energy distance: D = 2 E|X - Y| - E|X - X'| - E|Y - Y'|, zero only if X and Y have one law."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course_lib.metrics.distance import SampleDistance, flat_pair

__all__ = ["energy_distance"]

_BLOCK = 1_000_000  # distances held at a time


def energy_distance(x: Tensor, y: Tensor) -> SampleDistance:
    """Energy distance between the samples `x` (n, ...) and `y` (m, ...), Euclidean norms.

    The value is the V-statistic: each expectation is a mean over all pairs, a point with itself
    included. Those n + m zeros make it too large by A/n + B/m on average, where A = E|X - X'| and
    B = E|Y - Y'|. For two samples of one law that is all there is: the baseline (1/n + 1/m) A.
    `value - baseline` is unbiased for D.

    Memory grows with n + m, not with n m.

    Returns:
        Value, standard error and baseline, in the units of |x|.

    Raises:
        ValueError: fewer than two samples, samples of different shapes, NaN or infinite entries.
    """
    x, y = flat_pair(x, y)
    n, m = len(x), len(y)
    xy, yx = _mean_distances(x, y)
    xx, yy = _mean_distances(x, x)[0], _mean_distances(y, y)[0]
    value = (xy - xx).mean().item() + (yx - yy).mean().item()
    baseline = xx.mean().item() / (n - 1) + yy.mean().item() / (m - 1)

    # One point of x moves the value by 2 (xy - xx) / n: the variance of those sums to first order.
    first = 4 * ((xy - xx).var().item() / n + (yx - yy).var().item() / m)
    # Each xy - xx has noise of its own, the same that gives two samples of one law their spread.
    # Its variance is in `first` twice, and should be there once.
    same_law = 2 * (_spread(x, xx) / n + _spread(y, yy) / m) ** 2
    return SampleDistance(value, math.sqrt(max(first - same_law, same_law)), baseline)


def _mean_distances(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Mean distance of each x_i to all of `y`, (n,), and of each y_j to all of `x`, (m,)."""
    rows, to_y, to_x = max(1, _BLOCK // len(y)), [], torch.zeros_like(y[:, 0])
    for part in x.split(rows):  # not |x|² - 2xy + |y|², which loses the distances of near points
        distances = torch.cdist(part, y, compute_mode="donot_use_mm_for_euclid_dist")
        to_y.append(distances.mean(1))
        to_x += distances.sum(0) / len(x)
    return torch.cat(to_y), to_x


def _spread(x: Tensor, row_means: Tensor) -> float:
    """Root mean square of the distances |x_i - x_j| after both means are taken off."""
    mean_square = 2 * x.var(0, correction=0).sum()
    centred = mean_square - 2 * row_means.square().mean() + row_means.mean() ** 2
    return centred.clamp(min=0).sqrt().item()
