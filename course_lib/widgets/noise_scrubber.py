"""Digits on the path from noise, and what a network takes them for on the way."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor

from course_lib.datasets import MNIST
from course_lib.guidance import LabelledField
from course_lib.paths import GaussianPath, Linear
from course_lib.widgets.controls import Choice, Slider
from course_lib.widgets.digit_network import OwnNetwork, read_digits
from course_lib.widgets.explorer import Explorer
from course_lib.widgets.scene import Layer, Lines, Marks, Panel, Points, Readout, Scene, Tiles
from course_lib.widgets.yours import Own

__all__ = ["NoiseScrubber"]

IMAGES, FRAMES = 3, 26
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
        ValueError: a value outside its range.
    """

    title = "What does the network see in the noise?"
    question = (
        "When does the guess become this digit, and is no longer an average of digits? "
        "Tell it another digit: until when is that one read in all three?"
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
        self.denoiser = Own.of(denoiser, "denoiser", "(velocity, x, t, y)")
        self.own = OwnNetwork(network)
        super().__init__(**values)

    def scene(self, digit: str, told: str, seed: int) -> Scene:
        label = int(digit)
        said = label if told == RIGHT else (label + 5) % 10
        z, x, times = _on_the_path(label, seed)
        columns, velocity, error = self.own.use(lambda v: _guesses(v, x, times, said))
        if self.denoiser is not None:
            try:
                columns["yours"] = self._theirs(velocity, x, times, said)
            except ValueError as problem:
                error = "\n".join(filter(None, [error, str(problem)]))
        colors = dict(zip(columns, ("simulated", "end", "yours"), strict=False))
        errors = {name: _error(guess, z) for name, guess in columns.items()}
        read = {name: read_digits(guess) for name, guess in columns.items()}
        averages = {
            "of all digits": _error(_average(None), z),
            f"of {said}s": _error(_average(said), z),
        }
        counts = [(digit, label, name) for name in read]
        if said != label:
            believers = [name for name in read if name != "no label"]
            counts += [(str(said), said, name) for name in believers]
        panels = [Panel([_column(x)], title="image xₜ", describe=f"noisy images of {digit}")]
        panels += [
            Panel(
                [_read_column(guess, read[name], label)],
                title=f"guess, {name}",
                describe=f"the guess for each image, {name}; below it what the judge reads there",
            )
            for name, guess in columns.items()
        ]
        panels.append(Panel([_column(z)], title="clean", describe=f"the {digit}s without noise"))
        panels.append(_curves(times, errors, averages, colors))
        return Scene(
            panels=panels,
            times=times,
            legend=[
                *((colors[name], "line", f"guess, {name}") for name in columns),
                ("exact", "dashed", "error of the average image"),
            ],
            readouts=[
                Readout(f"read as {words}, {name}", (read[name] == wanted).sum(1), digits=1,
                        unit=f"of {IMAGES}", color=colors[name])
                for words, wanted, name in counts
            ],
            note="Below a guess: what the judge reads in it. Error: mean over images and pixels.",
            error=error,
            seconds=8.0,
            start=4,
        )  # fmt: skip

    def _theirs(self, velocity: LabelledField, x: Tensor, times: Tensor, said: int) -> Tensor:
        """The guesses of the reader's own function for images (frames, n, 1, 28, 28)."""
        assert self.denoiser is not None
        flat, t, y = _batch(x, times, said)
        return self.denoiser.finite(flat, velocity, flat, t, y).view_as(x)


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


def _guesses(velocity: LabelledField, x: Tensor, times: Tensor, said: int) -> dict[str, Tensor]:
    """E[z|x_t] for all frames, without a label and with it; each shaped like x."""
    flat, t, y = _batch(x, times, said)
    arrows = {"no label": velocity(flat, t, None), f"told {said}": velocity(flat, t, y)}
    return {
        name: PATH.convert(u, flat, t, given="velocity", wanted="data").view_as(x)
        for name, u in arrows.items()
    }


def _error(guess: Tensor, z: Tensor) -> Tensor:
    """Mean squared error over images and pixels, one a frame if there are frames."""
    return (guess - z).square().flatten(-4).mean(-1)


@cache
def _average(label: int | None) -> Tensor:
    """The mean of all digits, or of those with this label: the best guess at t = 0."""
    digits = MNIST()
    images = digits.images if label is None else digits.images[digits.labels == label]
    parts = images.split(2000)  # whose sums are exact in float32, and forty times as fast
    return sum(part.float().sum(0, keepdim=True) for part in parts) / len(images) / 127.5 - 1


def _column(images: Tensor) -> Tiles:
    """Images ([frames,] n, 1, 28, 28) one under another."""
    return Tiles(images[..., 0, :, :], 1, [""] * IMAGES)  # the words of other columns need room


def _read_column(images: Tensor, read: Tensor, label: int) -> Tiles:
    """Images (frames, n, 1, 28, 28) one under another, and below them what was read in them."""
    wrong = (read != label).tolist()
    words = [[f"✗ {r}" if r != label else str(r) for r in row] for row in read.tolist()]
    return Tiles(images[:, :, 0], 1, words, wrong)


def _curves(
    times: Tensor, errors: dict[str, Tensor], averages: dict[str, Tensor], colors: dict[str, str]
) -> Panel:
    """Errors of the guesses over time, and those of the averages, which time does not change."""
    layers: list[Layer] = []
    most = 1.15 * max(float(e.max()) for e in [*errors.values(), *averages.values()])
    low = min(averages, key=lambda name: float(averages[name]))
    for name, level in averages.items():
        ends = torch.tensor([[[0.0, float(level)], [1.0, float(level)]]])
        layers.append(Lines(ends, color="exact", dashed=True))
        beside = -0.065 if name == low else 0.012  # under the lower line, over the other
        layers.append(Marks([[0.62, float(level) + beside * most]], [name], size=0))
    for name, error in errors.items():
        curve = torch.stack([times, error], dim=-1)
        layers.append(Lines(curve[None], color=colors[name]))
        layers.append(Points(curve[:, None], color=colors[name], size=9, alpha=1.0))
    return Panel(
        layers, title="Mean squared error of the guess", x=(0.0, 1.0), y=(0.0, most),
        xlabel="time t", span=2.5,
        describe="errors of the guesses over time, beside those of average digits",
    )  # fmt: skip
