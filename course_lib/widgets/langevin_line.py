"""Langevin dynamics dX = ½ σ² (log p)'(X) dt + σ dW on a line, Notes (31), without simulation.

On a fine grid it is a walk that jumps from cell i to the next, j, with the rate
½ σ² √(p_j/p_i) / δ² for cells of width δ. Such rates keep p, and are right to the order of δ².
Scaled by √p the walk has a symmetric matrix, whose eigenvectors give the law at every time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

__all__ = ["LangevinLine"]


@dataclass(frozen=True, eq=False)
class LangevinLine:
    """The walk for ½ σ² = 1; another σ only changes how fast its clock runs.

    Attributes:
        x: the middles of the cells (n,), evenly spaced, beyond which p is as good as 0.
        log_p: there, up to a constant, (n,); both float64.
    """

    x: Tensor
    log_p: Tensor

    @property
    def width(self) -> float:
        """δ."""
        return (self.x[1] - self.x[0]).item()

    @cached_property
    def relaxation(self) -> float:
        """The time in which the slowest deviation from p falls to 1/e."""
        return (1 / torch.linalg.eigvalsh(self._generator)[1]).item()

    def density(self, start: float, clock: Tensor) -> Tensor:
        """The density of X in each cell, (times, n), from x = `start` after ½ σ² t = `clock`."""
        rates, vectors = self._spectrum
        cell = (self.x - start).abs().argmin()
        root = (0.5 * (self.log_p - self.log_p[cell])).exp()
        decay = (-rates * clock.double()[:, None]).exp()
        law = root * ((decay * vectors[cell]) @ vectors.mT)
        return law.clamp(min=0) / self.width

    @cached_property
    def _generator(self) -> Tensor:
        up = (self.log_p.diff() / 2).exp()
        leaving = torch.zeros_like(self.log_p)
        leaving[:-1] += up
        leaving[1:] += 1 / up
        ones = torch.ones_like(up)  # √(p_i/p_j) √(p_j/p_i)
        jumps = torch.diag(leaving) - torch.diag(ones, 1) - torch.diag(ones, -1)
        return jumps / self.width**2

    @cached_property
    def _spectrum(self) -> tuple[Tensor, Tensor]:
        rates, vectors = torch.linalg.eigh(self._generator)
        return rates.clamp(min=0), vectors
