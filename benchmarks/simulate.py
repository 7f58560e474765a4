"""`simulate` beside torchsde and torchdiffeq on the same work: wall and CPU seconds, and memory.

    python benchmarks/simulate.py [--quick] [--json]

Every run is a fresh process, which reports its own peak memory; the contenders take turns, and a
row gives medians. All use one thread, so that the ratios do not depend on who else is using the
machine. A ratio below 1 means that ours is the smaller.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course_lib.distributions import GaussianMixture
from course_lib.processes import ODE, OrnsteinUhlenbeck
from course_lib.simulate import simulate, time_grid

THETA, SIGMA = 0.5, 1.0
MIXTURE = GaussianMixture.ring(modes=5)


def mixture_velocity(x: Tensor, t: Tensor) -> Tensor:
    """E[z - ε | x] for x = t z + (1-t) ε, z from round Gaussians of variance v around means m_k.

    Given the component k, x ~ N(t m_k, s) with s = t² v + (1-t)²; so z - ε has the mean
    m_k + (t v - (1-t)) (x - t m_k) / s.
    """
    means, v = MIXTURE.means, MIXTURE.covariances[0, 0, 0]
    s = t**2 * v + (1 - t) ** 2
    slope = (t * v - (1 - t)) / s
    # |x - t m_k|² without the part that is common to all components, since their weights are equal
    logits = (x @ means.T * t - (t * means).square().sum(-1) / 2) / s
    centre = logits.softmax(-1) @ means
    return centre + slope * (x - t * centre)


def ours_sde(n_particles: int, n_steps: int, kept: int) -> Tensor:
    ou = OrnsteinUhlenbeck(THETA, SIGMA)
    return simulate(ou, torch.ones(n_particles, 2), time_grid(n_steps), record=kept).states


def torchsde_euler(n_particles: int, n_steps: int, kept: int) -> Tensor:
    import torchsde

    class OU:
        noise_type, sde_type = "diagonal", "ito"

        def f(self, t: Tensor, y: Tensor) -> Tensor:
            return -THETA * y

        def g(self, t: Tensor, y: Tensor) -> Tensor:
            return torch.full_like(y, SIGMA)

    start, times = torch.ones(n_particles, 2), torch.linspace(0, 1, kept)
    # Told the step beforehand, its Brownian motion is many times faster than by default.
    motion = torchsde.BrownianInterval(0.0, 1.0, size=start.shape, dt=1 / n_steps)
    return torchsde.sdeint(OU(), start, times, bm=motion, method="euler", dt=1 / n_steps)


def ours_ode(n_particles: int, n_steps: int, kept: int) -> Tensor:
    x = torch.randn(n_particles, 2, generator=torch.Generator().manual_seed(0))
    return simulate(ODE(mixture_velocity), x, time_grid(n_steps), record=kept).states


def torchdiffeq_euler(n_particles: int, n_steps: int, kept: int) -> Tensor:
    from torchdiffeq import odeint

    x = torch.randn(n_particles, 2, generator=torch.Generator().manual_seed(0))
    grid = time_grid(n_steps)
    options = dict(grid_constructor=lambda func, y0, t: grid)
    outputs = grid[:: n_steps // (kept - 1)]
    return odeint(lambda t, y: mixture_velocity(y, t), x, outputs, method="euler", options=options)


CONTENDERS = {f.__name__: f for f in (ours_sde, torchsde_euler, ours_ode, torchdiffeq_euler)}


def peak_memory() -> float:
    """Peak resident memory of this process so far, in MiB."""
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset / 2**20
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def measure(name: str, n_particles: int, n_steps: int, kept: int) -> dict[str, float]:
    """One run of a contender: seconds, CPU seconds, peak MiB, and MiB above a tiny run's peak."""
    torch.set_num_threads(1)
    run: Callable[[int, int, int], Tensor] = CONTENDERS[name]
    with torch.no_grad():
        run(2, 2, 2)  # imports
        before, wall, cpu = peak_memory(), time.perf_counter(), time.process_time()
        run(n_particles, n_steps, kept)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = peak_memory()
    return {"seconds": wall, "cpu_seconds": cpu, "peak_mib": peak, "added_mib": peak - before}


def in_fresh_process(name: str, *work: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--measure", name, *map(str, work)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def compare(ours: str, theirs: str, repeats: int, *work: int) -> dict[str, Any]:
    """Medians of interleaved runs of both, and the ratios ours / theirs."""
    runs: dict[str, list[dict[str, float]]] = {ours: [], theirs: []}
    for _ in range(repeats):
        for name in runs:
            runs[name].append(in_fresh_process(name, *work))
    medians = {
        name: {key: statistics.median(run[key] for run in done) for key in done[0]}
        for name, done in runs.items()
    }
    row: dict[str, Any] = dict(zip(("particles", "steps", "kept"), work, strict=True))
    row |= {"ours": medians[ours], "theirs": medians[theirs], "against": theirs}
    keys = ("seconds", "cpu_seconds", "peak_mib")
    row["ratio"] = {key: medians[ours][key] / medians[theirs][key] for key in keys}
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a hundredth of the work")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        name, *work = arguments.measure
        print(json.dumps(measure(name, *map(int, work))))
        return
    particles, steps, repeats = (10_000, 100, 1) if arguments.quick else (100_000, 1_000, 3)

    rows = [
        compare(ours, theirs, repeats, n_particles, steps, kept)
        for ours, theirs, n_particles in (
            ("ours_sde", "torchsde_euler", particles),
            ("ours_ode", "torchdiffeq_euler", particles // 10),
        )
        for kept in (2, 101)
    ]
    memory = [
        {"steps": n, **in_fresh_process("ours_sde", particles // 10, n, 2)}
        for n in ((10, 100, 1_000) if arguments.quick else (100, 1_000, 10_000))
    ]
    if arguments.json:
        print(json.dumps({"torch": torch.__version__, "rows": rows, "memory": memory}))
        return
    print(f"Particles in the plane, {steps:,} steps, medians of {repeats}")
    print("Seconds; MiB of the whole process at its peak, and above that of a tiny run")
    line = "{:>18} {:>9} {:>5} | {:>7} {:>7} {:>6} {:>6} | {:>7} {:>7} {:>6} | {:>7} {:>7}"
    titles = "ours against|particles|kept|ours|theirs|ratio|CPU|peak|theirs|ratio|added|theirs"
    print(line.format(*titles.split("|")))
    for row in rows:
        ours, theirs, ratio = row["ours"], row["theirs"], row["ratio"]
        numbers = [
            f"{ours['seconds']:.2f}", f"{theirs['seconds']:.2f}",
            f"{ratio['seconds']:.2f}", f"{ratio['cpu_seconds']:.2f}",
            f"{ours['peak_mib']:.0f}", f"{theirs['peak_mib']:.0f}", f"{ratio['peak_mib']:.2f}",
            f"{ours['added_mib']:.1f}", f"{theirs['added_mib']:.1f}",
        ]  # fmt: skip
        print(line.format(row["against"], row["particles"], row["kept"], *numbers))
    print(f"\nOurs with record=2, {particles // 10:,} particles: peak MiB, and above a tiny run's")
    for entry in memory:
        print(f"{entry['steps']:>8,} steps {entry['peak_mib']:8.1f} {entry['added_mib']:8.1f}")


if __name__ == "__main__":
    main()
