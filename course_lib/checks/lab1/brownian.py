"""Part B of Lab 1: Brownian motion and the Euler–Maruyama step."""

from __future__ import annotations

import math

import torch

from course_lib import simulate
from course_lib.checks.base import Check, Mistake
from course_lib.checks.choice import Choice
from course_lib.checks.lab1.fields import random_time, random_velocity

__all__ = [
    "BrownianPaths",
    "EulerMaruyamaStep",
    "PathCovariance",
    "PredictCovariance",
]


def _cumulated(noise, scale):
    return torch.cat([torch.zeros_like(noise[:1]), (scale * noise).cumsum(0)])


class BrownianPaths(Check):
    """Brownian paths from increments: Notes (5)."""

    points = 2
    depends_on = ("noise", "h")

    def inputs(self, rng):
        return dict(noise=rng.normal(12, 16, 2), h=rng.number(0.02, 0.2))

    def run(self, brownian_paths, noise, h):
        return brownian_paths(noise, h)

    def answer(self, noise, h):
        return _cumulated(noise, math.sqrt(h))

    mistakes = [
        Mistake(
            "scaled-by-h",
            lambda noise, h: _cumulated(noise, h),
            "An increment over a time h has variance h, so its standard deviation is √h, not h.",
        ),
        Mistake(
            "not-scaled",
            lambda noise: _cumulated(noise, 1.0),
            "The increments do not depend on h. Over a time h the variance is h.",
        ),
        Mistake(
            "no-start",
            lambda noise, h: (math.sqrt(h) * noise).cumsum(0),
            "The start W = 0 is missing: n increments make n + 1 points.",
        ),
        Mistake(
            "zero-at-the-end",
            lambda noise, h: _cumulated(noise, math.sqrt(h)).roll(-1, 0),
            "The zero stands at the end. The path starts at 0, so it comes first.",
        ),
        Mistake(
            "increments-not-summed",
            lambda noise, h: torch.cat([torch.zeros_like(noise[:1]), math.sqrt(h) * noise]),
            "These are the increments. The path is their running sum.",
        ),
        Mistake(
            "summed-along-the-batch",
            lambda noise, h: torch.cat(
                [torch.zeros_like(noise[:1]), (math.sqrt(h) * noise).cumsum(1)]
            ),
            "You sum along the paths. Time is the first axis.",
        ),
        Mistake(
            "start-drops-the-last",
            lambda noise, h: torch.cat(
                [torch.zeros_like(noise[:1]), (math.sqrt(h) * noise).cumsum(0)[:-1]]
            ),
            "The last increment is lost: n increments make n + 1 points, the start included.",
        ),
    ]


class PredictCovariance(Choice):
    """Prediction: how W at two times hangs together."""

    points = 1
    key = "f30206fce0dd47f0"
    replies = {
        "a": "|t − s| is the variance of the difference. For s = t the covariance must be the variance t, not 0.",
        "b": "The product makes the variance at time 0.5 equal to 0.25. The variance of W is its time, 0.5. Set s = t to test a formula.",
        "c": "What the walk does after the earlier time is independent of where it was then, so it cannot add to the covariance.",
        "d": "Up to the earlier time both are the same walk; what comes later is independent of it. Only the shared part counts.",
    }


class PathCovariance(Check):
    """The covariance of paths at all pairs of times."""

    points = 1
    depends_on = ("paths",)

    def inputs(self, rng):
        paths = _cumulated(rng.normal(7, 400), 0.4)
        return dict(paths=paths - paths.mean(dim=1, keepdim=True))

    def run(self, path_covariance, paths):
        return path_covariance(paths)

    def answer(self, paths):
        return paths @ paths.T / paths.shape[1]

    also = [lambda paths: paths @ paths.T / (paths.shape[1] - 1)]

    mistakes = [
        Mistake(
            "between-paths",
            lambda paths: paths.T @ paths / paths.shape[0],
            "This compares paths with one another. Average over the paths: times stay, paths go.",
        ),
        Mistake(
            "summed-not-averaged",
            lambda paths: paths @ paths.T,
            "You sum over the paths. The covariance is the average.",
        ),
        Mistake(
            "averaged-over-the-times",
            lambda paths: paths @ paths.T / paths.shape[0],
            "You divide by the number of times. The average runs over the paths.",
        ),
        Mistake(
            "correlation",
            lambda paths: torch.corrcoef(paths).nan_to_num(0.0),
            "This is the correlation, which divides the standard deviations away.",
        ),
        Mistake(
            "correlation",
            lambda paths: torch.corrcoef(paths),
            "This is the correlation, which divides the standard deviations away.",
        ),
    ]


class EulerMaruyamaStep(Check):
    """Euler–Maruyama step: Notes (9)."""

    points = 2
    depends_on = ("x", "t", "h", "noise")
    differentiable = ("x",)
    reference = (simulate.euler_maruyama_step,)

    def inputs(self, rng):
        level, as_number = rng.number(0.5, 0.9), rng.choice([True, False])
        return dict(
            drift=random_velocity(rng),
            diffusion=lambda t: level * (2 - t.item()) if as_number else level * (2 - t),
            x=rng.normal(64, 2),
            t=random_time(rng),
            h=rng.number(0.05, 0.2),
            noise=rng.normal(64, 2),
        )

    def run(self, euler_maruyama_step, drift, diffusion, x, t, h, noise):
        return euler_maruyama_step(drift, diffusion, x, t, h, noise)

    def answer(self, drift, diffusion, x, t, h, noise):
        return x + h * drift(x, t) + math.sqrt(h) * diffusion(t) * noise

    mistakes = [
        Mistake(
            "noise-scaled-by-h",
            lambda drift, diffusion, x, t, h, noise: x + h * drift(x, t) + h * diffusion(t) * noise,
            "The noise of a step of length h has variance h, so its scale is √h, not h.",
        ),
        Mistake(
            "noise-not-scaled",
            lambda drift, diffusion, x, t, h, noise: x + h * drift(x, t) + diffusion(t) * noise,
            "The noise is the same for every h. A step of length h has noise of variance h.",
        ),
        Mistake(
            "sigma-under-the-root",
            lambda drift, diffusion, x, t, h, noise: (
                x + h * drift(x, t) + (h * diffusion(t)) ** 0.5 * noise
            ),
            "Only h stands under the root: √h·σ. (The Notes' (9) can be read as √(hσ).)",
        ),
        Mistake(
            "sigma-squared",
            lambda drift, diffusion, x, t, h, noise: (
                x + h * drift(x, t) + math.sqrt(h) * diffusion(t) ** 2 * noise
            ),
            "σ² is the variance. The noise is multiplied by the standard deviation σ.",
        ),
        Mistake(
            "no-diffusion",
            lambda drift, x, t, h, noise: x + h * drift(x, t) + math.sqrt(h) * noise,
            "The diffusion coefficient σ is missing in front of the noise.",
        ),
        Mistake(
            "x-missing",
            lambda drift, diffusion, x, t, h, noise: (
                h * drift(x, t) + math.sqrt(h) * diffusion(t) * noise
            ),
            "This is how far the point moves. The step returns where it arrives, so x is missing.",
        ),
        Mistake(
            "h-on-everything",
            lambda drift, diffusion, x, t, h, noise: (
                x + h * (drift(x, t) + math.sqrt(h) * diffusion(t) * noise)
            ),
            "The bracket multiplies the noise by h as well. The noise has √h alone.",
        ),
        Mistake(
            "drift-backwards",
            lambda drift, diffusion, x, t, h, noise: (
                x - h * drift(x, t) + math.sqrt(h) * diffusion(t) * noise
            ),
            "The point moves against the drift. The sign is plus.",
        ),
        Mistake(
            "diffusion-at-the-end-time",
            lambda drift, diffusion, x, t, h, noise: (
                x + h * drift(x, t) + math.sqrt(h) * diffusion(t + h) * noise
            ),
            "Drift and diffusion are both taken where the step begins: at time t, not t + h.",
        ),
        Mistake(
            "no-drift",
            lambda diffusion, x, t, h, noise: x + math.sqrt(h) * diffusion(t) * noise,
            "The drift is missing: without it the arrows have no say.",
        ),
        Mistake(
            "no-noise",
            lambda drift, x, t, h: x + h * drift(x, t),
            "This is the Euler step. The noise is missing.",
        ),
        Mistake(
            "drift-scaled-by-root-h",
            lambda drift, diffusion, x, t, h, noise: (
                x + math.sqrt(h) * (drift(x, t) + diffusion(t) * noise)
            ),
            "Only the noise scales with √h. The drift scales with h.",
        ),
        Mistake(
            "drift-without-h",
            lambda drift, diffusion, x, t, h, noise: (
                x + drift(x, t) + math.sqrt(h) * diffusion(t) * noise
            ),
            "The drift is a velocity: a step that lasts h covers h times the drift.",
        ),
    ]
