"""Order of convergence: the exponent p in error ≈ C hᵖ."""

from __future__ import annotations

from typing import Any

import torch

from course_lib.shapes import as_floats

__all__ = ["convergence_order"]


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
