"""How good generated digits are: read right by the judge, and like real ones in its features.

The Fréchet distance of two Gaussians is |m₁ - m₂|² + tr(C₁ + C₂ - 2 (C₁^½ C₂ C₁^½)^½).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from course_lib.datasets import MNIST
from course_lib.pretrained.load import digit_judge, digit_statistics
from course_lib.shapes import check_alike, check_count

__all__ = ["DigitQuality", "class_accuracy", "digit_features", "digit_quality", "frechet_distance"]

_BATCH = 500  # images judged at a time


@dataclass(frozen=True)
class DigitQuality:
    """What the judge says of n generated digits; `str()` of it is one line.

    The distances are squared lengths in the judge's 64 features. Those of real digits are not 0:
    the fewer digits, the larger the distance that chance alone makes.

    Attributes:
        accuracy: share read as the label that was asked for, 0 to 1.
        frechet: Fréchet distance to the 10,000 digits of the test set.
        halves: the same between the two halves of the test set.
        real: the same between n digits of the training set and the test set.
    """

    accuracy: float
    frechet: float
    halves: float
    real: float

    def __str__(self) -> str:
        return (
            f"accuracy {self.accuracy:.1%}, Fréchet distance {self.frechet:.2f} "
            f"(as many real digits: {self.real:.2f}; halves of the test set: {self.halves:.2f})"
        )


def digit_quality(images: Tensor, labels: Tensor) -> DigitQuality:
    """Judge generated `images` (n, 1, 28, 28) against the `labels` (n,) that were asked for.

    Values outside [-1, 1] count as -1 or 1, as a picture shows them. About half a second for a
    thousand digits.

    Raises:
        ValueError: fewer than two images, another shape, labels that are not 0 to 9, or NaN.
    """
    _check(images, labels)
    check_count("n", len(images), least=2)
    features, statistics = digit_features(images), digit_statistics()
    real, _ = MNIST().first(min(len(images), 60_000))
    logits = digit_judge().head(features)
    return DigitQuality(
        accuracy=(logits.argmax(1) == labels.cpu()).double().mean().item(),
        frechet=_frechet(_moments(features), (statistics.mean, statistics.covariance)),
        halves=statistics.halves,
        real=_frechet(_moments(digit_features(real)), (statistics.mean, statistics.covariance)),
    )


def class_accuracy(images: Tensor, labels: Tensor) -> float:
    """Share, 0 to 1, of `images` (n, 1, 28, 28) that the judge reads as their `labels` (n,).

    Raises:
        ValueError: no image, another shape, labels that are not 0 to 9, or NaN.
    """
    _check(images, labels)
    guesses = digit_judge().head(digit_features(images)).argmax(1)
    return (guesses == labels.cpu()).double().mean().item()


def digit_features(images: Tensor) -> Tensor:
    """The judge's features of `images` (n, 1, 28, 28), clipped to [-1, 1]; shape (n, 64).

    Raises:
        ValueError: no image, or another shape.
    """
    judge = digit_judge()
    with torch.no_grad():
        parts = images.detach().cpu().float().clamp(-1, 1).split(_BATCH)
        return torch.cat([judge.features(part) for part in parts])


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """Fréchet distance of the Gaussians fitted to two sets of features, (n, d) and (m, d).

    Computed in float64; in squared units of the features, and 0 only for equal means and equal
    covariances.

    Raises:
        ValueError: fewer than two rows in a set, other shapes, NaN or infinite entries.
    """
    for name, features in (("a", a), ("b", b)):
        if not isinstance(features, Tensor) or features.ndim != 2 or len(features) < 2:
            got = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
            raise ValueError(f"{name} is {got}; expected features (n, d), two rows or more")
        if not torch.isfinite(features).all():
            raise ValueError(f"{name} has NaN or infinite entries; expected finite numbers")
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"a has {a.shape[1]} features and b {b.shape[1]}; expected as many")
    return _frechet(_moments(a), _moments(b))


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (d,) and unbiased covariance (d, d), float64 on the CPU."""
    features = features.detach().cpu().double()
    mean = features.mean(0)
    return mean, (features - mean).mT @ (features - mean) / (len(features) - 1)


def _frechet(a: tuple[Tensor, Tensor], b: tuple[Tensor, Tensor]) -> float:
    (mean_a, cov_a), (mean_b, cov_b) = a, b
    # tr (A^½ B A^½)^½ is the sum of the singular values of Rᵀ S for any roots R Rᵀ = A, S Sᵀ = B.
    overlap = torch.linalg.svdvals(_root(cov_a).mT @ _root(cov_b)).sum()
    distance = (mean_a - mean_b).square().sum() + cov_a.trace() + cov_b.trace() - 2 * overlap
    return max(distance.item(), 0.0)


def _root(covariance: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(covariance)
    return vectors * values.clamp(min=0).sqrt()


def _check(images: Tensor, labels: Tensor) -> None:
    check_alike(images=images)
    if images.shape[1:] != (1, 28, 28):
        raise ValueError(f"images has shape {tuple(images.shape)}; expected (n, 1, 28, 28)")
    if not torch.isfinite(images).all():
        raise ValueError("images has NaN or infinite entries; expected finite numbers")
    if not isinstance(labels, Tensor) or labels.is_floating_point() or labels.ndim != 1:
        got = tuple(labels.shape) if isinstance(labels, Tensor) else type(labels).__name__
        raise ValueError(f"labels is {got}; expected whole numbers of shape (n,)")
    if len(labels) != len(images):
        raise ValueError(f"{len(images)} images and {len(labels)} labels; expected as many")
    if ((labels < 0) | (labels > 9)).any():
        raise ValueError(f"labels run from {labels.min()} to {labels.max()}; expected 0 to 9")
