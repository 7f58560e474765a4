"""The Gaussian mixture Σ_k w_k N(m_k, C_k), stable at any distance from its modes."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from course_lib.distributions.gaussian import checked_cholesky
from course_lib.distributions.mixture import Mixture, normalised_weights
from course_lib.noise import normal
from course_lib.shapes import as_floats, check_count, check_number, check_points

__all__ = ["GaussianMixture"]


class GaussianMixture(Mixture):
    """A mixture of k Gaussians in d dimensions.

    Args:
        means: shape (k, d).
        covariances: one variance (), a variance a component (k,), or matrices (k, d, d).
        weights: relative weights (k,); equal for None.

    Attributes:
        means: shape (k, d).
        covariances: always matrices, shape (k, d, d).
        weights: shape (k,), summing to 1.

    Raises:
        ValueError: a wrong shape, NaN, a covariance that is not symmetric and positive, a
            negative weight.
    """

    def __init__(self, means: Any, covariances: Any = 1.0, weights: Any = None) -> None:
        self.means = as_floats("means", means)
        if self.means.ndim != 2 or self.means.numel() == 0:
            raise ValueError(f"means has shape {tuple(self.means.shape)}; expected (k, d)")
        k, self.dim = self.means.shape
        given = as_floats("covariances", covariances, self.means.dtype, self.means.device)
        if given.shape not in {(), (k,), (k, self.dim, self.dim)}:
            raise ValueError(
                f"covariances has shape {tuple(given.shape)}; "
                f"expected (), ({k},) or ({k}, {self.dim}, {self.dim})"
            )
        identity = torch.eye(self.dim, dtype=given.dtype, device=given.device)
        self.covariances = given if given.ndim == 3 else given.expand(k)[:, None, None] * identity
        self.weights = normalised_weights(weights, self.means, k)
        self._roots = checked_cholesky(self.covariances)
        # L_k⁻¹ of every component, one above the other: a single product whitens for all of them.
        inverses = torch.linalg.solve_triangular(
            self._roots, identity.expand(k, -1, -1), upper=False
        )
        self._whitener = inverses.flatten(0, 1)
        self._whitened_means = (inverses @ self.means.unsqueeze(-1)).flatten()
        self._log_scales = self._roots.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    @classmethod
    def ring(
        cls,
        modes: int = 5,
        radius: float = 4.0,
        std: float = 0.5,
        weights: Any = None,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> GaussianMixture:
        """Round modes of width `std`, evenly spaced on a circle in the plane, the first at (r, 0).

        Raises:
            ValueError: `modes` below 1, or a `radius` or `std` that is not positive.
        """
        check_number("radius", radius, positive=True)
        check_number("std", std, positive=True)
        turns = torch.arange(check_count("modes", modes), dtype=torch.float64) / modes
        angles = 2 * math.pi * turns
        means = radius * torch.stack([angles.cos(), angles.sin()], dim=-1)
        dtype = dtype or torch.get_default_dtype()
        return cls(means.to(dtype=dtype, device=device), std**2, weights)

    def component_log_prob(self, x: Tensor) -> Tensor:
        """Log density of every Gaussian at `x` (..., d); shape (..., k)."""
        whitened = self._whitened(x)
        constant = self._log_scales.to(x) + self.dim / 2 * math.log(2 * math.pi)
        return -torch.einsum("...i,...i->...", whitened, whitened) / 2 - constant

    def component_score(self, x: Tensor) -> Tensor:
        """Score -C_k⁻¹ (x - m_k) of every Gaussian at `x` (..., d); shape (..., k, d)."""
        inverses = self._whitener.to(x).unflatten(0, tuple(self.means.shape))
        return -torch.einsum("kji,...kj->...ki", inverses, self._whitened(x))

    def score(self, x: Tensor) -> Tensor:
        """Score -Σ_k r_k(x) C_k⁻¹ (x - m_k) at `x` (..., d), shaped like `x`."""
        shares = self.responsibilities(x).unsqueeze(-1)
        return -(shares * self._whitened(x)).flatten(-2) @ self._whitener.to(x)

    def sample_components(self, labels: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """One sample of Gaussian `labels[i]` for each i; labels (n,), result (n, d)."""
        noise = normal((len(labels), self.dim), self.means, generator)
        return self.means[labels] + torch.einsum("nij,nj->ni", self._roots[labels], noise)

    def nearest_mode(self, x: Tensor) -> Tensor:
        """Index of the mean nearest to `x` (..., d) in Euclidean distance; shape (...), int64."""
        check_points(x, self.dim)
        return (x.unsqueeze(-2) - self.means.to(x)).square().sum(-1).argmin(-1)

    def _whitened(self, x: Tensor) -> Tensor:
        """L_k⁻¹ (x - m_k) for C_k = L_k L_kᵀ; shape (..., k, d)."""
        check_points(x, self.dim)
        whitened = x @ self._whitener.to(x).mT - self._whitened_means.to(x)
        return whitened.unflatten(-1, tuple(self.means.shape))
