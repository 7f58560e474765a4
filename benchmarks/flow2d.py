"""Flows in the plane: what training for a minute reaches, beside the usual set-up of such labs.

    python benchmarks/flow2d.py [--seeds N] [--seconds S] [--threads N] [--quick] [--json]

The chessboard, from noise, on the linear path. Ours: a network with Fourier features, a learning
rate that falls to 0, more batches with late times, and a sampler that ends with one long step. The
usual set-up, as published labs have it: 4 x 64 SiLU units on (x, t) side by side, Adam at 1e-3,
batch 2,000, 10,000 steps, 100 Euler steps; for the same wall time as ours, and for its full length.

The energy ratio is the energy distance of n samples to n true points, divided by that between n and
n true points (V-statistics, medians): 1 is as good as the truth itself. The last line is about the
mixture of Lab 2: the learned velocity against the exact one.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.distributions import Chessboard, Distribution, GaussianMixture
from course_lib.metrics import chessboard_violations, energy_distance
from course_lib.networks import MLP
from course_lib.oracles import Marginal
from course_lib.paths import GaussianPath, Linear
from course_lib.processes import ODE
from course_lib.simulate import euler_step, heun_step, simulate, time_grid
from course_lib.training import fit

PATH = GaussianPath(Linear())
BOARD = Chessboard()
FIVE_MODES = GaussianMixture.ring(
    modes=5, radius=2.0, std=0.6, weights=[0.35, 0.15, 0.25, 0.10, 0.15]
)
Model = Callable[[Tensor, Tensor], Tensor]


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def cfm_loss(data: Distribution, batch: int, lateness: float = 1.0) -> Any:
    """The conditional flow matching loss; with a lateness above 1, more of its times are late."""

    def loss(model: Model, generator: torch.Generator) -> Tensor:
        z = data.sample(batch, generator)
        noise = torch.randn(z.shape, generator=generator)
        t = 1 - torch.rand(batch, generator=generator) ** lateness
        error = model(PATH.sample(z, t, noise), t) - PATH.target(z, t, noise)
        return error.square().sum(-1).mean()

    return loss


def train_ours(seconds: float, seed: int) -> tuple[Model, int]:
    torch.manual_seed(seed)
    model = MLP(width=128, depth=2, fourier=64, scale=4.0)
    loss = cfm_loss(BOARD, 1024, lateness=1.5)
    run = fit(model, loss, seconds=seconds, lr=1e-2, seed=seed, progress=False)
    return run.model, len(run.history.steps)


def sample_ours(model: Model, n: int, generator: torch.Generator) -> Tensor:
    """Heun up to t = 0.95, then one step straight to 1, to the mean of the data given x.

    That mean is on black even where the network blurs an edge.
    """
    x = torch.randn(n, 2, generator=generator)
    x = simulate(ODE(model), x, time_grid(25, end=0.95), step=heun_step, record=1).final
    return euler_step(model, x, torch.tensor(0.95), 0.05)


class Usual(nn.Module):
    """Four hidden layers of 64 SiLU units on (x, t) side by side."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Linear(3, 64), nn.SiLU()]
        for _ in range(3):
            layers += [nn.Linear(64, 64), nn.SiLU()]
        self.net = nn.Sequential(*layers, nn.Linear(64, 2))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return self.net(torch.cat([x, t.expand(len(x)).unsqueeze(1)], dim=1))


def train_usual(seconds: float | None, steps: int, seed: int) -> tuple[Model, int]:
    torch.manual_seed(seed)
    model, generator = Usual(), seeded(seed)
    loss = cfm_loss(BOARD, 2000)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    start, done = time.perf_counter(), 0
    while done < steps if seconds is None else time.perf_counter() - start < seconds:
        optimizer.zero_grad()
        loss(model, generator).backward()
        optimizer.step()
        done += 1
    return model, done


def sample_usual(model: Model, n: int, generator: torch.Generator) -> Tensor:
    x = torch.randn(n, 2, generator=generator)
    return simulate(ODE(model), x, time_grid(100), record=1).final


def timed(train: Callable[..., tuple[Model, int]], *work: Any) -> tuple[Model, dict[str, float]]:
    wall, cpu = time.perf_counter(), time.process_time()
    model, steps = train(*work)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return model, {"seconds": wall, "cpu_seconds": cpu, "steps": steps}


def between_true_samples(sizes: list[int], repeats: int) -> dict[int, float]:
    """Median energy distance between two true samples of each size."""
    pairs = {
        n: [BOARD.sample(2 * n, seeded(900 + r)).split(n) for r in range(repeats)] for n in sizes
    }
    return {n: statistics.median(float(energy_distance(*pair)) for pair in pairs[n]) for n in sizes}


@torch.no_grad()
def judge(model: Model, sample: Any, truth: dict[int, float], repeats: int) -> dict[str, float]:
    """Share on black squares, and the energy ratio at each size: medians over `repeats` draws."""
    black, ratios = [], {n: [] for n in truth}
    for r in range(repeats):
        x = sample(model, max(truth), seeded(100 + r))
        black.append(100 * (1 - chessboard_violations(x, BOARD)))
        for n in truth:
            distance = energy_distance(x[:n], BOARD.sample(n, seeded(500 + r)))
            ratios[n].append(float(distance) / truth[n])
    energy = {f"energy_ratio_{n}": statistics.median(ratios[n]) for n in truth}
    return {"black_percent": statistics.median(black), **energy}


def five_modes(steps: int, seed: int) -> dict[str, float]:
    """Relative error of the learned velocity, in %: √(E|v - v*|² / E|v*|²), t in [0.05, 0.95]."""
    torch.manual_seed(seed)
    loss = cfm_loss(FIVE_MODES, 1024)  # as in Lab 2
    model, costs = timed(
        lambda: (fit(MLP(), loss, steps=steps, lr=1e-2, seed=seed, progress=False).model, steps)
    )
    g = seeded(77)
    t = 0.05 + 0.9 * torch.rand(20_000, generator=g)
    x = PATH.sample(FIVE_MODES.sample(len(t), g), t, torch.randn(len(t), 2, generator=g))
    exact = Marginal(PATH, FIVE_MODES).velocity(x, t)
    with torch.no_grad():
        error = (model(x, t) - exact).square().sum() / exact.square().sum()
    return {**costs, "error_percent": 100 * error.sqrt().item()}


def medians(runs: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="trainings a row, medians are shown")
    parser.add_argument("--seconds", type=float, default=59.0, help="wall time that ours trains")
    parser.add_argument("--threads", type=int, default=1, help="threads that torch uses")
    parser.add_argument("--quick", action="store_true", help="a hundredth of the work")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    part, repeats, sizes = (100, 3, [200, 1_000]) if arguments.quick else (1, 11, [2_000, 10_000])
    seconds, full = arguments.seconds / part, 10_000 // part
    train_ours(0.1, 0)  # imports

    truth = between_true_samples(sizes, 2 * repeats)
    contenders: dict[str, tuple[Any, Any, int]] = {
        "ours": (lambda seed: train_ours(seconds, seed), sample_ours, 51),
        "usual, same time": (lambda seed: train_usual(seconds, full, seed), sample_usual, 100),
        "usual, full": (lambda seed: train_usual(None, full, seed), sample_usual, 100),
    }
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in contenders}
    for seed in range(arguments.seeds):
        for name, (train, sample, calls) in contenders.items():
            model, costs = timed(train, seed)
            quality = judge(model, sample, truth, repeats)
            runs[name].append({**costs, "network_calls": calls, **quality})
    mixture = [five_modes(2_000 // part, seed) for seed in range(arguments.seeds)]
    if arguments.json:
        print(
            json.dumps(
                {
                    "torch": torch.__version__,
                    "threads": arguments.threads,
                    "chessboard": runs,
                    "five_modes": mixture,
                }
            )
        )
        return
    print(f"Chessboard: medians of {arguments.seeds} trainings, {arguments.threads} thread(s)")
    print("Training: wall and CPU seconds, steps; sampling: network calls a sample; quality")
    line = "{:>17} | {:>7} {:>7} {:>7} | {:>5} | {:>7} " + " {:>12}" * len(sizes)
    titles = ["", "seconds", "CPU", "steps", "calls", "black %"]
    print(line.format(*titles, *(f"ratio {n:,}" for n in sizes)))
    for name in contenders:
        row = medians(runs[name])
        numbers = [f"{row['seconds']:.1f}", f"{row['cpu_seconds']:.1f}", f"{row['steps']:,.0f}"]
        numbers += [f"{row['network_calls']:.0f}", f"{row['black_percent']:.2f}"]
        print(line.format(name, *numbers, *(f"{row[f'energy_ratio_{n}']:.2f}" for n in sizes)))
    row = medians(mixture)
    print(
        f"\nFive modes: relative error of the velocity {row['error_percent']:.2f} % after "
        f"{row['steps']:,.0f} steps, {row['seconds']:.1f} s, {row['cpu_seconds']:.1f} CPU s"
    )


if __name__ == "__main__":
    main()
