"""A distance measured between two samples: its value, and how much of it is chance."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["SampleDistance", "flat_pair"]


@dataclass(frozen=True)
class SampleDistance:
    """What was measured; `float(distance)` is its value.

    Attributes:
        value: the distance between the two samples.
        standard_error: how far the value strays when both samples are drawn again; for samples of
            one law up to a half too large, never systematically too small.
        baseline: what two samples of one law, as large as these, give on average. It is not 0.
    """

    value: float
    standard_error: float
    baseline: float

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        numbers = self.value, self.standard_error, self.baseline
        return "{:.2g} ± {:.1g} (two samples of one law: {:.2g})".format(*numbers)


def flat_pair(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Both samples as (n, d) and (m, d); ValueError unless finite, alike and of two or more."""
    for name, given in (("x", x), ("y", y)):
        if not isinstance(given, Tensor) or not given.is_floating_point():
            kind = given.dtype if isinstance(given, Tensor) else type(given).__name__
            raise ValueError(f"{name} is {kind}; expected a tensor of floating-point numbers")
        if given.ndim < 2 or len(given) < 2 or given.numel() == 0:
            raise ValueError(
                f"{name} has shape {tuple(given.shape)}; expected (n, ...), two samples or more"
            )
        if not torch.isfinite(given).all():
            raise ValueError(f"{name} has NaN or infinite entries; expected finite numbers")
    if x.shape[1:] != y.shape[1:]:
        raise ValueError(
            f"x has shape {tuple(x.shape)} and y {tuple(y.shape)}; expected samples of one shape"
        )
    return x.detach().flatten(1), y.detach().to(x).flatten(1)
