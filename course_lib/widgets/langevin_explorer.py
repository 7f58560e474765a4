"""Langevin dynamics on a landscape with two valleys: does it find how much lies in each?"""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.distributions import GaussianMixture
from course_lib.processes import Langevin
from course_lib.simulate import simulate, time_grid
from course_lib.widgets.controls import Choice, Slider
from course_lib.widgets.explorer import Explorer
from course_lib.widgets.scene import Image, Lines, Panel, Points, Readout, Scene

__all__ = ["LangevinExplorer"]

END, PARTICLES, FRAMES = 20.0, 1000, 61
STD = 0.6  # of a mode, in each direction
X, Y = (-4.5, 4.5), (-2.7, 2.7)
STARTS = ("all on the left", "spread out")


class LangevinExplorer(Explorer):
    """1,000 particles under Langevin dynamics, Notes (31), and the share that each mode has.

    The target is ω N((-d/2, 0), 0.36 I) + (1 - ω) N((d/2, 0), 0.36 I). A particle belongs to the
    mode that it is nearer to. Steps that are too long give each mode a spread that is too large.
    """

    title = "Shaking particles into place"
    question = (
        "Move the modes apart: up to which distance do the shares come right by t = 20? Which "
        "slider helps, and what does a long step spoil?"
    )
    controls = (
        Choice("start", "start", STARTS, STARTS[0]),
        Slider("distance", "distance d", 0.0, 6.0, 2.4, steps=30),
        Slider("weight", "left weight ω", 0.1, 0.9, 0.3, steps=16),
        Slider("sigma", "noise σ", 0.2, 2.0, 1.0, steps=18),
        Slider("h", "step h", 0.08, 1.28, 0.08, steps=20, logarithmic=True),
    )
    frozen = {"distance": (1.6, 2.4, 4.0), "sigma": (0.5, 1.0)}

    def scene(self, start: str, distance: float, weight: float, sigma: float, h: float) -> Scene:
        target = GaussianMixture(
            torch.tensor([[-distance / 2, 0.0], [distance / 2, 0.0]]),
            STD**2,
            torch.tensor([weight, 1 - weight]),
        )
        draw = torch.Generator().manual_seed(0)
        x = torch.randn(PARTICLES, 2, generator=draw)
        left = torch.tensor([-distance / 2, 0.0])
        x = left + STD * x if start == STARTS[0] else x * torch.tensor([2.0, 1.0])
        run = simulate(
            Langevin(target, sigma), x, time_grid(round(END / h), end=END), generator=draw,
            record=FRAMES,
        )  # fmt: skip
        share = (run.states[..., 0] < 0).float().mean(1)
        exact = _left_share(distance, weight)
        spread = run.states[..., 1].std(1)
        growing = torch.stack([run.times, share], dim=-1)[None]
        return Scene(
            panels=[
                Panel(
                    [Image(_landscape(target)), Points(run.states, size=4.5, alpha=0.75)],
                    x=X, y=Y, equal=True, xlabel="x₁", ylabel="x₂", span=1.5,
                    title=f"{PARTICLES:,} particles on the target's density",
                    describe="particles that wander over a density with two modes",
                ),
                Panel(
                    [
                        Lines([[[0.0, exact], [END, exact]]], color="exact", dashed=True),
                        Lines(growing, growing=True, width=2.4),
                    ],
                    x=(0.0, END), y=(0.0, 1.0), xlabel="time t", ylabel="share on the left",
                    title="Found, and true",
                    describe=f"share of the particles left of 0; the true one is {exact:.2f}",
                ),
            ],
            times=run.times,
            legend=[("simulated", "dot", "simulated"), ("exact", "dashed", "exact"),
                    ("dense", "area", "target density")],
            readouts=[
                Readout("share on the left", share, color="simulated"),
                Readout("exact", exact, color="exact"),
                Readout("spread of x₂", spread, color="simulated"),
                Readout("exact", STD, color="exact"),
            ],
            seconds=8.0,
        )  # fmt: skip


def _landscape(target: GaussianMixture) -> Tensor:
    """The target's density on a grid that fills the panel, (rows, columns)."""
    x, y = torch.linspace(*X, 135), torch.linspace(*Y, 81)
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
    return target.log_prob(grid.flatten(0, 1)).exp().view(81, 135)


def _left_share(distance: float, weight: float) -> float:
    """The probability of x₁ < 0 under the target."""
    beyond = 0.5 * torch.special.erfc(torch.tensor(distance / 2 / STD / 2**0.5)).item()
    return weight * (1 - beyond) + (1 - weight) * beyond
