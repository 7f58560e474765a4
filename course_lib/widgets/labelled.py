"""A labelled mixture in the plane with exact fields, and the tilted density of guidance."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.distributions import GaussianMixture
from course_lib.oracles import Marginal
from course_lib.paths import GaussianPath, Linear
from course_lib.widgets.yours import kind_of

__all__ = [
    "CLASS_OF",
    "DATA",
    "EXACT",
    "LABELS",
    "NULL_LABEL",
    "Law",
    "law",
    "law_of_points",
    "log_tilt",
    "mode_share",
    "modes_of",
    "outlines",
    "velocity",
]

LABELS = ("A", "B", "C")
NULL_LABEL = 3
CLASS_OF = torch.tensor([0, 0, 1, 2])  # of the components: A has an outer and an inner mode
_STDS = torch.tensor([[0.5, 0.6], [0.45, 0.45], [0.6, 0.45], [0.7, 0.45]])
DATA = GaussianMixture(
    means=torch.tensor([[-1.9, 0.4], [0.0, 0.0], [1.5, 0.9], [0.4, -1.7]]),
    covariances=torch.diag_embed(_STDS.square()),
    weights=torch.tensor([0.2, 0.13, 0.33, 0.34]),
)
EXACT = Marginal(GaussianPath(Linear()), DATA, CLASS_OF)


class Law(NamedTuple):
    """Of points in the plane: mean (2,), root mean squared distance from it, and the share whose
    likeliest label is the one asked for."""

    mean: Tensor
    spread: float
    share: float


def velocity(x: Tensor, t: Tensor | float, y: Tensor) -> Tensor:
    """u_t(x|y), Notes §5.1, and u_t(x) where y is the null label: what a network would learn.

    Raises:
        ValueError: y is no tensor of labels.
    """
    if not isinstance(y, Tensor) or y.shape != x.shape[:1]:
        what = f"shape {tuple(y.shape)}" if isinstance(y, Tensor) else kind_of(y)
        raise ValueError(f"y is {what}; expected labels of shape ({len(x)},)")
    covered = y == NULL_LABEL
    if covered.all():
        return EXACT.velocity(x, t)
    told = EXACT.velocity(x, t, torch.where(covered, 0, y))
    return torch.where(covered[:, None], EXACT.velocity(x, t), told) if covered.any() else told


def log_tilt(x: Tensor, label: int, w: float) -> Tensor:
    """log p(x)^(1-w) p(x|y)^w up to a constant, for points x (n, 2); shape (n,).

    That is p(x) p(y|x)^w: the score of p_t tilted so is the guided score, Notes (67).
    """
    told = EXACT.log_prob(x, 1.0, torch.full((len(x),), label))
    return (1 - w) * EXACT.log_prob(x, 1.0) + w * told


def law(points: Tensor, density: Tensor, label: int) -> Law:
    """Of the law with this relative `density` (n,) at the `points` (n, 2) of a fine grid."""
    shares = density / density.sum()
    mean = shares @ points
    spread = (shares @ (points - mean).square().sum(1)).sqrt()
    return Law(mean, spread.item(), (shares * read_as(points, 1.0, label)).sum().item())


def law_of_points(points: Tensor, label: int) -> Law:
    """Of particles (n, 2) at t = 1, as in `law`."""
    return law(points, torch.ones(len(points)), label)


def read_as(points: Tensor, t: Tensor | float, label: int) -> Tensor:
    """1 where `label` is the likeliest given the point (n, 2) at time t, else 0; shape (n,)."""
    joint = EXACT.responsibilities(points, t)
    labels = torch.zeros(len(points), len(LABELS)).index_add(1, CLASS_OF, joint)
    return (labels.argmax(1) == label).float()


def modes_of(label: int) -> list[int]:
    """The components of a label, the innermost first."""
    of_label = torch.eq(CLASS_OF, label).nonzero()[:, 0]
    return of_label[DATA.means[of_label].norm(dim=1).argsort()].tolist()


def mode_share(points: Tensor, density: Tensor, mode: int) -> float:
    """The share of the law with this relative `density` (n,) at `points` (n, 2), t = 1, whose
    likeliest component is `mode`."""
    there = EXACT.responsibilities(points, 1.0).argmax(1) == mode
    return ((density * there).sum() / density.sum()).item()


def outlines(sizes: tuple[float, ...] = (1.0, 2.0), corners: int = 49) -> Tensor:
    """Each component's ellipses of so many standard deviations, (components, sizes, corners, 2)."""
    angle = torch.linspace(0, 2 * math.pi, corners)
    circle = torch.stack([angle.cos(), angle.sin()], dim=-1)
    rings = torch.tensor(sizes)[:, None, None] * circle
    return DATA.means[:, None, None] + rings * _STDS[:, None, None]
