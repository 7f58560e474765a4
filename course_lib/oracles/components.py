"""What a component of the data becomes on a Gaussian path: N(α m, α² C + β² I).

Both kinds answer in the dtype of `x` (batch, d), with `alpha` and `beta` of shape (batch, 1) or
(1, 1), and `shares` (batch, k) the posterior probabilities of the components.
"""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor

__all__ = ["Components", "GaussianComponents", "PointComponents", "precise"]

_FEW = 8  # points whose distances are worked out without cancellation


def precise(tensor: Tensor) -> Tensor:
    """`tensor` in float64, or in float32 on a device that has no float64."""
    return tensor.to(torch.float32 if tensor.device.type == "mps" else torch.float64)


class Components(Protocol):
    """k components and their weights (k,)."""

    weights: Tensor

    def log_prob(self, x: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
        """Log density of x under each component; shape (batch, k)."""

    def expectations(
        self, x: Tensor, alpha: Tensor, beta: Tensor, shares: Tensor
    ) -> tuple[Tensor, Tensor]:
        """E[z|x] and ∇ log p(x), each of shape (batch, d)."""

    def variance(self, x: Tensor, alpha: Tensor, beta: Tensor, shares: Tensor) -> Tensor:
        """Trace of Cov(z|x); shape (batch,)."""


class GaussianComponents:
    """Gaussians N(m_k, C_k): on the axes of C_k, α² C_k + β² I is diagonal at every time."""

    def __init__(self, means: Tensor, covariances: Tensor, weights: Tensor) -> None:
        self.means, self.weights = precise(means), precise(weights)
        self.variances, self.axes = torch.linalg.eigh(precise(covariances))

    def log_prob(self, x: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
        offsets, variances = self._along_axes(x, alpha, beta)
        return -(offsets.square() / variances + (2 * math.pi * variances).log()).sum(-1) / 2

    def expectations(
        self, x: Tensor, alpha: Tensor, beta: Tensor, shares: Tensor
    ) -> tuple[Tensor, Tensor]:
        denoised = (shares.unsqueeze(-1) * self._posterior_means(x, alpha, beta)).sum(-2)
        offsets, variances = self._along_axes(x, alpha, beta)
        pull = shares.unsqueeze(-1) * offsets / variances
        return denoised, -torch.einsum("kij,bkj->bi", self.axes.to(x), pull)

    def variance(self, x: Tensor, alpha: Tensor, beta: Tensor, shares: Tensor) -> Tensor:
        _, variances = self._along_axes(x, alpha, beta)
        within = (self.variances.to(x) / variances).sum(-1) * beta.square()
        means = self._posterior_means(x, alpha, beta)
        centre = (shares.unsqueeze(-1) * means).sum(-2, keepdim=True)
        return (shares * (within + (means - centre).square().sum(-1))).sum(-1)

    def _along_axes(self, x: Tensor, alpha: Tensor, beta: Tensor) -> tuple[Tensor, Tensor]:
        """x - α m_k on the axes of C_k, and α² C_k + β² I there; (batch, k, d) or broadcasting."""
        alpha, beta = alpha.unsqueeze(-1), beta.unsqueeze(-1)
        offsets = x.unsqueeze(-2) - alpha * self.means.to(x)
        variances = alpha.square() * self.variances.to(x) + beta.square()
        return torch.einsum("kij,bki->bkj", self.axes.to(x), offsets), variances

    def _posterior_means(self, x: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
        """E[z|x, k] = m_k + α C_k (α² C_k + β² I)⁻¹ (x - α m_k); shape (batch, k, d)."""
        offsets, variances = self._along_axes(x, alpha, beta)
        gains = alpha.unsqueeze(-1) * self.variances.to(x) / variances
        return self.means.to(x) + torch.einsum("kij,bkj->bki", self.axes.to(x), gains * offsets)


class PointComponents:
    """Equally likely points z_i (n, d), which the path blurs into N(α z_i, β² I), for β > 0.

    Nothing here is as large as (batch, n, d).
    """

    def __init__(self, points: Tensor) -> None:
        points = precise(points)
        self.centre = points.mean(0)
        self.points = points - self.centre
        self.squares = self.points.square().sum(-1)
        self.weights = torch.full_like(points[:, 0], 1 / len(points))

    def log_prob(self, x: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
        points, x = self.points.to(x), x - alpha * self.centre.to(x)
        # |x - α z_i|² multiplied out, x·x - 2α x·z_i + α² z_i·z_i, is the small difference of large
        # numbers near t = 1. So the nearest few, which count there, are measured as they stand.
        nearness = alpha * (x @ points.mT) - alpha.square() * self.squares.to(x) / 2
        nearest = nearness.topk(min(_FEW, len(points)))
        offsets = x.unsqueeze(-2) - alpha.unsqueeze(-1) * points[nearest.indices]
        measured = offsets.square().sum(-1) / 2
        farther = (measured + nearest.values)[:, :1] - nearness
        distances = farther.scatter(-1, nearest.indices, measured)
        log_scale = beta.log() + math.log(2 * math.pi) / 2
        return distances * (-1 / beta.square()) - x.shape[-1] * log_scale

    def expectations(
        self, x: Tensor, alpha: Tensor, beta: Tensor, shares: Tensor
    ) -> tuple[Tensor, Tensor]:
        denoised = shares @ self.points.to(x) + self.centre.to(x)
        return denoised, (alpha * denoised - x) / beta.square()

    def variance(self, x: Tensor, alpha: Tensor, beta: Tensor, shares: Tensor) -> Tensor:
        points = self.points.to(x)
        # Measured from the likeliest point, and exactly for the likeliest few: see `log_prob`.
        likeliest = shares.topk(min(_FEW, len(points))).indices
        pivot, squares = points[likeliest[:, 0]], self.squares.to(x)
        measured = (points[likeliest] - pivot.unsqueeze(-2)).square().sum(-1)
        apart = squares[likeliest[:, :1]] - 2 * pivot @ points.mT + squares
        apart = apart.clamp(min=0).scatter(-1, likeliest, measured)
        shift = shares @ points - pivot
        return ((shares * apart).sum(-1) - shift.square().sum(-1)).clamp(min=0)
