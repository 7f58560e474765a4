"""How the generator of digits is trained, and with one choice undone, for benchmarks/digits.py.

OURS is the training of three minutes; SHORT is that of one minute or less, in which small batches
go further. CHOICES are SHORT with one choice undone: another network, loss or argument of `fit`.
The networks are ours, with one module exchanged for another that ignores what the choice brought.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from digits_measure import Loss
from torch import Tensor, nn

from course_lib.datasets import MNIST
from course_lib.guidance import drop_labels
from course_lib.networks import ResidualBlock, UNet
from course_lib.paths import LinearPath
from course_lib.pretrained.train_digits import BATCH, DROP, LEARNING_RATE, OPTIMIZER, digit_loss
from course_lib.training import fit

__all__ = ["CHOICES", "OURS", "SHORT", "Recipe"]


@dataclass(frozen=True)
class Recipe:
    """How a generator is trained; what is not said is as Lab 3 does it.

    Attributes:
        network: makes the network.
        loss: makes the loss, for a batch of given size.
        batch: digits a step.
        optimizer, lr, ema: arguments of `fit`.
        decay: whether the learning rate falls to 0.
    """

    network: Callable[[], nn.Module] = UNet
    loss: Callable[[int], Loss] = digit_loss
    batch: int = BATCH
    optimizer: str = OPTIMIZER
    lr: float = LEARNING_RATE
    ema: float = 0.999
    decay: bool = True

    def train(
        self,
        model: nn.Module,
        loss: Loss,
        seed: int,
        *,
        steps: int | None = None,
        seconds: float | None = None,
    ) -> tuple[nn.Module, int]:
        """The averaged model, and the number of steps done."""
        options = {"optimizer": self.optimizer, "lr": self.lr, "ema": self.ema}
        arguments = {**options, "seed": seed, "progress": False}
        if self.decay:
            run = fit(model, loss, steps=steps, seconds=seconds, **arguments)
        else:
            run = _without_decay(model, loss, steps, arguments)
        return run.model, len(run.history.steps)


def _without_decay(model: nn.Module, loss: Loss, steps: int | None, arguments: Any) -> Any:
    """Stop `fit` by hand after the first thousandth of its schedule, whose rate is constant."""
    assert steps is not None
    calls = 0

    def stopping(model: nn.Module, generator: torch.Generator) -> Tensor:
        nonlocal calls
        calls += 1
        if calls > steps:
            raise KeyboardInterrupt
        return loss(model, generator)

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="interrupted")
        return fit(model, stopping, steps=1000 * steps, **arguments)


def changed(change: Callable[[nn.Module], None]) -> Callable[[], nn.Module]:
    """Our network, after `change` of every module in it, itself included."""

    def make() -> nn.Module:
        network = UNet()
        for module in list(network.modules()):
            change(module)
        return network

    return make


def batch_norm(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.GroupNorm):
            setattr(module, name, nn.BatchNorm2d(child.num_channels))


def shift_only(module: nn.Module) -> None:
    if isinstance(module, ResidualBlock):
        module.film = _ShiftOnly(module.film.in_features, module.film.out_features // 2)


def no_skip(module: nn.Module) -> None:
    if isinstance(module, UNet):
        module.merge = _FirstHalf(module.merge)


def no_start_at_zero(module: nn.Module) -> None:
    if isinstance(module, ResidualBlock):
        module.conv2.reset_parameters()
    if isinstance(module, UNet):
        module.head.reset_parameters()


def no_sketch(module: nn.Module) -> None:
    if isinstance(module, UNet):
        module.sketch.requires_grad_(False)  # it starts as zero, and stays


def plain_time(module: nn.Module) -> None:
    if isinstance(module, UNet):
        nn.init.constant_(module.frequencies, 0.25)  # from its cosine and sine t can be told
        first, *rest = module.time
        module.time = nn.Sequential(_TimeItself(), nn.Linear(1, first.out_features), *rest)


class _ShiftOnly(nn.Linear):
    def forward(self, c: Tensor) -> Tensor:
        shift = super().forward(c)
        return torch.cat([torch.zeros_like(shift), shift], dim=1)


class _FirstHalf(nn.Module):
    """The merging convolution, fed with what comes from below alone."""

    def __init__(self, merge: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(merge.in_channels // 2, merge.out_channels, 1)

    def forward(self, both: Tensor) -> Tensor:
        return self.convolution(both.chunk(2, dim=1)[0])


class _TimeItself(nn.Module):
    """t (batch, 1), from features whose frequencies are all 1/4."""

    def forward(self, features: Tensor) -> Tensor:
        cosines, sines = features.chunk(2, dim=1)
        return torch.atan2(sines[:, :1], cosines[:, :1]) / (math.pi / 2)


class AtFullSize(nn.Module):
    """Our network on pixels instead of 2×2 patches: every layer has four times as many places.

    Each pixel is doubled, so that a patch is one pixel four times, and averaged at the end.
    """

    def __init__(self) -> None:
        super().__init__()
        self.network = UNet(size=56)

    def forward(self, x: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        return F.avg_pool2d(self.network(F.interpolate(x, scale_factor=2), t, y), 2)


def channels_last() -> nn.Module:
    return UNet().to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def sum_of_squares(batch: int) -> Loss:
    loss = digit_loss(batch)
    return lambda model, generator: 28 * 28 * loss(model, generator)


def middle_times(batch: int) -> Loss:
    """Times by a logit-normal law: more of them about 1/2, fewer at the ends."""
    digits, path = MNIST(), LinearPath()

    def loss(model: Any, generator: torch.Generator) -> Tensor:
        z, y = digits.sample(batch, generator)
        t = torch.randn(batch, generator=generator, device=z.device).sigmoid()
        noise = torch.randn(z.shape, generator=generator, device=z.device)
        uniform = torch.rand(batch, generator=generator, device=z.device)
        y = drop_labels(y, DROP, null_label=10, uniform=uniform)
        return (model(path.sample(z, t, noise), t, y) - path.target(z, t, noise)).square().mean()

    return loss


OURS = Recipe()
SHORT = Recipe(batch=32)

CHOICES: dict[str, Recipe] = {
    "the short training": SHORT,
    "batch 16": replace(SHORT, batch=16),
    "batch 64": replace(SHORT, batch=64),
    "batch 128": replace(SHORT, batch=128),
    "batch 250": replace(SHORT, batch=250),
    "Adam, not Muon": replace(SHORT, optimizer="adam"),
    "labels dropped 1 in 20, not 1 in 10": replace(SHORT, loss=partial(digit_loss, drop=0.05)),
    "more times about 1/2": replace(SHORT, loss=middle_times),
    "learning rate 2e-3": replace(SHORT, lr=2e-3),
    "learning rate 1e-3": replace(SHORT, lr=1e-3),
    "learning rate constant": replace(SHORT, decay=False),
    "no averaging of the weights": replace(SHORT, ema=0.0),
    "every pixel a place (28×28, not 14×14)": replace(SHORT, network=AtFullSize),
    "twice as wide": replace(SHORT, network=partial(UNet, widths=(64, 128))),
    "no sketch of the label": replace(SHORT, network=changed(no_sketch)),
    "no skip": replace(SHORT, network=changed(no_skip)),
    "no start at zero": replace(SHORT, network=changed(no_start_at_zero)),
    "batch norm": replace(SHORT, network=changed(batch_norm)),
    "condition shifts, does not scale": replace(SHORT, network=changed(shift_only)),
    "plain t, no Fourier features": replace(SHORT, network=changed(plain_time)),
    "sum of squares, not mean": replace(SHORT, loss=sum_of_squares),
    "channels last in memory": replace(SHORT, network=channels_last),
}
