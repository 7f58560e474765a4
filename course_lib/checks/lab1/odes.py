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
        "a": "Both would then have order 1. But Heun sees how the velocity changes along the step. Look at the slopes in the next figure.",
        "b": "Euler's error is of order h, Heun's of order h²: half the step, a quarter of the error.",
        "c": "One step of Euler errs by about h². But 1/h steps add up, so the error at the end is of order h.",
        "d": "A finer grid makes more steps, but each errs by so much less that the sum shrinks.",
    }


def _march(step, velocity, x, n_steps, first=0, frozen=False):
    h = 1 / n_steps
    for i in range(first, n_steps):
        x = step(velocity, x, torch.tensor(0.0 if frozen else i * h, dtype=x.dtype), h)
    return x


def _distance(x, y):
    return (x - y).norm(dim=-1).max()


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

        def step(velocity, x, t, h):
            return x + h * velocity(x, t)

        return dict(
            step=step, velocity=velocity, flow=flow, x=rng.normal(16, 4), n_steps=rng.integer(5, 12)
        )

    def run(self, endpoint_error, step, velocity, flow, x, n_steps):
        return endpoint_error(step, velocity, flow, x, n_steps)

    def answer(self, step, velocity, flow, x, n_steps):
        return _distance(_march(step, velocity, x, n_steps), flow(x, 1.0)).item()

    mistakes = [
        Mistake(
            "one-step-short",
            lambda step, velocity, flow, x, n_steps: _distance(
                _march(step, velocity, x, n_steps, first=1), flow(x, 1.0)
            ).item(),
            "You start one step late, or take n − 1 steps. From 0 to 1 there are n steps of 1/n. (The Notes' Algorithm 1 prints n − 1: an error.)",
        ),
        Mistake(
            "stops-early",
            lambda step, velocity, flow, x, n_steps: _distance(
                _march_short(step, velocity, x, n_steps), flow(x, 1.0)
            ).item(),
            "You take n − 1 steps and stop at t = 1 − h. From 0 to 1 there are n steps of 1/n. (The Notes' Algorithm 1 prints n − 1: an error.)",
        ),
        Mistake(
            "clock-stands-still",
            lambda step, velocity, flow, x, n_steps: _distance(
                _march(step, velocity, x, n_steps, frozen=True), flow(x, 1.0)
            ).item(),
            "The time never advances: every step asks for the velocity at t = 0. Step i begins at t = i·h.",
        ),
        Mistake(
            "mean-distance",
            lambda step, velocity, flow, x, n_steps: (
                (_march(step, velocity, x, n_steps) - flow(x, 1.0)).norm(dim=-1).mean().item()
            ),
            "This is the mean distance. The exercise asks for the largest.",
        ),
        Mistake(
            "largest-coordinate",
            lambda step, velocity, flow, x, n_steps: (
                (_march(step, velocity, x, n_steps) - flow(x, 1.0)).abs().max().item()
            ),
            "This is the largest difference of a coordinate. The distance of two points is the norm over the last axis.",
        ),
        Mistake(
            "one-norm-for-all",
            lambda step, velocity, flow, x, n_steps: (
                (_march(step, velocity, x, n_steps) - flow(x, 1.0)).norm().item()
            ),
            "You take one norm over all points together. Take the norm over the last axis, then the largest.",
        ),
    ]


def _march_short(step, velocity, x, n_steps):
    h = 1 / n_steps
    for i in range(n_steps - 1):
        x = step(velocity, x, torch.tensor(i * h, dtype=x.dtype), h)
    return x


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
            "only-the-ends",
            lambda step_sizes, errors: (
                (errors[-1] / errors[0]).log() / (step_sizes[-1] / step_sizes[0]).log()
            ).item(),
            "This is the slope between the first and the last point. The least-squares line uses all of them.",
        ),
    ]
