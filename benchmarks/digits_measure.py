"""What benchmarks/digits.py measures with: two clocks, floating-point operations, judged digits."""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from course_lib.metrics.digits import digit_quality

__all__ = ["Loss", "Sampler", "Stopwatch", "judged", "say", "work_of_a_step"]

Loss = Callable[[Any, torch.Generator], Tensor]
"""loss(model, generator), as `fit` takes it."""

Sampler = Callable[[nn.Module, Tensor, float, torch.Generator], Tensor]
"""sampler(model, y, scale, generator): images (len(y), 1, 28, 28)."""

_STARTED = time.perf_counter()


class Stopwatch:
    """Wall and CPU seconds spent inside `with watch:`, added up over every use."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.seconds = self.cpu_seconds = 0.0

    def __enter__(self) -> Stopwatch:
        self._start = self._now()
        return self

    def __exit__(self, *_: object) -> None:
        wall, cpu = self._now()
        self.seconds += wall - self._start[0]
        self.cpu_seconds += cpu - self._start[1]

    def _now(self) -> tuple[float, float]:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter(), time.process_time()


def say(text: str) -> None:
    """A line of progress on stderr, after the minutes since the start."""
    print(f"{(time.perf_counter() - _STARTED) / 60:6.1f} min  {text}", file=sys.stderr, flush=True)


def work_of_a_step(model: nn.Module, step: Callable[[nn.Module], object]) -> dict[str, int]:
    """Images and floating-point operations (those of convolutions and matrix products) of a
    training step, its optimizer included, taken by a copy of `model`."""
    model, images = copy.deepcopy(model), list[int]()
    model.register_forward_pre_hook(lambda _, inputs: images.append(len(inputs[0])))
    with FlopCounterMode(display=False) as counter:
        step(model)
    return {"images": sum(images), "flops": counter.get_total_flops()}


def judged(
    model: nn.Module, sampler: Sampler, scales: tuple[float, ...], n: int, seed: int
) -> dict[str, float]:
    """Accuracy (%) and Fréchet distance of `n` digits at each guidance scale; beside them the
    distance of as many real digits, and that of two halves of the test set."""
    device = next(model.parameters()).device
    y = torch.arange(n, device=device) % 10
    report: dict[str, float] = {}
    for scale in scales:
        generator = torch.Generator(device).manual_seed(1000 + seed)
        with torch.no_grad(), device:  # noise is drawn on the model's device
            digits = sampler(model, y, scale, generator)
        quality = digit_quality(digits, y)
        report |= {
            f"accuracy w={scale:g}": 100 * quality.accuracy,
            f"Fréchet w={scale:g}": quality.frechet,
            "Fréchet real": quality.real,
            "Fréchet halves": quality.halves,
        }
    return report
