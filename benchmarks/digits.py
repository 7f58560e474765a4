"""A generator of digits: CPU seconds to 97 %, beside the design that most published labs share.

    python benchmarks/digits.py [--only PART ...] [--seeds N] [--first-seed S] [--seconds S]
                                [--threads N] [--cap C] [--device D] [--quick] [--json]

ours       Trains for 180 s of wall time; accuracy and Fréchet distance of 1,000 digits by guidance
           scale w, and the time of a 10×10 grid at w = 2.
ladder     Complete trainings, each with its own schedule, whose steps grow by a quarter from one to
           the next, until one reaches 97 % at w = 2. What counts is the cost of that one alone: the
           shortest training that gets there. All are printed: accuracy against CPU seconds. Their
           recipe is the short one, with a batch of 32; that of ours, with 64, wins in longer ones.
common     The common lab design (digits_common_design.py), in the same process, until 97 % at w = 2
           or until its CPU seconds reach the cap: 21 times what the ladder needed, or --cap.
ablations  The short recipe with one choice undone at a time, each row for the same CPU seconds.
           Only if asked for: --only ablations.

CPU seconds are those of training, on all threads; sampling and judging never count, and neither do
the first steps of the process, with their imports. An accuracy is the share of digits that the
judge (99.6 % right on real ones) reads as the label that was asked for; at 97 % and 1,000 digits
its standard error is 0.5 points. Fréchet distances are in the judge's features; that of as many
real digits stands beside them.

The common design is kept as its description has it: network, padding, batch, optimizer, loss and
times, without an average of the weights or a schedule. It is judged in eval mode, cropped to 28×28:
four times up to the cap on 200 digits, with 12 Heun steps, since 100 Euler steps would cost more
than its training; at the end on 1,000, with the better of the two.

On two cores a seed takes: ours 5 minutes, ladder 5, common 25 to 30, ablations 30. Parts can run
one at a time, and seeds in processes of their own (--first-seed). With --device cuda the arithmetic
(bfloat16, torch.compile) is what a step is fastest with, which takes half a minute to find out, and
wall seconds stand for CPU seconds.
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from digits_ablations import CHOICES, OURS, SHORT, Recipe
from digits_common_design import BATCH, EULER_STEPS, LEARNING_RATE, CommonUNet, common_loss, pad
from digits_cuda import accelerated, fastest, speeds
from digits_measure import Sampler, Stopwatch, judged, say, work_of_a_step
from torch import Tensor, nn

from course_lib.datasets import MNIST
from course_lib.guidance import guided
from course_lib.pretrained.train_digits import sample_digits
from course_lib.processes import ODE
from course_lib.simulate import euler_step, heun_step, simulate, time_grid

PARTS = ("ours", "ladder", "common", "ablations")
REAL = ("Fréchet real", "Fréchet halves")
TARGET = 97.0  # percent, at w = 2
Row = dict[str, Any]


@dataclass(frozen=True)
class Work:
    """How much is done; `quick` is a hundredth."""

    n: int = 1000  # digits judged
    few: int = 200  # digits judged in between
    first: int = 400  # steps of the ladder's first rung
    rungs: int = 10
    checks: int = 4  # of the common design
    batch: int = BATCH  # of the common design
    euler: int = EULER_STEPS
    heun: int = 12
    budget: float = 60.0  # CPU seconds of an ablation
    trial: int = 20  # steps from which its length is told
    part: float = 1.0  # of the seconds and the cap


FULL = Work()
QUICK = Work(
    n=4, few=4, first=4, rungs=2, checks=2, batch=8, euler=4, heun=2, budget=0.2, trial=2, part=0.01
)


@dataclass(frozen=True)
class Bench:
    """What every part is told: how much, where, and the variant of CUDA arithmetic."""

    work: Work
    device: torch.device
    variant: str = "none"

    @property
    def clock(self) -> str:
        """The clock that counts."""
        return "CPU s" if self.device.type == "cpu" else "wall s"

    def train(self, recipe: Recipe, seed: int, **budget: Any) -> tuple[nn.Module, Row]:
        """A trained model, and its cost."""
        torch.manual_seed(seed)
        model, loss = recipe.network().to(self.device), recipe.loss(recipe.batch)
        per_step = work_of_a_step(model, lambda copied: recipe.train(copied, loss, seed, steps=1))
        with Stopwatch(self.device) as watch:
            run = accelerated(self.variant, model, loss)
            model, steps = recipe.train(model, run, seed, **budget)
        return model, {"seed": seed, **cost(watch, steps, per_step)}


def cost(watch: Stopwatch, steps: int, per_step: dict[str, int]) -> Row:
    return {
        "CPU s": watch.cpu_seconds,
        "wall s": watch.seconds,
        "steps": steps,
        "images": steps * per_step["images"],
        "TFLOP": steps * per_step["flops"] / 1e12,
    }


def ours(bench: Bench, seed: int, seconds: float) -> Row:
    """A training of given wall time."""
    model, row = bench.train(OURS, seed, seconds=seconds * bench.work.part)
    row |= judged(model, sample_digits, (0.0, 1.0, 2.0, 4.0, 8.0), bench.work.n, seed)
    row["grid s"] = statistics.median(time_of_a_grid(bench, model) for _ in range(3))
    say(f"ours {seed}: {row['accuracy w=2']:.1f} % after {row['CPU s']:.1f} CPU s")
    return row


def time_of_a_grid(bench: Bench, model: nn.Module) -> float:
    """Wall seconds for 100 digits at w = 2."""
    y = torch.arange(100, device=bench.device) % 10
    generator = torch.Generator(bench.device).manual_seed(0)
    with Stopwatch(bench.device) as watch, bench.device:
        sample_digits(model, y, 2.0, generator)
    return watch.seconds


def ladder(bench: Bench, seed: int) -> list[Row]:
    """Ever longer trainings; the last has reached the target, unless the rungs were used up."""
    rows: list[Row] = []
    for rung in range(bench.work.rungs):
        model, row = bench.train(SHORT, seed, steps=round(bench.work.first * 1.25**rung))
        row |= judged(model, sample_digits, (2.0,), bench.work.n, seed)
        rows.append(row)
        say(f"ladder {seed}: {row['accuracy w=2']:.1f} % after {row['CPU s']:.1f} CPU s")
        if row["accuracy w=2"] >= TARGET:
            break
    return rows


def common(bench: Bench, seed: int, cap: float) -> tuple[Row, list[Row]]:
    """The common design until the target or `cap` CPU seconds: the end, and the checks before."""
    torch.manual_seed(seed)
    work, device = bench.work, bench.device
    digits, model = MNIST(), CommonUNet().to(device)

    def loss(model: Any, generator: torch.Generator) -> Tensor:
        z, y = digits.sample(work.batch, generator)
        return common_loss(model, pad(z), y, generator)

    generator = torch.Generator(device).manual_seed(seed)
    per_step = work_of_a_step(model, lambda copied: loss(copied, generator).backward())
    heun = partial(sample_common, n_steps=work.heun, step=heun_step)
    euler = partial(sample_common, n_steps=work.euler, step=euler_step)
    run = accelerated(bench.variant, model, loss)
    optimizer = torch.optim.Adam(model.parameters(), LEARNING_RATE)
    watch, steps, checks = Stopwatch(device), 0, list[Row]()
    while True:
        with watch:
            optimizer.zero_grad()
            run(model, generator).backward()
            optimizer.step()
        steps += 1
        so_far = {"seed": seed, **cost(watch, steps, per_step)}
        spent = so_far[bench.clock]
        if spent < cap * (len(checks) + 1) / work.checks:
            continue
        checks.append(so_far | judge_common(model, heun, work.few, seed))
        accuracy = checks[-1]["accuracy w=2"]
        say(f"common {seed}: {accuracy:.1f} % after {spent:.0f} of {cap:.0f} s")
        if accuracy < TARGET and spent < cap:
            continue
        by_euler = judge_common(model, euler, work.few, seed)["accuracy w=2"]
        name, better = ("Euler", euler) if by_euler > accuracy else ("Heun", heun)
        end = {**so_far, "sampler": name, **judge_common(model, better, work.n, seed)}
        if end["accuracy w=2"] >= TARGET or spent >= cap:
            return end, checks


def judge_common(model: nn.Module, sampler: Sampler, n: int, seed: int) -> Row:
    """Of a copy in eval mode, so that judging leaves the training's batch norms alone."""
    return judged(copy.deepcopy(model).eval(), sampler, (2.0,), n, seed)


def sample_common(
    model: nn.Module,
    y: Tensor,
    scale: float,
    generator: torch.Generator,
    n_steps: int,
    step: Callable[..., Tensor],
) -> Tensor:
    """Digits of the common design, 50 at a time, cropped to 28 × 28."""

    def field(x: Tensor, t: Tensor, y: Tensor | None) -> Tensor:
        return model(x, t, torch.full((len(x),), 10, device=x.device) if y is None else y)

    parts = []
    for labels in y.split(50):
        x = torch.randn(len(labels), 1, 32, 32, generator=generator)
        flow = ODE(guided(field, labels, scale))
        parts.append(simulate(flow, x, time_grid(n_steps), step=step, record=1).final)
    return torch.cat(parts)[..., 2:-2, 2:-2]


def ablation(bench: Bench, name: str, seed: int) -> Row:
    """A choice undone, trained for as many steps as the CPU seconds of an ablation pay for."""
    recipe, work = CHOICES[name], bench.work
    bench.train(recipe, seed, steps=1)  # a new shape's first step takes longer
    _, trial = bench.train(recipe, seed, steps=work.trial)
    steps = work.budget / trial[bench.clock] * work.trial
    model, row = bench.train(recipe, seed, steps=max(1, round(steps)))
    row |= judged(model, sample_digits, (1.0, 2.0), work.n, seed)
    say(f"ablation {seed}: {name}: {row['accuracy w=1']:.1f} and {row['accuracy w=2']:.1f} %")
    return {"choice": name, **row}


def medians(rows: list[Row]) -> Row:
    """Of numbers; of anything else, the first."""

    def middle(key: str, first: Any) -> Any:
        return first if isinstance(first, str) else statistics.median(row[key] for row in rows)

    return {key: middle(key, first) for key, first in rows[0].items()}


def table(title: str, rows: list[Row], leave: tuple[str, ...] = ()) -> None:
    """Rows in Markdown."""
    keys = [key for key in rows[0] if key not in leave]
    print(f"\n{title}\n\n| {' | '.join(keys)} |\n|{'---|' * len(keys)}")
    for row in rows:
        print("|", " | ".join(shown(key, row[key]) for key in keys), "|")


def shown(key: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if "Fréchet" in key or key in {"grid s", "TFLOP"}:
        return f"{value:,.2f}"
    return f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS[:3], help="parts to run")
    parser.add_argument("--seeds", type=int, default=3, help="trainings a row, medians are shown")
    parser.add_argument("--first-seed", type=int, default=0, help="the seeds count from here")
    parser.add_argument("--seconds", type=float, default=180.0, help="wall time that ours trains")
    parser.add_argument("--threads", type=int, default=2, help="threads that torch uses")
    parser.add_argument("--cap", type=float, help="CPU seconds at which the common design ends")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or mps")
    parser.add_argument("--quick", action="store_true", help="a hundredth of the work")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    if "common" in arguments.only and "ladder" not in arguments.only and arguments.cap is None:
        parser.error("common without ladder needs --cap, in CPU seconds")
    torch.set_num_threads(arguments.threads)
    work, device = QUICK if arguments.quick else FULL, torch.device(arguments.device)
    bench = Bench(work, device)
    report: dict[str, Any] = {
        "torch": torch.__version__,
        "threads": arguments.threads,
        "device": torch.cuda.get_device_name() if device.type == "cuda" else device.type,
    }
    if device.type == "cuda":
        report["speeds"] = speeds((OURS.batch, 512), device, steps=5 if arguments.quick else 50)
        bench = Bench(work, device, fastest(report["speeds"], OURS.batch))
    bench.train(OURS, 0, steps=2)  # imports, here and by the first optimizer of torch
    torch.optim.Adam([torch.zeros(1, requires_grad=True)]).step()

    parts: dict[str, list[Row]] = {part: [] for part in arguments.only}
    checks: list[Row] = []
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
        say(f"seed {seed}")
        if "ours" in parts:
            parts["ours"].append(ours(bench, seed, arguments.seconds))
        if "ladder" in parts:
            rungs = ladder(bench, seed)
            parts["ladder"] += rungs
            if rungs[-1]["accuracy w=2"] < TARGET:
                say(f"ladder {seed}: {TARGET:g} % not reached; ratios are to the last rung")
        if "common" in parts:
            limit = 21 * rungs[-1][bench.clock] if "ladder" in parts else 0.0
            if arguments.cap is not None:
                limit = arguments.cap * work.part
            end, before = common(bench, seed, limit)
            if "ladder" in parts:
                for unit in (bench.clock, "TFLOP"):
                    end[f"{unit} / ours"] = end[unit] / rungs[-1][unit]
            parts["common"].append(end)
            checks += before
        if "ablations" in parts:
            for name in CHOICES:
                parts["ablations"].append(ablation(bench, name, seed))
    report |= {**parts, "common_checks": checks}
    if arguments.json:
        print(json.dumps(report))
    else:
        show(report, arguments.seeds)


def show(report: dict[str, Any], seeds: int) -> None:
    """The tables of the parts that ran."""
    print(f"torch {report['torch']}, {report['device']}, {report['threads']} thread(s)")
    if "speeds" in report:
        table("A training step on CUDA", report["speeds"])
    if rows := report.get("ours"):
        table(f"Ours, by wall time: median of {seeds}", [medians(rows)], leave=("seed",))
    if rows := report.get("ladder"):
        table(f"Ours, ever longer trainings, until {TARGET:g} % at w = 2", rows, leave=REAL)
    if rows := report.get("common"):
        table("The common design as it trains", report["common_checks"], leave=REAL)
        table("The common design at the end", rows, leave=REAL)
        for row in rows:
            if row["accuracy w=2"] < TARGET:
                print(
                    f"\nSeed {row['seed']}: {TARGET:g} % not reached: {row['accuracy w=2']:.1f} % "
                    f"after {row['CPU s']:,.0f} CPU s, {row['steps']:,} steps. The ratios are more "
                    "than those of the table."
                )
    if rows := report.get("ablations"):
        choices = [medians([r for r in rows if r["choice"] == name]) for name in CHOICES]
        table(
            f"The short training with one choice undone: median of {seeds}",
            choices,
            leave=("seed", "wall s", "TFLOP", *REAL),
        )


if __name__ == "__main__":
    main()
