"""The flow beside SDEs with the same marginals, Notes (25): a score makes room for noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from course_lib.processes import ODE, SDE, Field
from course_lib.simulate import Trajectory, simulate, time_grid
from course_lib.widgets.controls import Choice, Control, Slider, Toggle
from course_lib.widgets.explorer import Explorer
from course_lib.widgets.five_modes import (
    TRUTH,
    energy_ratio,
    mean_square,
    mean_square_chance,
    variance,
)
from course_lib.widgets.scene import (
    Arrows,
    Image,
    Layer,
    Lines,
    Panel,
    Points,
    Readout,
    Scene,
)
from course_lib.widgets.square import square_grid
from course_lib.widgets.yours import Own

__all__ = ["ScoreExplorer"]

PARTICLES, SHOWN, FRAMES, COMPARED = 700, 450, 37, 13
HALF, SIDE = 3.6, 48
COARSE = square_grid(3.0, 11)
TRACED = 3  # particles whose paths are drawn
SHORT = 0.14  # arrows of length v |s|, so that neighbours do not touch
CHANCE = 4.0  # an energy ratio that 700 exact samples pass in 0.1 % (t = 0) to 0.4 % (t = 1)
FAR = 4.0  # standard errors of the mean |x|² that chance hardly ever passes
SCORES: dict[str, Field] = {
    "exact": TRUTH.score,
    "half of it": lambda x, t: 0.5 * TRUTH.score(x, t),
    "of an earlier time": lambda x, t: TRUTH.score(x, 0.8 * t),
}
WORDS = {
    "exact": "the exact score",
    "half of it": "half of the score",
    "of an earlier time": "the score of 0.8 t",
}
YOURS = "yours"


class ScoreExplorer(Explorer):
    """The same crowd led by the velocity alone, and by velocity, score and noise.

    On the left dX = u_t(X) dt, in the middle dX = [u_t + ½ σ² s_t](X) dt + σ dW, Notes (25), from
    the same noise, over the exact p_t of a mixture of five modes. Both have the law p_t at every
    time if the score s_t is that of p_t and the steps are short enough. On the right, how far
    each crowd is from p_t.

    Args:
        score: a reader's own score, a function of (x, t) with x (batch, 2) and t ().
        values: initial values of controls.

    Raises:
        ValueError: a value outside its range.
    """

    title = "With noise and without, and the same crowd"
    question = (
        "Raise σ: what changes for one particle, and what for the crowd? Take a wrong score: "
        "at which σ does it begin to matter?"
    )
    frozen = {"which": tuple(SCORES), "sigma": (0.0, 0.5, 1.0, 2.0, 4.0), "n": (20, 80)}

    def __init__(self, score: Callable[..., Tensor] | None = None, **values: object) -> None:
        self.score = Own.of(score, "score", "(x, t)")
        options = (*SCORES, YOURS) if score else tuple(SCORES)
        self.controls: Sequence[Control] = (
            Choice("which", "score", options, YOURS if score else "exact"),
            Slider("sigma", "noise σ", 0.0, 4.0, 1.0, steps=16),
            Slider("n", "steps", 20, 160, 80, steps=6, logarithmic=True, whole=True),
            Toggle("arrows", "score arrows", True, local=True),
        )
        super().__init__(**values)

    def scene(self, which: str, sigma: float, n: int, arrows: bool) -> Scene:
        known = _known(n)
        clock, flow = known.flow.times, known.flow.states
        color = "start" if which == "exact" else "yours" if which == YOURS else "warning"
        name = self.score.name if which == YOURS and self.score else WORDS[which]
        fields: list[Layer] = [_drawn(known.arrows, "guide")]
        walk, error = torch.full_like(flow, torch.nan), ""
        try:
            field = SCORES.get(which, self._theirs)
            walk = _walk(field, sigma, n)
            if which != "exact":
                fields.append(_drawn(_arrows(field, clock), color))
        except ValueError as problem:
            error = str(problem)
        ratio = energy_ratio(walk[known.compared], clock[known.compared])
        square: dict[str, Any] = dict(x=(-HALF, HALF), y=(-HALF, HALF), equal=True)
        legend = [
            ("dense", "area", "exact p(x)"),
            ("simulated", "dot", "ODE"),
            (color, "dot", f"SDE with {name}"),
            ("exact", "line", f"paths of {TRACED}"),
            ("guide", "line", "exact score"),
            ("exact", "dashed", "as far as exact samples are"),
        ]
        if which != "exact":
            legend.insert(-1, (color, "line", name))
        return Scene(
            panels=[
                Panel(
                    [known.behind, *_crowd(flow, "simulated")],
                    title="ODE: no noise", **square,
                    describe="particles that follow the velocity over the exact density",
                ),
                Panel(
                    [known.behind, *fields, *_crowd(walk, color)],
                    title=f"SDE: σ = {sigma:g}", **square,
                    describe="particles that follow velocity, score and noise, over the density",
                ),
                _distances(known, ratio, color),
            ],
            times=clock,
            legend=legend,
            readouts=[
                Readout("mean |x|², ODE", _mean_square(flow), color="simulated"),
                Readout("SDE", _mean_square(walk), color=color),
                Readout("exact", mean_square(clock), color="exact"),
                Readout("standard error", mean_square_chance(clock, PARTICLES), 2),
                Readout("ODE leaves p", _verdict(known, flow, known.ratio), color="simulated"),
                Readout("SDE leaves p", _verdict(known, walk, ratio), color=color),
            ],
            note=f"Score arrows are {SHORT:g} v s: s itself grows like 1/v, v being a mode's "
            "variance. Exact samples: 1 on average. Seen: a ratio above "
            f"{CHANCE:g} (grey), or a mean |x|² more than {FAR:g} standard errors off.",
            error=error,
            seconds=8.0,
            start=-1,
        )  # fmt: skip

    def _theirs(self, x: Tensor, t: Tensor) -> Tensor:
        assert self.score is not None
        return self.score.finite(x, x, t, when=t)


class _Known(NamedTuple):
    """What the number of steps alone decides; `ratio` (compared,) is of the frames `compared`."""

    flow: Trajectory
    behind: Image
    arrows: Tensor
    compared: Tensor
    ratio: Tensor


@lru_cache(16)
def _known(n: int) -> _Known:
    flow = simulate(ODE(TRUTH.velocity), _start(), time_grid(n), record=FRAMES)
    compared = torch.linspace(0, len(flow.times) - 1, COMPARED).round().long()
    ratio = energy_ratio(flow.states[compared], flow.times[compared])
    behind = Image(_density(flow.times), each=True)
    return _Known(flow, behind, _arrows(TRUTH.score, flow.times), compared, ratio)


def _start() -> Tensor:
    return torch.randn(PARTICLES, 2, generator=torch.Generator().manual_seed(4))


def _walk(score: Field, sigma: float, n: int) -> Tensor:
    """The particles of Notes (25) in each frame, (frames, n, 2)."""
    sde = SDE(
        lambda x, t: TRUTH.velocity(x, t) + 0.5 * sigma**2 * score(x, t),
        lambda t: torch.full_like(t, sigma),
    )
    generator = torch.Generator().manual_seed(1)
    return simulate(sde, _start(), time_grid(n), generator=generator, record=FRAMES).states


def _density(times: Tensor) -> Tensor:
    """p_t on a grid, each frame from 0 to 255; (frames, SIDE, SIDE) bytes."""
    points = square_grid(HALF, SIDE)
    frames = []
    for t in times:
        density = TRUTH.log_prob(points, t).exp()
        frames.append((255 * density / density.max()).round().byte().view(SIDE, SIDE))
    return torch.stack(frames)


def _arrows(score: Field, times: Tensor) -> Tensor:
    """v_t s_t on the coarse grid, short, none longer than two meshes; (frames, n, 2)."""
    last = times.clamp(max=0.98)  # a network's score is divided by β
    arrows = torch.stack([SHORT * variance(t) * score(COARSE, t) for t in last])
    return arrows * (1.2 / arrows.norm(dim=-1, keepdim=True)).clamp(max=1)


def _crowd(states: Tensor, color: str) -> list[Layer]:
    """Particles (frames, n, 2), and the paths of the first."""
    traced = states[:, :TRACED]
    return [
        Points(states[:, :SHOWN], size=3.6, color=color),
        Lines(traced.transpose(0, 1), color="exact", width=1.5, growing=True),
        Points(traced, size=7, color="exact", alpha=1.0),
    ]


def _drawn(arrows: Tensor, color: str) -> Arrows:
    return Arrows(COARSE, arrows, color=color, width=1.5, only="arrows")


def _distances(known: _Known, ratio: Tensor, color: str) -> Panel:
    """Both energy ratios over time, and where the clock is."""
    times, clock = known.flow.times[known.compared], known.flow.times
    both = torch.stack([known.ratio, ratio])
    top = max(10.0, 1.1 * float(both.nan_to_num().max()))
    now = torch.stack([clock, clock], dim=1)[:, None]
    ends = torch.tensor([0.0, top]).expand_as(now)
    layers = [
        Lines([[[0.0, CHANCE], [1.0, CHANCE]]], color="guide", width=1.4),
        Lines([[[0.0, 1.0], [1.0, 1.0]]], color="exact", dashed=True),
        Lines(torch.stack([times, known.ratio], dim=-1)[None], color="simulated", width=2.6),
        Lines(torch.stack([times, ratio], dim=-1)[None], color=color, width=2.6),
        Lines(torch.stack([now, ends], dim=-1), color="guide", width=1.2),
    ]
    return Panel(
        layers, title="How far from p", x=(0.0, 1.0), y=(0.0, top), xlabel="time t",
        ylabel="energy distance / chance", span=0.8,
        describe="energy distance of both crowds to the exact law over time, 1 is chance",
    )  # fmt: skip


def _verdict(known: _Known, states: Tensor, ratio: Tensor) -> str:
    """Whether a crowd is seen not to have the law p_t in the compared frames, and when."""
    if ratio.isnan().any():
        return "–"
    times = known.flow.times[known.compared]
    aside = _mean_square(states[known.compared]) - mean_square(times)
    off = (ratio > CHANCE) | (aside.abs() > FAR * mean_square_chance(times, PARTICLES))
    if not off.any():
        return "not seen"
    at = off.nonzero()[:, 0]
    first, last = times[at[0]], times[at[-1]]
    if len(at) == 1:
        return f"seen, t = {first:.2f}"
    whole = len(at) == at[-1] - at[0] + 1
    return f"seen, t = {first:.2f} to {last:.2f}" + ("" if whole else ", not throughout")


def _mean_square(states: Tensor) -> Tensor:
    """Mean of |x|² over the particles, (frames,)."""
    return states.square().sum(-1).mean(1)
