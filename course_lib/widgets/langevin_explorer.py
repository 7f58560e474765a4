"""Langevin dynamics on a landscape with two modes: does it find how much lies in each?"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from course_lib.distributions import GaussianMixture
from course_lib.processes import SDE, Langevin
from course_lib.simulate import Trajectory, simulate, time_grid
from course_lib.widgets.controls import Choice, Slider, step_slider
from course_lib.widgets.explorer import Explorer
from course_lib.widgets.mixing import left_share, settled_spread, settling_time, two_modes
from course_lib.widgets.scene import Image, Layer, Lines, Panel, Points, Readout, Scene
from course_lib.widgets.yours import Own

__all__ = ["LangevinExplorer"]

END, PARTICLES, SHOWN, FRAMES = 20.0, 2000, 400, 61
STEPS = (1000, 800, 625, 500, 400, 320, 250, 200, 160, 125, 100, 80, 64, 50, 40, 32, 25, 20, 16)
STD = 0.6  # of a mode, in each direction
X, Y, FAR = (-4.5, 4.5), (-2.7, 2.7), 20.0  # what is farther than FAR is drawn at FAR
STARTS = ("the left mode", "spread out")


class LangevinExplorer(Explorer):
    """2,000 particles under Langevin dynamics, Notes (31), and the share that each mode has.

    The target is ω N((-d/2, 0), 0.36 I) + (1 - ω) N((d/2, 0), 0.36 I). A particle belongs to the
    mode that it is nearer to. Steps that are too long give each mode a spread that is too large.

    Args:
        drift: a reader's own function of (score, x, sigma), shown beside the library's.
        score: a reader's own score of a mixture of round Gaussians, a function of
            (x, means, stds, weights), likewise.
        values: initial values of controls.

    Raises:
        ValueError: a value outside its range.
    """

    title = "Shaking particles into place"
    question = (
        "Up to which distance do the shares come right by t = 20? How far does more noise help "
        "beyond it, and what does a long step spoil?"
    )
    controls = (
        Choice("start", "start", STARTS, STARTS[0]),
        Slider("distance", "distance d", 0.0, 6.0, 2.4, steps=30),
        Slider("weight", "left weight ω", 0.1, 0.9, 0.3, steps=16),
        Slider("sigma", "noise σ", 0.2, 2.0, 1.0, steps=18),
        step_slider(END, STEPS, 0.08),
    )
    frozen = {"distance": (2.4, 3.2, 4.0), "sigma": (0.5, 1.0, 2.0), "h": (0.08, 0.625)}

    def __init__(
        self,
        drift: Callable[..., Tensor] | None = None,
        score: Callable[..., Tensor] | None = None,
        **values: object,
    ) -> None:
        self.drift = Own.of(drift, "drift", "(score, x, sigma)")
        self.score = Own.of(score, "score", "(x, means, stds, weights)")
        super().__init__(**values)

    def scene(self, start: str, distance: float, weight: float, sigma: float, h: float) -> Scene:
        target = two_modes(distance, weight, STD)
        x = torch.randn(PARTICLES, 2, generator=torch.Generator().manual_seed(0))
        x = target.means[0] + STD * x if start == STARTS[0] else x * torch.tensor([2.0, 1.0])
        run = _run(Langevin(target, sigma), x, h)
        true_share = left_share(distance, weight, STD)
        plane: list[Layer] = [Image(_landscape(target)), _cloud(run, "simulated")]
        shares: list[Layer] = [
            Lines([[[0.0, true_share], [END, true_share]]], color="exact", dashed=True),
            _share(run, "simulated"),
        ]
        readouts = [
            Readout("share on the left", _left(run), color="simulated"),
            Readout("exact", true_share, color="exact"),
            Readout("spread of x₂", run.states[..., 1].std(1), color="simulated"),
            Readout("exact", STD, color="exact"),
            *_outside(run.states, "outside the picture", "simulated"),
        ]
        legend = [
            ("simulated", "dot", f"{SHOWN} of {PARTICLES:,} particles"),
            ("exact", "dashed", "exact"),
            ("dense", "area", "target density"),
        ]
        wrong = ""
        try:
            theirs = self._theirs(target, sigma, x, h)
        except ValueError as error:
            theirs, wrong = None, str(error)
        if theirs is not None:
            plane.append(_cloud(theirs, "yours"))
            shares.append(_share(theirs, "yours"))
            legend.append(("yours", "dot", " and ".join(own.name for own in self._own())))
            readouts += [
                Readout("yours: share", _left(theirs), color="yours"),
                Readout("spread", theirs.states[..., 1].std(1), color="yours"),
                *_outside(theirs.states, "yours outside the picture", "yours"),
            ]
        return Scene(
            panels=[
                Panel(
                    plane, x=X, y=Y, equal=True, xlabel="x₁", ylabel="x₂", span=1.5,
                    title="Particles on the target's density",
                    describe="particles that wander over a density with two modes",
                ),
                Panel(
                    shares, x=(0.0, END), y=(0.0, 1.0), xlabel="time t", ylabel="share on the left",
                    title=f"Found by {PARTICLES:,} particles, and true",
                    describe=f"share of the particles left of 0; the true one is {true_share:.2f}",
                ),
            ],
            times=run.times,
            legend=legend,
            readouts=readouts,
            note=_note(distance, weight, sigma, h),
            error=wrong,
            seconds=8.0,
            start=-1,
        )  # fmt: skip

    def _own(self) -> list[Own]:
        return [function for function in (self.drift, self.score) if function is not None]

    def _theirs(
        self, target: GaussianMixture, sigma: float, x: Tensor, h: float
    ) -> Trajectory | None:
        """The reader's own dynamics from `x` (n, 2), with the noise of the library's.

        Raises:
            ValueError: their function raised an exception or returned something wrong.
        """
        theirs, their_score = self.drift, self.score
        if theirs is None and their_score is None:
            return None
        stds = torch.full((2,), STD)

        def score(x: Tensor) -> Tensor:
            if their_score is None:
                return target.score(x)
            return their_score.finite(x, x, target.means, stds, target.weights)

        def drift(x: Tensor, t: Tensor) -> Tensor:
            if theirs is None:
                return sigma**2 / 2 * score(x)
            return theirs.finite(x, score, x, sigma)

        return _run(SDE(drift, lambda t: torch.full_like(t, sigma)), x, h)


def _run(process: SDE, x: Tensor, h: float) -> Trajectory:
    noise = torch.Generator().manual_seed(1)
    return simulate(process, x, time_grid(round(END / h), end=END), generator=noise, record=FRAMES)


def _left(run: Trajectory) -> Tensor:
    """The share of the particles that are left of 0, (frames,)."""
    return (run.states[..., 0] < 0).float().mean(1)


def _outside(states: Tensor, words: str, color: str) -> list[Readout]:
    """How many of the particles (frames, n, 2) the panel does not show, if there are many."""
    there = (states[..., 0].abs() <= X[1]) & (states[..., 1].abs() <= Y[1])
    share = 1 - there.float().mean(1)
    return [Readout(words, 100 * share, 2, "%", color)] if share.max() > 0.005 else []


def _cloud(run: Trajectory, color: str) -> Points:
    return Points(run.states[:, :SHOWN].clamp(-FAR, FAR), color=color, size=4.5, alpha=0.75)


def _share(run: Trajectory, color: str) -> Lines:
    line = torch.stack([run.times, _left(run)], dim=-1)
    return Lines(line[None], color=color, growing=True, width=2.4)


def _note(distance: float, weight: float, sigma: float, h: float) -> str:
    """What theory says about the two errors: the wait for the shares, and the step's own law."""
    wait = settling_time(distance, weight, STD, sigma)
    words = f"{wait:.1f}" if wait < 10 else f"{float(f'{wait:.2g}'):,.0f}"
    spread = settled_spread(STD, sigma, h)
    law = f"a step of {h:.3g} settles at the spread {spread:.3f}, not {STD:.3f}"
    if spread == float("inf"):
        law = f"with a step of {h:.3g} every step throws the particles farther out"
    return f"In theory the error of the shares falls to 1/e in a time of {words}; {law}."


def _landscape(target: GaussianMixture) -> Tensor:
    """The target's density on a grid that fills the panel, (rows, columns)."""
    x, y = torch.linspace(*X, 135), torch.linspace(*Y, 81)
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
    return target.log_prob(grid.flatten(0, 1)).exp().view(81, 135)
