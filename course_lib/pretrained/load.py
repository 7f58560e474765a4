"""Trained weights, read from the safetensors files of the package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_lib.networks import DigitClassifier, UNet, weights

__all__ = [
    "FOLDER",
    "DigitStatistics",
    "digit_generator",
    "digit_judge",
    "digit_statistics",
    "load_weights",
]

FOLDER = Path(__file__).parent


class DigitStatistics(NamedTuple):
    """The judge's features of the 10,000 test digits: their mean (64,), covariance (64, 64), and
    the mean Fréchet distance between two `halves` of them, drawn at random."""

    mean: Tensor
    covariance: Tensor
    halves: float


@cache
def digit_judge() -> DigitClassifier:
    """The classifier that judges digits: frozen, in eval mode, on the CPU; one for all callers.

    Raises:
        ValueError: its file is damaged.
        FileNotFoundError: its file is missing.
    """
    with torch.random.fork_rng(devices=[]):  # a caller's random numbers stay what they were
        judge = DigitClassifier()
    load_weights(judge, FOLDER / "digit_judge.safetensors")
    return judge


@cache
def digit_generator() -> UNet:
    """A velocity u(x, t, y) of digits 28×28, trained with one label in ten dropped, `y` = None
    for any digit; frozen, in eval mode, on the CPU; one for all callers.

    Raises:
        ValueError: its file is damaged.
        FileNotFoundError: its file is missing.
    """
    with torch.random.fork_rng(devices=[]):
        generator = UNet()
    load_weights(generator, FOLDER / "digits.safetensors")
    return generator


@cache
def digit_statistics() -> DigitStatistics:
    """What `digit_judge` makes of the test set, in float64; raises as `digit_judge` does."""
    file = FOLDER / "digit_statistics.safetensors"
    with _remedy(file):
        tensors = weights.read_weights(file)
    return DigitStatistics(tensors["mean"], tensors["covariance"], tensors["halves"].item())


def load_weights(model: nn.Module, file: Path) -> None:
    """Fill `model` from a safetensors `file`, then freeze it and set it to eval mode.

    Raises:
        ValueError: the file is damaged, or holds the weights of another network.
        FileNotFoundError: no file.
    """
    with _remedy(file):
        weights.load_weights(model, file)
    model.eval().requires_grad_(False)


@contextmanager
def _remedy(file: Path) -> Iterator[None]:
    """Add to an error what helps: the files of the package can be had again."""
    try:
        yield
    except (FileNotFoundError, ValueError) as error:
        path = f"course_lib/pretrained/{file.name}"
        remedy = f"Put the original back with `git checkout -- {path}`, or install the course anew."
        raise type(error)(f"{error} {remedy}") from error
