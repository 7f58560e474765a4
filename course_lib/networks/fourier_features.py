"""Random Fourier features of x: sin(w_i · x) and cos(w_i · x) with w_i ~ N(0, scale² I).

A network sees x through them as through a grating: what changes over lengths of about 1 / scale is
easy to learn. (Tancik et al. 2020, https://arxiv.org/abs/2006.10739)
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from course_lib.shapes import check_count, check_number

__all__ = ["FourierFeatures"]


class FourierFeatures(nn.Module):
    """Points x (..., dim) to 2 n features, shape (..., 2 n). The w_i are drawn once, not trained.

    Raises:
        ValueError: `dim` or `n` below 1, or a `scale` that is not positive.
    """

    frequencies: Tensor

    def __init__(self, dim: int, n: int, scale: float) -> None:
        super().__init__()
        draws = torch.randn(check_count("dim", dim), check_count("n", n))
        self.register_buffer("frequencies", check_number("scale", scale, positive=True) * draws)

    def forward(self, x: Tensor) -> Tensor:
        phases = x @ self.frequencies
        return torch.cat([phases.sin(), phases.cos()], dim=-1)
