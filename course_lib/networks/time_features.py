"""Features of time: cos(π k t) and cos(π k τ), k = 0 … n - 1, where τ is a clock for the end.

With cosines of t alone, the moments before the data all look alike to a network, and it blurs the
data. τ = log((1 + δ) / (1 + δ - t)) / log((1 + δ) / δ) also runs from 0 to 1, but spends as long
between t = 0.8 and 0.9 as between 0.9 and 0.95, and so on until 1 - t is about δ.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from course_lib.shapes import check_count

__all__ = ["TimeFeatures"]

_DELTA = 0.02


class TimeFeatures(nn.Module):
    """Times t (...) in [0, 1] to features (..., 2 n): n of t, n of τ.

    Raises:
        ValueError: `n` below 1.
    """

    frequencies: Tensor

    def __init__(self, n: int = 4) -> None:
        super().__init__()
        k = torch.arange(check_count("n", n), dtype=torch.get_default_dtype())
        self.register_buffer("frequencies", math.pi * k)

    def forward(self, t: Tensor) -> Tensor:
        tau = -torch.log1p(-t / (1 + _DELTA)) / math.log((1 + _DELTA) / _DELTA)
        clocks = torch.stack([t, tau], dim=-1).unsqueeze(-1)
        return torch.cos(clocks * self.frequencies).flatten(-2)
