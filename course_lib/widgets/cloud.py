"""Shapes in the plane whose flow is known exactly: many points, each smeared a little."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from course_lib.distributions import Empirical
from course_lib.noise import categorical
from course_lib.oracles import Marginal
from course_lib.paths import GaussianPath, Schedule

__all__ = ["SHAPES", "Cloud", "drawn", "shape"]

SHAPES = ("chessboard", "moons", "circles", "five modes")
SMEAR = 0.07  # wider than the gaps of the points of a shape, which so become even
FEWEST, MOST = 5, 800  # points of a drawing


class _Smeared(Schedule):
    """α = t and β² = (1 - t)² + s² t²: the linear path's noise, and that of the data."""

    def __init__(self, std: float) -> None:
        self.std = std

    def _alpha(self, t: Tensor) -> Tensor:
        return t.clone()

    def _beta(self, t: Tensor) -> Tensor:
        return ((1 - t).square() + (self.std * t).square()).sqrt()

    def _alpha_dot(self, t: Tensor) -> Tensor:
        return torch.ones_like(t)

    def _beta_dot(self, t: Tensor) -> Tensor:
        return (self.std**2 * t - (1 - t)) / self._beta(t)


class Cloud:
    """The data z = c + s ε, with a centre c drawn from `centres` (k, 2) and ε ~ N(0, I).

    On the linear path x_t = t z + (1 - t) ε' is t c plus Gaussian noise of variance
    v = (1 - t)² + s² t². So the exact quantities are those of the centres alone, as finite data,
    on a path with that much noise: the same as `Marginal` of the mixture, at a tenth of the cost.
    """

    def __init__(self, centres: Tensor, std: float) -> None:
        self.centres, self.std = centres, std
        self._law = Marginal(GaussianPath(_Smeared(std)), Empirical(centres))

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw `n` points, shape (n, 2)."""
        chosen = categorical(torch.ones(len(self.centres)), n, generator)
        return self.centres[chosen] + self.std * torch.randn(n, 2, generator=generator)

    def velocity(self, x: Tensor, t: Tensor | float) -> Tensor:
        """u_t(x), Notes (19), for points (n, 2); shaped like `x`."""
        return self._law.velocity(x, t)

    def density(self, t: Tensor, line: Tensor) -> Tensor:
        """p_t on the grid line × line at the times (frames,); (frames, rows, columns)."""
        variance = ((1 - t).square() + (self.std * t).square())[:, None, None, None]
        offsets = line[:, None, None] - t[:, None, None, None] * self.centres
        bells = (-offsets.square() / (2 * variance)).exp()  # (frames, line, k, 2)
        across, up = bells.unbind(-1)
        return up @ across.mT / (2 * math.pi * variance[..., 0] * len(self.centres))

    def floor(self, x: Tensor, t: Tensor) -> float:
        """E Var(z - ε'|x), which no model's CFM loss is below, over points x of p_t (n, 2).

        Given the centre too, the variance of a coordinate of z - ε' is s² / v, and its mean is
        (1 - t) c / v plus what depends on x and t alone.
        """
        variance = (1 - t).square() + (self.std * t).square()
        among = self._law.posterior_variance(x, t) * ((1 - t) / variance).square()
        return (2 * self.std**2 / variance + among).mean().item()

    def power(self) -> float:
        """E|z - ε'|², the CFM loss of a model that is zero everywhere."""
        return self.centres.square().sum(1).mean().item() + 2 * self.std**2 + 2


def shape(name: str) -> Cloud:
    """One of `SHAPES`: about 4 wide, in the middle of the plane; "five modes" are Lab 2's."""
    if name == "chessboard":  # the black squares of 4 × 4
        line = (torch.arange(10) + 0.5) / 10
        corners = [[i - 2.0, j - 2.0] for i in range(4) for j in range(4) if (i + j) % 2 == 0]
        square = torch.cartesian_prod(line, line)
        return Cloud((torch.tensor(corners)[:, None] + square).flatten(0, 1), SMEAR)
    if name == "moons":
        arc = _circle((torch.arange(60) + 0.5) / 120)
        both = torch.cat([arc, torch.tensor([1.0, 0.5]) - arc])
        return Cloud(1.4 * (both - torch.tensor([0.5, 0.25])), SMEAR)
    if name == "circles":  # in equal shares
        inner, outer = _circle(torch.arange(120) / 120), _circle(torch.arange(240) / 240)
        return Cloud(torch.cat([inner, inner, 2 * outer]), SMEAR)
    shares = torch.tensor([7, 3, 5, 2, 3])  # of 20
    return Cloud(2 * _circle(torch.arange(5) / 5).repeat_interleave(shares, dim=0), 0.6)


def drawn(points: Sequence[Sequence[float]]) -> Cloud:
    """A drawing, smeared.

    Raises:
        ValueError: too few points.
    """
    if len(points) < FEWEST:
        has = {0: "no points", 1: "1 point"}.get(len(points), f"{len(points)} points")
        raise ValueError(f"the drawing has {has}; expected {FEWEST} or more: draw a line")
    keep = torch.linspace(0, len(points) - 1, min(len(points), MOST)).round().long()
    return Cloud(torch.tensor(points, dtype=torch.float32)[keep], SMEAR)


def _circle(turns: Tensor) -> Tensor:
    angles = 2 * math.pi * turns
    return torch.stack([angles.cos(), angles.sin()], dim=-1)
