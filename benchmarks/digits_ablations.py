"""The generator of digits with one of its choices undone, for benchmarks/digits.py.

A recipe is a network, a loss and the arguments of `fit`. The networks are ours, with one module
exchanged for another that ignores what the choice brought.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
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

__all__ = ["CHOICES", "OURS", "Recipe"]


@dataclass(frozen=True)
class Recipe:
    """How a generator is trained; what is not said is as we do it.

    Attributes:
        network: makes the network.
        loss: makes the loss.
        options: arguments of `fit`, beside steps, seconds and seed.
        decay: whether the learning rate falls to 0.
    """

    network: Callable[[], nn.Module] = UNet
    loss: Callable[[], Loss] = digit_loss
    options: dict[str, Any] = field(
        default_factory=lambda: {"optimizer": OPTIMIZER, "lr": LEARNING_RATE}
    )
    decay: bool = True

    def but(self, **options: Any) -> Recipe:
        """The same with other arguments of `fit`."""
        return Recipe(self.network, self.loss, {**self.options, **options}, self.decay)

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
        arguments = {**self.options, "seed": seed, "progress": False}
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
        return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

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


def not_channels_last() -> nn.Module:
    return UNet().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]


def sum_of_squares() -> Loss:
    loss = digit_loss()
    return lambda model, generator: 28 * 28 * loss(model, generator)


def middle_times() -> Loss:
    """Times by a logit-normal law: more of them about 1/2, fewer at the ends."""
    digits, path = MNIST(), LinearPath()

    def loss(model: Any, generator: torch.Generator) -> Tensor:
        z, y = digits.sample(BATCH, generator)
        t = torch.randn(BATCH, generator=generator, device=z.device).sigmoid()
        noise = torch.randn(z.shape, generator=generator, device=z.device)
        uniform = torch.rand(BATCH, generator=generator, device=z.device)
        y = drop_labels(y, DROP, null_label=10, uniform=uniform)
        return (model(path.sample(z, t, noise), t, y) - path.target(z, t, noise)).square().mean()

    return loss


OURS = Recipe()

CHOICES: dict[str, Recipe] = {
    "ours": OURS,
    "batch 16": Recipe(loss=lambda: digit_loss(batch=16)),
    "batch 128": Recipe(loss=lambda: digit_loss(batch=128)),
    "batch 250": Recipe(loss=lambda: digit_loss(batch=250)),
    "Adam, not Muon": OURS.but(optimizer="adam"),
    "labels dropped 1 in 20, not 1 in 10": Recipe(loss=lambda: digit_loss(drop=0.05)),
    "more times about 1/2": Recipe(loss=middle_times),
    "learning rate 2e-3": OURS.but(lr=2e-3),
    "learning rate 1e-3": OURS.but(lr=1e-3),
    "learning rate constant": Recipe(decay=False),
    "no averaging of the weights": OURS.but(ema=0.0),
    "every pixel a place (28×28, not 14×14)": Recipe(network=AtFullSize),
    "twice as wide": Recipe(network=lambda: UNet(widths=(64, 128))),
    "no sketch of the label": Recipe(network=changed(no_sketch)),
    "no skip": Recipe(network=changed(no_skip)),
    "no start at zero": Recipe(network=changed(no_start_at_zero)),
    "batch norm": Recipe(network=changed(batch_norm)),
    "condition shifts, does not scale": Recipe(network=changed(shift_only)),
    "plain t, no Fourier features": Recipe(network=changed(plain_time)),
    "sum of squares, not mean": Recipe(loss=sum_of_squares),
    "channels first in memory": Recipe(network=not_channels_last),
}
