"""The picture of a flow in training: its particles, its arrows, and its curves."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from course_lib.widgets.flow_truth import HALF, PARTICLES, TIMES, Truth
from course_lib.widgets.live_training import Look
from course_lib.widgets.scene import Arrows, Image, Layer, Lines, Panel, Points, Readout, Scene

__all__ = ["picture"]

SPEED, LONGEST = 0.16, 0.42  # an arrow for a speed of 1, and the longest, in the panel's units
BINS = 150  # points of the curve of the loss, at most
RECENT = 50  # steps over which the loss is averaged as a number
NOTHING = torch.empty(0, 2)

Drawing = Sequence[tuple[float, float]]


def picture(
    truth: Truth | None,
    look: Look | None,
    *,
    drawing: Drawing | None = None,
    live: bool = False,
    theirs: str = "",
    note: str = "",
    error: str = "",
) -> Scene:
    """The scene.

    Args:
        truth: about the data; None before there are any.
        look: at the training; None for a network that cannot be looked at.
        drawing: what was drawn; None for data of another kind.
        live: whether it is one of many pictures, so that nobody can draw in it.
        theirs: " with your loss", or whatever is a reader's own; empty for nothing.
        note, error: as in `Scene`.
    """
    color = "yours" if theirs else "simulated"
    legend = [
        (color, "dot", f"{PARTICLES} particles"),
        ("guide", "area", "exact density"),
        *([] if drawing is None else [("end", "dot", "drawn")]),
        (color, "line", f"arrows learned{theirs}, and their error"),
        ("exact", "line", "exact arrows"),
        ("guide", "line", "loss"),
        ("exact", "dashed", "its floor"),
    ]
    return Scene(
        panels=[
            _flow(truth, look, drawing, live, color),
            _arrows(truth, look, color),
            _curves(truth, look, color),
        ],
        times=TIMES,
        legend=legend,
        readouts=_readouts(truth, look, color),
        note=note,
        error=error,
        start=-1,
    )


def _flow(
    truth: Truth | None, look: Look | None, drawing: Drawing | None, live: bool, color: str
) -> Panel:
    """The particles over the exact density, and over the drawing."""
    trained = look is not None and len(look.losses) > 0
    particles = NOTHING if look is None else look.flow.particles
    title, layers = "From noise to data", list[Layer]()
    if truth is not None and (drawing is None or trained):
        layers.append(Image(truth.density, each=True))
    if drawing is not None and not trained:
        title, particles = "Draw here", NOTHING
    elif drawing is not None and live:
        layers.append(Points(torch.tensor(drawing), color="end", size=10, alpha=0.15))
    layers.append(Points(particles, color=color, size=3.6))
    return Panel(
        layers,
        title=title,
        x=(-HALF, HALF),
        y=(-HALF, HALF),
        equal=True,
        draw="drawing" if drawing is not None and not live else None,
        describe="particles that the learned velocity moves from noise to data",
    )


def _arrows(truth: Truth | None, look: Look | None, color: str) -> Panel:
    layers: list[Layer] = []
    if truth is not None:
        exact = Arrows(
            truth.places, _cut(truth.arrows), color="exact", width=3.0, alpha=1.0, only="exact"
        )
        layers.append(exact)
        if look is not None:
            layers.append(Arrows(truth.places, _cut(look.flow.arrows), color=color, alpha=1.0))
    return Panel(
        layers,
        title="Arrows at t, where particles come by",
        x=(-HALF, HALF),
        y=(-HALF, HALF),
        equal=True,
        describe="the learned velocity and the exact one on a grid at the present time",
    )


def _curves(truth: Truth | None, look: Look | None, color: str) -> Panel:
    """Loss and error over the steps, both as shares of those of a network that is zero."""
    steps = 0 if look is None else len(look.losses)
    most = 0.25 * 2 ** max(0, math.ceil(math.log2(max(steps, 1) / 250)))  # in thousands
    top = 1.1 if look is None else min(1.1 * max(1.0, look.errors[:, 1].max().item()), 3.0)
    layers: list[Layer] = []
    if truth is not None:
        level = truth.floor / truth.power
        layers.append(
            Lines(torch.tensor([[[0.0, level], [most, level]]]), color="exact", dashed=True)
        )
        if look is not None:
            losses = _binned(look.losses / truth.power)
            layers.insert(0, Lines(losses[None], color="guide", width=1.6))
            errors = look.errors * torch.tensor([1e-3, 1.0])
            layers.append(Lines(errors[None], color=color, width=3.0))
    title = f"{steps:,} steps" + (f" in {look.seconds:.1f} s" if look and look.seconds else "")
    return Panel(
        layers,
        title=f"Training: {title}",
        x=(0.0, most),
        y=(0.0, top),
        xlabel="thousand steps",
        ylabel="untrained = 1",
        span=0.75,
        describe="loss, its floor, and the error of the learned arrows, over the steps",
    )


def _readouts(truth: Truth | None, look: Look | None, color: str) -> list[Readout]:
    if truth is None or look is None:
        return []
    flow, losses = look.flow, look.losses
    value, chance = flow.distance.value, flow.distance.standard_error
    return [
        Readout("error at t", 100 * flow.errors, 2, "%", color),
        Readout("over all t", 100 * flow.error, 2, "%", color),
        Readout("loss", losses[-RECENT:].mean() if len(losses) else float("nan")),
        Readout("floor", truth.floor, color="exact"),
        Readout("energy distance", f"{value:.2g} ± {chance:.1g}", color=color),
        Readout("of two data samples", f"{truth.chance:.2g}", color="exact"),
    ]


def _binned(losses: Tensor) -> Tensor:
    """Points (bins, 2): thousands of steps, and the mean loss of as many steps as it takes."""
    size = math.ceil(len(losses) / BINS) or 1
    whole = losses[: len(losses) // size * size].view(-1, size)
    steps = size * (torch.arange(len(whole)) + 0.5) / 1000
    return torch.stack([steps, whole.mean(1)], dim=-1)


def _cut(arrows: Tensor) -> Tensor:
    """As drawn: none longer than `LONGEST`."""
    drawn = SPEED * arrows
    return drawn * (LONGEST / drawn.norm(dim=-1, keepdim=True)).clamp(max=1)
