"""Brownian motion, Ornstein-Uhlenbeck and Langevin dynamics beside their exact laws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course_lib.distributions import GaussianMixture
from course_lib.processes import SDE, BrownianMotion, Langevin, OrnsteinUhlenbeck
from course_lib.simulate import Trajectory, simulate, time_grid
from course_lib.widgets.controls import Choice, Slider
from course_lib.widgets.explorer import Explorer
from course_lib.widgets.histogram import histogram
from course_lib.widgets.scene import Bars, Layer, Lines, Panel, Readout, Scene
from course_lib.widgets.yours import Own, kind_of

__all__ = ["ProcessExplorer"]

END, PARTICLES, PATHS, FRAMES = 4.0, 2000, 24, 101
LOW, HIGH = -5.0, 5.0
FAR = 50.0  # where a line that leaves the panel ends
WELLS = GaussianMixture(
    means=torch.tensor([[-1.8], [1.5]]),
    covariances=torch.tensor([0.35, 0.25]),
    weights=torch.tensor([0.4, 0.6]),
)


class ProcessExplorer(Explorer):
    """Paths of a process on the line, and the histogram of 2,000 of them beside the exact law.

    Brownian motion, Notes (7), the Ornstein-Uhlenbeck process, Notes (8), and Langevin dynamics,
    of which only the law that they approach is drawn.

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
        "Which slider changes where the crowd ends up, and which one only how it gets there? "
        "Make the step large: which law is missed first?"
    )
    controls = (
        Choice(
            "process",
            "process",
            ("Brownian motion", "Ornstein-Uhlenbeck", "Langevin"),
            "Ornstein-Uhlenbeck",
        ),
        Slider("start", "start x₀", -3.0, 3.0, 2.0, steps=24),
        Slider("theta", "pull θ", 0.1, 4.0, 1.0, steps=39),
        Slider("sigma", "noise σ", 0.1, 2.0, 1.0, steps=19),
        Slider("h", "step h", 0.02, 1.0, 0.04, steps=20, logarithmic=True),
    )
    frozen = {
        "process": ("Brownian motion", "Ornstein-Uhlenbeck", "Langevin"),
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
        heights, edges = histogram(states, LOW, HIGH, 60)
        law, mean, std, name = _law(sde, start, times)
        truth = "in the end" if process == "Langevin" else "exact"
        peaks = heights.amax(1).sort().values  # the first ones are spikes that no axis holds
        most = 1.3 * float(peaks[round(0.8 * (len(peaks) - 1))])
        paths = torch.stack([times.expand(PATHS, -1), states[:, :PATHS].mT], dim=-1)
        grid = torch.linspace(LOW, HIGH, law.shape[1])
        curve = torch.stack([law, grid.expand_as(law)], dim=-1)[:, None]
        lines: list[Layer] = [Lines(paths, color="simulated", growing=True, width=1.3, alpha=0.7)]
        laws: list[Layer] = [
            Bars(heights, edges, sideways=True), Lines(curve, color="exact", dashed=True)
        ]  # fmt: skip
        legend = [("simulated", "area", "simulated"), ("exact", "dashed", name)]
        readouts = [
            Readout("mean", states.mean(1), color="simulated"),
            Readout(truth, mean, color="exact"),
            Readout("standard deviation", states.std(1), color="simulated"),
            Readout(truth, std, color="exact"),
        ]
        errors = []
        if self.step is not None:
            try:
                theirs = _run(sde, start, h, self.step).states[..., 0]
            except ValueError as error:
                errors.append(str(error))
            else:
                some = torch.stack([times.expand(PATHS, -1), theirs[:, :PATHS].mT], dim=-1)
                lines.append(Lines(some.clamp(-FAR, FAR), color="yours", growing=True, width=1.3))
                legend.append(("yours", "line", self.step.name))
                readouts += [
                    Readout("your mean", theirs.mean(1), color="yours"),
                    Readout("standard deviation", theirs.std(1), color="yours"),
                ]
        if self.transition is not None and isinstance(sde, OrnsteinUhlenbeck):
            try:
                mean, std = _their_law(self.transition, start, times, theta, sigma)
            except ValueError as error:
                errors.append(str(error))
            else:
                curve = torch.stack([_normal(grid, mean, std), grid.expand_as(law)], dim=-1)
                laws.append(Lines(curve[:, None], color="yours", width=2.0))
                legend.append(("yours", "line", f"law by {self.transition.name}"))
                readouts.append(Readout("your law's deviation", std, color="yours"))
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
                    x=(0.0, most), y=(LOW, HIGH), xlabel="density", title="All of them, now",
                    describe=f"histogram of the particles at the present time, and {name}",
                ),
            ],
            times=times,
            legend=legend,
            readouts=readouts,
            note="θ belongs to the Ornstein-Uhlenbeck process alone."
            if process != "Ornstein-Uhlenbeck"
            else "",
            error="\n".join(errors),
            start=-1,
        )  # fmt: skip


def _run(sde: SDE, start: float, h: float, own: Own | None = None) -> Trajectory:
    """All particles from `start`, always with the same noise; by a reader's own step if given.

    Raises:
        ValueError: what is wrong with that step.
    """

    def step(drift: Any, diffusion: Any, x: Tensor, t: Tensor, h: Any, noise: Tensor) -> Tensor:
        assert own is not None
        return own.finite(x, drift, diffusion, x, t, h, noise)

    return simulate(
        sde,
        torch.full((PARTICLES, 1), start),
        time_grid(max(1, round(END / h)), end=END),
        step=step if own else None,
        generator=torch.Generator().manual_seed(0),
        record=FRAMES,
    )


def _their_law(
    own: Own, start: float, times: Tensor, theta: float, sigma: float
) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (frames,) by the reader's own function.

    Raises:
        ValueError: it raised an exception, or returned no two finite numbers.
    """
    x = torch.full((1, 1), start)
    found = []
    for t in times.tolist():
        answer = own.call(x, t, theta, sigma)
        if not isinstance(answer, tuple) or len(answer) != 2:
            what = f"{len(answer)} values" if isinstance(answer, tuple) else kind_of(answer)
            raise ValueError(f"{own.name} returned {what}; expected a mean and a deviation")
        mean, std = (torch.as_tensor(value).detach().float().cpu() for value in answer)
        if mean.numel() != 1 or std.numel() != 1:
            shapes = f"{tuple(mean.shape)} and {tuple(std.shape)}"
            raise ValueError(f"{own.name} returned shapes {shapes}; expected (1, 1) and a number")
        if not (mean.isfinite().all() and std.isfinite().all()):
            raise ValueError(f"At t = {t:.2f}: {own.name} returned NaN or infinite numbers")
        found.append(torch.stack([mean.flatten()[0], std.flatten()[0]]))
    return torch.stack(found).unbind(1)  # type: ignore[return-value]


def _process(name: str, theta: float, sigma: float) -> SDE:
    if name == "Brownian motion":
        return BrownianMotion(sigma)
    if name == "Langevin":
        return Langevin(WELLS, sigma)
    return OrnsteinUhlenbeck(theta, sigma)


def _law(sde: SDE, start: float, times: Tensor) -> tuple[Tensor, Tensor, Tensor, str]:
    """Density (frames, grid), mean and standard deviation (frames,) of the law, and its name."""
    grid = torch.linspace(LOW, HIGH, 201)
    if isinstance(sde, Langevin):
        density = WELLS.log_prob(grid[:, None]).exp()
        mean = WELLS.weights @ WELLS.means[:, 0]
        square = (density * grid.square()).sum() * (grid[1] - grid[0])
        every = (density.expand(len(times), -1), mean.expand(len(times)),
                 (square - mean.square()).sqrt().expand(len(times)))  # fmt: skip
        return *every, "the law it approaches"
    x = torch.full((len(times), 1), start)
    law = sde.transition(x, times)
    mean, std = law.mean[:, 0], law.scale.expand(len(times))
    return _normal(grid, mean, std), mean, std, "exact law"


def _normal(grid: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Normal densities (frames, grid); NaN where one is a spike that no axis holds."""
    width = std[:, None].clamp(min=1e-3)
    density = torch.exp(-0.5 * ((grid - mean[:, None]) / width).square())
    density = density / (width * (2 * torch.pi) ** 0.5)
    density[std < 0.02] = float("nan")
    return density
