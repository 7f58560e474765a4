"""Exercises 1 to 4 of Lab 2: schedules, the conditional path, its velocity and its score."""

from __future__ import annotations

import functools
import math

import torch

from course_lib import paths
from course_lib.checks.base import Check, Mistake
from course_lib.checks.lab2.fields import (
    BOTH_TIMES,
    NOTHING_RANDOM,
    SECONDS,
    at_both_times,
    random_schedule,
    random_times,
    schedule_at,
)
from course_lib.checks.lab2.fields import mistake_at_both_times as mistake
from course_lib.shapes import expand_time

__all__ = [
    "ConditionalScore",
    "ConditionalVelocity",
    "CosineSchedule",
    "SamplePath",
    "SquareRootSchedule",
]

_SCHEDULE_PARTS = ("α", "β", "α̇", "β̇")
_LIBRARY_SCHEDULE = (
    paths.Schedule.alpha,
    paths.Schedule.beta,
    paths.Schedule.alpha_dot,
    paths.Schedule.beta_dot,
)


def _square_root(t, **wrong):
    """The four values, with those replaced that a mistake gets wrong."""
    root = torch.sqrt(1 - t)
    right = dict(alpha=t, beta=root, alpha_dot=torch.ones_like(t), beta_dot=-1 / (2 * root))
    return tuple((right | wrong).values())


class SquareRootSchedule(Check):
    """The square-root schedule."""

    points = 1
    parts = _SCHEDULE_PARTS
    if_random = NOTHING_RANDOM
    seconds = SECONDS
    reference = _LIBRARY_SCHEDULE

    def inputs(self, rng):
        return dict(t=rng.uniform(6, 2, low=0.05, high=0.95))

    def run(self, square_root, t):
        return square_root(t)

    def answer(self, t):
        return _square_root(t)

    mistakes = [
        Mistake(
            "beta-rises",
            lambda t: _square_root(t, beta_dot=1 / (2 * torch.sqrt(1 - t))),
            "β falls from 1 to 0, so β̇ is negative: what stands under the root has a derivative too.",
        ),
        Mistake(
            "no-half",
            lambda t: _square_root(t, beta_dot=-1 / torch.sqrt(1 - t)),
            "In β̇ a factor is missing: the power ½ comes down in front when a root is differentiated.",
        ),
        Mistake(
            "root-not-below",
            lambda t: _square_root(t, beta_dot=-torch.sqrt(1 - t) / 2),
            "In β̇ the root belongs below the line: near t = 1 the noise vanishes ever faster. (Python reads -1 / 2 * r as (−½)·r.)",
        ),
        Mistake(
            "derivative-of-the-square",
            lambda t: _square_root(t, beta_dot=-torch.ones_like(t)),
            "−1 is the derivative of β², of what stands under the root. β̇ is the derivative of β.",
        ),
        Mistake(
            "no-root",
            lambda t: _square_root(t, beta=1 - t, beta_dot=-torch.ones_like(t)),
            "This is the linear schedule: the root over 1 − t is missing.",
        ),
        Mistake(
            "root-of-t-alone",
            lambda t: _square_root(t, beta=1 - torch.sqrt(t), beta_dot=-1 / (2 * torch.sqrt(t))),
            "You take the root of t and subtract it from 1. The root covers 1 − t as a whole.",
        ),
        Mistake(
            "t-squared",
            lambda t: _square_root(
                t, beta=torch.sqrt(1 - t**2), beta_dot=-t / torch.sqrt(1 - t**2)
            ),
            "With β = √(1 − t²) the path would keep α² + β² = 1. Here t is not squared.",
        ),
        Mistake(
            "other-clock",
            lambda t: (
                1 - t,
                torch.sqrt(t),
                -torch.ones_like(t),
                1 / (2 * torch.sqrt(t)),
            ),
            "Your clock runs from data to noise. In this course t = 0 is noise: α rises from 0 and β falls to 0.",
        ),
        Mistake(
            "alpha-and-beta-exchanged",
            lambda t: tuple(_square_root(t)[i] for i in (1, 0, 3, 2)),
            "α and β are exchanged. α multiplies the data, so it rises; β multiplies the noise.",
        ),
        Mistake(
            "order",
            lambda t: tuple(_square_root(t)[i] for i in (0, 2, 1, 3)),
            "Four right values in another order: first α and β, then the two derivatives.",
        ),
        Mistake(
            "no-derivatives",
            lambda t: _square_root(t)[:2],
            "The derivatives are missing: four values are wanted, α and β and how fast each changes.",
        ),
        Mistake(
            "number-for-a-tensor",
            lambda t: _square_root(t, alpha_dot=1.0),
            "α̇ is 1 at every t, true; but give it the shape of t, as the others have: torch.ones_like.",
        ),
        Mistake(
            "alpha-stands-still",
            lambda t: _square_root(t, alpha_dot=torch.zeros_like(t)),
            "Your α̇ is 0, as if α never changed. How fast does α = t grow?",
        ),
        Mistake(
            "alpha-not-differentiated",
            lambda t: _square_root(t, alpha_dot=t),
            "Your α̇ is α itself. How fast does α = t grow?",
        ),
    ]


def _cosine(t, angle=math.pi / 2, alpha_rate=math.pi / 2, beta_rate=-math.pi / 2):
    sin, cos = torch.sin(angle * t), torch.cos(angle * t)
    return sin, cos, alpha_rate * cos, beta_rate * sin


def _same_functions(t):
    alpha, beta, *_ = _cosine(t)
    return alpha, beta, math.pi / 2 * alpha, -math.pi / 2 * beta


class CosineSchedule(Check):
    """The cosine schedule."""

    points = 1
    parts = _SCHEDULE_PARTS
    if_random = NOTHING_RANDOM
    seconds = SECONDS
    reference = _LIBRARY_SCHEDULE

    inputs = SquareRootSchedule.inputs

    def run(self, cosine, t):
        return cosine(t)

    def answer(self, t):
        return _cosine(t)

    mistakes = [
        *(
            Mistake(
                "no-inner-derivative",
                formula,
                "A factor is missing in a derivative: the angle πt/2 itself changes as t does. How fast?",
            )
            for formula in (
                lambda t: _cosine(t, alpha_rate=1, beta_rate=-1),
                lambda t: _cosine(t, alpha_rate=0.5, beta_rate=-0.5),
            )
        ),
        Mistake(
            "inner-derivative-pi",
            lambda t: _cosine(t, alpha_rate=math.pi, beta_rate=-math.pi),
            "The angle is πt/2, a quarter turn in all: it grows half as fast as your factor π says.",
        ),
        Mistake(
            "beta-rises",
            lambda t: _cosine(t, beta_rate=math.pi / 2),
            "β falls from 1 to 0, so β̇ is negative: mind the sign in the derivative of a cosine.",
        ),
        Mistake(
            "alpha-falls",
            lambda t: _cosine(t, alpha_rate=-math.pi / 2, beta_rate=math.pi / 2),
            "Both signs are turned round: α rises and β falls. It is the cosine whose derivative has a minus.",
        ),
        Mistake(
            "alpha-falls-too",
            lambda t: _cosine(t, alpha_rate=-math.pi / 2),
            "α rises from 0 to 1, so α̇ is positive. It is the cosine whose derivative has a minus.",
        ),
        Mistake(
            "same-functions",
            _same_functions,
            "The inner derivative is there; the outer is not: a sine becomes a cosine and the reverse.",
        ),
        Mistake(
            "derivatives-exchanged",
            lambda t: tuple(_cosine(t)[i] for i in (0, 1, 3, 2)),
            "The two derivatives are exchanged: α̇ belongs to the sine and comes before β̇.",
        ),
        Mistake(
            "other-clock",
            lambda t: tuple(_cosine(t)[i] for i in (1, 0, 3, 2)),
            "Your path has all the data at t = 0. In this course t = 0 is noise: α rises from 0 and β falls to 0.",
        ),
        Mistake(
            "order",
            lambda t: tuple(_cosine(t)[i] for i in (0, 2, 1, 3)),
            "Four right values in another order: first α and β, then the two derivatives.",
        ),
        Mistake(
            "no-derivatives",
            lambda t: _cosine(t)[:2],
            "The derivatives are missing: four values are wanted, α and β and how fast each changes.",
        ),
        Mistake(
            "half-turn",
            lambda t: _cosine(t, math.pi, math.pi, -math.pi),
            "Your angle goes through half a turn, so α is back at 0 when t = 1. From noise to data is a quarter turn.",
        ),
        Mistake(
            "degrees",
            lambda t: _cosine(t, 90, 90, -90),
            "torch.sin and torch.cos take radians: a quarter turn is π/2, not 90.",
        ),
    ]


def _sampled(combine):
    """A formula of z, ε and the schedule's values as one of the check's inputs."""
    return lambda schedule, z, t, noise: combine(z, noise, *schedule_at(schedule, t, z))


class SamplePath(Check):
    """A point of the conditional path: Notes (17)."""

    points = 2
    parts = BOTH_TIMES
    depends_on = ("schedule",)
    reference = (paths.GaussianPath.sample,)

    def inputs(self, rng):
        return dict(
            schedule=random_schedule(rng),
            z=rng.normal(16, 2),
            noise=rng.normal(16, 2),
            **random_times(rng, 16),
        )

    def run(self, sample_path, schedule, z, t, shared_t, noise):
        return sample_path(schedule, z, t, noise), sample_path(schedule, z, shared_t, noise)

    def answer(self, **inputs):
        right = _sampled(lambda z, noise, alpha, beta, *_: alpha * z + beta * noise)
        return at_both_times(right)(**inputs)

    mistakes = [
        mistake(
            "exchanged",
            _sampled(lambda z, noise, alpha, beta, *_: alpha * noise + beta * z),
            "Data and noise are exchanged. α is 1 at t = 1, where the data are; β is 1 at t = 0.",
        ),
        mistake(
            "beta-squared",
            _sampled(lambda z, noise, alpha, beta, *_: alpha * z + beta**2 * noise),
            "β² is the variance in Notes (16). Noise is scaled by a standard deviation.",
        ),
        mistake(
            "root-of-beta",
            _sampled(lambda z, noise, alpha, beta, *_: alpha * z + beta.sqrt() * noise),
            "β already is a standard deviation; only a variance needs a root.",
        ),
        mistake(
            "always-linear",
            lambda z, t, noise: expand_time(t, z) * (z - noise) + noise,
            "You use t and 1 − t, which are α and β of the linear schedule alone. Ask the schedule that is passed in.",
        ),
        mistake(
            "velocity",
            _sampled(
                lambda z, noise, alpha, beta, alpha_dot, beta_dot: alpha_dot * z + beta_dot * noise
            ),
            "This is how fast the point moves: you took the derivatives. The point itself needs α and β.",
        ),
        mistake(
            "minus",
            _sampled(lambda z, noise, alpha, beta, *_: alpha * z - beta * noise),
            "The noise is added, not subtracted. (The law is the same, yet the later targets go with a plus.)",
        ),
        mistake(
            "data-not-scaled",
            _sampled(lambda z, noise, alpha, beta, *_: z + beta * noise),
            "At t = 0 nothing of the data may be left. What scales z?",
        ),
        mistake(
            "noise-not-scaled",
            _sampled(lambda z, noise, alpha, beta, *_: alpha * z + noise),
            "At t = 1 nothing of the noise may be left. What scales it?",
        ),
        mistake(
            "no-noise",
            _sampled(lambda z, noise, alpha, beta, *_: alpha * z),
            "This is the mean of Notes (16). The noise is missing.",
        ),
        mistake(
            "variance-preserving",
            _sampled(lambda z, noise, alpha, beta, *_: alpha * z + (1 - alpha**2).sqrt() * noise),
            "α² + β² = 1 holds on some schedules, not on all. Ask the schedule for β.",
        ),
        mistake(
            "ddpm",
            _sampled(
                lambda z, noise, alpha, beta, *_: alpha.sqrt() * z + (1 - alpha).sqrt() * noise
            ),
            "In DDPM's letters ᾱ is a variance and stands under a root. Here α and β multiply data and noise as they are.",
        ),
    ]


def _conditional(combine):
    """A formula of x, z and the schedule's values as one of the check's inputs."""
    return lambda schedule, x, z, t: combine(x, z, *schedule_at(schedule, t, x))


def _safety_mistakes(*formulas):
    """The formulas with a number added to β or β²; one of 1e-8 or less does not show."""
    return [
        mistake(
            "safety-number",
            _conditional(functools.partial(formula, safety)),
            "Close, but not equal. The times are below 1, so β is never 0: leave out the safety number.",
        )
        for safety in (1e-3, 1e-4, 1e-5, 1e-6)
        for formula in formulas
    ]


class ConditionalVelocity(Check):
    """The conditional velocity: Notes (21)."""

    points = 2
    parts = BOTH_TIMES
    depends_on = ("schedule",)
    if_random = "There is nothing random here: x tells which ε it was."
    seconds = SECONDS
    reference = (paths.GaussianPath.conditional_velocity, paths.GaussianPath.target, paths.convert)

    def inputs(self, rng):
        return dict(
            schedule=random_schedule(rng),
            x=rng.normal(16, 2),
            z=rng.normal(16, 2),
            **random_times(rng, 16),
        )

    def run(self, conditional_velocity, schedule, x, z, t, shared_t):
        return conditional_velocity(schedule, x, z, t), conditional_velocity(
            schedule, x, z, shared_t
        )

    def answer(self, **inputs):
        right = _conditional(lambda x, z, a, b, da, db: (da - db / b * a) * z + db / b * x)
        return at_both_times(right)(**inputs)

    mistakes = [
        mistake(
            "x-taken-for-the-noise",
            _conditional(lambda x, z, a, b, da, db: da * z + db * x),
            "α̇z + β̇ε is right with the noise ε. x is not the noise: it is αz + βε. Which ε brought the particle to x?",
        ),
        mistake(
            "no-alpha",
            _conditional(lambda x, z, a, b, da, db: (da - db / b) * z + db / b * x),
            "An α is missing: at time t the centre of the cloud is αz, not z.",
        ),
        mistake(
            "no-alpha-dot",
            _conditional(lambda x, z, a, b, da, db: db / b * (x - a * z)),
            "This shrinks the cloud about its centre. The centre itself moves too.",
        ),
        mistake(
            "shrinks-about-zero",
            _conditional(lambda x, z, a, b, da, db: da * z + db / b * x),
            "Your cloud shrinks about 0. It shrinks about its centre αz: the bracket in front of z has a second term.",
        ),
        mistake(
            "sign-of-the-data-term",
            _conditional(lambda x, z, a, b, da, db: (da + db / b * a) * z + db / b * x),
            "A sign is wrong in front of z: the cloud shrinks about its centre αz, so x − αz appears.",
        ),
        mistake(
            "cloud-grows",
            _conditional(lambda x, z, a, b, da, db: da * z - db / b * (x - a * z)),
            "Your cloud grows: the centre moves rightly, but x flees from it. β̇ is negative by itself.",
        ),
        mistake(
            "sign-of-the-x-term",
            _conditional(lambda x, z, a, b, da, db: (da - db / b * a) * z - db / b * x),
            "A sign is wrong in front of x: the cloud shrinks about its centre αz, so x − αz appears. β̇ is negative by itself.",
        ),
        mistake(
            "alpha-outside-the-bracket",
            _conditional(lambda x, z, a, b, da, db: (da - db / b) * a * z + db / b * x),
            "Your α multiplies α̇ too. The centre αz moves at the rate α̇z; only the shrinking about it has an α.",
        ),
        *(
            mistake(
                "values-in-another-order",
                _conditional(formula),
                "The schedule returns α, β, α̇, β̇, in this order. You take two of them the other way round.",
            )
            for formula in (
                lambda x, z, a, b, db, da: (da - db / b * a) * z + db / b * x,
                lambda x, z, a, da, b, db: (da - db / b * a) * z + db / b * x,
            )
        ),
        *_safety_mistakes(
            lambda safety, x, z, a, b, da, db: da * z + db / (b + safety) * (x - a * z)
        ),
        mistake(
            "bracket",
            _conditional(lambda x, z, a, b, da, db: da - db / b * a * z + db / b * x),
            "A bracket is missing: α̇ multiplies z as well.",
        ),
        mistake(
            "exchanged",
            _conditional(lambda x, z, a, b, da, db: (da - db / b * a) * x + db / b * z),
            "x and z are exchanged. Which of them is the data point, and which is where the particle is now?",
        ),
        mistake(
            "beta-squared",
            _conditional(lambda x, z, a, b, da, db: (da - db / b**2 * a) * z + db / b**2 * x),
            "You divide by β². Distances from the centre are proportional to β, so they shrink at the rate β̇/β.",
        ),
        mistake(
            "score",
            _conditional(lambda x, z, a, b, da, db: (a * z - x) / b**2),
            "This is the conditional score, the next exercise. A velocity has α̇ and β̇ in it.",
        ),
        mistake(
            "not-divided",
            _conditional(lambda x, z, a, b, da, db: (da - db * a) * z + db * x),
            "The division by β is missing. Distances from the centre shrink at the *relative* rate of β.",
        ),
        mistake(
            "upside-down",
            _conditional(lambda x, z, a, b, da, db: (da - b / db * a) * z + b / db * x),
            "The fraction is upside down: the relative rate of change of β has β below.",
        ),
        mistake(
            "always-linear",
            lambda x, z, t: (z - x) / (1 - expand_time(t, x)),
            "(z − x)/(1 − t) is right for the linear schedule alone. Ask the schedule that is passed in.",
        ),
        mistake(
            "alpha-dot-is-one",
            _conditional(lambda x, z, a, b, da, db: (1 - db / b * a) * z + db / b * x),
            "α̇ is 1 on the linear path alone. Use the one that the schedule gives.",
        ),
        mistake(
            "beta-dot-is-minus-one",
            _conditional(lambda x, z, a, b, da, db: (da + a / b) * z - x / b),
            "β̇ is −1 on the linear path alone. Use the one that the schedule gives.",
        ),
        mistake(
            "roles-exchanged",
            _conditional(lambda x, z, a, b, da, db: (db - da / a * b) * z + da / a * x),
            "α and β have changed places: this is the velocity where z is the noise. z is the data point that the path ends in.",
        ),
        mistake(
            "towards-the-noise",
            _conditional(lambda x, z, a, b, da, db: -((da - db / b * a) * z + db / b * x)),
            "The arrow points from data to noise. In this course time runs from noise at t = 0 to data at t = 1.",
        ),
        mistake(
            "other-clock",
            lambda schedule, x, z, t: _conditional(
                lambda x, z, a, b, da, db: (da - db / b * a) * z + db / b * x
            )(schedule, x, z, 1 - t),
            "You ask the schedule at 1 − t. Time here runs from noise at t = 0 to data at t = 1, and so does the schedule.",
        ),
    ]


def _log_density(normaliser):
    """log N(x; αz, β²I) in the plane, with or without its normaliser."""
    return _conditional(
        lambda x, z, a, b, *_: (
            -((x - a * z) ** 2) / (2 * b**2) - normaliser * torch.log(2 * math.pi * b**2) / 2
        ).sum(-1)
    )


class ConditionalScore(Check):
    """The conditional score: Notes (28)."""

    points = 1
    parts = BOTH_TIMES
    depends_on = ("schedule",)
    if_random = "There is nothing random here: x tells which ε it was."
    seconds = SECONDS
    reference = (paths.GaussianPath.conditional_score, paths.convert)

    inputs = ConditionalVelocity.inputs

    def run(self, conditional_score, schedule, x, z, t, shared_t):
        return conditional_score(schedule, x, z, t), conditional_score(schedule, x, z, shared_t)

    def answer(self, **inputs):
        right = _conditional(lambda x, z, a, b, *_: (a * z - x) / b**2)
        return at_both_times(right)(**inputs)

    mistakes = [
        mistake(
            "downhill",
            _conditional(lambda x, z, a, b, *_: (x - a * z) / b**2),
            "The sign is turned round: the score points uphill, from x towards the centre of the cloud.",
        ),
        mistake(
            "beta-not-squared",
            _conditional(lambda x, z, a, b, *_: (a * z - x) / b),
            "You divide by the standard deviation. In the exponent of a Gaussian stands the variance.",
        ),
        mistake(
            "noise",
            _conditional(lambda x, z, a, b, *_: (x - a * z) / b),
            "This is the noise ε that brought the particle to x. The score is close to it, but points the other way and has one more β.",
        ),
        mistake(
            "not-divided",
            _conditional(lambda x, z, a, b, *_: a * z - x),
            "This is the way to the centre. The narrower the cloud, the steeper its log density: what divides it?",
        ),
        mistake(
            "no-alpha",
            _conditional(lambda x, z, a, b, *_: (z - x) / b**2),
            "You point to z. At time t the centre of the cloud is not there yet.",
        ),
        mistake(
            "bracket",
            _conditional(lambda x, z, a, b, *_: -x - a * z / b**2),
            "A bracket is missing: the minus and the division concern all of x − αz.",
        ),
        mistake(
            "bracket",
            _conditional(lambda x, z, a, b, *_: a * z - x / b**2),
            "A bracket is missing: the minus and the division concern all of x − αz.",
        ),
        mistake(
            "bracket",
            _conditional(lambda x, z, a, b, *_: a * z / b**2 - x),
            "A bracket is missing: the minus and the division concern all of x − αz.",
        ),
        mistake(
            "minus-on-x-alone",
            _conditional(lambda x, z, a, b, *_: (-x - a * z) / b**2),
            "The minus stands before all of x − αz: it turns the sign of αz as well.",
        ),
        *_safety_mistakes(
            lambda safety, x, z, a, b, *_: (a * z - x) / (b**2 + safety),
            lambda safety, x, z, a, b, *_: (a * z - x) / (b + safety) ** 2,
        ),
        mistake(
            "half",
            _conditional(lambda x, z, a, b, *_: (a * z - x) / (2 * b**2)),
            "The ½ in the exponent meets the 2 of the derivative of a square, and they cancel.",
        ),
        mistake(
            "variance-preserving",
            _conditional(lambda x, z, a, b, *_: (a * z - x) / (1 - a**2)),
            "1 − α² is the variance on some schedules, not on all. Ask the schedule for β.",
        ),
        mistake(
            "always-linear",
            lambda x, z, t: (lambda t: (t * z - x) / (1 - t) ** 2)(expand_time(t, x)),
            "You use t and 1 − t, which are α and β of the linear schedule alone. Ask the schedule that is passed in.",
        ),
        mistake(
            "exchanged",
            _conditional(lambda x, z, a, b, *_: (a * x - z) / b**2),
            "x and z are exchanged: the score is the slope at x of a cloud that is centred by z.",
        ),
        *(
            mistake(
                "log-density",
                _log_density(normaliser),
                "This is the log density: one number for each point. The score is its gradient by x, an arrow.",
            )
            for normaliser in (1.0, 0.0)
        ),
        mistake(
            "velocity",
            _conditional(lambda x, z, a, b, da, db: (da - db / b * a) * z + db / b * x),
            "This is the conditional velocity again. The score is the slope of the log density; no α̇ or β̇ is in it.",
        ),
    ]
