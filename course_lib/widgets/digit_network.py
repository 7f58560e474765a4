"""Whose network draws the digits: the course's, or a reader's own with its faults in words."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from course_lib.guidance import LabelledField
from course_lib.networks import UNet
from course_lib.networks.weights import load_weights
from course_lib.pretrained import digit_generator, digit_judge
from course_lib.widgets.yours import Own, kind_of

__all__ = ["COURSE", "NULL_LABEL", "YOURS", "OwnNetwork", "course_velocity", "read_digits"]

NULL_LABEL = 10
YOURS, COURSE = "yours", "the course's"
Made = TypeVar("Made")


def course_velocity(x: Tensor, t: Tensor | float, y: Tensor | None) -> Tensor:
    """u_t(x|y) of the network that comes with the course; y = None, or 10, for no label."""
    with torch.no_grad():
        return digit_generator()(x, t, y)


def read_digits(images: Tensor) -> Tensor:
    """What the judge reads in images (..., 1, 28, 28); whole numbers (...,)."""
    with torch.no_grad():
        logits = digit_judge()(images.flatten(0, -4).clamp(-1, 1))
    return logits.argmax(1).view(images.shape[:-3])


class OwnNetwork:
    """A reader's own network of (x, t, y), perhaps with weights from a file.

    Args:
        network: called with images (batch, 1, 28, 28), times (batch,) and labels (batch,), 10 for
            none; None for a U-Net of the course with the weights of `checkpoint`.
        checkpoint: a safetensors file, loaded into a copy of `network`.

    Attributes:
        given: whether there is either.
        problem: why the file cannot be used, or "".

    Raises:
        ValueError: arguments of another kind.
    """

    def __init__(
        self, network: Callable[..., Tensor] | None = None, checkpoint: str | Path | None = None
    ) -> None:
        self._own = Own.of(network, "network", "(x, t, y)")
        if checkpoint is not None and not isinstance(checkpoint, str | Path):
            raise ValueError(f"checkpoint is {kind_of(checkpoint)}; expected a file's name")
        if checkpoint is not None and not isinstance(network, nn.Module | None):
            raise ValueError(f"network is {kind_of(network)}, which takes no weights")
        self.given = network is not None or checkpoint is not None
        self.problem = ""
        if checkpoint is not None:
            self._load(network, checkpoint)

    def _load(self, network: Any, checkpoint: str | Path) -> None:
        with torch.random.fork_rng(devices=[]):  # a reader's random numbers stay what they were
            filled = UNet() if network is None else deepcopy(network)
        try:
            load_weights(filled, checkpoint)
        except (OSError, ValueError) as error:
            self.problem = str(error)
        else:
            self._own = Own(filled, "network", "(x, t, y)")

    def use(self, make: Callable[[LabelledField], Made]) -> tuple[Made, LabelledField, str]:
        """What `make` makes of the reader's velocity, or else of the course's; which one that was,
        and what is wrong with the reader's, or ""."""
        error = ""
        if self.given:
            try:
                return make(self.velocity), self.velocity, ""
            except ValueError as problem:
                error = f"{problem}\nShown is the course's network."
        return make(course_velocity), course_velocity, error

    def velocity(self, x: Tensor, t: Tensor | float, y: Tensor | None) -> Tensor:
        """As `course_velocity`.

        Raises:
            ValueError: what is wrong with the network, or with its file.
        """
        if self.problem or self._own is None:
            raise ValueError(self.problem)
        network = self._own.function
        weights = network.parameters() if isinstance(network, nn.Module) else iter(())
        there = next(weights, x)  # whose dtype and device it wants
        time = torch.as_tensor(t).expand(len(x))
        labels = torch.full((len(x),), NULL_LABEL) if y is None else y
        return self._own.finite(x, x.to(there), time.to(there), labels.to(there.device))
