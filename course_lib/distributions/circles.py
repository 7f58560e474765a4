"""Noisy concentric circles: p_R(x) = exp(-(r² + R²) / 2s²) I₀(rR / s²) / 2πs², with r = |x|."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from course_lib.distributions.mixture import Mixture, normalised_weights
from course_lib.noise import normal, uniform
from course_lib.shapes import as_floats, check_number, check_points

__all__ = ["Circles"]


class Circles(Mixture):
    """Equal shares on circles around the origin of the plane, blurred by N(0, noise² I).

    Args:
        radii: one positive radius a circle.
        noise: standard deviation of the blur.

    Raises:
        ValueError: no radius, or a radius or `noise` that is not positive.
    """

    dim = 2

    def __init__(
        self,
        radii: Sequence[float] = (1.0, 2.0),
        noise: float = 0.05,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        self.noise = check_number("noise", noise, positive=True)
        self.radii = as_floats("radii", radii, dtype or torch.get_default_dtype(), device)
        if self.radii.ndim != 1 or self.radii.numel() == 0 or (self.radii <= 0).any():
            raise ValueError(f"radii are {radii}; expected one positive number or more")
        self.weights = normalised_weights(None, self.radii, len(self.radii))

    def component_log_prob(self, x: Tensor) -> Tensor:
        """Log density of every blurred circle at `x` (..., 2); shape (..., k)."""
        check_points(x, self.dim)
        r, radii, variance = x.norm(dim=-1, keepdim=True), self.radii.to(x), self.noise**2
        # i0e(k) = exp(-k) I₀(k) neither overflows nor underflows.
        bessel = torch.special.i0e(r * radii / variance).log()
        return bessel - (r - radii).square() / (2 * variance) - math.log(2 * math.pi * variance)

    def component_score(self, x: Tensor) -> Tensor:
        """Score of every blurred circle at `x` (..., 2); shape (..., k, 2)."""
        check_points(x, self.dim)
        r, radii, variance = x.norm(dim=-1, keepdim=True), self.radii.to(x), self.noise**2
        k = r * radii / variance
        # I₁(k) / k I₀(k), whose limit at the centre is 1/2.
        ratio = torch.where(
            k > 0, torch.special.i1e(k) / torch.special.i0e(k) / k.where(k > 0, 1), 0.5
        )
        pull = radii.square() / variance * ratio - 1
        return pull.unsqueeze(-1) * x.unsqueeze(-2) / variance

    def sample_components(self, labels: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """One sample of circle `labels[i]` for each i; labels (n,), result (n, 2)."""
        angles = 2 * math.pi * uniform((len(labels),), self.radii, generator)
        circle = torch.stack([angles.cos(), angles.sin()], dim=-1)
        blur = self.noise * normal((len(labels), 2), self.radii, generator)
        return self.radii[labels].unsqueeze(-1) * circle + blur
