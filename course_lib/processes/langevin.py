"""Langevin dynamics dX = ½ σ² ∇ log p(X) dt + σ dW, Notes (31): p is its stationary law."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.distributions import Density, Gaussian
from course_lib.processes.base import SDE
from course_lib.processes.transition import Transition, elapsed_time
from course_lib.shapes import check_number, check_points

__all__ = ["Langevin"]


class Langevin(SDE):
    """Diffusion that follows the score of a density, and so samples from it, Notes (31).

    Args:
        target: the density p, with its score.
        sigma: diffusion coefficient σ, zero or more.

    Raises:
        ValueError: a target that is no density, or σ outside its range.
    """

    def __init__(self, target: Density, sigma: float = 1.0) -> None:
        if not isinstance(target, Density):
            raise ValueError(f"target is a {type(target).__name__}; expected a Density")
        self.target = target
        self.sigma = check_number("sigma", sigma, least=0.0)

    def drift(self, x: Tensor, t: Tensor) -> Tensor:
        """½ σ² ∇ log p(x), shaped like `x` (batch, d)."""
        return self.sigma**2 / 2 * self.target.score(x)

    def diffusion(self, t: Tensor) -> Tensor:
        """σ, shaped like `t`."""
        return torch.full_like(t, self.sigma)

    def transition(self, x: Tensor, elapsed: float | Tensor) -> Transition:
        """For a target N(m, C): N(m + e^{-B s} (x - m), C (1 - e^{-2 B s})), with B = ½ σ² C⁻¹.

        Raises:
            NotImplementedError: the target is not a Gaussian.
        """
        if not isinstance(self.target, Gaussian):
            raise NotImplementedError(
                f"Langevin has no known transition law for {type(self.target).__name__}; "
                "it has one for a Gaussian"
            )
        check_points(x, self.target.dim)
        time, mean = elapsed_time(elapsed, x), self.target.mean.to(x)
        variances, axes = torch.linalg.eigh(self.target.covariance.to(x))
        decay = self.sigma**2 / 2 * time.unsqueeze(-1) / variances
        spread = (-torch.expm1(-2 * decay) * variances).sqrt()
        propagator = axes * (-decay).exp().unsqueeze(-2) @ axes.mT
        moved = mean + torch.einsum("...ij,...j->...i", propagator, x - mean)
        return Transition(moved, axes * spread.unsqueeze(-2) @ axes.mT)

    def stationary(
        self,
        dim: int | None = None,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> Density:
        """The target itself; `dim`, where given, must be its dimension."""
        if dim is not None and dim != self.target.dim:
            raise ValueError(f"dim is {dim}; expected the target's, {self.target.dim}")
        return self.target
