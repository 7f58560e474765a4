"""Two noisy half circles: p(x) = ½ Σ_k (1/π) ∫₀^π N(x; c_k(θ), noise² I) dθ, by quadrature."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from course_lib.distributions.mixture import Mixture, normalised_weights
from course_lib.noise import normal, uniform
from course_lib.shapes import check_number, check_points

__all__ = ["Moons"]

_E_FOLDS = 40.0  # the integrand is followed until it has fallen by exp(-40)
_NODES, _NODE_WEIGHTS = (a / 2 for a in np.polynomial.legendre.leggauss(48))  # on [-½, ½]


class Moons(Mixture):
    """Two interleaved half circles of radius 1, blurred by N(0, noise² I).

    Moon 0 is the upper half of the circle around (0, 0); moon 1 the lower half of the one around
    (1, ½).

    Args:
        noise: standard deviation of the blur.

    Raises:
        ValueError: `noise` that is not positive.
    """

    dim = 2

    def __init__(
        self,
        noise: float = 0.05,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        self.noise = check_number("noise", noise, positive=True)
        like = torch.empty((), dtype=dtype, device=device)
        self.weights = normalised_weights(None, like, 2)

    def component_log_prob(self, x: Tensor) -> Tensor:
        """Log density of both moons at `x` (..., 2); shape (..., 2)."""
        y = _upright(x)
        nearest, offsets, log_weights = self._quadrature(y)
        logs = self._relative_logs(y, offsets) + log_weights
        distance = (y - nearest).square().sum(-1)
        constant = math.log(2 * math.pi**2 * self.noise**2)
        return logs.logsumexp(-1) - distance / (2 * self.noise**2) - constant

    def component_score(self, x: Tensor) -> Tensor:
        """Score of both moons at `x` (..., 2); shape (..., 2, 2)."""
        y = _upright(x)
        nearest, offsets, log_weights = self._quadrature(y)
        shares = (self._relative_logs(y, offsets) + log_weights).softmax(-1)
        centre = nearest + (shares.unsqueeze(-2) @ offsets).squeeze(-2)
        return (centre - y) / self.noise**2 * y.new_tensor([[1.0], [-1.0]])

    def sample_components(self, labels: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """One sample of moon `labels[i]` for each i; labels (n,), result (n, 2)."""
        angles = math.pi * uniform((len(labels),), self.weights, generator)
        arc = torch.stack([angles.cos(), angles.sin()], dim=-1)
        turned = arc.new_tensor([1.0, 0.5]) - arc
        blur = self.noise * normal((len(labels), 2), self.weights, generator)
        return torch.where(labels.unsqueeze(-1) == 0, arc, turned) + blur

    def _relative_logs(self, y: Tensor, offsets: Tensor) -> Tensor:
        """log N(y; c_j) - log N(y; nearest), for points c_j = nearest + offset on the arc."""
        return (offsets @ y.unsqueeze(-1)).squeeze(-1) / self.noise**2

    def _quadrature(self, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Nodes where the integrand over the upper half circle is not negligible.

        With y = r (cos φ, sin φ) the integrand is exp(r cos(θ - φ) / noise²), largest at the
        point of the arc nearest to y. The nodes are constants: no gradient runs through them.

        Returns:
            The nearest point (..., 2), the nodes' offsets from it (..., q, 2), and the logarithms
            of their weights (..., q).
        """
        y = y.detach()
        side = torch.where(y[..., 0] < 0, -1.0, 1.0)  # the arc is symmetric: work on the right
        angle = torch.atan2(y[..., 1], y[..., 0].abs())
        nearest = angle.clamp(min=0)
        fall = _E_FOLDS * self.noise**2 / (2 * y.norm(dim=-1))
        sine = (((nearest - angle) / 2).sin().square() + fall).sqrt()
        reach = torch.where(sine < 1, 2 * sine.clamp(max=1).asin(), 2 * math.pi)
        low, high = (angle - reach).clamp(min=0), (angle + reach).clamp(max=math.pi)
        width = (high - low).clamp(min=torch.finfo(y.dtype).eps)
        theta = ((low + high) / 2).unsqueeze(-1) + width.unsqueeze(-1) * _like(_NODES, y)
        half = (theta - nearest.unsqueeze(-1)) / 2
        middle = nearest.unsqueeze(-1) + half
        offsets = 2 * half.sin().unsqueeze(-1) * torch.stack([-middle.sin(), middle.cos()], -1)
        mirror = torch.stack([side, torch.ones_like(side)], dim=-1)
        point = torch.stack([nearest.cos(), nearest.sin()], dim=-1)
        log_weights = width.log().unsqueeze(-1) + _like(_NODE_WEIGHTS, y).log()
        return mirror * point, mirror.unsqueeze(-2) * offsets, log_weights


def _upright(x: Tensor) -> Tensor:
    """`x` (..., 2) as each moon sees it once moved onto the upper half circle; (..., 2, 2)."""
    check_points(x, 2)
    return torch.stack([x, x.new_tensor([1.0, 0.5]) - x], dim=-2)


def _like(values: np.ndarray, y: Tensor) -> Tensor:
    return torch.as_tensor(values, dtype=y.dtype, device=y.device)
