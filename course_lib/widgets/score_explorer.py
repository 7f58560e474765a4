"""The flow beside SDEs with the same marginals, Notes (25): a score makes room for noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from course_lib.distributions import GaussianMixture
from course_lib.oracles import Marginal
from course_lib.paths import GaussianPath, Linear
from course_lib.processes import ODE, SDE, Field
from course_lib.shapes import expand_time
from course_lib.simulate import Trajectory, simulate, time_grid
from course_lib.widgets.controls import Choice, Control, Slider, Toggle
from course_lib.widgets.explorer import Explorer
from course_lib.widgets.scene import Arrows, Image, Layer, Panel, Points, Readout, Scene
from course_lib.widgets.seats import grid
from course_lib.widgets.yours import name_of, result_of

__all__ = ["ScoreExplorer"]

PARTICLES, FRAMES, HALF, SIDE = 700, 41, 3.6, 48
COARSE = grid(3.0, 11)
LENGTH = 0.35  # of an arrow, for a score of length 1/β
MODES = GaussianMixture.ring(modes=5, radius=2.0, std=0.6, weights=[0.35, 0.15, 0.25, 0.10, 0.15])
PATH = GaussianPath(Linear())
TRUTH = Marginal(PATH, MODES)
SCORES: dict[str, Field] = {
    "exact": TRUTH.score,
    "half of it": lambda x, t: 0.5 * TRUTH.score(x, t),
    "of an earlier time": lambda x, t: TRUTH.score(x, 0.8 * t),
}
YOURS = "yours"


class ScoreExplorer(Explorer):
    """The same crowd led by the velocity alone, and by velocity, score and noise.

    On the left dX = u_t(X) dt, on the right dX = [u_t + ½ σ² s_t](X) dt + σ dW, Notes (25), from
    the same noise, over the exact p_t of a mixture of five modes. Both have the law p_t at every
    time if the score s_t is that of p_t and the steps are short enough. A number tells: the mean
    square E|x|² = Σ w (α²|m|² + 2 α²s² + 2β²).

    Args:
        score: a reader's own score, a function of (x, t) with x (batch, 2) and t ().
        values: initial values of controls.

    Raises:
        ValueError: a score that is no function, or a value outside its range.
    """

    title = "With noise and without, and the same crowd"
    question = (
        "Raise σ: what changes for one particle, and what for the crowd? Take a wrong score: "
        "at which σ does it begin to matter?"
    )
    frozen = {"which": tuple(SCORES), "sigma": (1.0, 3.0)}

    def __init__(self, score: Callable[..., Tensor] | None = None, **values: object) -> None:
        if score is not None and not callable(score):
            raise ValueError(f"score is a {type(score).__name__}; expected a function of (x, t)")
        self.score = score
        options = (*SCORES, YOURS) if score else tuple(SCORES)
        self.controls: Sequence[Control] = (
            Choice("which", "score", options, YOURS if score else "exact"),
            Slider("sigma", "noise σ", 0.0, 4.0, 1.0, steps=16),
            Slider("n", "steps", 20, 160, 80, steps=6, logarithmic=True, whole=True),
            Toggle("arrows", "score arrows", True, local=True),
        )
        super().__init__(**values)

    def scene(self, which: str, sigma: float, n: int, arrows: bool) -> Scene:
        field = SCORES.get(which, self._theirs)
        flow, behind, exact_arrows = _flow(n)
        walk = simulate(
            SDE(
                lambda x, t: TRUTH.velocity(x, t) + 0.5 * sigma**2 * field(x, t),
                lambda t: torch.full_like(t, sigma),
            ),
            _start(),
            time_grid(n),
            generator=torch.Generator().manual_seed(1),
            record=FRAMES,
        )
        clock = flow.times
        color = "simulated" if which == "exact" else "yours" if which == YOURS else "warning"
        fields: list[Layer] = [
            Arrows(COARSE, exact_arrows, color="guide", width=1.3, only="arrows")
        ]
        if which != "exact":
            wrong = _arrows(field, clock)
            fields.append(Arrows(COARSE, wrong, color=color, width=1.3, only="arrows"))
        square: dict[str, Any] = dict(x=(-HALF, HALF), y=(-HALF, HALF), equal=True)
        name = name_of(self.score) if which == YOURS and self.score else f"{which} score"
        return Scene(
            panels=[
                Panel(
                    [behind, Points(flow.states, size=4)], title="ODE: no noise", **square,
                    describe="particles that follow the velocity over the exact density",
                ),
                Panel(
                    [behind, *fields, Points(walk.states, size=4, color=color)],
                    title=f"SDE: σ = {sigma:g}", **square,
                    describe="particles that follow velocity, score and noise, over the density",
                ),
            ],
            times=clock,
            legend=[
                ("dense", "area", "exact p(x)"),
                ("simulated", "dot", "ODE"),
                (color, "dot", f"SDE, {name}"),
                ("guide", "line", "exact score, times β"),
            ],
            readouts=[
                Readout("mean square, ODE", _square(flow.states), color="simulated"),
                Readout("SDE", _square(walk.states), color=color),
                Readout("exact", _mean_square(clock), color="exact"),
            ],
            note="Arrows are the score times β, which keeps them from growing beyond all measure.",
            seconds=8.0,
            start=-1,
        )  # fmt: skip

    def _theirs(self, x: Tensor, t: Tensor) -> Tensor:
        assert self.score is not None
        return result_of(self.score, x, x, t)


def _start() -> Tensor:
    return torch.randn(PARTICLES, 2, generator=torch.Generator().manual_seed(0))


@lru_cache(16)
def _flow(n: int) -> tuple[Trajectory, Image, Tensor]:
    """What no slider but the number of steps changes: the flow, the density, the exact arrows."""
    flow = simulate(ODE(TRUTH.velocity), _start(), time_grid(n), record=FRAMES)
    return flow, Image(_density(flow.times), each=True), _arrows(TRUTH.score, flow.times)


def _square(states: Tensor) -> Tensor:
    """Mean of |x|² over the particles, (frames,)."""
    return states.square().sum(-1).mean(1)


def _density(times: Tensor) -> Tensor:
    """p_t on a grid, each frame from 0 to 255; (frames, SIDE, SIDE) bytes."""
    points = grid(HALF, SIDE)
    frames = []
    for t in times:
        density = TRUTH.log_prob(points, t).exp()
        frames.append((255 * density / density.max()).round().byte().view(SIDE, SIDE))
    return torch.stack(frames)


def _arrows(field: Field, times: Tensor) -> Tensor:
    """β_t s_t on the coarse grid, shortened, (frames, n, 2)."""
    rows = []
    for t in times:
        at = t.clamp(max=0.98)  # a network's score is divided by β
        rows.append(LENGTH * expand_time(PATH.schedule.beta(at), COARSE) * field(COARSE, at))
    return torch.stack(rows).clamp(-1.5, 1.5)


def _mean_square(times: Tensor) -> Tensor:
    """E|x_t|² of the exact law, (frames,)."""
    alpha, beta = PATH.schedule.alpha(times), PATH.schedule.beta(times)
    data = MODES.weights @ (MODES.means.square().sum(-1) + MODES.covariances.diagonal(
        dim1=1, dim2=2).sum(-1))  # fmt: skip
    return alpha.square() * data + 2 * beta.square()
