"""Points on a square grid, at which a widget looks at a field or a density."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["square_grid"]


def square_grid(half: float, side: int) -> Tensor:
    """side × side points of the square [-half, half]², row by row from the lowest; (side², 2)."""
    line = torch.linspace(-half, half, side)
    return torch.stack(torch.meshgrid(line, line, indexing="xy"), dim=-1).flatten(0, 1)
