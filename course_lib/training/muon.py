"""Muon: W ← W - lr 0.2 √max(m, n) U Vᵀ, where U S Vᵀ is the running mean of W's gradient.

So a step goes as far in the directions in which gradients are small as in those in which they
are large. (m, n) is the shape of W; of a convolution's weights m is the first dimension and n all
the others. U Vᵀ comes from five Newton-Schulz steps, in which all singular values near 1.

Jordan et al. (2024), https://kellerjordan.github.io/posts/muon; the factor in front, with which
learning rates are those of Adam, is that of Liu et al. (2025), https://arxiv.org/abs/2502.16982.
"""

from __future__ import annotations

from collections import defaultdict
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
        alike = defaultdict(list)  # the products of many small matrices are faster together
        for weight, mean in zip(self.matrices, self.means, strict=True):
            if weight.grad is not None:
                mean.lerp_(weight.grad, 1 - self.keep)
                gradient = weight.grad.lerp(mean, self.keep).flatten(1)
                alike[gradient.shape].append((weight, gradient))
        for shape, rows in alike.items():
            directions = orthogonal(torch.stack([gradient for _, gradient in rows]))
            for (weight, _), direction in zip(rows, directions, strict=True):
                weight.sub_(direction.view(weight.shape), alpha=lr * 0.2 * max(shape) ** 0.5)


def orthogonal(matrices: Tensor) -> Tensor:
    """U Vᵀ of each of the `matrices` U S Vᵀ (k, m, n), roughly: singular values are 0.7 to 1.2.

    A singular value s becomes a s + b s³ + c s⁵, five times over; a value far below the largest
    (a thousandth) is still small then.
    """
    high = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if high else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    a, b, c = 3.4445, -4.7750, 2.0315
    for _ in range(5):
        gram = x @ x.mT
        factor = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)  # b G + c G²
        x = torch.baddbmm(x, factor, x, beta=a)  # a X + (b G + c G²) X
    return x.mT if high else x
