"""Random schedules, times and mixtures that several checks of Lab 2 draw."""

from __future__ import annotations

import inspect

from course_lib.checks.base import Mistake
from course_lib.paths import ScheduleValues
from course_lib.shapes import expand_time

__all__ = [
    "BOTH_TIMES",
    "NOTHING_RANDOM",
    "SECONDS",
    "at_both_times",
    "mistake_at_both_times",
    "random_mixture",
    "random_schedule",
    "random_times",
    "schedule_at",
]

BOTH_TIMES = ("one t for each point", "one t for all points")

NOTHING_RANDOM = "There is nothing random here: draw no noise, keep nothing between calls."

SECONDS = 30.0  # the first use of torch.func or of some torch.distributions imports for seconds


def random_schedule(rng):
    """A schedule of no special kind: neither is α̇ = 1, nor β̇ = -1, nor α² + β² = 1."""
    p, q = rng.number(1.4, 2.2), rng.number(0.6, 0.85)

    def schedule(t):
        left = 1 - t
        alpha, beta = t**p, left**q
        return ScheduleValues(alpha, beta, p * alpha / t, -q * beta / left)

    return schedule


def random_times(rng, n):
    """One time for each of n points, and one for all of them: shapes (n,) and ()."""
    return dict(
        t=rng.uniform(n, low=0.15, high=0.85), shared_t=rng.uniform(1, low=0.3, high=0.7)[0]
    )


def random_mixture(rng):
    """Four Gaussians in space: weights that sum to 1, means (4, 3) and stds (4,)."""
    weights = rng.uniform(4, low=0.2, high=1.0)
    return dict(
        means=rng.normal(4, 3, scale=1.5),
        stds=rng.uniform(4, low=0.4, high=1.2),
        weights=weights / weights.sum(),
    )


def schedule_at(schedule, t, x):
    """The schedule's four values, each shaped to broadcast against x."""
    return schedule(expand_time(t, x))


def at_both_times(formula):
    """A formula of t as one of `t` and `shared_t`: its value at each of the two."""
    names = [name for name in inspect.signature(formula).parameters if name != "t"]

    def both(t, shared_t, **inputs):
        others = {name: inputs[name] for name in names}
        return formula(**others, t=t), formula(**others, t=shared_t)

    return both


def mistake_at_both_times(name, formula, sentence):
    """A mistake whose formula is given at one t."""
    return Mistake(name, at_both_times(formula), sentence)
