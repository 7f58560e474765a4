"""Solvers against the exact solution: paths in the plane, and the error against the step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from course_lib.simulate import euler_maruyama_step, euler_step, heun_step, midpoint_step
from course_lib.widgets.controls import Choice, Control, Slider
from course_lib.widgets.explorer import Explorer
from course_lib.widgets.races import COUNTS, END, MOST, PARTICLES, TAKES, Race, is_noisy, slope
from course_lib.widgets.scene import Layer, Lines, Panel, Points, Readout, Scene
from course_lib.widgets.spiral import SPIRAL, TIDE
from course_lib.widgets.yours import Own

__all__ = ["SolverExplorer"]

SHOWN, SHOWN_NOISY = 8, 3  # paths
RANGE, FAR = 3.0, 200.0  # half the side of the plane's panel; farther than FAR is drawn at FAR
ERRORS = (-4.2, 1.6)  # log₁₀: the axis, longer if a reader's own step asks for it, up to WIDEST
WIDEST = (-14.0, 6.0)
NOISY = "Euler-Maruyama"
STEPS: dict[str, Callable[..., Tensor]] = {
    "Euler": euler_step,
    "Heun": heun_step,
    "midpoint": midpoint_step,
    NOISY: euler_maruyama_step,
}
ORDERS = {"Euler": 1, "Heun": 2, "midpoint": 2, NOISY: 1}
FIELDS = {"spiral": SPIRAL, "tide": TIDE}
WORDS = {
    "spiral": f"u = −{SPIRAL.shrink:g} x + {SPIRAL.turn:g} Jx",
    "tide": f"u = −{TIDE.shrink:g} x + {TIDE.turn:g} cos({TIDE.change:g} t) Jx",
}


class SolverExplorer(Explorer):
    """Euler, Heun, midpoint and Euler-Maruyama on fields whose exact solution is known.

    The spiral turns one way; the tide turns to and fro. The error is the root mean square distance
    of a particle from its exact end. With noise it is the strong error: both see one Brownian path.
    Its order is 1, as σ does not depend on x: a step errs by σ ∫ (E(s, h) - 1) dW, whose mean is 0
    and whose size is h^{3/2}, so that n = T/h independent ones add up to √n h^{3/2} = √T h.

    Args:
        step: a reader's own step, shown beside the truth: a function of (velocity, x, t, h), as
            `euler_step`, or of (drift, diffusion, x, t, h, noise), as `euler_maruyama_step`.
        values: initial values of controls.

    Raises:
        ValueError: a value outside its range.
    """

    title = "Steps and the truth"
    question = (
        "Halve the step: by what factor does each error fall? With which solvers do the particles "
        "fly apart when the step is too long?"
    )
    frozen = {"field": tuple(FIELDS), "solver": tuple(STEPS), "n": (4, 8, 16, 32, 64)}

    def __init__(self, step: Callable[..., Tensor] | None = None, **values: object) -> None:
        self.noisy = step is not None and is_noisy(step)
        takes = TAKES[True] if self.noisy else f"{TAKES[False]}, or of {TAKES[True]}"
        self.step = Own.of(step, "step", takes)
        self.controls: Sequence[Control] = (
            Choice("field", "field", tuple(FIELDS), "spiral"),
            Choice("solver", "solver", tuple(STEPS), NOISY if self.noisy else "Euler"),
            Slider("n", "steps", 4, MOST, 16, steps=5, logarithmic=True, whole=True),
            Slider("sigma", "noise σ", 0.0, 1.0, 0.5, steps=10),
        )
        super().__init__(**values)

    def scene(self, field: str, solver: str, n: int, sigma: float) -> Scene:
        n = 2 ** round(math.log2(n))
        noisy = solver == NOISY
        race = Race(FIELDS[field], sigma if noisy else 0.0)
        shown = SHOWN_NOISY if noisy and sigma > 0 else SHOWN
        plane: list[Layer] = [
            Lines(_paths(race.truth, shown), color="exact", dashed=True, width=1.6, growing=True)
        ]
        order = ORDERS[solver]
        errors: list[Layer] = [Lines(_guide(order), color="guide", dashed=True, width=1.8)]
        readouts: list[Readout] = []
        legend = [("exact", "dashed", "exact"), ("guide", "dashed", f"slope {order}, by theory")]
        runners = [(solver, "simulated", Own(STEPS[solver], "step", TAKES[noisy]))]
        if self.step is not None and self.noisy == noisy:
            runners.append((self.step.name, "yours", self.step))
        here, wrong, log_errors = COUNTS.index(n), "", list[Tensor]()
        for name, color, step in runners:
            try:
                states = race.path(step, noisy, n)
            except ValueError as error:
                wrong = str(error)
                continue
            log_error, fault = race.log_errors(step, noisy)
            wrong = wrong or _not_finite(states, name) or fault
            plane += _walkers(states, shown, color)
            errors += _curve(log_error, here, color)
            log_errors.append(log_error)
            legend.append((color, "line", name))
            readouts += [
                Readout(f"{name}: error", 10 ** log_error[here].item(), color=color),
                Readout("half the step, ÷", _fall(log_error, here), color=color),
                Readout("slope, 3 finest", slope(log_error), color=color),
            ]
        high = math.log10(END / COUNTS[0])
        return Scene(
            panels=[
                Panel(
                    plane, x=(-RANGE, RANGE), y=(-RANGE, RANGE), equal=True, xlabel="x₁",
                    ylabel="x₂", title=f"{shown} of {PARTICLES} particles, h = {END / n:g}",
                    describe=f"paths of particles by {solver} in {n} steps, and their exact paths",
                ),
                Panel(
                    errors, x=(math.log10(END / MOST) - 0.1, high + 0.1), y=_axis(log_errors),
                    xlabel="log₁₀ of the step h", ylabel="log₁₀ of the error",
                    title="Distance from the exact end",
                    describe="error against step, both logarithmic; dashed, the slope "
                    f"{order} that theory says",
                ),
            ],
            times=torch.linspace(0, END, MOST + 1),
            legend=legend,
            readouts=readouts,
            note=self._note(field, noisy),
            idle=() if noisy else ("sigma",),
            error=wrong,
            start=-1,
        )  # fmt: skip

    def _note(self, field: str, noisy: bool) -> str:
        note = (
            f"{WORDS[field]}, J a quarter turn. Error: root mean square distance at t = 3. "
            "Large dot: the present step."
        )
        if noisy:
            note = (
                "Strong error: root mean square distance at t = 3, both on the same Brownian path. "
                "Large dot: the present step. The order is 1, not ½, as σ is the same everywhere."
            )
        if self.step is not None and self.noisy != noisy:
            kind = f"stands beside {NOISY} alone" if self.noisy else "takes no noise"
            note += f" {self.step.name} {kind}."
        return note


def _paths(states: Tensor, shown: int) -> Tensor:
    """Some of the paths as lines, (shown, frames, 2), from places all round the ring."""
    return states[:, _chosen(shown)].transpose(0, 1)


def _chosen(shown: int) -> list[int]:
    return [round(k * SHOWN / shown) for k in range(shown)]


def _walkers(states: Tensor, shown: int, color: str) -> list[Layer]:
    """The particles at every frame, on straight lines between their steps, and their paths."""
    parts = MOST // (len(states) - 1)
    share = torch.arange(parts)[:, None, None] / parts
    fine = states[:-1, None] + share * (states[1:] - states[:-1])[:, None]
    fine = torch.cat([fine.flatten(0, 1), states[-1:]]).clamp(-FAR, FAR)
    return [
        Lines(_paths(fine, shown), color=color, width=1.8, growing=True),
        Points(fine[:, _chosen(shown)], color=color, size=8, alpha=1.0),
    ]


def _curve(log_error: Tensor, here: int, color: str) -> list[Layer]:
    line = torch.stack([torch.log10(END / torch.tensor(COUNTS)), log_error], dim=-1)
    return [
        Lines(line[None], color=color, width=1.5),
        Points(line, color=color, size=6, alpha=1.0),
        Points(line[here : here + 1], color=color, size=15, alpha=1.0),
    ]


def _axis(log_errors: list[Tensor]) -> tuple[float, float]:
    """`ERRORS`, or as much more as these errors need; none of them may be a number."""
    every = [v for errors in log_errors for v in errors.tolist() if math.isfinite(v)]
    low = max(min([*every, ERRORS[0]]), WIDEST[0])
    high = min(max([*every, ERRORS[1]]), WIDEST[1])
    return low - 0.3 * (low < ERRORS[0]), high + 0.3 * (high > ERRORS[1])


def _fall(log_error: Tensor, here: int) -> float:
    """The error over that with half the step; NaN at the shortest."""
    following = log_error[here + 1].item() if here + 1 < len(log_error) else math.nan
    return 10 ** (log_error[here].item() - following)


def _guide(order: int) -> list[list[list[float]]]:
    """A line with the slope of theory, under the errors of Euler and over those of Heun."""
    low, high = math.log10(END / MOST), math.log10(END / COUNTS[0])
    return [[[low, -0.3 - order * (high - low)], [high, -0.3]]]


def _not_finite(states: Tensor, name: str) -> str:
    """Where the states (n + 1, particles, 2) stop being numbers, as a sentence; or nothing."""
    bad = ~states.isfinite().flatten(1).all(1)
    if not bad.any():
        return ""
    first = int(bad.int().argmax())
    what = "NaN" if states[first].isnan().any() else "infinite numbers"
    return f"{name} returned {what} in step {first} of {len(states) - 1}"
