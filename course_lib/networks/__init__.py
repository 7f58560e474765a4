"""Networks that learn a velocity, a score or a noise: `model(x, t)`, or `model(x, t, y)`.

>>> import torch
>>> model = MLP(dim=2)
>>> model(torch.zeros(5, 2), torch.tensor(0.3)).shape
torch.Size([5, 2])
"""

from course_lib.networks.digit_classifier import DigitClassifier
from course_lib.networks.fourier_features import FourierFeatures
from course_lib.networks.mlp import MLP
from course_lib.networks.time_features import TimeFeatures
from course_lib.networks.unet import ResidualBlock, ResidualBlocks, UNet, time_features

__all__ = [
    "MLP",
    "DigitClassifier",
    "FourierFeatures",
    "ResidualBlock",
    "ResidualBlocks",
    "TimeFeatures",
    "UNet",
    "time_features",
]
