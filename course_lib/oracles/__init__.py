"""Oracles: the exact answer beside which a simulation or a trained network is held.

>>> import torch
>>> from course_lib.distributions import GaussianMixture
>>> from course_lib.paths import GaussianPath, Linear
>>> truth = Marginal(GaussianPath(Linear()), GaussianMixture.ring(modes=5))
>>> x, t = torch.zeros(3, 2), torch.tensor([0.0, 0.5, 1.0])
>>> truth.velocity(x, t).shape, truth.log_prob(x, t).shape
(torch.Size([3, 2]), torch.Size([3]))
"""

from course_lib.oracles.marginal import Marginal
from course_lib.oracles.simulation import brownian_covariance, euler_maruyama_ou_variance

__all__ = ["Marginal", "brownian_covariance", "euler_maruyama_ou_variance"]
