"""Exact quantities to hold an experiment against: what a simulation of Notes (8) must give."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course_lib.shapes import as_floats, check_count, check_number

__all__ = ["brownian_covariance", "euler_maruyama_ou_variance"]


def euler_maruyama_ou_variance(
    theta: float,
    sigma: float,
    h: float,
    n_steps: int | None = None,
    initial_variance: float = 0.0,
) -> float:
    """Variance of each coordinate that Euler-Maruyama, Notes (9), gives for the OU process (8).

    One step maps the variance v to (1 - θh)² v + σ² h. Its fixed point σ² / (2θ - θ² h) exists for
    θh < 2; the true one is σ² / 2θ.

    Args:
        theta: rate θ, positive.
        sigma: diffusion coefficient σ, zero or more.
        h: length of a step, positive.
        n_steps: number of steps made, or None for infinitely many.
        initial_variance: variance at the start, zero or more; a known start has 0.

    Returns:
        The variance, infinite where it exceeds the largest float.

    Raises:
        ValueError: an argument outside its range; θh ≥ 2 with n_steps None.
    """
    check_number("theta", theta, positive=True)
    check_number("sigma", sigma, least=0.0)
    check_number("h", h, positive=True)
    check_number("initial_variance", initial_variance, least=0.0)
    if n_steps is None:
        if theta * h >= 2:
            raise ValueError(f"theta * h is {theta * h}; expected below 2: the variance explodes")
        return sigma**2 / (2 * theta - theta**2 * h)
    check_count("n_steps", n_steps, least=0)
    if theta * h == 2:
        return initial_variance + n_steps * sigma**2 * h
    if n_steps == 0:
        return initial_variance
    log_decay = 2 * n_steps * torch.tensor(1 - theta * h, dtype=torch.float64).abs().log()
    remaining = log_decay.exp().item()
    added = -torch.expm1(log_decay).item() / (theta * h * (2 - theta * h))
    parts = [(initial_variance, remaining), (sigma**2 * h, added)]
    return sum(variance * factor for variance, factor in parts if variance > 0)


def brownian_covariance(times: Any) -> Tensor:
    """Covariance min(s, t) of a Brownian motion between the given times (n,), shape (n, n).

    Raises:
        ValueError: times of another shape, negative or NaN.
    """
    times = as_floats("times", times)
    if times.ndim != 1 or times.numel() == 0 or (times < 0).any():
        raise ValueError(f"times are {times}; expected shape (n,), zero or more")
    return torch.minimum(times[:, None], times[None, :])
