"""Sliced Wasserstein distance: the W₂ of one-dimensional shadows, where W₂ only needs sorting."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course_lib.metrics.distance import SampleDistance, flat_pair
from course_lib.noise import normal
from course_lib.shapes import check_count

__all__ = ["sliced_wasserstein"]


def sliced_wasserstein(
    x: Tensor,
    y: Tensor,
    n_projections: int = 100,
    generator: torch.Generator | None = None,
    n_shuffles: int = 10,
) -> SampleDistance:
    """Sliced W₂ between the samples `x` (n, ...) and `y` (m, ...).

    Both are projected on random directions θ; SW² is the mean over θ of
    W₂² = ∫ (F⁻¹(q) - G⁻¹(q))² dq, where F⁻¹ and G⁻¹ are the quantiles of the projected samples.
    The baseline comes from shuffling: x and y are pooled and dealt out again in two hands.

    Args:
        x: one sample.
        y: the other one.
        n_projections: number of directions.
        generator: what directions and shuffles are drawn from.
        n_shuffles: number of times the pooled samples are dealt out, two or more.

    Returns:
        Value, standard error (of samples and directions) and baseline, in the units of |x|.

    Raises:
        ValueError: fewer than two samples, samples of different shapes, NaN or infinite entries.
    """
    check_count("n_projections", n_projections)
    check_count("n_shuffles", n_shuffles, least=2)
    x, y = flat_pair(x, y)
    n, m = len(x), len(y)
    directions = normal((x.shape[1], n_projections), x, generator)
    pooled = torch.cat([x, y]) @ (directions / directions.norm(dim=0))
    squares, influence_x, influence_y = _wasserstein_squared(pooled[:n], pooled[n:])

    device = x.device if generator is None else generator.device
    shuffled = []
    for _ in range(n_shuffles):
        dealt = pooled[torch.randperm(n + m, generator=generator, device=device).to(x.device)]
        shuffled.append(_wasserstein_squared(dealt[:n], dealt[n:])[0])
    same_law = torch.stack(shuffled)  # (n_shuffles, n_projections)

    # As in the energy distance: the first-order variance holds that of one law twice, not once.
    noise = same_law.mean(1).var().item()
    first = influence_x.var().item() / n + influence_y.var().item() / m
    variance = max(first - noise, noise)
    if n_projections > 1:  # how much directions differ, beyond what chance makes of one law
        differ = squares.var() - same_law.var(1).mean()
        variance += max(differ.item(), 0.0) / n_projections
    value = squares.mean().sqrt().item()
    error = math.sqrt(variance) / (2 * value) if value > 0 else 0.0  # d√s = ds / 2√s
    return SampleDistance(value, error, same_law.mean().sqrt().item())


def _wasserstein_squared(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """W₂² for every column of x (n, p) and y (m, p), shape (p,), and what each point adds to it.

    The influence of a point is the potential whose slope is 2 (x - T(x)), T(x) its partner in y;
    shapes (n,) and (m,), averaged over the columns.
    """
    n, m = len(x), len(y)
    (x, places_x), (y, places_y) = x.sort(dim=0), y.sort(dim=0)
    # Quantiles are steps of width 1/n and 1/m; in units of 1/nm all their edges are whole numbers.
    edges = torch.cat(
        [m * torch.arange(1, n + 1, device=x.device), n * torch.arange(1, m + 1, device=x.device)]
    ).sort()[0]
    widths = edges.diff(prepend=edges.new_zeros(1)).to(x.dtype).unsqueeze(1)
    i, j = (edges - 1) // m, (edges - 1) // n
    gaps = x[i] - y[j]
    squares = (widths * gaps.square()).sum(0) / (n * m)

    def influence(points: Tensor, places: Tensor, index: Tensor, gaps: Tensor) -> Tensor:
        slope = torch.zeros_like(points).index_add_(0, index, widths * gaps) * 2 * len(points)
        slope = slope / (n * m)
        rise = (slope[1:] + slope[:-1]) / 2 * points.diff(dim=0)
        potential = torch.cat([torch.zeros_like(points[:1]), rise.cumsum(0)])
        return torch.zeros_like(points).scatter_(0, places, potential).mean(1)

    return squares, influence(x, places_x, i, gaps), influence(y, places_y, j, -gaps)
