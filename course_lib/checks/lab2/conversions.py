"""Exercise 14 of Lab 2: from velocity to score and back, and where that breaks."""

from __future__ import annotations

from course_lib import paths
from course_lib.checks.base import Check
from course_lib.checks.choice import Choice
from course_lib.checks.lab2.fields import (
    BOTH_TIMES,
    at_both_times,
    mistake_at_both_times,
    random_schedule,
    random_times,
    schedule_at,
)
from course_lib.shapes import expand_time

__all__ = ["PredictBreaks", "ScoreFromVelocity", "VelocityFromScore"]


def _convert(formula):
    """A conversion as a formula of α, β, α̇, β̇, what is given and x, at one t."""

    def convert(schedule, given, x, t):
        return formula(*schedule_at(schedule, t, x), given, x)

    return convert


def _mistakes(linear, *rows):
    """Rows of name, formula and sentence; `linear` is right for the linear schedule alone."""
    sentence = "This is right for the linear schedule alone. Take the four values from the schedule that is passed in."
    return [
        *(mistake_at_both_times(name, _convert(formula), words) for name, formula, words in rows),
        mistake_at_both_times("linear-schedule-only", linear, sentence),
    ]


def _linear_velocity(given, x, t):
    t = expand_time(t, x)
    return ((1 - t) * given + x) / t


def _linear_score(given, x, t):
    t = expand_time(t, x)
    return (t * given - x) / (1 - t)


def _score(a, b, da, db, u, x):
    return (a * u - da * x) / (b**2 * da - a * db * b)


class VelocityFromScore(Check):
    """From score to velocity: Notes (54)."""

    points = 1
    parts = BOTH_TIMES
    depends_on = ("schedule", "x", "t")
    reference = (paths.GaussianPath.convert, paths.convert)

    def inputs(self, rng):
        return dict(
            schedule=random_schedule(rng),
            given=rng.normal(24, 3),
            x=rng.normal(24, 3),
            **random_times(rng, 24),
        )

    def run(self, velocity_from_score, schedule, given, x, t, shared_t):
        return (
            velocity_from_score(schedule, given, x, t),
            velocity_from_score(schedule, given, x, shared_t),
        )

    answer = staticmethod(
        at_both_times(
            _convert(lambda a, b, da, db, s, x: (b**2 * da / a - db * b) * s + da / a * x)
        )
    )

    mistakes = _mistakes(
        _linear_velocity,
        (
            "wrong-sign",
            lambda a, b, da, db, s, x: (b**2 * da / a + db * b) * s + da / a * x,
            "β̇ is negative already; the minus in front of it in (54) makes both terms of the bracket add up.",
        ),
        (
            "rate-not-relative",
            lambda a, b, da, db, s, x: (b**2 * da - db * b) * s + da * x,
            "The division by α is missing: (54) has the relative rate α̇/α.",
        ),
        (
            "rate-not-relative-in-the-bracket",
            lambda a, b, da, db, s, x: (b**2 * da - db * b) * s + da / a * x,
            "In the bracket α̇ has lost its division by α.",
        ),
        (
            "rate-not-relative-at-x",
            lambda a, b, da, db, s, x: (b**2 * da / a - db * b) * s + da * x,
            "In front of x α̇ has lost its division by α.",
        ),
        (
            "rate-upside-down",
            lambda a, b, da, db, s, x: (b**2 * a / da - db * b) * s + a / da * x,
            "Your relative rate is upside down: how fast α changes, divided by α.",
        ),
        (
            "beta-not-squared",
            lambda a, b, da, db, s, x: (b * da / a - db * b) * s + da / a * x,
            "In the bracket the first β is squared. (With one β less it would take a noise, not a score.)",
        ),
        (
            "beta-left-out",
            lambda a, b, da, db, s, x: (b**2 * da / a - db) * s + da / a * x,
            "In the bracket β̇ stands alone. β β̇ is half the rate of the variance β².",
        ),
        (
            "rates-of-alpha-and-beta-exchanged",
            lambda a, b, da, db, s, x: (b**2 * db / a - da * b) * s + db / a * x,
            "α̇ and β̇ are exchanged. Does your schedule return them in that order?",
        ),
        (
            "no-x",
            lambda a, b, da, db, s, x: (b**2 * da / a - db * b) * s,
            "The term with x is missing: where the score is 0, points still move outwards as α grows.",
        ),
        (
            "x-subtracted",
            lambda a, b, da, db, s, x: (b**2 * da / a - db * b) * s - da / a * x,
            "The term with x has the wrong sign: as α grows, points are carried outwards.",
        ),
        (
            "x-alone",
            lambda a, b, da, db, s, x: (b**2 * da / a - db * b) * s + x,
            "x stands without its factor: it is carried outwards at the relative rate of α.",
        ),
        (
            "other-direction",
            _score,
            "This is the other direction, Notes (55): it takes a velocity and gives a score.",
        ),
    )


class ScoreFromVelocity(Check):
    """From velocity to score: Notes (55)."""

    points = 2
    parts = BOTH_TIMES
    depends_on = ("schedule", "x", "t")
    reference = (paths.GaussianPath.convert, paths.convert)

    inputs = VelocityFromScore.inputs

    def run(self, score_from_velocity, schedule, given, x, t, shared_t):
        return (
            score_from_velocity(schedule, given, x, t),
            score_from_velocity(schedule, given, x, shared_t),
        )

    answer = staticmethod(at_both_times(_convert(_score)))

    mistakes = _mistakes(
        _linear_score,
        (
            "wrong-sign-below",
            lambda a, b, da, db, u, x: (a * u - da * x) / (b**2 * da + a * db * b),
            "Below the line a sign is turned round. β̇ is negative, so with the minus nothing cancels there.",
        ),
        (
            "wrong-sign-above",
            lambda a, b, da, db, u, x: (a * u + da * x) / (b**2 * da - a * db * b),
            "Above the line the x is added. To find what the noise does, take the part of the motion away that α makes.",
        ),
        (
            "wrong-sign",
            lambda a, b, da, db, u, x: -_score(a, b, da, db, u, x),
            "The whole has the wrong sign: your score points towards the noise.",
        ),
        (
            "velocity-not-scaled",
            lambda a, b, da, db, u, x: (u - da * x) / (b**2 * da - a * db * b),
            "Above the line the velocity has lost its factor α.",
        ),
        (
            "relative-rate-above",
            lambda a, b, da, db, u, x: (u - da / a * x) / (b**2 * da - a * db * b),
            "Above the line you have divided by α, and below not. Divide both or none.",
        ),
        (
            "no-alpha-below",
            lambda a, b, da, db, u, x: (a * u - da * x) / (b**2 * da - db * b),
            "Below the line an α is missing in the second term.",
        ),
        (
            "no-beta-below",
            lambda a, b, da, db, u, x: (a * u - da * x) / (b**2 * da - a * db),
            "Below the line β̇ stands without its β. β β̇ is half the rate of the variance β².",
        ),
        (
            "beta-not-squared",
            lambda a, b, da, db, u, x: (a * u - da * x) / (b * da - a * db * b),
            "Below the line the first β is squared.",
        ),
        (
            "one-beta-below",
            lambda a, b, da, db, u, x: (a * u - da * x) / (b * da - a * db),
            "One factor β is missing below the line: this is −ε, the noise with a minus, not yet the score.",
        ),
        (
            "noise",
            lambda a, b, da, db, u, x: (da * x - a * u) / (b * da - a * db),
            "This is the noise ε that the velocity stands for. What leads from a noise to a score?",
        ),
        (
            "rates-not-differentiated-above",
            lambda a, b, da, db, u, x: (da * u - a * x) / (b**2 * da - a * db * b),
            "Above the line α and α̇ are exchanged.",
        ),
        (
            "rates-of-alpha-and-beta-exchanged",
            lambda a, b, da, db, u, x: (a * u - db * x) / (b**2 * db - a * da * b),
            "α̇ and β̇ are exchanged. Does your schedule return them in that order?",
        ),
        (
            "precedence",
            lambda a, b, da, db, u, x: a * u - da * x / (b**2 * da - a * db * b),
            "Only the last term above the line is divided. Put what stands above in brackets.",
        ),
        (
            "precedence-below",
            lambda a, b, da, db, u, x: (a * u - da * x) / b**2 * da - a * db * b,
            "Only β² is below the line. Put all that stands there in brackets.",
        ),
        (
            "other-direction",
            lambda a, b, da, db, u, x: (b**2 * da / a - db * b) * u + da / a * x,
            "This is the other direction, Notes (54): it takes a score and gives a velocity.",
        ),
    )


class PredictBreaks(Choice):
    """Prediction: where the two conversions break."""

    points = 1
    key = "cfe0cd7db609e94b"
    replies = {
        "a": "At t = 1 indeed nothing is left below the line of (55). Now put t = 1 into (54): is anything divided by 0?",
        "b": "At t = 0 the score is −x whatever the data are, so it cannot know the velocity. At t = 1 the point is all data, and what the score wants to know, the noise, is divided by a β of 0.",
        "c": "Put t = 0 into each: which letter is 0 there, and in which formula is something divided by it?",
        "d": "They undo each other wherever both exist. Put t = 0 and t = 1 into each, and look for a division by 0.",
    }
