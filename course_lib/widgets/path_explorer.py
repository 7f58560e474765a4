"""One data point's path and the whole crowd's: conditional and marginal velocity, Notes §3."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from course_lib.paths import GaussianPath, Schedule
from course_lib.processes import ODE, Field
from course_lib.simulate import heun_step, simulate
from course_lib.widgets import seats
from course_lib.widgets.controls import Choice, Toggle
from course_lib.widgets.explorer import Explorer
from course_lib.widgets.scene import (
    Arrows,
    Bars,
    Handle,
    Image,
    Layer,
    Lines,
    Links,
    Marks,
    Panel,
    Points,
    Readout,
    Scene,
)
from course_lib.widgets.seats import SCHEDULES, SEATS, WEIGHTS
from course_lib.widgets.square import square_grid
from course_lib.widgets.yours import Own

__all__ = ["PathExplorer"]

TIMES = torch.linspace(0.0, 0.96, 41)  # single points have no velocity at t = 1
PARTICLES, PATHS = 280, 12
HALF = 3.4  # of the side of what is shown
COARSE = square_grid(3.0, 11)
SHORT = 0.14  # the arrows of a field, beside those of the probe
NUMBERS = tuple(str(k + 1) for k in range(len(SEATS)))
MIXTURE = (SEATS, torch.zeros(len(SEATS)), WEIGHTS)
SQUARE: dict[str, Any] = dict(x=(-HALF, HALF), y=(-HALF, HALF), equal=True)


class PathExplorer(Explorer):
    """The path of one data point beside that of all five, and what the marginal arrow is made of.

    The arrow at the probe is Notes (19) as a sum: Σ rᵢ u_t(x|zᵢ), with rᵢ the probability of zᵢ
    given x_t = x. The data are single points, so every run ends shortly before t = 1.

    Args:
        velocity: a reader's own marginal velocity, a function of
            (schedule, x, t, means, stds, weights), with x (batch, 2) and t () or (batch,).
        weights: a reader's own posterior weights (batch, k), of the same arguments.
        values: initial values of controls, and of `probe`, a place [x, y].

    Raises:
        ValueError: a value outside its range.
    """

    title = "One ticket, and the whole crowd"
    question = (
        "Every particle holds a ticket to one of five seats, the data. Linear, t = 0: where does "
        "the probe's arrow lead, wherever you drag it? From when on has one seat more than 0.99 "
        "of the weight there, and under which schedule first?"
    )
    controls = (
        Choice("schedule", "schedule", tuple(SCHEDULES), "linear"),
        Choice("ticket", "left: ticket", NUMBERS, "3"),
        Toggle("particles", "particles", True, local=True),
        Toggle("field", "fields", True, local=True),
        Toggle("paths", "paths", True, local=True),
        Toggle("parts", "the probe's arrow, taken apart", True, local=True),
    )
    points = {"probe": [0.0, 0.6]}
    frozen = {
        "schedule": tuple(SCHEDULES),
        "probe": ([0.0, 0.6], [-1.8, -0.4], [1.5, 1.4], [0.2, -1.2], [2.4, -2.2]),
    }

    def __init__(
        self,
        velocity: Callable[..., Tensor] | None = None,
        weights: Callable[..., Tensor] | None = None,
        **values: Any,
    ) -> None:
        takes = "(schedule, x, t, means, stds, weights)"
        self.velocity = Own.of(velocity, "velocity", takes)
        self.weights = Own.of(weights, "weights", takes)
        super().__init__(**values)

    def checked(self, values: Any) -> dict[str, Any]:
        fitting = super().checked(values)
        fitting["probe"] = _place(fitting["probe"])
        return fitting

    def scene(self, schedule: str, ticket: str, probe: Sequence[float], **seen: bool) -> Scene:
        form, exact = SCHEDULES[schedule], seats.marginal(SCHEDULES[schedule])
        x = torch.tensor(probe).expand(len(TIMES), 2)
        shares = exact.responsibilities(x, TIMES)
        arrow = exact.velocity(x, TIMES)
        crowd = _crowd(exact.velocity)
        whole: list[Layer] = [
            _density(form),
            *_moving(crowd, _on_grid(exact.velocity)),
            Links(x[0], SEATS, shares, only="parts"),
            *_probe_parts(form, x),
        ]
        readouts = [
            Readout("α", form.alpha(TIMES)),
            Readout("β", form.beta(TIMES)),
            Readout("weight of the likeliest seat", shares.amax(1), color="end"),
            Readout("length of u(x) at the probe", arrow.norm(dim=1), color="exact"),
        ]
        legend = [
            ("simulated", "dot", "particles, some with paths"),
            ("exact", "dashed", "p(x|z): β and 2β"),
            ("dense", "area", "p(x)"),
            ("guide", "line", "fields"),
            ("end", "line", "u(x|z) of each seat; links as thick as its weight"),
            ("exact", "line", "u(x), their mean"),
        ]
        errors = []
        bars: list[Layer] = [_bars(shares, self.weights is not None, 0, "end")]
        if self.weights is not None:
            try:
                theirs = self.weights.finite(shares, form, x, TIMES, *MIXTURE, when=TIMES)
                legend.append(("yours", "area", self.weights.name))
                bars.append(_bars(theirs, True, 1, "yours"))
                off = (theirs - shares).abs().amax(1)
                readouts.append(Readout("your weights, farthest from exact", off, color="yours"))
            except ValueError as error:
                errors.append(str(error))
        whole.append(_arrow(x, arrow, "exact", 3.2))
        if self.velocity is not None:
            try:
                layers, apart, off = self._followed(form, x, crowd, arrow)
                whole += layers
                legend.append(("yours", "dot", f"{self.velocity.name}: particles and arrows"))
                readouts += [
                    Readout("your arrow, from exact", off, color="yours"),
                    Readout("your particles, farthest from exact", apart, color="yours"),
                ]
            except ValueError as error:
                errors.append(str(error))
        words = ", ".join(f"{v:.1f}" for v in probe)
        whole += [Marks(SEATS, NUMBERS), Handle("probe", (probe[0], probe[1]), "the probe")]
        return Scene(
            panels=[
                Panel(_one_ticket(form, int(ticket) - 1), title=f"All with ticket {ticket}",
                      span=1.3, **SQUARE,
                      describe=f"particles on the conditional path of seat {ticket}"),
                Panel(whole, title="All together, and a probe to drag", span=1.3, **SQUARE,
                      describe="particles on the marginal path, its density, and the arrow at "
                      f"the probe ({words}) with a line to each seat"),
                Panel([_before(), *bars],
                      title="Whose ticket, at the probe", x=(0.0, 1.0), y=(0.4, len(SEATS) + 0.6),
                      xlabel="posterior weight", ylabel="seat", span=0.8, whole=True,
                      describe="the probability of each seat given the place of the probe"),
            ],
            times=TIMES,
            legend=legend,
            readouts=readouts,
            note="Arrows are (1 − t) u, to where one step to t = 1 would lead; those of the fields "
            f"are {SHORT:g} as long. Grey line: a seat's weight before a look. Seats have no "
            f"velocity at t = 1, so time ends at {TIMES[-1]:.2f}."
            + (_UNTESTED if self.velocity or self.weights else ""),
            error="\n".join(errors),
            seconds=8.0,
        )  # fmt: skip

    def _followed(
        self, form: Schedule, x: Tensor, crowd: Tensor, arrow: Tensor
    ) -> tuple[list[Layer], Tensor, Tensor]:
        """The reader's field, crowd and arrow, and how far the last two are from the exact."""
        function = self.velocity
        assert function is not None

        def field(x: Tensor, t: Tensor) -> Tensor:
            return function.finite(x, form, x, t, *MIXTURE, when=t)

        theirs, arrows, mine = _crowd(field), _on_grid(field), field(x, TIMES)
        layers = [
            Arrows(COARSE, SHORT * arrows, color="yours", width=1.2, only="field"),
            Points(theirs, color="yours", size=3.4, only="particles"),
            _arrow(x, mine, "yours", 2.0),
        ]
        return layers, (theirs - crowd).norm(dim=-1).amax(1), (mine - arrow).norm(dim=1)


_UNTESTED = " Seats have no width: what a function makes of widths does not show here."


def _place(value: Any) -> list[float]:
    """A place in the square, or a ValueError."""
    try:
        x, y = (float(v) for v in value)
    except (TypeError, ValueError):
        x = y = float("nan")
    if not (abs(x) <= HALF and abs(y) <= HALF):
        raise ValueError(f"probe is {value!r}; expected [x, y] within ±{HALF:g}")
    return [x, y]


def _noise() -> Tensor:
    return torch.randn(PARTICLES, 2, generator=torch.Generator().manual_seed(2))


def _left() -> Tensor:
    """1 - t, to multiply arrows (frames, n, 2)."""
    return (1 - TIMES)[:, None, None]


def _crowd(velocity: Field) -> Tensor:
    """Where the particles are in each frame, (frames, n, 2): always from the same noise."""
    return simulate(ODE(velocity), _noise(), TIMES, step=heun_step).states


def _on_grid(velocity: Field) -> Tensor:
    """(1 - t) u_t on the coarse grid in each frame, (frames, n, 2)."""
    n, frames = len(COARSE), len(TIMES)
    arrows = velocity(COARSE.repeat(frames, 1), TIMES.repeat_interleave(n))
    return _left() * arrows.view(frames, n, 2)


def _density(form: Schedule) -> Image:
    masses = seats.cell_masses(form, TIMES, HALF, 40)
    shades = 255 * masses / masses.amax((1, 2), keepdim=True)
    return Image(shades.round().byte(), each=True)


def _moving(crowd: Tensor, arrows: Tensor) -> list[Layer]:
    """Arrows, particles, and the paths of some, in one of the two squares."""
    return [
        Arrows(COARSE, SHORT * arrows, only="field"),
        Points(crowd, size=3.4, only="particles"),
        Lines(crowd[:, :PATHS].transpose(0, 1), growing=True, width=1.3, only="paths"),
    ]


def _one_ticket(form: Schedule, k: int) -> list[Layer]:
    path, z = GaussianPath(form), SEATS[k]
    noise = _noise().repeat(len(TIMES), 1)
    crowd = path.sample(z.expand_as(noise), TIMES.repeat_interleave(PARTICLES), noise)
    arrows = _on_grid(lambda x, t: path.conditional_velocity(x, z.expand_as(x), t))
    return [
        Lines(seats.circles(form, TIMES, z), color="exact", dashed=True, width=1.6),
        *_moving(crowd.view(len(TIMES), PARTICLES, 2), arrows),
        Marks(z[None], [NUMBERS[k]]),
    ]


def _probe_parts(form: Schedule, x: Tensor) -> list[Layer]:
    """The conditional velocities at the probe."""
    arrows = _left() * seats.conditional(form, x, TIMES)
    return [Arrows(x[:1].expand(len(SEATS), 2), arrows, color="end", width=1.6, only="parts")]


def _arrow(x: Tensor, by: Tensor, color: str, width: float) -> Arrows:
    return Arrows(x[:1], _left() * by[:, None], color=color, width=width, alpha=1.0)


def _before() -> Lines:
    """The weight that each seat has before anything is known."""
    seat = torch.arange(1.0, len(SEATS) + 1)
    ends = torch.stack([seat - 0.48, seat + 0.48], dim=1)
    return Lines(torch.stack([WEIGHTS[:, None].expand(-1, 2), ends], dim=-1), color="guide")


def _bars(weights: Tensor, pair: bool, place: int, color: str) -> Bars:
    """Bars about 1, 2, …; of a `pair`, the upper one (0) or the lower one (1) of each."""
    low, wide = (-0.36 * place, 0.36) if pair else (-0.36, 0.72)
    seat = torch.arange(1.0, weights.shape[1] + 1)
    edges = torch.stack([seat + low, seat + low + wide], dim=1).flatten()
    gaps = torch.stack([weights, torch.zeros_like(weights)], dim=2).flatten(1)[:, :-1]
    return Bars(gaps, edges, color=color, alpha=0.75, sideways=True)
