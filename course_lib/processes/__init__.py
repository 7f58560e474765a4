"""Processes: an `ODE` or `SDE` wraps plain functions; the named ones know their exact laws.

>>> import torch
>>> ou = OrnsteinUhlenbeck(theta=0.5, sigma=1.0)
>>> ou.transition(torch.ones(3, 2), elapsed=2.0).covariance().diagonal()
tensor([0.8647, 0.8647])
"""

from course_lib.processes.base import ODE, SDE, Diffusion, Field, Process
from course_lib.processes.brownian import BrownianMotion
from course_lib.processes.langevin import Langevin
from course_lib.processes.linear_ode import LinearODE
from course_lib.processes.ornstein_uhlenbeck import OrnsteinUhlenbeck
from course_lib.processes.transition import Transition

__all__ = [
    "ODE",
    "SDE",
    "BrownianMotion",
    "Diffusion",
    "Field",
    "Langevin",
    "LinearODE",
    "OrnsteinUhlenbeck",
    "Process",
    "Transition",
]
