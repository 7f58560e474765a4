"""bfloat16 and torch.compile for benchmarks/digits.py on a CUDA device, and which of them pays."""

from __future__ import annotations

from typing import Any

import torch
from digits_measure import Loss
from torch import Tensor, nn

from course_lib.networks import UNet
from course_lib.pretrained.train_digits import LEARNING_RATE, OPTIMIZER, digit_loss
from course_lib.training import fit

__all__ = ["accelerated", "fastest", "speeds"]

VARIANTS = {  # name: bfloat16, compiled
    "float32": (False, False),
    "bfloat16": (True, False),
    "bfloat16, compiled": (True, True),
}


def accelerated(variant: str, model: nn.Module, loss: Loss) -> Loss:
    """`loss` of `model`, which it closes over; the weights stay float32, and are those of `model`.

    "none", for devices other than CUDA, leaves the loss as it is.
    """
    if variant == "none":
        return loss
    bfloat16, compiled = VARIANTS[variant]
    network = torch.compile(model) if compiled else model

    def run(_: nn.Module, generator: torch.Generator) -> Tensor:
        with torch.autocast(generator.device.type, torch.bfloat16, enabled=bfloat16):
            return loss(network, generator)

    return run


def speeds(batches: tuple[int, ...], device: torch.device, steps: int) -> list[dict[str, Any]]:
    """Milliseconds of one of our training steps, after some to warm up (and to compile)."""
    options: Any = {"optimizer": OPTIMIZER, "lr": LEARNING_RATE, "progress": False}
    rows = []
    for batch in batches:
        for variant in VARIANTS:
            model = UNet().to(device)
            run = accelerated(variant, model, digit_loss(batch))
            seconds = fit(model, run, steps=10 + steps, **options).history.seconds
            ms = 1000 * (seconds[-1] - seconds[9]).item() / steps
            rows.append({"batch": batch, "variant": variant, "ms": ms})
    return rows


def fastest(rows: list[dict[str, Any]], batch: int) -> str:
    """The variant that takes the least time a step at `batch`."""
    return min((row for row in rows if row["batch"] == batch), key=lambda row: row["ms"])["variant"]
