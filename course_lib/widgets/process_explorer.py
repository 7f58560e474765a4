"""Brownian motion, Ornstein-Uhlenbeck and Langevin dynamics beside their exact laws."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from course_lib.processes import SDE, BrownianMotion, Langevin, OrnsteinUhlenbeck
from course_lib.simulate import Trajectory, simulate, time_grid
from course_lib.widgets.controls import Choice, Slider, step_slider
from course_lib.widgets.explorer import Explorer
from course_lib.widgets.histogram import histogram
from course_lib.widgets.process_laws import GRID, HIGH, LOW, WELLS, Known, Law, law_of, normal
from course_lib.widgets.scene import Bars, Layer, Lines, Panel, Readout, Scene
from course_lib.widgets.yours import Own, kind_of

__all__ = ["ProcessExplorer"]

PROCESSES = ("Brownian motion", "Ornstein-Uhlenbeck", "Langevin")
END, PARTICLES, PATHS, FRAMES = 4.0, 2000, 24, 101
STEPS = (200, 160, 125, 100, 80, 64, 50, 40, 32, 25, 20, 16, 13, 10, 8, 6, 5, 4)
FAR = 50.0  # where a line that leaves the panel ends
NOTES = {"Langevin": "The landscape: p = 0.4 N(−1.8, 0.35) + 0.6 N(1.5, 0.25)."}


class ProcessExplorer(Explorer):
    """Paths of a process on the line, and the histogram of 2,000 of them beside the exact law.

    Brownian motion, Notes (7), the Ornstein-Uhlenbeck process, Notes (8), and Langevin dynamics,
    Notes (31), with the law that they approach.

    Args:
        step: a reader's own step, a function of (drift, diffusion, x, t, h, noise) as
            `euler_maruyama_step`: their crowd beside the library's, from the same noise.
        transition: a reader's own law of the Ornstein-Uhlenbeck process, a function of
            (x, elapsed, theta, sigma) that returns its mean, shaped like x, and its standard
            deviation: drawn beside the exact one.
        values: initial values of controls.

    Raises:
        ValueError: a value outside its range.
    """

    title = "A crowd of particles, and its exact law"
    question = (
        "Ornstein-Uhlenbeck: which of θ and σ decide how soon the crowd settles, and which how "
        "wide? Make the step longer: what goes wrong first at t = 4, the mean or the deviation?"
    )
    controls = (
        Choice("process", "process", PROCESSES, PROCESSES[1]),
        Slider("start", "start x₀", -3.0, 3.0, 2.0, steps=24),
        Slider("theta", "pull θ", 0.1, 4.0, 1.0, steps=39),
        Slider("sigma", "noise σ", 0.1, 2.0, 1.0, steps=19),
        step_slider(END, STEPS, 0.04),
    )
    frozen = {
        "process": PROCESSES,
        "theta": (0.5, 1.0, 2.0),
        "sigma": (0.5, 1.0, 2.0),
        "h": (0.04, 0.4, 1.0),
    }

    def __init__(
        self,
        step: Callable[..., Tensor] | None = None,
        transition: Callable[..., Any] | None = None,
        **values: Any,
    ) -> None:
        self.step = Own.of(step, "step", "(drift, diffusion, x, t, h, noise)")
        self.transition = Own.of(transition, "transition", "(x, elapsed, theta, sigma)")
        super().__init__(**values)

    def scene(self, process: str, start: float, theta: float, sigma: float, h: float) -> Scene:
        sde = _process(process, theta, sigma)
        run = _run(sde, start, h)
        states, times = run.states[..., 0], run.times
        law = law_of(sde, start, times)
        bins = round(2 * (HIGH - LOW) / max(float(law.std[-1]), 0.1))  # fine beside the last law
        heights, edges = histogram(states, LOW, HIGH, min(max(bins, 60), 240))
        lines: list[Layer] = [_paths(times, states, "simulated")]
        laws: list[Layer] = [
            Bars(heights, edges, sideways=True),
            _curve(law.density, "exact", dashed=True),
        ]
        legend = [("simulated", "area", "simulated"), ("exact", "dashed", "exact law")]
        if isinstance(sde, Langevin):
            limit = torch.stack([WELLS.log_prob(GRID[:, None]).exp(), GRID], dim=-1)
            laws.insert(1, Lines(limit[None], color="guide", width=1.4))
            legend.append(("guide", "line", "the law it approaches"))
        readouts, errors = _numbers(states, law), []
        for panel, added in (
            (lines, partial(self._their_crowd, sde, start, h)),
            (laws, partial(self._their_law, sde, start, times)),
        ):
            try:
                theirs = added()
            except ValueError as error:
                errors.append(str(error))
                continue
            if theirs is not None:
                panel.append(theirs.layer)
                legend.append(("yours", "line", theirs.name))
                readouts += theirs.readouts
        return Scene(
            panels=[
                Panel(
                    lines,
                    x=(0.0, END), y=(LOW, HIGH), xlabel="time t", ylabel="x", span=2.0,
                    title=f"{PATHS} of {PARTICLES:,} paths",
                    describe=f"paths of {process} from x = {start:g} over time",
                ),
                Panel(
                    laws,
                    x=(0.0, _highest(heights, law.density)), y=(LOW, HIGH), xlabel="density",
                    title="All of them, now",
                    describe="histogram of the particles at the present time, and the exact law",
                ),
            ],
            times=times,
            legend=legend,
            readouts=readouts,
            note=NOTES.get(process, ""),
            idle=() if process == PROCESSES[1] else ("theta",),
            error="\n".join(errors),
            start=-1,
        )  # fmt: skip

    def _their_crowd(self, sde: SDE, start: float, h: float) -> _Theirs | None:
        """By the reader's own step, from the library's noise.

        Raises:
            ValueError: what is wrong with that step.
        """
        own = self.step
        if own is None:
            return None

        def step(drift: Any, diffusion: Any, x: Tensor, t: Tensor, h: Any, noise: Tensor) -> Tensor:
            return own.finite(x, drift, diffusion, x, t, h, noise, when=t)

        run = _run(sde, start, h, step)
        states = run.states[..., 0]
        numbers = [
            Readout("your mean", states.mean(1), color="yours"),
            Readout("standard deviation", states.std(1), color="yours"),
            *_outside(states, "yours outside the picture", "yours"),
        ]
        return _Theirs(_paths(run.times, states.clamp(-FAR, FAR), "yours"), own.name, numbers)

    def _their_law(self, sde: SDE, start: float, times: Tensor) -> _Theirs | None:
        """By the reader's own transition of the Ornstein-Uhlenbeck process.

        Raises:
            ValueError: it raised an exception, or returned no two finite numbers.
        """
        own = self.transition
        if own is None or not isinstance(sde, OrnsteinUhlenbeck):
            return None
        moments = [_moments(own, start, t, sde.theta, sde.sigma) for t in times.tolist()]
        mean, std = torch.tensor(moments).unbind(1)
        numbers = [
            Readout("your law's mean", mean, color="yours"),
            Readout("deviation", std, color="yours"),
        ]
        return _Theirs(_curve(normal(mean, std), "yours"), f"law by {own.name}", numbers)


class _Theirs(NamedTuple):
    """What a reader's own function adds to the picture."""

    layer: Layer
    name: str
    readouts: list[Readout]


def _run(sde: SDE, start: float, h: float, step: Callable[..., Tensor] | None = None) -> Trajectory:
    """All particles from `start`, always with the same noise."""
    return simulate(
        sde,
        torch.full((PARTICLES, 1), start),
        time_grid(round(END / h), end=END),
        step=step,
        generator=torch.Generator().manual_seed(0),
        record=FRAMES,
    )


def _moments(own: Own, start: float, t: float, theta: float, sigma: float) -> tuple[float, float]:
    """Mean and standard deviation at `t` by a reader's own law.

    Raises:
        ValueError: it raised an exception, or returned no two finite numbers.
    """
    answer = own.call(torch.full((1, 1), start), t, theta, sigma)
    if not isinstance(answer, tuple) or len(answer) != 2:
        what = f"{len(answer)} values" if isinstance(answer, tuple) else kind_of(answer)
        raise ValueError(f"{own.name} returned {what}; expected a mean and a deviation")
    try:
        mean, std = (torch.as_tensor(value) for value in answer)
    except (TypeError, ValueError, RuntimeError):
        kinds = " and ".join(kind_of(value) for value in answer)
        raise ValueError(f"{own.name} returned {kinds}; expected a tensor and a number") from None
    if mean.numel() != 1 or std.numel() != 1:
        shapes = f"{tuple(mean.shape)} and {tuple(std.shape)}"
        raise ValueError(f"{own.name} returned shapes {shapes}; expected (1, 1) and a number")
    if not (mean.isfinite().all() and std.isfinite().all()):
        raise ValueError(f"At t = {t:.2f}: {own.name} returned NaN or infinite numbers")
    spread = std.item()  # of any shape with one number
    if spread < 0:
        raise ValueError(f"At t = {t:.2f}: {own.name} returned the negative deviation {spread:.3g}")
    return mean.item(), spread


def _numbers(states: Tensor, law: Law) -> list[Readout]:
    """Moments of the crowd (frames, n) beside the exact ones, and who left the picture."""
    return [
        Readout("mean", states.mean(1), color="simulated"),
        Readout("exact", law.mean, color="exact"),
        Readout("standard deviation", states.std(1), color="simulated"),
        Readout("exact", law.std, color="exact"),
        Readout("chance moves the mean by", law.std / PARTICLES**0.5, 2),
        *_outside(states, "outside the picture", "simulated"),
    ]


def _outside(states: Tensor, words: str, color: str) -> list[Readout]:
    """How many of the states (frames, n) the panels do not show, if there are many."""
    share = ((states < LOW) | (states >= HIGH)).float().mean(1)
    return [Readout(words, 100 * share, 2, "%", color)] if share.max() > 0.005 else []


def _paths(times: Tensor, states: Tensor, color: str) -> Lines:
    """Some of the paths over time; `states` (frames, n)."""
    some = torch.stack([times.expand(PATHS, -1), states[:, :PATHS].mT], dim=-1)
    return Lines(some, color=color, growing=True, width=1.3, alpha=0.7)


def _curve(density: Tensor, color: str, dashed: bool = False) -> Lines:
    """A density (frames, grid), drawn sideways; with half the points where it is wide."""
    every = 1 if density[-1].nan_to_num().max() > 1 else 2
    curve = torch.stack([density, GRID.expand_as(density)], dim=-1)[:, ::every]
    return Lines(curve[:, None], color=color, dashed=dashed)


def _highest(heights: Tensor, density: Tensor) -> float:
    """The end of an axis that holds histogram and law (frames, ...), but for the first spikes."""
    peaks = torch.maximum(heights.amax(1), density.nan_to_num().amax(1)).sort().values
    return 1.15 * float(peaks[round(0.8 * (len(peaks) - 1))])


def _process(name: str, theta: float, sigma: float) -> Known:
    if name == "Brownian motion":
        return BrownianMotion(sigma)
    if name == "Langevin":
        return Langevin(WELLS, sigma)
    return OrnsteinUhlenbeck(theta, sigma)
