"""Trained weights, read from the safetensors files of the package."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from course_lib.networks import DigitClassifier, UNet

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
    tensors = _read(FOLDER / "digit_statistics.safetensors")
    return DigitStatistics(tensors["mean"], tensors["covariance"], tensors["halves"].item())


def load_weights(model: nn.Module, file: Path) -> None:
    """Fill `model` from a safetensors `file`, then freeze it and set it to eval mode.

    Raises:
        ValueError: the file is damaged, or holds the weights of another network.
        FileNotFoundError: no file.
    """
    weights = _read(file)
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        network = type(model).__name__
        raise ValueError(f"{file} does not fit {network}: {error}; {_remedy(file)}") from error
    model.eval().requires_grad_(False)


def _read(file: Path) -> dict[str, Tensor]:
    try:
        return load_file(file)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{file} is missing; {_remedy(file)}") from error
    except SafetensorError as error:
        raise ValueError(f"{file} is damaged ({error}); {_remedy(file)}") from error


def _remedy(file: Path) -> str:
    path = f"course_lib/pretrained/{file.name}"
    return f"put the original back with `git checkout -- {path}`, or install the course anew"
