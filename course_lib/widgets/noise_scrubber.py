"""Digits on the path from noise, and what a network takes them for on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor

from course_lib.datasets import MNIST
from course_lib.datasets.mnist import to_floats
from course_lib.guidance import LabelledField
from course_lib.paths import GaussianPath, Linear
from course_lib.widgets.controls import Choice, Slider
from course_lib.widgets.digit_network import OwnNetwork, course_velocity, read_digits
from course_lib.widgets.explorer import Explorer
from course_lib.widgets.scene import Layer, Lines, Panel, Points, Readout, Scene, Tiles
from course_lib.widgets.yours import finite_result_of

__all__ = ["NoiseScrubber"]

IMAGES, FRAMES = 4, 26
PATH = GaussianPath(Linear())
RIGHT, WRONG = "the right digit", "another digit"


class NoiseScrubber(Explorer):
    """Images x_t = α_t z + β_t ε, Notes (17), and a network's guess E[z|x_t] at every time.

    The guess follows from the network's velocity, Notes (54): on the linear path it is
    x + (1 - t) u.

    Args:
        denoiser: a reader's own function of (velocity, x, t, y), with images (batch, 1, 28, 28),
            times and labels (batch,), that returns the guess, shaped like x; None for the
            conversion alone.
        network: a reader's own network of (x, t, y), with y = 10 for "not told"; None for the one
            that comes with the course. What is wrong with either is said in the widget.
        values: initial values of controls.

    Raises:
        ValueError: arguments of another kind, or a value outside its range.
    """

    title = "What does the network see in the noise?"
    question = (
        "At which time does the guess become this digit, and is no longer an average of digits? "
        "From which time on does it no longer believe a wrong label?"
    )
    controls = (
        Choice("digit", "digit", tuple("0123456789"), "3"),
        Choice("told", "label told", (RIGHT, WRONG), RIGHT),
        Slider("seed", "images no.", 1, 20, 1, steps=19, whole=True),
    )
    frozen = {"digit": ("3", "4", "7"), "told": (RIGHT, WRONG)}

    def __init__(
        self,
        denoiser: Callable[..., Tensor] | None = None,
        network: Callable[..., Tensor] | None = None,
        **values: Any,
    ) -> None:
        if denoiser is not None and not callable(denoiser):
            kind = type(denoiser).__name__
            raise ValueError(f"denoiser is a {kind}; expected a function of (velocity, x, t, y)")
        self.denoiser = denoiser
        self.own = OwnNetwork(network)
        super().__init__(**values)

    def scene(self, digit: str, told: str, seed: int) -> Scene:
        label = int(digit)
        said = label if told == RIGHT else (label + 5) % 10
        z, x, times = _on_the_path(label, seed)
        velocity, error = course_velocity, ""
        if self.own.given:
            try:
                guesses = _guesses(self.own.velocity, x, times, said)
                velocity = self.own.velocity
            except ValueError as problem:
                error = f"{problem}\nHere is what the course's network guesses."
        if velocity is course_velocity:
            guesses = _guesses(course_velocity, x, times, said)
        columns = {"no label": guesses[0], f"told {said}": guesses[1]}
        if self.denoiser is not None:
            try:
                columns["yours"] = self._theirs(velocity, x, times, said)
            except ValueError as problem:
                error = "\n".join(filter(None, [error, str(problem)]))
        colors = dict(zip(columns, ("simulated", "end", "yours"), strict=False))
        errors = {name: _error(guess, z) for name, guess in columns.items()}
        read = {name: read_digits(guess) for name, guess in columns.items()}
        averages = {
            "average of all digits": _error(_average(None), z),
            f"average of the {said}s": _error(_average(said), z),
        }
        panels = [Panel([_column(x)], title="xₜ", describe=f"noisy images of {digit}")]
        panels += [
            Panel(
                [_column(guess, read[name].tolist(), label)],
                title=f"guess, {name}",
                describe=f"the guess for each image, {name}; below it what the judge reads there",
            )
            for name, guess in columns.items()
        ]
        panels.append(Panel([_column(z, [[label] * IMAGES], label)], title="clean",
                            describe=f"the images of {digit} without noise"))  # fmt: skip
        panels.append(_curves(times, errors, averages, colors))
        return Scene(
            panels=panels,
            times=times,
            legend=[
                *((colors[name], "line", f"guess, {name}") for name in columns),
                *(("exact", "dashed", name) for name in averages),
            ],
            readouts=[
                Readout(f"read as {digit}, {name}", (seen == label).sum(1), digits=1,
                        unit=f"of {IMAGES}", color=colors[name])
                for name, seen in read.items()
            ],
            note="Below a guess: what the judge reads in it. Error: mean square over the pixels.",
            error=error,
            seconds=8.0,
            start=4,
        )  # fmt: skip

    def _theirs(self, velocity: LabelledField, x: Tensor, times: Tensor, said: int) -> Tensor:
        """The guesses of the reader's own function for images (frames, n, 1, 28, 28)."""
        assert self.denoiser is not None
        flat, t, y = _batch(x, times, said)
        return finite_result_of(self.denoiser, flat, velocity, flat, t, y).view_as(x)


def _on_the_path(label: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Clean images (n, 1, 28, 28), their way from noise (frames, n, 1, 28, 28), and the times."""
    generator = torch.Generator().manual_seed(seed)
    z, _ = MNIST("test").sample(IMAGES, generator, y=torch.full((IMAGES,), label))
    noise = torch.randn(z.shape, generator=generator)
    times = torch.linspace(0, 1, FRAMES)
    return z, torch.stack([PATH.sample(z, t, noise) for t in times]), times


def _batch(x: Tensor, times: Tensor, said: int) -> tuple[Tensor, Tensor, Tensor]:
    """All frames as one batch: images, times and labels."""
    flat = x.flatten(0, 1)
    return flat, times.repeat_interleave(IMAGES), torch.full((len(flat),), said)


def _guesses(velocity: LabelledField, x: Tensor, times: Tensor, said: int) -> tuple[Tensor, Tensor]:
    """E[z|x_t] for all frames, without a label and with it; each shaped like x."""
    flat, t, y = _batch(x, times, said)
    return tuple(
        PATH.convert(velocity(flat, t, told), flat, t, given="velocity", wanted="data").view_as(x)
        for told in (None, y)
    )


def _error(guess: Tensor, z: Tensor) -> Tensor:
    """Mean squared error over images and pixels, one a frame if there are frames."""
    return (guess - z).square().flatten(-4).mean(-1)


@cache
def _average(label: int | None) -> Tensor:
    """The mean of all digits, or of those with this label: the best guess at t = 0."""
    digits = MNIST()
    images = digits.images if label is None else digits.images[digits.labels == label]
    return to_floats(images).mean(0, keepdim=True)


def _column(
    images: Tensor, read: Sequence[Sequence[int]] | None = None, label: int | None = None
) -> Tiles:
    """Images one under another, with what was read in each of them in each frame."""
    if read is None:
        return Tiles(images[..., 0, :, :], 1, [""] * IMAGES)
    wrong = [[r != label for r in row] for row in read]
    words = [[f"✗ {r}" if r != label else str(r) for r in row] for row in read]
    still = images.ndim == 4
    return Tiles(
        images[..., 0, :, :], 1, words[0] if still else words, wrong[0] if still else wrong
    )


def _curves(
    times: Tensor, errors: dict[str, Tensor], averages: dict[str, Tensor], colors: dict[str, str]
) -> Panel:
    """Errors of the guesses over time, and those of the averages, which time does not change."""
    layers: list[Layer] = [
        Lines(torch.tensor([[[0.0, float(e)], [1.0, float(e)]]]), color="exact", dashed=True)
        for e in averages.values()
    ]
    for name, error in errors.items():
        curve = torch.stack([times, error], dim=-1)
        layers.append(Lines(curve[None], color=colors[name]))
        layers.append(Points(curve[:, None], color=colors[name], size=9, alpha=1.0))
    most = 1.15 * max(float(e.max()) for e in [*errors.values(), *averages.values()])
    return Panel(
        layers, title="Error of the guess", x=(0.0, 1.0), y=(0.0, most), xlabel="time t",
        ylabel="mean squared error", span=3.2,
        describe="errors of the guesses over time, beside those of average digits",
    )  # fmt: skip
