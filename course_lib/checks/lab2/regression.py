"""What the losses of Lab 2 share: mean |model(x_t, t) - target|², and ways to get it wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from course_lib.checks.base import Mistake
from course_lib.shapes import expand_time

__all__ = [
    "GAUSSIAN_PATH_MISTAKES",
    "Pairs",
    "mean_square",
    "network",
    "random_weights",
    "regression",
    "regression_mistakes",
]


def random_weights(rng):
    """The weights of a small network of points in space."""
    return rng.normal(7, 3)


def network(model_weights):
    """A small network, model(x, t): its weights are an input, for gradients to reach."""
    dim = model_weights.shape[1]

    def model(x, t):
        hidden = torch.sin(x @ model_weights[:dim] + 4 * expand_time(t, x) * model_weights[dim])
        return 2 * hidden @ model_weights[dim + 1 :]

    return model


@dataclass(frozen=True)
class Pairs:
    """What a formula of a target may use; the schedule's values broadcast against z and noise."""

    t: Any
    alpha: Any
    beta: Any
    alpha_dot: Any
    beta_dot: Any
    z: Any
    noise: Any

    @property
    def x(self):
        """The point on the path, Notes (17)."""
        return self.alpha * self.z + self.beta * self.noise

    @property
    def linear_x(self):
        """Where the point would be on the linear path."""
        return self.t * self.z + (1 - self.t) * self.noise


def mean_square(error):
    """The mean over the batch of the squared norm."""
    return error.square().sum(dim=1).mean()


def regression(
    target, *, shown=lambda p: p.x, clock=lambda t: t, weight=lambda p: 1.0, reduce=mean_square
):
    """A loss as a formula of a check's inputs; the knobs are what the mistakes turn."""

    def loss(model_weights, schedule, z, t, noise):
        time = expand_time(t, z)
        alpha, beta, alpha_dot, beta_dot = schedule(time)
        pairs = Pairs(time, alpha, beta, alpha_dot, beta_dot, z, noise)
        error = network(model_weights)(shown(pairs), clock(t)) - target(pairs)
        return reduce(weight(pairs) * error)

    return loss


# Mistakes of any such loss: its name, the knob, its wrong value and the sentence.
REGRESSION_MISTAKES = [
    (
        "mean-over-coordinates",
        dict(reduce=lambda error: error.square().mean()),
        "You average over the coordinates too, as mse_loss does. A squared length is their sum; only the batch is averaged.",
    ),
    (
        "sum-over-the-batch",
        dict(reduce=lambda error: error.square().sum()),
        "You sum over the batch, so the loss grows with the number of points. An expectation is a mean over them.",
    ),
    (
        "norm-not-squared",
        dict(reduce=lambda error: error.norm(dim=1).mean()),
        "This is a length, not its square. Only with squares is the best answer the mean of the targets.",
    ),
    (
        "not-squared",
        dict(reduce=lambda error: error.sum(dim=1).mean()),
        "Nothing is squared, so errors of opposite sign cancel.",
    ),
    (
        "squared-after-the-mean",
        dict(reduce=lambda error: error.mean(dim=0).square().sum()),
        "You average first and square then, so the errors of different points cancel. Square each point's error.",
    ),
    (
        "root",
        dict(reduce=lambda error: mean_square(error).sqrt()),
        "You take a root at the end. The loss is the mean square itself.",
    ),
    (
        "half",
        dict(reduce=lambda error: mean_square(error) / 2),
        "A factor ½ came along. It would not change the minimiser, but the loss is the plain mean square.",
    ),
    (
        "clock-reversed",
        dict(clock=lambda t: 1 - t),
        "The network is told 1 − t. It has to know the t of the point that it is shown.",
    ),
    (
        "one-time-for-all",
        dict(clock=lambda t: t[0]),
        "The network gets one time for the whole batch. Each point has a t of its own.",
    ),
    (
        "no-time",
        dict(clock=torch.zeros_like),
        "The network is told t = 0 for every point. Without the time it cannot know how much of a point is noise.",
    ),
    (
        "shown-the-data",
        dict(shown=lambda p: p.z),
        "You show the network the data point z itself. When it samples, it will meet points on the way: show it x_t.",
    ),
]


def regression_mistakes(target, further):
    """The mistakes of every regression, and further ones, as mistakes about one target."""
    return [
        Mistake(name, regression(**{"target": target, **knobs}), sentence)
        for name, knobs, sentence in [*further, *REGRESSION_MISTAKES]
    ]


GAUSSIAN_PATH_MISTAKES = [
    (
        "path-exchanged",
        dict(shown=lambda p: p.alpha * p.noise + p.beta * p.z),
        "The network's point has α and β exchanged: α belongs to the data, so that at t = 1 only the data are left.",
    ),
    (
        "variance-for-deviation",
        dict(shown=lambda p: p.alpha * p.z + p.beta**2 * p.noise),
        "In the network's point the noise is scaled by β². β² is its variance; the noise is scaled by its standard deviation.",
    ),
    (
        "path-of-the-linear-schedule",
        dict(shown=lambda p: p.linear_x),
        "The network's point is on the linear path. Take α and β from the schedule that is passed in.",
    ),
]
