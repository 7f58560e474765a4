"""The design that most published labs on MNIST share, which benchmarks/digits.py compares with.

Images padded to 32 × 32; a U-Net of widths 32, 64 and 128 with two residual layers a level and
batch norm; the time (random Fourier features) and the label added to every layer through MLP
adapters; skips added. Batch 250, Adam at 1e-3, uniform times, a sum of squares, labels dropped with
probability 0.1, 100 Euler steps.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["BATCH", "EULER_STEPS", "LEARNING_RATE", "CommonUNet", "common_loss", "pad"]

BATCH, LEARNING_RATE, EULER_STEPS = 250, 1e-3, 100
CONDITION = 40


def pad(images: Tensor) -> Tensor:
    """28 × 28 images as 32 × 32, with the background's -1 around them."""
    return F.pad(images, (2, 2, 2, 2), value=-1.0)


class CommonUNet(nn.Module):
    """x (batch, 1, 32, 32), t (batch,) and y (batch,) to a velocity like x; label 10 is none."""

    null_label = 10

    def __init__(self, widths: tuple[int, ...] = (32, 64, 128), layers: int = 2) -> None:
        super().__init__()
        self.register_buffer("frequencies", torch.randn(CONDITION // 2))
        self.label = nn.Embedding(11, CONDITION)
        self.stem = nn.Sequential(
            nn.Conv2d(1, widths[0], 3, padding=1), nn.BatchNorm2d(widths[0]), nn.SiLU()
        )
        pairs = list(pairwise(widths))
        self.encoders = nn.ModuleList(_Encoder(a, b, layers) for a, b in pairs)
        self.middle = _layers(widths[-1], layers)
        self.decoders = nn.ModuleList(_Decoder(b, a, layers) for a, b in reversed(pairs))
        self.head = nn.Conv2d(widths[0], 1, 3, padding=1)

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        phases = 2 * math.pi * t.expand(len(x))[:, None] * self.frequencies
        time = math.sqrt(2) * torch.cat([phases.sin(), phases.cos()], dim=1)
        label = self.label(y)
        h, skips = self.stem(x), []
        for encoder in self.encoders:
            h, skip = encoder(h, time, label)
            skips.append(skip)
        for layer in self.middle:
            h = layer(h, time, label)
        for decoder in self.decoders:
            h = decoder(h, skips.pop(), time, label)
        return self.head(h)


class _Layer(nn.Module):
    """Two convolutions around the time and the label, added to what came in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = _convolution(width), _convolution(width)
        self.of_time, self.of_label = _adapter(width), _adapter(width)

    def forward(self, h: Tensor, time: Tensor, label: Tensor) -> Tensor:
        told = self.first(h) + self.of_time(time)[..., None, None]
        return h + self.second(told + self.of_label(label)[..., None, None])


class _Encoder(nn.Module):
    def __init__(self, width: int, wider: int, layers: int) -> None:
        super().__init__()
        self.layers = _layers(width, layers)
        self.down = nn.Conv2d(width, wider, 3, stride=2, padding=1)

    def forward(self, h: Tensor, time: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        for layer in self.layers:
            h = layer(h, time, label)
        return self.down(h), h


class _Decoder(nn.Module):
    def __init__(self, width: int, narrower: int, layers: int) -> None:
        super().__init__()
        self.up = nn.Sequential(
            nn.Upsample(scale_factor=2, mode="bilinear"),
            nn.Conv2d(width, narrower, 3, padding=1),
        )
        self.layers = _layers(narrower, layers)

    def forward(self, h: Tensor, skip: Tensor, time: Tensor, label: Tensor) -> Tensor:
        h = self.up(h) + skip
        for layer in self.layers:
            h = layer(h, time, label)
        return h


def _layers(width: int, count: int) -> nn.ModuleList:
    return nn.ModuleList(_Layer(width) for _ in range(count))


def _convolution(width: int) -> nn.Sequential:
    return nn.Sequential(nn.SiLU(), nn.BatchNorm2d(width), nn.Conv2d(width, width, 3, padding=1))


def _adapter(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(CONDITION, CONDITION), nn.SiLU(), nn.Linear(CONDITION, width))


def common_loss(model: nn.Module, z: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
    """The sum of squares over the pixels, mean over the batch, of images (batch, 1, 32, 32)."""
    device = z.device
    t = torch.rand(len(z), generator=generator, device=device)
    noise = torch.randn(z.shape, generator=generator, device=device)
    dropped = torch.rand(len(z), generator=generator, device=device) < 0.1
    at = t[:, None, None, None]
    prediction = model(at * z + (1 - at) * noise, t, torch.where(dropped, 10, y))
    return (prediction - (z - noise)).square().sum(dim=(1, 2, 3)).mean()
