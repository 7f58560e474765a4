"""A small convolutional classifier of digits: the judge of digits that somebody generated."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from course_lib.shapes import check_alike

__all__ = ["DigitClassifier"]


class DigitClassifier(nn.Module):
    """Images (batch, 1, 28, 28) in [-1, 1] to ten logits (batch, 10), by way of 64 features."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.PixelUnshuffle(2),  # 4 channels of 14×14
            *_convolution(4, 32),
            *_convolution(32, 32),
            *_convolution(32, 64, stride=2),  # 7×7
            *_convolution(64, 64),
            nn.MaxPool2d(2),  # 3×3
            nn.Flatten(),
            nn.Linear(64 * 3 * 3, 64),
            nn.ReLU(),
        )
        self.head = nn.Linear(64, 10)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster

    def features(self, x: Tensor) -> Tensor:
        """What the last layer sees of images `x` (batch, 1, 28, 28); shape (batch, 64), ≥ 0.

        Raises:
            ValueError: another shape, an empty batch, or whole numbers.
        """
        check_alike(x=x)
        if x.shape[1:] != (1, 28, 28):
            raise ValueError(f"x has shape {tuple(x.shape)}; expected (batch, 1, 28, 28)")
        return self.body(x)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (batch, 10) of images `x` (batch, 1, 28, 28): their softmax is p(y|x)."""
        return self.head(self.features(x))


def _convolution(before: int, after: int, stride: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(after), nn.ReLU()]
