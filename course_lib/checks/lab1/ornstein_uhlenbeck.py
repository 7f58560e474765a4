"""Part C of Lab 1: the Ornstein–Uhlenbeck process and its simulation."""

from __future__ import annotations

import math

import torch

from course_lib import oracles, processes
from course_lib.checks.base import Check, Mistake
from course_lib.checks.choice import Choice
from course_lib.checks.lab1.fields import random_time

__all__ = [
    "CollapsePaths",
    "LargestStableStep",
    "OrnsteinUhlenbeckCoefficients",
    "OrnsteinUhlenbeckLimit",
    "OrnsteinUhlenbeckTransition",
    "PredictCollapse",
    "SimulatedVariance",
    "VarianceRate",
]


class OrnsteinUhlenbeckCoefficients(Check):
    """Ornstein–Uhlenbeck drift and diffusion: Notes (8)."""

    points = 1
    parts = ("the drift", "the diffusion")
    if_random = (
        "The diffusion coefficient is a number, σ. It is not noise: the step adds the noise."
    )

    def inputs(self, rng):
        return dict(
            x=rng.normal(64, 1),
            t=random_time(rng),
            theta=rng.number(1.2, 3),
            sigma=rng.number(1.2, 2),
        )

    def run(self, ou_drift, ou_diffusion, x, t, theta, sigma):
        return ou_drift(x, t, theta), ou_diffusion(t, sigma)

    def answer(self, x, theta, sigma):
        return -theta * x, sigma

    mistakes = [
        Mistake(
            "drift-outwards",
            lambda x, theta, sigma: (theta * x, sigma),
            "This drift pushes away from 0. The leash pulls back, so the sign is minus.",
        ),
        Mistake(
            "no-theta",
            lambda x, theta, sigma: (-x, sigma),
            "The stiffness θ is missing in the drift.",
        ),
        Mistake(
            "diffusion-squared",
            lambda x, theta, sigma: (-theta * x, sigma**2),
            "The diffusion coefficient is σ. Its square is a variance per time.",
        ),
        Mistake(
            "half-squared-diffusion",
            lambda x, theta, sigma: (-theta * x, sigma**2 / 2),
            "σ²/2 stands in the Fokker–Planck equation. The SDE has σ in front of dW.",
        ),
    ]


def _ou_moments(x, elapsed, theta, sigma):
    variance = sigma**2 * (1 - math.exp(-2 * theta * elapsed)) / (2 * theta)
    return x * math.exp(-theta * elapsed), variance


class OrnsteinUhlenbeckTransition(Check):
    """Ornstein–Uhlenbeck transition: mean and standard deviation."""

    points = 3
    parts = ("the mean", "the standard deviation")
    depends_on = ("x", "elapsed", "theta", "sigma")
    reference = (processes.OrnsteinUhlenbeck.transition,)

    def inputs(self, rng):
        return dict(
            x=rng.normal(64, 1),
            elapsed=rng.number(0.2, 0.9),
            theta=rng.number(0.6, 1.6),
            sigma=rng.number(0.5, 2),
        )

    def run(self, ou_transition, x, elapsed, theta, sigma):
        return ou_transition(x, elapsed, theta, sigma)

    def answer(self, x, elapsed, theta, sigma):
        mean, variance = _ou_moments(x, elapsed, theta, sigma)
        return mean, math.sqrt(variance)

    mistakes = [
        Mistake(
            "variance-for-deviation",
            lambda x, elapsed, theta, sigma: _ou_moments(x, elapsed, theta, sigma),
            "Your second result is the variance. The standard deviation is its square root.",
        ),
        Mistake(
            "factor-two-lost-below",
            lambda x, elapsed, theta, sigma: (
                x * math.exp(-theta * elapsed),
                sigma * math.sqrt((1 - math.exp(-2 * theta * elapsed)) / theta),
            ),
            "Integrate e^{−2θr} over r: that gives a factor 1/(2θ), not 1/θ.",
        ),
        Mistake(
            "factor-two-lost-above",
            lambda x, elapsed, theta, sigma: (
                x * math.exp(-theta * elapsed),
                sigma * math.sqrt((1 - math.exp(-theta * elapsed)) / (2 * theta)),
            ),
            "The noise decays like e^{−θr}, its variance like the square, e^{−2θr}.",
        ),
        Mistake(
            "both-factors-two-lost",
            lambda x, elapsed, theta, sigma: (
                x * math.exp(-theta * elapsed),
                sigma * math.sqrt((1 - math.exp(-theta * elapsed)) / theta),
            ),
            "Both factors 2 are missing: the noise decays like e^{−θr}, so its variance decays like the square, and the integral of that has 2θ below.",
        ),
        Mistake(
            "sigma-squared-outside-the-root",
            lambda x, elapsed, theta, sigma: (
                x * math.exp(-theta * elapsed),
                sigma**2 * math.sqrt((1 - math.exp(-2 * theta * elapsed)) / (2 * theta)),
            ),
            "The root of σ² is σ: the whole variance stands under the root.",
        ),
        Mistake(
            "mean-by-one-euler-step",
            lambda x, elapsed, theta, sigma: (
                x * (1 - theta * elapsed),
                math.sqrt(_ou_moments(x, elapsed, theta, sigma)[1]),
            ),
            "1 − θτ is one Euler step. The exact mean decays like e^{−θτ}.",
        ),
        Mistake(
            "mean-grows",
            lambda x, elapsed, theta, sigma: (
                x * math.exp(theta * elapsed),
                math.sqrt(_ou_moments(x, elapsed, theta, sigma)[1]),
            ),
            "The mean grows. The leash pulls it back to 0, so the sign in the exponent is minus.",
        ),
        Mistake(
            "exchanged",
            lambda x, elapsed, theta, sigma: (
                math.sqrt(_ou_moments(x, elapsed, theta, sigma)[1]),
                x * math.exp(-theta * elapsed),
            ),
            "The two results are exchanged: first the mean, then the standard deviation.",
        ),
        Mistake(
            "stationary-at-once",
            lambda x, elapsed, theta, sigma: (
                x * math.exp(-theta * elapsed),
                sigma / math.sqrt(2 * theta),
            ),
            "This is the deviation after a very long time. At time 0 it must be 0.",
        ),
        Mistake(
            "brownian",
            lambda x, elapsed, theta, sigma: (
                x * math.exp(-theta * elapsed),
                sigma * math.sqrt(elapsed),
            ),
            "This is how Brownian motion spreads. The leash holds the spread back.",
        ),
        Mistake(
            "mean-stays",
            lambda x, elapsed, theta, sigma: (
                x,
                math.sqrt(_ou_moments(x, elapsed, theta, sigma)[1]),
            ),
            "The mean does not stay at x: it decays to 0 like the flow of Notes (3).",
        ),
    ]


class VarianceRate(Check):
    """How fast the variance changes."""

    points = 2
    depends_on = ("variance", "theta", "sigma")

    def inputs(self, rng):
        return dict(
            variance=rng.uniform(8, low=0.1, high=3),
            theta=rng.number(0.6, 2),
            sigma=rng.number(1.2, 2),
        )

    def run(self, variance_rate, variance, theta, sigma):
        return variance_rate(variance, theta, sigma)

    def answer(self, variance, theta, sigma):
        return -2 * theta * variance + sigma**2

    mistakes = [
        Mistake(
            "shrinks-once",
            lambda variance, theta, sigma: -theta * variance + sigma**2,
            "x shrinks by the factor 1 − θh, so its variance shrinks by the square: 1 − 2θh + …",
        ),
        Mistake(
            "sigma-not-squared",
            lambda variance, theta, sigma: -2 * theta * variance + sigma,
            "The noise of a step has standard deviation √h·σ, so it adds h·σ² to the variance.",
        ),
        Mistake(
            "no-noise",
            lambda variance, theta, sigma: -2 * theta * variance,
            "This is how the drift alone shrinks the variance. The noise adds to it.",
        ),
        Mistake(
            "no-drift",
            lambda variance, theta, sigma: torch.full_like(variance, sigma**2),
            "This is how the noise alone feeds the variance. The drift shrinks it.",
        ),
        Mistake(
            "half-sigma-squared",
            lambda variance, theta, sigma: -2 * theta * variance + sigma**2 / 2,
            "The half belongs to the Fokker–Planck equation. A step adds h·σ² to the variance.",
        ),
        Mistake(
            "grows",
            lambda variance, theta, sigma: 2 * theta * variance + sigma**2,
            "The drift pulls inward, so it makes the variance smaller: minus.",
        ),
    ]


class OrnsteinUhlenbeckLimit(Choice):
    """Verdict on the Notes' Example 6: the limit of OU."""

    points = 1
    key = "f762a2ae71d1ef10"
    replies = {
        "a": "The leash holds the spread: the variance stops growing where pull and noise balance. Without a leash (θ = 0) it would grow for ever.",
        "b": "Your histogram is off that curve, and the rate −2θv + σ² is not 0 at v = σ². It would be right only for θ = ½.",
        "c": "The variance stands still where −2θv + σ² = 0. The caption of the Notes' Figure 3 has it right; Example 6 as printed is wrong unless θ = ½.",
        "d": "Put v = σ²/θ into the rate: it gives −σ², so the variance would still fall.",
    }


class SimulatedVariance(Check):
    """The stationary variance of the simulation itself."""

    points = 2
    reference = (oracles.euler_maruyama_ou_variance,)

    def inputs(self, rng):
        theta = rng.number(0.6, 2)
        return dict(theta=theta, sigma=rng.number(1.2, 2), h=rng.number(0.2, 0.8) / theta)

    def run(self, simulated_variance, theta, sigma, h):
        return simulated_variance(theta, sigma, h)

    def answer(self, theta, sigma, h):
        return sigma**2 / (2 * theta - theta**2 * h)

    mistakes = [
        Mistake(
            "the-true-variance",
            lambda theta, sigma, h: sigma**2 / (2 * theta),
            "This is the variance of the true process. A simulation with step h has its own: solve v = (1 − θh)² v + σ²h.",
        ),
        Mistake(
            "not-squared",
            lambda theta, sigma, h: sigma**2 / theta,
            "x is multiplied by (1 − θh), so its variance is multiplied by the square of that.",
        ),
        Mistake(
            "standard-deviation",
            lambda theta, sigma, h: sigma / math.sqrt(2 * theta - theta**2 * h),
            "This is the standard deviation. The variance was asked for.",
        ),
        Mistake(
            "theta-not-squared",
            lambda theta, sigma, h: sigma**2 / (2 * theta - theta * h),
            "(1 − θh)² = 1 − 2θh + θ²h²: the last term has θ squared.",
        ),
        Mistake(
            "wrong-sign",
            lambda theta, sigma, h: sigma**2 / (2 * theta + theta**2 * h),
            "Mind the sign: 1 − (1 − θh)² = 2θh − θ²h².",
        ),
        Mistake(
            "h-not-cancelled",
            lambda theta, sigma, h: sigma**2 * h / (2 * theta - theta**2 * h),
            "One factor h is left over: σ²h / (2θh − θ²h²).",
        ),
        Mistake(
            "noise-variance-without-h",
            lambda theta, sigma, h: sigma**2 / (2 * theta * h - (theta * h) ** 2),
            "The noise of one step adds σ²h to the variance, not σ².",
        ),
    ]


class LargestStableStep(Check):
    """The step at which the simulation explodes."""

    points = 1

    def inputs(self, rng):
        return dict(theta=rng.number(1.2, 4))

    def run(self, largest_stable_step, theta):
        return largest_stable_step(theta)

    def answer(self, theta):
        return 2 / theta

    mistakes = [
        Mistake(
            "where-it-starts-to-overshoot",
            lambda theta: 1 / theta,
            "Beyond 1/θ a step jumps over 0, but still lands closer to it. It explodes when it lands farther away.",
        ),
        Mistake(
            "inverted",
            lambda theta: theta / 2,
            "A stiffer leash (larger θ) needs smaller steps.",
        ),
        Mistake(
            "half",
            lambda theta: 1 / (2 * theta),
            "The factor 1 − θh is still well inside (−1, 1) there. When does it reach −1?",
        ),
        Mistake(
            "depends-on-nothing",
            lambda theta: 2.0,
            "The limit depends on θ: what must θh stay below?",
        ),
    ]


class PredictCollapse(Choice):
    """Prediction: which pictures agree."""

    points = 1
    key = "d3d40373d4400021"
    replies = {
        "a": "In units of 1/θ the process has one number left, D = σ²/2θ. It is 1 for P, Q and S, and 4 for R.",
        "b": "Q and R share σ, but Q has the stiffer leash. Compare their widths in the pictures below, then choose again.",
        "c": "P and R share θ, and with it the clock. What about their widths? Look at the pictures below, then choose again.",
        "d": "Rescaled time makes them relax equally fast. Are they equally wide? Look at the pictures below, then choose again.",
    }


class CollapsePaths(Check):
    """Rescaled paths: one law for every θ and σ."""

    points = 2
    parts = ("the times", "the states")
    depends_on = ("times", "states", "theta", "sigma")

    def inputs(self, rng):
        times = torch.linspace(0, rng.number(2, 4), 9, dtype=torch.float64)
        return dict(
            times=times,
            states=rng.normal(9, 16, 1),
            theta=rng.number(1.3, 3),
            sigma=rng.number(0.4, 0.9),
        )

    def run(self, rescale, times, states, theta, sigma):
        return rescale(times, states, theta, sigma)

    def answer(self, times, states, theta, sigma):
        return times * theta, states / math.sqrt(sigma**2 / (2 * theta))

    mistakes = [
        Mistake(
            "time-divided",
            lambda times, states, theta, sigma: (
                times / theta,
                states / math.sqrt(sigma**2 / (2 * theta)),
            ),
            "A stiff leash (large θ) relaxes within a time 1/θ. Measured in that unit, a time t is t / (1/θ).",
        ),
        Mistake(
            "divided-by-the-variance",
            lambda times, states, theta, sigma: (times * theta, states / (sigma**2 / (2 * theta))),
            "D is a variance. Lengths are measured in units of its square root.",
        ),
        Mistake(
            "divided-by-sigma",
            lambda times, states, theta, sigma: (times * theta, states / sigma),
            "σ alone does not set the width. The stationary variance is D = σ²/2θ.",
        ),
        Mistake(
            "multiplied",
            lambda times, states, theta, sigma: (
                times * theta,
                states * math.sqrt(sigma**2 / (2 * theta)),
            ),
            "To measure in units of √D you divide by √D.",
        ),
        Mistake(
            "precedence",
            lambda times, states, theta, sigma: (
                times * theta,
                states / math.sqrt(sigma**2 / 2 * theta),
            ),
            "Python reads sigma**2 / 2 * theta as (σ²/2)·θ. Put 2 * theta in brackets.",
        ),
        Mistake(
            "times-as-they-are",
            lambda times, states, theta, sigma: (
                times,
                states / math.sqrt(sigma**2 / (2 * theta)),
            ),
            "The states are right. The times are still in seconds, not in units of 1/θ.",
        ),
        Mistake(
            "no-two",
            lambda times, states, theta, sigma: (
                times * theta,
                states / math.sqrt(sigma**2 / theta),
            ),
            "The stationary variance is σ²/2θ; the 2 is missing.",
        ),
        Mistake(
            "states-as-they-are",
            lambda times, states, theta, sigma: (times * theta, states),
            "The times are right. The states still have their own width √D.",
        ),
    ]
