"""A spiral with a known end: dX = -θ X dt + σ dW in the plane, whose matrix θ turns and shrinks.

In complex numbers z = x + iy it is dz = -λ z dt + σ dW with λ = a - ib, so that the exact solution
over a time δ, Notes (3) and (8), is

    z' = e^{-λδ} z + σ I,    I = ∫ e^{-λ(δ - s)} dW_s = c ΔW + r ε,

where ΔW is the increment that a solver sees and ε is independent of it: c = (1 - e^{-λδ}) / λδ, and
r² = (1 - e^{-2aδ}) / 2a - |c|² δ in each direction.
"""

from __future__ import annotations

import cmath
import math

import torch
from torch import Tensor

__all__ = ["SHRINK", "TURN", "exact_flow", "exact_noisy", "velocity"]

SHRINK, TURN = 0.25, 1.25  # a and b


def velocity(x: Tensor, t: Tensor) -> Tensor:
    """-θ x of points (batch, 2): inwards at the rate a, anticlockwise at the rate b."""
    turned = torch.stack([-x[..., 1], x[..., 0]], dim=-1)
    return TURN * turned - SHRINK * x


def exact_flow(x: Tensor, times: Tensor) -> Tensor:
    """Where the points (batch, 2) are at the times (n,), without noise; shape (n, batch, 2)."""
    z = torch.view_as_complex(x.contiguous())
    moved = torch.exp(-(SHRINK - 1j * TURN) * times)[:, None] * z
    return torch.view_as_real(moved)


def exact_noisy(x: Tensor, h: float, sigma: float, increments: Tensor, extra: Tensor) -> Tensor:
    """The exact solution of the noisy spiral from `x` (batch, 2), at every step of length `h`.

    Args:
        x: start.
        h: length of a step in time.
        sigma: diffusion coefficient.
        increments: ΔW, normal with variance `h`, shape (n, batch, 2).
        extra: ε, standard normal and independent of them, shape (n, batch, 2).

    Returns:
        States (n + 1, batch, 2), the start included.
    """
    rate = complex(SHRINK, -TURN)
    propagator = cmath.exp(-rate * h)
    c = (1 - propagator) / (rate * h)
    rest = max(-math.expm1(-2 * SHRINK * h) / (2 * SHRINK) - abs(c) ** 2 * h, 0.0) ** 0.5
    shocks = torch.view_as_complex(increments.contiguous()) * c
    shocks = shocks + rest * torch.view_as_complex(extra.contiguous())
    states = [torch.view_as_complex(x.contiguous())]
    for shock in shocks:
        states.append(propagator * states[-1] + sigma * shock)
    return torch.view_as_real(torch.stack(states))
