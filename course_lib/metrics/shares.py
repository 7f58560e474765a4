"""Shares of samples: on the modes of a mixture, on the wrong squares of a chessboard."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course_lib.distributions import Chessboard, GaussianMixture
from course_lib.shapes import as_floats

__all__ = ["chessboard_violations", "mode_weights", "total_variation"]


def chessboard_violations(samples: Tensor, board: Chessboard) -> float:
    """Share, 0 to 1, of the `samples` (n, 2) that lie on white squares or off the board.

    Raises:
        ValueError: no sample, or another shape.
    """
    return 1 - board.contains(samples).to(samples.dtype).mean().item()


def mode_weights(samples: Tensor, mixture: GaussianMixture) -> Tensor:
    """Share of `samples` (n, d) nearest to each of the mixture's k means; shape (k,), sum 1."""
    nearest = mixture.nearest_mode(samples).flatten()
    counts = torch.bincount(nearest, minlength=len(mixture.means))
    return counts.to(samples.dtype) / nearest.numel()


def total_variation(p: Any, q: Any) -> float:
    """Total variation distance ½ Σ |p - q| between probabilities (k,): 0 if equal, at most 1.

    Raises:
        ValueError: different shapes, a negative entry, or a sum that is not 1.
    """
    p, q = as_floats("p", p, torch.float64), as_floats("q", q, torch.float64)
    if p.ndim != 1 or p.shape != q.shape:
        raise ValueError(
            f"p has shape {tuple(p.shape)} and q {tuple(q.shape)}; expected (k,) twice"
        )
    for name, given in (("p", p), ("q", q)):
        if (given < 0).any() or abs(given.sum().item() - 1) > 1e-4:
            raise ValueError(f"{name} is {given.tolist()}; expected probabilities that sum to 1")
    return (p - q.to(p.device)).abs().sum().item() / 2
