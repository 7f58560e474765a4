"""Part A of Lab 1: ODEs, Euler, Heun and the order of convergence."""

from __future__ import annotations

import math

import torch

from course_lib import metrics, simulate
from course_lib.checks.base import Check, Mistake
from course_lib.checks.choice import Choice
from course_lib.checks.lab1.fields import random_time, random_velocity

__all__ = [
    "ConvergenceOrder",
    "EndpointError",
    "EulerStep",
    "HeunStep",
    "PredictOrder",
]


class EulerStep(Check):
    """Euler step: Notes (4)."""

    points = 1
    depends_on = ("x", "t", "h")
    differentiable = ("x",)
    reference = (simulate.euler_step,)

    def inputs(self, rng):
        x, t, h = rng.normal(64, 2), random_time(rng), rng.number(0.05, 0.2)
        return dict(velocity=random_velocity(rng), x=x, t=t, h=h)

    def run(self, euler_step, velocity, x, t, h):
        return euler_step(velocity, x, t, h)

    def answer(self, velocity, x, t, h):
        return x + h * velocity(x, t)

    mistakes = [
        Mistake(
            "no-step-size",
            lambda velocity, x, t: x + velocity(x, t),
            "The velocity is a speed. A step that lasts h covers h times the speed.",
        ),
        Mistake(
            "only-the-increment",
            lambda velocity, x, t, h: h * velocity(x, t),
            "This is how far the point moves. The step returns where it arrives, so x is missing.",
        ),
        Mistake(
            "backwards",
            lambda velocity, x, t, h: x - h * velocity(x, t),
            "The point moves against the arrow. Time runs forward, so the sign is plus.",
        ),
        Mistake(
            "velocity-at-the-end-time",
            lambda velocity, x, t, h: x + h * velocity(x, t + h),
            "Euler looks at the arrow where the step begins: at time t, not t + h.",
        ),
        Mistake(
            "root-step",
            lambda velocity, x, t, h: x + math.sqrt(h) * velocity(x, t),
            "The square root of h belongs to noise. A velocity moves a point by h times itself.",
        ),
    ]


def _heun(velocity, x, t, h, end_time=True, guess=True, half=True):
    first = velocity(x, t)
    second = velocity(x + h * first if guess else x, t + h if end_time else t)
    return x + (h / 2 if half else h) * (first + second)


class HeunStep(Check):
    """Heun step: Notes §2.1."""

    points = 2
    depends_on = ("x", "t", "h")
    differentiable = ("x",)
    reference = (simulate.heun_step,)

    inputs = EulerStep.inputs

    def run(self, heun_step, velocity, x, t, h):
        return heun_step(velocity, x, t, h)

    def answer(self, velocity, x, t, h):
        return _heun(velocity, x, t, h)

    mistakes = [
        Mistake(
            "euler",
            lambda velocity, x, t, h: x + h * velocity(x, t),
            "This is the Euler step, the guess. Heun looks again from the guess and averages.",
        ),
        Mistake(
            "no-average",
            lambda velocity, x, t, h: _heun(velocity, x, t, h, half=False),
            "You add both velocities over the full step. Their average is half the sum.",
        ),
        Mistake(
            "second-velocity-at-the-old-time",
            lambda velocity, x, t, h: _heun(velocity, x, t, h, end_time=False),
            "The guess is a point at time t + h, so its velocity is taken at t + h.",
        ),
        Mistake(
            "second-velocity-at-the-old-point",
            lambda velocity, x, t, h: _heun(velocity, x, t, h, guess=False),
            "The second velocity is taken at the guessed point, not at x again.",
        ),
        Mistake(
            "only-the-second-velocity",
            lambda velocity, x, t, h: x + h * velocity(x + h * velocity(x, t), t + h),
            "You use the second velocity alone. Heun averages it with the first.",
        ),
        Mistake(
            "midpoint",
            lambda velocity, x, t, h: x + h * velocity(x + h / 2 * velocity(x, t), t + h / 2),
            "This is the midpoint method. It has order 2 too, but Heun averages the velocities "
            "at the two ends of the step.",
        ),
        Mistake(
            "half-on-the-first-only",
            lambda velocity, x, t, h: (
                x + h / 2 * velocity(x, t) + velocity(x + h * velocity(x, t), t + h)
            ),
            "A bracket is missing: h/2 multiplies the sum of both velocities.",
        ),
        Mistake(
            "averaged-from-the-guess",
            lambda velocity, x, t, h: _heun(velocity, x, t, h) + h * velocity(x, t),
            "The averaged step starts at x. Yours starts at the guess, so the first step counts twice.",
        ),
    ]


class PredictOrder(Choice):
    """Prediction: what half the step does to the error."""

    points = 1
    key = "4890536ace02d31d"
    replies = {
        "a": "Heun looks twice, Euler once. Would all that gain no more than a constant factor? Run the experiment below, then choose again.",
        "b": "Euler's error is of order h, Heun's of order h²: half the step, a quarter of the error.",
        "c": "That is what one step does. How many steps add up until t = 1? Run the experiment below, then choose again.",
        "d": "There are more steps, and each errs by less. Which wins? Run the experiment below, then choose again.",
    }


def _march(step, velocity, x, starts, h):
    """Step from each of the times `starts`, each step lasting h."""
    for t in starts:
        x = step(velocity, x, torch.tensor(t, dtype=x.dtype), h)
    return x


def _grid(n_steps, first=0, last=0, shift=0):
    """The times at which n steps from 0 to 1 begin, with steps dropped, added or shifted."""
    return [(i + shift) / n_steps for i in range(first, n_steps + last)]


def _euler(velocity, x, t, h):
    return x + h * velocity(x, t)


def _distance(x, y):
    return (x - y).norm(dim=-1).max().item()


def _wrong_grid(**change):
    """A mistake in the steps: the error of a march over a changed grid."""
    return lambda step, velocity, flow, x, n_steps: _distance(
        _march(step, velocity, x, _grid(n_steps, **change), 1 / n_steps), flow(x, 1.0)
    )


def _wrong_distance(distance):
    """A mistake in the comparison: another distance between the end points."""
    return lambda step, velocity, flow, x, n_steps: distance(
        _march(step, velocity, x, _grid(n_steps), 1 / n_steps), flow(x, 1.0)
    ).item()


# A running clock, t += 1/n, adds up to a little less than 1 for these n: `while t < 1` steps on.
_FALLS_SHORT = [6, 7, 10, 13]


class EndpointError(Check):
    """The error at the end of n steps."""

    points = 2

    def inputs(self, rng):
        turn = rng.normal(4, 4)
        matrix = (turn - turn.T) / 2 - 0.4 * torch.eye(4, dtype=torch.float64)

        def velocity(x, t):
            return (1 + t) * (x @ matrix.T)

        def flow(x, t):
            return x @ torch.linalg.matrix_exp((t + t**2 / 2) * matrix).T

        def step(velocity, x, t, h):  # none of the lab's own steps
            return x + h * velocity(x, t + h / 3)

        n_steps = rng.choice(_FALLS_SHORT)
        return dict(step=step, velocity=velocity, flow=flow, x=rng.normal(16, 4), n_steps=n_steps)

    def run(self, endpoint_error, step, velocity, flow, x, n_steps):
        return endpoint_error(step, velocity, flow, x, n_steps)

    def answer(self, step, velocity, flow, x, n_steps):
        return _distance(_march(step, velocity, x, _grid(n_steps), 1 / n_steps), flow(x, 1.0))

    mistakes = [
        Mistake(
            "starts-late",
            _wrong_grid(first=1),
            "You take n − 1 steps: the one that begins at t = 0 is missing. (The Notes' Algorithm 1 has this error.)",
        ),
        Mistake(
            "stops-early",
            _wrong_grid(last=-1),
            "You take n − 1 steps and stop at t = 1 − h. From 0 to 1 there are n steps of 1/n.",
        ),
        Mistake(
            "one-step-too-many",
            _wrong_grid(last=1),
            "You take n + 1 steps. From 0 to 1 there are n. If you run `while t < 1` with t += h: the sum misses 1 by a rounding error, so count the steps.",
        ),
        Mistake(
            "clock-one-step-ahead",
            _wrong_grid(shift=1),
            "Your clock runs one step ahead: step i begins at t = i·h, counted from i = 0.",
        ),
        Mistake(
            "clock-stands-still",
            lambda step, velocity, flow, x, n_steps: _distance(
                _march(step, velocity, x, [0.0] * n_steps, 1 / n_steps), flow(x, 1.0)
            ),
            "The time never advances: every step asks for the velocity at t = 0. Step i begins at t = i·h.",
        ),
        Mistake(
            "clock-of-linspace",
            lambda step, velocity, flow, x, n_steps: _distance(
                _march(step, velocity, x, [i / (n_steps - 1) for i in range(n_steps)], 1 / n_steps),
                flow(x, 1.0),
            ),
            "linspace(0, 1, n) has n points and n − 1 gaps. n steps need n + 1 points, and the last one is the end.",
        ),
        Mistake(
            "always-euler",
            lambda velocity, flow, x, n_steps: _distance(
                _march(_euler, velocity, x, _grid(n_steps), 1 / n_steps), flow(x, 1.0)
            ),
            "You call your own euler_step. Use `step`, the function that is passed in.",
        ),
        Mistake(
            "start-overwritten",
            lambda step, velocity, flow, x, n_steps: (lambda end: _distance(end, flow(end, 1.0)))(
                _march(step, velocity, x, _grid(n_steps), 1 / n_steps)
            ),
            "The true flow is asked where the *end* points go. Keep the start: flow(x, 1.0) needs the points before they moved.",
        ),
        Mistake(
            "mean-distance",
            _wrong_distance(lambda x, y: (x - y).norm(dim=-1).mean()),
            "This is the mean distance. The exercise asks for the largest.",
        ),
        Mistake(
            "squared-distance",
            _wrong_distance(lambda x, y: (x - y).square().sum(-1).max()),
            "This is the largest squared distance. The root is missing.",
        ),
        Mistake(
            "largest-coordinate",
            _wrong_distance(lambda x, y: (x - y).abs().max()),
            "This is the largest difference of a coordinate. The distance of two points is the norm over the last axis.",
        ),
        Mistake(
            "one-norm-for-all",
            _wrong_distance(lambda x, y: (x - y).norm()),
            "You take one norm over all points together. Take the norm over the last axis, then the largest.",
        ),
    ]


def _slope(x, y):
    x = x - x.mean()
    return ((x * (y - y.mean())).sum() / (x * x).sum()).item()


class ConvergenceOrder(Check):
    """The order of convergence, as a slope."""

    points = 1
    reference = (metrics.convergence_order,)

    def inputs(self, rng):
        step_sizes = 0.5 ** torch.arange(2, 8, dtype=torch.float64)
        errors = (
            rng.number(0.5, 2)
            * step_sizes ** rng.number(0.8, 2.2)
            * torch.exp(rng.normal(6, scale=0.1))
        )
        return dict(step_sizes=step_sizes, errors=errors)

    def run(self, convergence_order, step_sizes, errors):
        return convergence_order(step_sizes, errors)

    def answer(self, step_sizes, errors):
        return _slope(step_sizes.log(), errors.log())

    mistakes = [
        Mistake(
            "no-logarithm",
            lambda step_sizes, errors: _slope(step_sizes, errors),
            "This is the slope of error against h. A power law is a straight line only between logarithms.",
        ),
        Mistake(
            "only-one-logarithm",
            lambda step_sizes, errors: _slope(step_sizes, errors.log()),
            "Take the logarithm of the step sizes too.",
        ),
        Mistake(
            "axes-exchanged",
            lambda step_sizes, errors: _slope(errors.log(), step_sizes.log()),
            "The axes are exchanged: log h goes across, log error goes up.",
        ),
        Mistake(
            "not-centred",
            lambda step_sizes, errors: (
                (step_sizes.log() * errors.log()).sum() / step_sizes.log().square().sum()
            ).item(),
            "Subtract the means first: as it is, the line is forced through the origin.",
        ),
        Mistake(
            "negative",
            lambda step_sizes, errors: -_slope(step_sizes.log(), errors.log()),
            "The error grows with h, so the slope is positive.",
        ),
        Mistake(
            "only-the-ends",
            lambda step_sizes, errors: (
                (errors[-1] / errors[0]).log() / (step_sizes[-1] / step_sizes[0]).log()
            ).item(),
            "This is the slope between the first and the last point. The least-squares line uses all of them.",
        ),
    ]
