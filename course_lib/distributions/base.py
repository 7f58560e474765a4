"""A distribution draws samples; a density also knows log p(x) and its score ∇ log p(x)."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

__all__ = ["Density", "Distribution"]


class Distribution(ABC):
    """Something to draw from. `dim` is the dimension d of one sample."""

    dim: int

    @abstractmethod
    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw `n` independent samples, shape (n, dim).

        Raises:
            ValueError: `n` is not a whole number of at least 1.
        """


class Density(Distribution):
    """A distribution whose density is known."""

    @abstractmethod
    def log_prob(self, x: Tensor) -> Tensor:
        """Natural logarithm of the density at `x` (..., dim); shape (...).

        Raises:
            ValueError: `x` is empty or its last axis is not `dim`.
        """

    def score(self, x: Tensor) -> Tensor:
        """Score ∇ log p(x) at `x` (..., dim), shaped like `x`; by autograd unless overridden."""
        with torch.enable_grad():
            points = x if x.requires_grad else x.detach().requires_grad_()
            total = self.log_prob(points).sum()
            return torch.autograd.grad(total, points, create_graph=x.requires_grad)[0]
