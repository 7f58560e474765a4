"""A generator of digits to order: how loud, in how many steps, from the same noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from course_lib.datasets import MNIST
from course_lib.datasets.mnist import to_floats
from course_lib.guidance import LabelledField, guided
from course_lib.metrics import digit_features
from course_lib.processes import ODE
from course_lib.simulate import (
    Trajectory,
    euler_step,
    heun_step,
    midpoint_step,
    simulate,
    time_grid,
)
from course_lib.widgets.controls import Choice, Control, Slider
from course_lib.widgets.digit_network import (
    COURSE,
    YOURS,
    OwnNetwork,
    course_velocity,
    read_digits,
)
from course_lib.widgets.explorer import Explorer
from course_lib.widgets.scene import Panel, Readout, Scene, Tiles

__all__ = ["DigitExplorer"]

DIGITS, COLUMNS = 30, 10
ALL = "all ten"
STEPS: dict[str, Callable[..., Tensor]] = {
    "Euler": euler_step,
    "midpoint": midpoint_step,
    "Heun": heun_step,
}


class DigitExplorer(Explorer):
    """Thirty digits on their way from noise, by the guided flow, Notes (70).

    Args:
        network: a reader's own network of (x, t, y), with y = 10 for "not told"; None for the one
            that comes with the course.
        checkpoint: a safetensors file with weights for `network`, or for a U-Net wired as the
            course's. What is wrong with it is said in the widget.
        values: initial values of controls.

    Raises:
        ValueError: arguments of another kind, or a value outside its range.
    """

    title = "Digits to order"
    question = (
        "Raise w from 0: when are all read as asked, and what do they lose beyond? "
        "How few steps still look written, and does the judge agree?"
    )
    controls: Sequence[Control] = (
        Choice("digit", "digit", (ALL, *"0123456789"), ALL),
        Slider("w", "guidance w", 0.0, 8.0, 2.0, steps=16),
        Slider("steps", "steps", 1, 10, 6, steps=9, whole=True),
        Choice("solver", "solver", tuple(STEPS), "midpoint"),
        Slider("seed", "noise no.", 1, 20, 1, steps=19, whole=True),
    )
    frozen = {"w": (0.0, 1.0, 2.0, 4.0, 8.0), "steps": (1, 2, 3, 6)}

    def __init__(
        self,
        network: Callable[..., Tensor] | None = None,
        checkpoint: str | Path | None = None,
        **values: Any,
    ) -> None:
        self.own = OwnNetwork(network, checkpoint)
        if self.own.given:
            self.controls = (*self.controls, Choice("whose", "network", (YOURS, COURSE), YOURS))
        super().__init__(**values)

    def scene(
        self, digit: str, w: float, steps: int, solver: str, seed: int, whose: str = COURSE
    ) -> Scene:
        asked = torch.arange(DIGITS) % 10 if digit == ALL else torch.full((DIGITS,), int(digit))

        def write(velocity: LabelledField) -> Trajectory:
            return _write(velocity, asked, w, steps, solver, seed)

        if whose == YOURS:
            run, used, error = self.own.use(write)
        else:
            run, used, error = write(course_velocity), course_velocity, ""
        read = read_digits(run.final)
        right = (read == asked).tolist()
        captions = [str(r) if ok else f"✗ {r}" for r, ok in zip(read.tolist(), right, strict=True)]
        tiles = Tiles(run.states[:, :, 0], COLUMNS, captions, [not ok for ok in right])
        order = "0 to 9, three times" if digit == ALL else f"{DIGITS} times {digit}"
        calls = steps * (1 if solver == "Euler" else 2) * (1 if w in (0, 1) else 2)
        who = "the course's network" if used is course_velocity else "your network"
        return Scene(
            panels=[
                Panel(
                    [tiles],
                    title=f"{order}, by {who}; below, what the judge reads at t = 1",
                    describe=f"digits written to the order {order}, read as {', '.join(captions)}",
                )
            ],
            times=run.times,
            readouts=[
                Readout("read as asked", f"{sum(right)} of {DIGITS}", color="simulated"),
                Readout("diversity", _diversity(run.final, asked), color="simulated"),
                Readout("of real digits", _real_diversity(digit), color="exact"),
                Readout("calls of the network", str(calls)),
            ],
            note="Diversity: variance of the judge's 64 features within one order, added up."
            + (_NOT_TOLD if w == 0 else ""),
            error=error,
            seconds=3.0,
            start=-1,
        )


_NOT_TOLD = " At w = 0 nobody is told the order: all kinds count as one."


def _write(
    velocity: LabelledField, y: Tensor, w: float, steps: int, solver: str, seed: int
) -> Trajectory:
    """The way from noise to the digits y (n,), one state a step."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(len(y), 1, 28, 28, generator=generator)
    return simulate(ODE(guided(velocity, y, w)), noise, time_grid(steps), step=STEPS[solver])


def _diversity(images: Tensor, y: Tensor) -> float:
    """Unbiased variance of the judge's features within a label, summed, mean over the labels."""
    features = digit_features(images)
    return torch.stack([features[y == k].var(dim=0).sum() for k in y.unique()]).mean().item()


@cache
def _real_diversity(digit: str) -> float:
    """The same of every fifth digit of the test set, whose first half differs from its second."""
    test = MNIST("test")
    images, labels = to_floats(test.images[::5]), test.labels[::5]
    chosen = labels >= 0 if digit == ALL else labels == int(digit)
    return _diversity(images[chosen], labels[chosen])
