"""Numbers that compare: an error's order of convergence, and distances between distributions."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course_lib.distributions import GaussianMixture
from course_lib.shapes import as_floats

__all__ = ["convergence_order", "mode_weights", "total_variation"]


def convergence_order(step_sizes: Any, errors: Any) -> float:
    """Order p in error ≈ C hᵖ: the least-squares slope of log error against log h.

    Args:
        step_sizes: positive step lengths h, shape (n,), at least two different ones.
        errors: positive errors, shape (n,).

    Raises:
        ValueError: other shapes, values that are not positive, or one step length only.
    """
    h = as_floats("step_sizes", step_sizes, torch.float64)
    error = as_floats("errors", errors, torch.float64)
    if h.ndim != 1 or h.shape != error.shape:
        raise ValueError(
            f"step_sizes has shape {tuple(h.shape)} and errors {tuple(error.shape)}; "
            "expected (n,) twice"
        )
    if not ((h > 0).all() and (error > 0).all()):
        raise ValueError("a step size or an error is zero or negative; expected positive numbers")
    if len(h.unique()) < 2:
        raise ValueError(f"step_sizes are {h.tolist()}; expected two different ones or more")
    log_h, log_error = h.log().cpu(), error.log().cpu()
    centred = log_h - log_h.mean()
    return ((centred * log_error).sum() / centred.square().sum()).item()


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
