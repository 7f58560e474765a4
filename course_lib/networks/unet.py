"""A small U-Net for images: look at them coarsely, then draw finely, with a skip across.

Two by two pixels become the channels of one place, so 28×28 images are worked on at 14×14 and 7×7:
a convolution there costs a quarter and a sixteenth of one at full size.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.shapes import check_alike, check_count, check_time, expand_time

__all__ = ["ResidualBlock", "ResidualBlocks", "UNet", "time_features"]


class ResidualBlock(nn.Module):
    """h + convolutions of h, whose middle is scaled and shifted by what the condition c says.

    Args:
        width: channels of h, a multiple of 8.
        condition: length of c.

    Raises:
        ValueError: a `width` that is no multiple of 8, a `condition` below 1.
    """

    def __init__(self, width: int, condition: int) -> None:
        super().__init__()
        if check_count("width", width) % 8:
            raise ValueError(f"width is {width}; expected a multiple of 8, the number of groups")
        self.norm1 = nn.GroupNorm(8, width)
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.film = nn.Linear(check_count("condition", condition), 2 * width)
        self.norm2 = nn.GroupNorm(8, width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        _start_at_zero(self.conv2)

    def forward(self, h: Tensor, c: Tensor) -> Tensor:
        """Features `h` (batch, width, height, width) under `c` (batch, condition); like `h`."""
        scale, shift = self.film(c)[:, :, None, None].chunk(2, dim=1)
        u = self.conv1(F.silu(self.norm1(h)))
        u = self.norm2(u) * (1 + scale) + shift
        return h + self.conv2(F.silu(u))


class ResidualBlocks(nn.ModuleList):
    """`n` residual blocks, one after another, under the same condition."""

    def __init__(self, n: int, width: int, condition: int) -> None:
        super().__init__(ResidualBlock(width, condition) for _ in range(n))

    def forward(self, h: Tensor, c: Tensor) -> Tensor:
        """Features `h` (batch, width, height, width) under `c` (batch, condition); like `h`."""
        for block in self:
            h = block(h, c)
        return h


class UNet(nn.Module):
    """Square images, a time and a label, to images of the same shape.

    The label enters twice: by the condition c, alike at every place, and as a sketch that is
    learned, a value for every place and channel of the coarse level. It starts as zero everywhere.

    Args:
        channels: of an image.
        widths: channels at half and at a quarter of the image's sides, multiples of 8.
        condition: length of the vector that time and label become.
        labels: number of labels y = 0 … labels - 1. `null_label` = labels stands for "any".
        size: height and width of an image, a multiple of 4.

    Raises:
        ValueError: an argument outside its range.
    """

    frequencies: Tensor

    def __init__(
        self,
        channels: int = 1,
        widths: tuple[int, int] = (32, 64),
        condition: int = 64,
        labels: int = 10,
        size: int = 28,
    ) -> None:
        super().__init__()
        fine, coarse = (check_count("width", width) for width in widths)
        check_count("condition", condition)
        if check_count("size", size) % 4:
            raise ValueError(f"size is {size}; expected a multiple of 4")
        self.image = (check_count("channels", channels), size, size)
        self.null_label = check_count("labels", labels)
        self.register_buffer("frequencies", torch.randn(16))
        self.time = nn.Sequential(
            nn.Linear(32, condition), nn.SiLU(), nn.Linear(condition, condition)
        )
        self.label = nn.Embedding(labels + 1, condition)
        self.stem = nn.Conv2d(4 * channels, fine, 3, padding=1)
        self.fine_down = ResidualBlock(fine, condition)
        self.down = nn.Conv2d(fine, coarse, 2, stride=2)
        self.sketch = nn.Embedding(labels + 1, coarse * (size // 4) ** 2)
        self.coarse = ResidualBlocks(2, coarse, condition)
        self.up = nn.ConvTranspose2d(coarse, fine, 2, stride=2)
        self.merge = nn.Conv2d(2 * fine, fine, 1)
        self.fine_up = ResidualBlock(fine, condition)
        self.norm = nn.GroupNorm(8, fine)
        self.head = nn.Conv2d(fine, 4 * channels, 3, padding=1)
        _start_at_zero(self.sketch)
        _start_at_zero(self.head)

    def forward(self, x: Tensor, t: Tensor | float, y: Tensor | None = None) -> Tensor:
        """The network's value at images `x`, times `t` and labels `y`; shaped like `x`.

        Args:
            x: images (batch, channels, size, size).
            t: times in [0, 1], shape () or (batch,).
            y: labels (batch,), whole numbers 0 to `null_label`; None for the null label.

        Raises:
            ValueError: another shape, a time or a label outside its range.
        """
        t, y = _checked(self, x, t, y)
        c = self.time(time_features(t, self.frequencies)) + self.label(y)
        h = self.stem(F.pixel_unshuffle(x, 2))
        h = skip = self.fine_down(h, c)
        h = self.down(h)
        h = self.coarse(h + self.sketch(y).view_as(h), c)
        h = self.merge(torch.cat([self.up(h), skip], dim=1))
        h = self.fine_up(h, c)
        return F.pixel_shuffle(self.head(F.silu(self.norm(h))), 2)


def time_features(t: Tensor, frequencies: Tensor) -> Tensor:
    """Random Fourier features √2 [cos 2πft, sin 2πft] of times (batch,) for n frequencies f.

    Drawn from N(0, 1), frequencies give features that vary over times of about a sixth.

    Returns:
        Shape (batch, 2 n), the cosines first; the mean square of a row is 1.
    """
    phases = 2 * math.pi * t[:, None] * frequencies
    return math.sqrt(2) * torch.cat([phases.cos(), phases.sin()], dim=1)


def _start_at_zero(layer: nn.Module) -> None:
    for weight in layer.parameters():
        nn.init.zeros_(weight)


def _checked(net: UNet, x: Tensor, t: Tensor | float, y: Tensor | None) -> tuple[Tensor, Tensor]:
    """Times and labels (batch,) for the images `x`, or a ValueError."""
    check_alike(x=x)
    if x.shape[1:] != net.image:
        wanted = ", ".join(map(str, net.image))
        raise ValueError(f"x has shape {tuple(x.shape)}; expected (batch, {wanted})")
    time = check_time(expand_time(t, x)).to(x).flatten().expand(len(x))
    if y is None:
        return time, torch.full((len(x),), net.null_label, device=x.device)
    if not isinstance(y, Tensor) or y.is_floating_point() or y.shape != (len(x),):
        got = f"{y.dtype} {tuple(y.shape)}" if isinstance(y, Tensor) else type(y).__name__
        raise ValueError(f"y is {got}; expected whole numbers of shape ({len(x)},)")
    if ((y < 0) | (y > net.null_label)).any():
        raise ValueError(f"y runs from {y.min()} to {y.max()}; expected 0 to {net.null_label}")
    return time, y.long()
