"""Distributions: something to `sample` from; where known also `log_prob` and `score`.

>>> import torch
>>> mixture = GaussianMixture.ring(modes=5)
>>> x = mixture.sample(1000, torch.Generator().manual_seed(0))
>>> x.shape, mixture.log_prob(x).shape, mixture.score(x).shape
(torch.Size([1000, 2]), torch.Size([1000]), torch.Size([1000, 2]))
"""

from course_lib.distributions.base import Density, Distribution
from course_lib.distributions.chessboard import Chessboard
from course_lib.distributions.circles import Circles
from course_lib.distributions.empirical import Empirical
from course_lib.distributions.gaussian import Gaussian
from course_lib.distributions.gaussian_mixture import GaussianMixture
from course_lib.distributions.mixture import Mixture
from course_lib.distributions.moons import Moons

__all__ = [
    "Chessboard",
    "Circles",
    "Density",
    "Distribution",
    "Empirical",
    "Gaussian",
    "GaussianMixture",
    "Mixture",
    "Moons",
]
