"""A Gaussian transition law: X_{t+s} = mean + scale · ε with ε ~ N(0, I)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from course_lib.shapes import expand_time

__all__ = ["Transition", "elapsed_time"]


@dataclass(frozen=True)
class Transition:
    """The law N(mean, scale scaleᵀ) of a state that is reached from a known one.

    Attributes:
        mean: shape (batch, ...).
        scale: a standard deviation, () or (batch,), or a root of the covariance matrix,
            (d, d) or (batch, d, d).
    """

    mean: Tensor
    scale: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """The state that the standard normal `noise` (batch, ...) leads to, shaped like it."""
        if noise.shape != self.mean.shape:
            raise ValueError(
                f"noise has shape {tuple(noise.shape)}; expected {tuple(self.mean.shape)}"
            )
        if self.scale.ndim < 2:
            return self.mean + expand_time(self.scale, self.mean) * noise
        return self.mean + torch.einsum("...ij,...j->...i", self.scale, noise)

    def covariance(self) -> Tensor:
        """Covariance matrix for points (batch, d): shape (d, d), or (batch, d, d)."""
        if self.scale.ndim >= 2:
            return self.scale @ self.scale.mT
        identity = torch.eye(self.mean.shape[-1]).to(self.mean)
        return self.scale.square()[..., None, None] * identity


def elapsed_time(elapsed: float | Tensor, x: Tensor) -> Tensor:
    """`elapsed` as a tensor () or (batch,) like `x`; ValueError if negative or misshapen."""
    time = torch.as_tensor(elapsed, dtype=x.dtype, device=x.device)
    expand_time(time, x)
    if not (time >= 0).all():
        raise ValueError(f"elapsed is {time.tolist()}; expected zero or more")
    return time
