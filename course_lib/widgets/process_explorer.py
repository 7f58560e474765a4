"""Brownian motion, Ornstein-Uhlenbeck and Langevin dynamics beside their exact laws."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.distributions import GaussianMixture
from course_lib.processes import SDE, BrownianMotion, Langevin, OrnsteinUhlenbeck
from course_lib.simulate import simulate, time_grid
from course_lib.widgets.controls import Choice, Slider
from course_lib.widgets.explorer import Explorer
from course_lib.widgets.histogram import histogram
from course_lib.widgets.scene import Bars, Lines, Panel, Readout, Scene

__all__ = ["ProcessExplorer"]

END, PARTICLES, PATHS, FRAMES = 4.0, 2000, 24, 101
LOW, HIGH = -5.0, 5.0
WELLS = GaussianMixture(
    means=torch.tensor([[-1.8], [1.5]]),
    covariances=torch.tensor([0.35, 0.25]),
    weights=torch.tensor([0.4, 0.6]),
)


class ProcessExplorer(Explorer):
    """Paths of a process on the line, and the histogram of 2,000 of them beside the exact law.

    Brownian motion, Notes (7), the Ornstein-Uhlenbeck process, Notes (8), and Langevin dynamics,
    of which only the law that they approach is drawn.
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

    def scene(self, process: str, start: float, theta: float, sigma: float, h: float) -> Scene:
        sde = _process(process, theta, sigma)
        n_steps = max(1, round(END / h))
        run = simulate(
            sde,
            torch.full((PARTICLES, 1), start),
            time_grid(n_steps, end=END),
            generator=torch.Generator().manual_seed(0),
            record=FRAMES,
        )
        states, times = run.states[..., 0], run.times
        heights, edges = histogram(states, LOW, HIGH, 60)
        law, mean, std, name = _law(sde, start, times)
        truth = "in the end" if process == "Langevin" else "exact"
        peaks = heights.amax(1).sort().values  # the first ones are spikes that no axis holds
        most = 1.3 * float(peaks[round(0.8 * (len(peaks) - 1))])
        paths = torch.stack([times.expand(PATHS, -1), states[:, :PATHS].mT], dim=-1)
        grid = torch.linspace(LOW, HIGH, law.shape[1])
        curve = torch.stack([law, grid.expand_as(law)], dim=-1)[:, None]
        return Scene(
            panels=[
                Panel(
                    [Lines(paths, color="simulated", growing=True, width=1.3, alpha=0.7)],
                    x=(0.0, END), y=(LOW, HIGH), xlabel="time t", ylabel="x", span=2.0,
                    title=f"{PATHS} of {PARTICLES:,} paths",
                    describe=f"paths of {process} from x = {start:g} over time",
                ),
                Panel(
                    [Bars(heights, edges, sideways=True), Lines(curve, color="exact", dashed=True)],
                    x=(0.0, most), y=(LOW, HIGH), xlabel="density", title="All of them, now",
                    describe=f"histogram of the particles at the present time, and {name}",
                ),
            ],
            times=times,
            legend=[("simulated", "area", "simulated"), ("exact", "dashed", name)],
            readouts=[
                Readout("mean", states.mean(1), color="simulated"),
                Readout(truth, mean, color="exact"),
                Readout("standard deviation", states.std(1), color="simulated"),
                Readout(truth, std, color="exact"),
            ],
            note="θ belongs to the Ornstein-Uhlenbeck process alone."
            if process != "Ornstein-Uhlenbeck"
            else "",
        )  # fmt: skip


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
    density = torch.exp(-0.5 * ((grid - mean[:, None]) / std[:, None].clamp(min=1e-3)).square()) / (
        std[:, None].clamp(min=1e-3) * (2 * torch.pi) ** 0.5
    )
    density[std < 0.02] = float("nan")  # a spike that no axis holds
    return density, mean, std, "exact law"
