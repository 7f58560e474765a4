"""Histograms of many frames at once."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["histogram"]


def histogram(values: Tensor, low: float, high: float, bins: int) -> tuple[Tensor, Tensor]:
    """Densities (frames, bins) of the rows of `values` (frames, n), and the edges (bins + 1,).

    Values outside [low, high), NaN and infinities count as particles but fall in no bin.
    """
    frames, n = values.shape
    width = (high - low) / bins
    place = ((values - low) / width).floor()
    place = torch.where((place >= 0) & (place < bins), place, bins).long()
    row = torch.arange(frames, device=values.device)[:, None] * (bins + 1)
    counts = torch.bincount((place + row).flatten(), minlength=frames * (bins + 1))
    densities = counts.view(frames, bins + 1)[:, :bins] / (n * width)
    return densities, torch.linspace(low, high, bins + 1)
