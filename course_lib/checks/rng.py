"""Fresh, reproducible inputs for a check: the same seed gives the same inputs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import torch

__all__ = ["Rng", "derive_seed"]

T = TypeVar("T")


def derive_seed(base: int, name: str) -> int:
    """The seed of one check, from the seed of a whole notebook and the check's name."""
    digest = hashlib.sha256(f"{base}:{name}".encode()).digest()
    return int.from_bytes(digest[:6], "big")


class Rng:
    """A source of random inputs, in float64 so that one formula has one answer.

    Args:
        seed: Any non-negative integer below 2^63.
    """

    def __init__(self, seed: int):
        self.generator = torch.Generator().manual_seed(seed)

    def normal(self, *shape: int, scale: float = 1.0) -> torch.Tensor:
        """Gaussian numbers of mean 0 and standard deviation `scale`."""
        return scale * torch.randn(*shape, generator=self.generator, dtype=torch.float64)

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
        """Numbers spread evenly over [low, high)."""
        numbers = torch.rand(*shape, generator=self.generator, dtype=torch.float64)
        return low + (high - low) * numbers

    def number(self, low: float, high: float) -> float:
        """One Python float in [low, high)."""
        return self.uniform(1, low=low, high=high).item()

    def integer(self, low: int, high: int) -> int:
        """One Python int from low to high, both possible."""
        return int(torch.randint(low, high + 1, (1,), generator=self.generator).item())

    def choice(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[self.integer(0, len(options) - 1)]
