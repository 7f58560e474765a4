"""Spirals with a known end: dX = -Θ_t X dt + σ dW in the plane, whose matrix turns and shrinks.

In complex numbers z = x + iy it is dz = -(a - i b_t) z dt + σ dW. The propagator from s to t is
E(s, t) = exp(-a (t - s) + i ∫ b), and the exact solution over a time δ, Notes (3) and (8), is

    z' = E z + σ I,    I = ∫ E(s, δ) dW_s = c ΔW + r ε,

where ΔW is the increment that a solver sees and ε is independent of it: c = ∫ E(s, δ) ds / δ, and
r² = (1 - e^{-2aδ}) / 2a - |c|² δ in each direction.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from course_lib.shapes import expand_time

__all__ = ["SPIRAL", "TIDE", "Spiral"]

NODES, WEIGHTS = (torch.from_numpy(a) for a in np.polynomial.legendre.leggauss(6))


@dataclass(frozen=True)
class Spiral:
    """The field -Θ_t x with Θ_t = [[a, b_t], [-b_t, a]] and b_t = b cos(ω t).

    Attributes:
        shrink: a, inwards.
        turn: b, anticlockwise.
        change: ω; 0 for a turn that stays.
    """

    shrink: float
    turn: float
    change: float = 0.0

    def velocity(self, x: Tensor, t: Tensor | float) -> Tensor:
        """-Θ_t x of points (batch, 2) at a time () or (batch,)."""
        turned = torch.stack([-x[..., 1], x[..., 0]], dim=-1)
        turn = self.turn * torch.cos(self.change * expand_time(t, x))
        return turn * turned - self.shrink * x

    def exact_flow(self, x: Tensor, times: Tensor) -> Tensor:
        """Where the points (batch, 2) are at the times (n,), without noise; shape (n, batch, 2)."""
        z = torch.view_as_complex(x.contiguous())
        return torch.view_as_real(self._propagator(torch.zeros_like(times), times)[:, None] * z)

    def exact_noisy(
        self, x: Tensor, h: float, sigma: float, increments: Tensor, extra: Tensor
    ) -> Tensor:
        """The exact solution with noise from `x` (batch, 2), at every step of length `h`.

        Args:
            x: start.
            h: length of a step in time.
            sigma: diffusion coefficient.
            increments: ΔW, normal with variance `h`, shape (n, batch, 2).
            extra: ε, standard normal and independent of them, shape (n, batch, 2).

        Returns:
            States (n + 1, batch, 2), the start included.
        """
        ends = h * torch.arange(1, len(increments) + 1, dtype=torch.float64)
        inside = ends[:, None] - h * (1 - NODES) / 2
        c = self._propagator(inside, ends[:, None]) @ (WEIGHTS / 2).to(torch.complex128)
        both = -math.expm1(-2 * self.shrink * h) / (2 * self.shrink)
        rest = (both - c.abs().square() * h).clamp(min=0).sqrt()
        shocks = c[:, None] * torch.view_as_complex(increments.contiguous())
        shocks = shocks + rest[:, None] * torch.view_as_complex(extra.contiguous())
        moves = self._propagator(ends - h, ends)
        states = [torch.view_as_complex(x.contiguous())]
        for move, shock in zip(moves, shocks, strict=True):
            states.append(move * states[-1] + sigma * shock)
        return torch.view_as_real(torch.stack(states)).to(x)

    def _propagator(self, start: Tensor, end: Tensor) -> Tensor:
        """E(start, end), complex."""
        return torch.exp(
            -self.shrink * (end - start) + 1j * (self._angle(end) - self._angle(start))
        )

    def _angle(self, t: Tensor) -> Tensor:
        """∫ b_s ds from 0 to t."""
        w = self.change
        return self.turn * (t if w == 0 else torch.sin(w * t) / w)


SPIRAL = Spiral(shrink=0.25, turn=1.25)
TIDE = Spiral(shrink=0.25, turn=1.6, change=0.8)
