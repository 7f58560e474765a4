"""Random draws through one `torch.Generator`: drawn on its device, then moved to the caller's."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["categorical", "normal", "uniform"]


def normal(shape: Sequence[int], like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Independent N(0, 1) draws of the given shape, with the dtype and device of `like`."""
    device = like.device if generator is None else generator.device
    return torch.randn(shape, generator=generator, dtype=like.dtype, device=device).to(like.device)


def uniform(shape: Sequence[int], like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Independent uniform draws from [0, 1), with the dtype and device of `like`."""
    device = like.device if generator is None else generator.device
    return torch.rand(shape, generator=generator, dtype=like.dtype, device=device).to(like.device)


def categorical(weights: Tensor, n: int, generator: torch.Generator | None = None) -> Tensor:
    """`n` independent labels in 0..k-1 with probabilities `weights` (k,); shape (n,), int64."""
    device = weights.device if generator is None else generator.device
    labels = torch.multinomial(weights.to(device), n, replacement=True, generator=generator)
    return labels.to(weights.device)
