"""The empirical distribution of finite data: p = (1/n) Σ_i δ(x - x_i)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course_lib.distributions.base import Distribution
from course_lib.noise import categorical
from course_lib.shapes import as_floats, check_count

__all__ = ["Empirical"]


class Empirical(Distribution):
    """Uniform over finite data: every sample is one of the points.

    Args:
        points: shape (n, d), or (n, ...) such as images (n, c, h, w).
        labels: one label a point, shape (n,), or None.

    Raises:
        ValueError: no points, NaN, or another number of labels than of points.
    """

    def __init__(self, points: Any, labels: Any = None) -> None:
        self.points = as_floats("points", points)
        if self.points.ndim < 2 or self.points.numel() == 0:
            raise ValueError(f"points has shape {tuple(self.points.shape)}; expected (n, d)")
        self.dim = self.points[0].numel()
        self.labels = None if labels is None else torch.as_tensor(labels, device=self.points.device)
        if self.labels is not None and self.labels.shape != (len(self.points),):
            raise ValueError(
                f"labels has shape {tuple(self.labels.shape)}; expected ({len(self.points)},)"
            )

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw `n` of the points with replacement, shape (n, d) or (n, ...)."""
        return self.points[self._draw(n, generator)]

    def sample_labelled(
        self, n: int, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Draw `n` points (n, ...) with their labels (n,); ValueError where none were given."""
        if self.labels is None:
            raise ValueError("these data have no labels; expected Empirical(points, labels)")
        chosen = self._draw(n, generator)
        return self.points[chosen], self.labels[chosen]

    def _draw(self, n: int, generator: torch.Generator | None) -> Tensor:
        equal = torch.ones(len(self.points), device=self.points.device)
        return categorical(equal, check_count("n", n), generator)
