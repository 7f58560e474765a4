"""Classifier-free guidance in the plane, where every field and every density is exact."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from course_lib import guidance
from course_lib.processes import ODE, Field
from course_lib.simulate import midpoint_step, simulate, time_grid
from course_lib.widgets import labelled
from course_lib.widgets.controls import Choice, Slider, Toggle
from course_lib.widgets.explorer import Explorer
from course_lib.widgets.labelled import EXACT, LABELS, NULL_LABEL, Law
from course_lib.widgets.scene import (
    Arrows,
    Image,
    Layer,
    Lines,
    Marks,
    Panel,
    Points,
    Readout,
    Scene,
)
from course_lib.widgets.square import square_grid
from course_lib.widgets.yours import Own

__all__ = ["GuidanceExplorer"]

PARTICLES, STEPS = 600, 20
HALF = 4.5  # of the side of what is shown
FINE = square_grid(HALF, 91)
COARSE = square_grid(3.75, 9)
LONGEST, SCALE = 0.8, 0.12  # arrows, in the panel's units
TILT = "p(x)¹⁻ʷ p(x|y)ʷ"


class GuidanceExplorer(Explorer):
    """The crowd of the guided flow, Notes (70), beside p(x|y) and the tilted density.

    Args:
        guided: a reader's own function of (velocity, x, t, y, w, null_label) that returns arrows
            shaped like x; None to show the exact flow alone.
        values: initial values of controls.

    Raises:
        ValueError: a value outside its range.
    """

    title = "What guidance samples"
    question = (
        "Raise w: where does the crowd go, and does the tilted density go there too? "
        "Label A has two modes: from which w on is the inner one empty?"
    )
    controls = (
        Choice("label", "label y", LABELS, "A"),
        Slider("w", "guidance w", 0.0, 8.0, 3.0, steps=32),
        Toggle("told", "arrows u(x|y)", False, local=True),
        Toggle("untold", "arrows u(x)", False, local=True),
        Toggle("mixed", "guided arrows", True, local=True),
    )
    frozen = {"label": LABELS, "w": (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)}

    def __init__(self, guided: Callable[..., Tensor] | None = None, **values: Any) -> None:
        self.guided = Own.of(guided, "guided", "(velocity, x, t, y, w, null_label)")
        super().__init__(**values)

    def scene(self, label: str, w: float, told: bool, untold: bool, mixed: bool) -> Scene:
        y = LABELS.index(label)
        crowd, times = _crowd(guidance.guided(EXACT.velocity, _labels(y, PARTICLES), w))
        theirs, arrows, error = self._theirs(y, w, times)
        asked = EXACT.log_prob(FINE, 1.0, _labels(y, len(FINE))).exp()
        log_tilt = labelled.log_tilt(FINE, y, w)
        tilt = (log_tilt - log_tilt.max()).exp()
        end = Points(crowd[-1], color="simulated", size=3.0, alpha=0.5)
        moving: list[Layer] = [*_rings(y), *_arrows(y, w, times), *arrows]
        moving.append(Points(crowd, color="simulated", size=3.6))
        readouts = [
            Readout("at t = 1, guided", _words(labelled.law_of_points(crowd[-1], y), label),
                    color="simulated"),
            Readout("p(x|y)", _words(labelled.law(FINE, asked, y), label), color="exact"),
            Readout("tilted", _words(labelled.law(FINE, tilt, y), label), color="exact"),
        ]  # fmt: skip
        inner, *outer = labelled.modes_of(y)
        if outer:
            found = labelled.mode_share(crowd[-1], torch.ones(PARTICLES), inner)
            readouts += [
                Readout(f"at the inner {label}", f"{found:.1%}", color="simulated"),
                Readout("tilted", f"{labelled.mode_share(FINE, tilt, inner):.0%}", color="exact"),
            ]
        legend = [
            ("simulated", "dot", f"{PARTICLES} particles, guided"),
            ("exact", "dashed", f"data of label {label}"),
            ("guide", "line", "of other labels"),
            ("start", "line", "u(x|y)"),
            ("exact", "line", "u(x)"),
            ("end", "line", "guided"),
            ("guide", "area", "density at t = 1"),
        ]
        if self.guided is not None and theirs is not None:
            moving.append(Points(theirs, color="yours", size=3.6))
            legend.append(("yours", "dot", f"{self.guided.name}: particles and arrows"))
            apart = (theirs - crowd).norm(dim=-1).amax(1)
            readouts.append(Readout("yours, farthest from the truth", apart, color="yours"))
            if away := int((theirs[-1].abs().amax(1) > HALF).sum()):
                readouts.append(Readout("yours outside at t = 1", str(away), color="yours"))
        return Scene(
            panels=[
                _square([*moving, *_names(y)], f"The flow, guided to {label} with w = {w:g}",
                        f"particles from noise to data, guided to label {label}"),
                _square([_image(asked), end], f"Asked for, t = 1: p(x|y), y = {label}",
                        f"density of label {label}, and where the guided particles end"),
                _square([_image(tilt), end], f"Tilted, t = 1: {TILT}",
                        "the tilted density, and where the guided particles end"),
            ],
            times=times,
            legend=legend,
            readouts=readouts,
            note="Spread: root mean squared distance from the mean. "
            f"Read as {label}: {label} is the likeliest label there. Long arrows are cut.",
            error=error,
            start=STEPS // 4,
        )  # fmt: skip

    def _theirs(self, y: int, w: float, times: Tensor) -> tuple[Tensor | None, list[Layer], str]:
        """The particles and arrows of the reader's own function, and what is wrong with it."""
        if self.guided is None:
            return None, [], ""
        function = self.guided

        def field(x: Tensor, t: Tensor) -> Tensor:
            labels = _labels(y, len(x))
            return function.finite(x, labelled.velocity, x, t, labels, w, null_label=NULL_LABEL)

        try:
            return _crowd(field)[0], [_drawn(field(*_grid(times)), "mixed", "yours")], ""
        except ValueError as error:
            return None, [], str(error)


def _square(layers: Sequence[Layer], title: str, describe: str) -> Panel:
    side = (-HALF, HALF)
    return Panel(layers, title=title, describe=describe, x=side, y=side, equal=True)


def _labels(y: int, n: int) -> Tensor:
    return torch.full((n,), y)


def _crowd(field: Field) -> tuple[Tensor, Tensor]:
    """Where the particles are, (frames, n, 2), and when: always from the same noise."""
    noise = torch.randn(PARTICLES, 2, generator=torch.Generator().manual_seed(0))
    run = simulate(ODE(field), noise, time_grid(STEPS), step=midpoint_step)
    return run.states, run.times


def _rings(y: int) -> list[Layer]:
    """Outlines of the classes, those of y apart from the others."""
    mine, rings = torch.eq(labelled.CLASS_OF, y), labelled.outlines()
    return [
        Lines(rings[~mine].flatten(0, 1), color="guide", width=1.2),
        Lines(rings[mine].flatten(0, 1), color="exact", dashed=True, width=1.6),
    ]


def _names(y: int) -> list[Layer]:
    """Crosses with the label of each class."""
    return [
        Marks(mean[None], [LABELS[k]], color="exact" if k == y else "guide")
        for mean, k in zip(labelled.DATA.means, labelled.CLASS_OF.tolist(), strict=True)
    ]


def _arrows(y: int, w: float, times: Tensor) -> list[Layer]:
    """The two fields and their mixture on a coarse grid in every frame."""

    x, t = _grid(times)
    untold, told = EXACT.velocity(x, t), EXACT.velocity(x, t, _labels(y, len(x)))
    return [
        _drawn(untold, "untold", "exact"),
        _drawn(told, "told", "start"),
        _drawn((1 - w) * untold + w * told, "mixed", "end"),
    ]


def _grid(times: Tensor) -> tuple[Tensor, Tensor]:
    """The coarse grid in every frame, (frames · n, 2), and the times (frames · n,)."""
    return COARSE.repeat(len(times), 1), times.repeat_interleave(len(COARSE))


def _drawn(by: Tensor, name: str, color: str) -> Layer:
    """Arrows `by` on the grid in every frame, (frames · n, 2)."""
    arrows = _cut(SCALE * by).view(-1, len(COARSE), 2)
    return Arrows(COARSE, arrows, color=color, only=name)


def _cut(arrows: Tensor) -> Tensor:
    """Arrows (n, 2), none longer than LONGEST."""
    return arrows * (LONGEST / arrows.norm(dim=1, keepdim=True)).clamp(max=1)


def _image(density: Tensor) -> Image:
    side = round(len(density) ** 0.5)
    return Image((255 * density / density.max()).round().byte().view(side, side))


def _words(law: Law, label: str) -> str:
    x, y = (f"{v:.2f}".replace("-", "−") for v in law.mean.tolist())
    return f"mean ({x}, {y}), spread {law.spread:.2f}, read as {label}: {law.share:.0%}"
