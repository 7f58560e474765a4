"""MNIST: 70,000 handwritten digits, 28×28, as numbers from -1 (paper) to 1 (ink)."""

from __future__ import annotations

import hashlib
import io
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from course_lib.shapes import check_count

__all__ = ["MNIST", "to_floats"]

Split = Literal["train", "test"]

_FILE = Path(__file__).with_name("mnist.npz")
_SHA256 = "06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64"
_REMEDY = (
    "put the original back with `git checkout -- course_lib/datasets/mnist.npz`, "
    "or install the course anew"
)


class MNIST:
    """The digits of one half of MNIST, read from the package once for all.

    Args:
        split: "train", 60,000 digits, or "test", 10,000 by other writers.

    Attributes:
        images: grey values 0 (paper) to 255 (ink), shape (n, 1, 28, 28), uint8; shared by all
            users, so not to be changed.
        labels: the digits 0 to 9, shape (n,), int64.

    Raises:
        ValueError: an unknown split, or a file that is not the original.
        FileNotFoundError: no file.
    """

    def __init__(self, split: Split = "train") -> None:
        if split not in get_args(Split):
            raise ValueError(f"split is {split!r}; expected one of {', '.join(get_args(Split))}")
        self.images, self.labels = _read(_FILE)[split]
        self._by_label = torch.argsort(self.labels, stable=True)
        self._counts = torch.bincount(self.labels, minlength=10)

    def __len__(self) -> int:
        return len(self.labels)

    def sample(
        self, n: int, generator: torch.Generator | None = None, *, y: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """`n` digits drawn with replacement, and their labels.

        Args:
            n: number of digits.
            generator: what they are drawn from; they end on its device.
            y: the labels wanted, whole numbers 0 to 9, shape (n,); None for any.

        Returns:
            Images in [-1, 1], shape (n, 1, 28, 28), float32, and labels (n,), int64.

        Raises:
            ValueError: `n` below 1, or labels of another shape, dtype or range.
        """
        check_count("n", n)
        device = torch.device("cpu") if generator is None else generator.device
        shares = torch.rand(n, generator=generator, device=device).cpu().double()  # mps: no float64
        if y is None:
            chosen = (shares * len(self)).long()
        else:
            y = _checked(y, n).cpu()
            before = self._counts.cumsum(0) - self._counts
            chosen = self._by_label[before[y] + (shares * self._counts[y]).long()]
        return to_floats(self.images[chosen]).to(device), self.labels[chosen].to(device)

    def first(self, n: int) -> tuple[Tensor, Tensor]:
        """The first `n` digits, in the file's order: images and labels as from `sample`."""
        if check_count("n", n) > len(self):
            raise ValueError(f"n is {n}; expected at most {len(self)}, the number of digits")
        return to_floats(self.images[:n]), self.labels[:n].clone()


def to_floats(images: Tensor) -> Tensor:
    """Grey values 0 … 255 (uint8) as float32 in [-1, 1], of the same shape."""
    return images.to(torch.float32) / 127.5 - 1


def _checked(y: Tensor, n: int) -> Tensor:
    if not isinstance(y, Tensor) or y.is_floating_point() or y.shape != (n,):
        got = f"{y.dtype} {tuple(y.shape)}" if isinstance(y, Tensor) else type(y).__name__
        raise ValueError(f"y is {got}; expected whole numbers of shape ({n},)")
    if ((y < 0) | (y > 9)).any():
        raise ValueError(f"y has labels from {y.min()} to {y.max()}; expected 0 to 9")
    return y.long()


@cache
def _read(file: Path) -> dict[str, tuple[Tensor, Tensor]]:
    """Images and labels of both splits, from a file whose every byte is checked."""
    try:
        content = file.read_bytes()
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{file} is missing; {_REMEDY}") from error
    if (sha256 := hashlib.sha256(content).hexdigest()) != _SHA256:
        raise ValueError(
            f"{file} is damaged: {len(content):,} bytes with SHA-256 {sha256[:12]}…, "
            f"expected {_SHA256[:12]}…; {_REMEDY}"
        )
    with np.load(io.BytesIO(content)) as arrays:
        return {
            split: (
                torch.from_numpy(arrays[f"x_{split}"]).unsqueeze(1),
                torch.from_numpy(arrays[f"y_{split}"]).long(),
            )
            for split in get_args(Split)
        }
