"""Muon: W ← W - lr 0.2 √max(m, n) U Vᵀ, where U S Vᵀ is the running mean of W's gradient.

So a step goes as far in the directions in which gradients are small as in those in which they
are large. (m, n) is the shape of W; of a convolution's weights m is the first dimension and n all
the others. U Vᵀ comes from five Newton-Schulz steps, in which all singular values near 1.

Jordan et al. (2024), https://kellerjordan.github.io/posts/muon; the factor in front, with which
learning rates are those of Adam, is that of Liu et al. (2025), https://arxiv.org/abs/2502.16982.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from course_lib.training.adam import Adam

__all__ = ["Muon", "orthogonal"]


class Muon:
    """Muon for those of the `weights` that have two dimensions or more, Adam for the others."""

    def __init__(self, weights: Iterable[Tensor], keep: float = 0.95) -> None:
        weights = list(weights)
        self.matrices = [weight for weight in weights if weight.ndim > 1]
        self.means = [torch.zeros_like(weight) for weight in self.matrices]
        self.others = Adam(weight for weight in weights if weight.ndim < 2)
        self.keep = keep

    @torch.no_grad()
    def step(self, lr: float) -> None:
        """Change the weights in place, at the learning rate `lr`."""
        self.others.step(lr)
        for weight, mean in zip(self.matrices, self.means, strict=True):
            if weight.grad is not None:
                mean.lerp_(weight.grad, 1 - self.keep)
                direction = orthogonal(weight.grad.lerp(mean, self.keep).flatten(1))
                size = 0.2 * max(direction.shape) ** 0.5
                weight.sub_(direction.view(weight.shape), alpha=lr * size)


def orthogonal(matrix: Tensor) -> Tensor:
    """U Vᵀ of a `matrix` U S Vᵀ (m, n), roughly: its singular values are 0.7 to 1.2.

    A singular value s becomes a s + b s³ + c s⁵, five times over; a value far below the largest
    (a thousandth) is still small then.
    """
    x = matrix.mT if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        gram = x @ x.mT
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x.mT if matrix.shape[0] > matrix.shape[1] else x
