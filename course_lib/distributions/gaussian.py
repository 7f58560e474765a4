"""The Gaussian N(m, C): score ∇ log p(x) = -C⁻¹ (x - m)."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from course_lib.distributions.base import Density
from course_lib.noise import normal
from course_lib.shapes import as_floats, check_count, check_points

__all__ = ["Gaussian", "checked_cholesky"]


class Gaussian(Density):
    """The normal distribution N(mean, covariance) in d dimensions.

    Args:
        mean: shape (d,).
        covariance: one variance (), d variances (d,), or a matrix (d, d).

    Attributes:
        mean: shape (d,).
        covariance: always the matrix, shape (d, d).

    Raises:
        ValueError: a wrong shape, NaN, or a covariance that is not symmetric and positive.
    """

    def __init__(self, mean: Any, covariance: Any = 1.0) -> None:
        self.mean = as_floats("mean", mean)
        if self.mean.ndim != 1 or self.mean.numel() == 0:
            raise ValueError(f"mean has shape {tuple(self.mean.shape)}; expected (d,)")
        self.dim = self.mean.shape[0]
        given = as_floats("covariance", covariance, self.mean.dtype, self.mean.device)
        if given.shape not in {(), (self.dim,), (self.dim, self.dim)}:
            raise ValueError(
                f"covariance has shape {tuple(given.shape)}; "
                f"expected (), ({self.dim},) or ({self.dim}, {self.dim})"
            )
        self.covariance = given if given.ndim == 2 else torch.diag(given.expand(self.dim))
        self._root = checked_cholesky(self.covariance)

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw `n` samples, shape (n, d)."""
        noise = normal((check_count("n", n), self.dim), self.mean, generator)
        return self.mean + noise @ self._root.mT

    def log_prob(self, x: Tensor) -> Tensor:
        """Log density at `x` (..., d); shape (...)."""
        check_points(x, self.dim)
        root = self._root.to(x)
        centred = (x - self.mean.to(x)).reshape(-1, self.dim)
        whitened = torch.linalg.solve_triangular(root, centred.mT, upper=False)
        log_scale = root.diagonal().log().sum() + self.dim / 2 * math.log(2 * math.pi)
        return -whitened.square().sum(0).reshape(x.shape[:-1]) / 2 - log_scale

    def score(self, x: Tensor) -> Tensor:
        """Score -C⁻¹ (x - m) at `x` (..., d), shaped like `x`."""
        check_points(x, self.dim)
        centred = (x - self.mean.to(x)).reshape(-1, self.dim)
        return -torch.cholesky_solve(centred.mT, self._root.to(x)).mT.reshape(x.shape)


def checked_cholesky(covariance: Tensor) -> Tensor:
    """Lower Cholesky factor of `covariance` (..., d, d); ValueError unless symmetric positive."""
    root, failed = torch.linalg.cholesky_ex(covariance)
    if failed.any() or not torch.allclose(covariance, covariance.mT, rtol=1e-5, atol=0.0):
        raise ValueError(
            "covariance is not symmetric and positive definite; expected positive variances"
        )
    return root
