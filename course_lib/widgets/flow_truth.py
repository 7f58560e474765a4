"""What is known exactly about the flow to a cloud, in every frame; and how far a network is off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from course_lib.metrics import SampleDistance, energy_distance
from course_lib.processes import ODE
from course_lib.simulate import heun_step, simulate, time_grid
from course_lib.widgets import cloud
from course_lib.widgets.yours import Own

__all__ = ["HALF", "TIMES", "Learned", "Truth", "truth_of"]

HALF = 3.2  # of the side of the square that is shown
STEPS, PARTICLES = 20, 800
TIMES = time_grid(STEPS)
PROBES = 150  # places in a frame where the network is compared
FLOORED = 6000  # points of the floor: chance moves it by 0.2 to 0.5 %
FINE, COARSE = torch.linspace(-HALF, HALF, 61), torch.linspace(-3.2, 3.2, 17)
LEAST = 0.01  # of the highest density: arrows stand where there is more

Field = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Learned:
    """A network's flow: where its particles are, its arrows, and how far both are off.

    Attributes:
        particles: shape (frames, n, 2).
        arrows: at `Truth.places`.
        errors: |learned - exact| / |exact|, root mean squares over p_t, (frames,).
        error: the same over t from 0 to 1.
        distance: energy distance of the particles at t = 1 to a sample of the data.
    """

    particles: Tensor
    arrows: Tensor
    errors: Tensor
    error: float
    distance: SampleDistance


class Truth:
    """What is known exactly at `TIMES`.

    Attributes:
        cloud: the data.
        density: p_t on FINE × FINE, each frame over 0 to 255, (frames, rows, columns).
        places: the grid COARSE × COARSE, NaN where hardly anybody comes by, (frames, n, 2).
        arrows: the velocity there.
        floor, power: of the CFM loss: the least there can be, and that of no arrows at all.
        chance: energy distance of two samples of the data, on average.
    """

    def __init__(self, data: cloud.Cloud) -> None:
        generator = torch.Generator().manual_seed(1)
        self.cloud = data
        density = data.density(TIMES, FINE)
        most = density.amax((1, 2), keepdim=True)
        self.density = (255 * density / most).round().byte()
        frequented = (data.density(TIMES, COARSE) > LEAST * most).flatten(1)
        grid = torch.stack(torch.meshgrid(COARSE, COARSE, indexing="xy"), dim=-1).flatten(0, 1)
        self.places = torch.where(frequented[..., None], grid, torch.nan)
        self._at = frequented.nonzero()[:, 0]  # the frame of each place that is left
        self._frequented = frequented
        self.arrows = self.field(data.velocity)

        n = len(TIMES) * PROBES
        self._probe_times = TIMES.repeat_interleave(PROBES)
        t = self._probe_times[:, None]
        z, noise = data.sample(n, generator), torch.randn(n, 2, generator=generator)
        self._probes = t * z + (1 - t) * noise
        self._exact = data.velocity(self._probes, self._probe_times)
        self.floor, self.power = self._floor(generator), data.power()
        self._sample = data.sample(PARTICLES, generator)
        other = data.sample(PARTICLES, generator)
        self.chance = energy_distance(other, self._sample).baseline
        self._noise = torch.randn(PARTICLES, 2, generator=generator)

    def field(self, velocity: Field) -> Tensor:
        """A velocity at `places`, (frames, n, 2)."""
        arrows = torch.full_like(self.places, torch.nan)
        arrows[self._frequented] = velocity(self.places[self._frequented], TIMES[self._at])
        return arrows

    def _floor(self, generator: torch.Generator) -> float:
        """At a time of its own for each point: near 1 the floor changes within one frame."""
        t = (torch.arange(FLOORED) + 0.5) / FLOORED
        z, noise = (
            self.cloud.sample(FLOORED, generator),
            torch.randn(FLOORED, 2, generator=generator),
        )
        return self.cloud.floor(t[:, None] * z + (1 - t[:, None]) * noise, t)

    def learned(self, model: Field) -> Learned:
        """The flow of a network.

        Raises:
            ValueError: it raised an exception, or returned something else than finite arrows.
        """
        network = Own(model, "network", "(x, t)")

        def velocity(x: Tensor, t: Tensor) -> Tensor:
            return network.finite(x, x, t.expand(len(x)))

        off = velocity(self._probes, self._probe_times) - self._exact
        squares = torch.stack([off.square().sum(1), self._exact.square().sum(1)])
        squares = squares.view(2, len(TIMES), PROBES)
        run = simulate(ODE(velocity), self._noise, TIMES, step=heun_step)
        return Learned(
            particles=run.states,
            arrows=self.field(velocity),
            errors=_relative(squares.mean(2)),
            error=_relative(torch.trapezoid(squares.mean(2), TIMES)).item(),
            distance=energy_distance(run.final, self._sample),
        )


def _relative(squares: Tensor) -> Tensor:
    """√(mean squared error / mean squared length), from both, (2, ...)."""
    return (squares[0] / squares[1]).sqrt()


@lru_cache(maxsize=8)
def truth_of(name: str, drawing: tuple[tuple[float, float], ...]) -> Truth:
    """Of a shape, or where the name is none, of the drawing.

    Raises:
        ValueError: too few points are drawn.
    """
    return Truth(cloud.shape(name) if name in cloud.SHAPES else cloud.drawn(drawing))
