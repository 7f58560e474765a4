"""Exercises of Lab 3 on what guidance samples: not p(x|y), and not the tilted density either."""

from __future__ import annotations

from course_lib.checks.base import Check, Mistake
from course_lib.checks.choice import Choice

__all__ = ["GuidedStd", "PredictTilt", "TiltStd"]


class PredictTilt(Choice):
    """Prediction: what guidance samples."""

    points = 1
    key = "0afe10af2a47501f"
    replies = {
        "a": "At w = 1 they would: exact fields lead to p(x|y). At w = 3 the points follow other arrows. Run the experiment below, then choose again.",
        "b": "The guided score is the score of the tilted p_t at each time, but the tilted p_t of two times are not joined by the guided flow: each was tilted by itself, and nothing carries the one to the other. Run the experiment below, then choose again.",
        "c": "At every time on the way the arrows lead away from the other class, and the points that lag behind are pushed hardest. So the cloud overshoots and gathers. It follows neither p(x|y) nor the tilted density: points that nobody could take for the other class, and few kinds of them.",
        "d": "The arrows are longer, true. But do the points at both ends of a cloud go in opposite directions, or do those that lag behind go farther? Run the experiment below, then choose again.",
    }


def _on_the_way(std, t):
    """Standard deviation of x_t on the linear path, of data N(0, std²)."""
    return ((t * std) ** 2 + (1 - t) ** 2) ** 0.5


def _geometric(s, S, w):
    return s**w * S ** (1 - w)


def _tilted(s, S, w):
    return (w / s**2 + (1 - w) / S**2) ** -0.5


def _guided_std(combine=_geometric, way=_on_the_way):
    """A standard deviation as a formula of the check's inputs, from those on the way."""
    return lambda s_data, S_data, w, t: combine(way(s_data, t), way(S_data, t), w)


def _end_first(combine):
    """The end's standard deviation first, then the path from noise to it."""
    return lambda s_data, S_data, w, t: _on_the_way(combine(s_data, S_data, w), t)


class GuidedStd(Check):
    """The standard deviation of the guided flow."""

    points = 2
    depends_on = ("s_data", "S_data", "w", "t")
    if_random = "There is nothing random here: this is a formula, not a simulation."

    def inputs(self, rng):
        overall = rng.number(1.8, 2.4)
        return dict(
            s_data=overall * rng.number(0.72, 0.85),
            S_data=overall,
            w=rng.number(1.3, 1.7),
            t=rng.uniform(16, low=0.1, high=0.95),
        )

    def run(self, guided_std, s_data, S_data, w, t):
        return guided_std(s_data, S_data, w, t)

    answer = staticmethod(_guided_std())

    mistakes = [
        Mistake(
            "tilt-on-the-way",
            _guided_std(_tilted),
            "This is the width of the tilted p_t. The *rates* d/dt log std of the two flows are mixed, and rates add up to logarithms of widths, not to inverse variances.",
        ),
        Mistake(
            "tilt-at-the-end",
            _end_first(_tilted),
            "You tilt the data first, and then blur them by the path. The guided flow is no path to tilted data: mix the rates at each time.",
        ),
        Mistake(
            "end-first",
            _end_first(_geometric),
            "Your end is right, but on the way there the guided flow is no path α z + β ε to it. Take the two widths at time t, and mix those.",
        ),
        Mistake(
            "end-alone",
            lambda s_data, S_data, w, t: _geometric(s_data, S_data, w) + 0 * t,
            "This is the width at t = 1. Which widths have the two clouds at time t?",
        ),
        Mistake(
            "mean-of-widths",
            _guided_std(lambda s, S, w: w * s + (1 - w) * S),
            "You mix the widths themselves. The velocities are mixed, and they are (d/dt log of the width) times x: what is mixed, then, are logarithms.",
        ),
        Mistake(
            "mean-of-variances",
            _guided_std(lambda s, S, w: (w * s**2 + (1 - w) * S**2) ** 0.5),
            "You mix the variances. The velocities are mixed, and they are (d/dt log of the width) times x: what is mixed, then, are logarithms.",
        ),
        Mistake(
            "variance",
            _guided_std(lambda s, S, w: _geometric(s, S, w) ** 2),
            "This is the variance. Has a root been forgotten?",
        ),
        Mistake(
            "variances-of-the-data",
            lambda s_data, S_data, w, t: _geometric(
                _on_the_way(s_data**0.5, t), _on_the_way(S_data**0.5, t), w
            ),
            "On the way you use t² s, but the data's variance is s²: a number scaled by t has its variance scaled by t².",
        ),
        Mistake(
            "exchanged",
            _guided_std(lambda s, S, w: _geometric(S, s, w)),
            "s and S are exchanged: w belongs to the data given y.",
        ),
        Mistake(
            "noise-forgotten",
            _guided_std(way=lambda std, t: t * std),
            "On the way x_t = t z + (1 − t) ε, and the noise has a variance, too.",
        ),
        Mistake(
            "widths-added-on-the-way",
            _guided_std(way=lambda std, t: t * std + (1 - t)),
            "On the way you add standard deviations. Of independent z and ε the *variances* add.",
        ),
        Mistake(
            "noise-not-squared",
            _guided_std(way=lambda std, t: ((t * std) ** 2 + (1 - t)) ** 0.5),
            "The noise is scaled by 1 − t, so its variance is the square of that.",
        ),
        Mistake(
            "time-not-squared",
            _guided_std(way=lambda std, t: (t * std**2 + (1 - t)) ** 0.5),
            "The data are scaled by t and the noise by 1 − t, so both come squared in the variance.",
        ),
        Mistake(
            "clock-reversed",
            _guided_std(way=lambda std, t: _on_the_way(std, 1 - t)),
            "At t = 0 your width is that of the data. In this course noise is at t = 0.",
        ),
        Mistake(
            "weights-do-not-sum-to-one",
            _guided_std(lambda s, S, w: s**w * S),
            "Your exponents sum to 1 + w. Those of the two fields sum to 1.",
        ),
        Mistake(
            "weight-of-the-wrong-sign",
            _guided_std(lambda s, S, w: s**w * S ** (w - 1)),
            "The exponent of S has the wrong sign: its field has the weight 1 − w.",
        ),
        Mistake(
            "label-alone",
            _guided_std(lambda s, S, w: s**w),
            "The field without a label has a weight, too: where is S?",
        ),
        Mistake(
            "other-convention",
            _guided_std(lambda s, S, w: s ** (1 + w) * S ** (-w)),
            "This is the other convention. Here w = 1 is the plain conditional model.",
        ),
        Mistake(
            "not-guided",
            _guided_std(lambda s, S, w: s),
            "This is the width of the plain conditional model, right for w = 1 alone.",
        ),
        Mistake(
            "geometric-in-time",
            lambda s_data, S_data, w, t: _geometric(s_data, S_data, w) ** t,
            "You let the logarithm of the width grow evenly with time. How wide are the two clouds at time t, each by itself?",
        ),
        Mistake(
            "logarithm",
            _guided_std(lambda s, S, w: _geometric(s, S, w).log()),
            "This is the logarithm of the width.",
        ),
    ]


def _precision_mistake(name, precision, sentence):
    """A mistake of `TiltStd` that gets 1/std² wrong."""
    return Mistake(name, lambda s_data, S_data, w: precision(s_data, S_data, w) ** -0.5, sentence)


class TiltStd(Check):
    """The standard deviation of the tilted density."""

    points = 1
    depends_on = ("s_data", "S_data", "w")
    if_random = "There is nothing random here: this is a formula, not a sample."

    def inputs(self, rng):
        overall = rng.number(1.8, 2.4)
        return dict(s_data=overall * rng.number(0.72, 0.85), S_data=overall, w=rng.number(1.3, 1.7))

    def run(self, tilt_std, s_data, S_data, w):
        return tilt_std(s_data, S_data, w)

    def answer(self, s_data, S_data, w):
        return _tilted(s_data, S_data, w)

    mistakes = [
        Mistake(
            "guided-flow",
            lambda s_data, S_data, w: _geometric(s_data, S_data, w),
            "This is where the guided flow ends. Multiply the two densities instead: what happens to the exponents −x²/2s²?",
        ),
        Mistake(
            "variance",
            lambda s_data, S_data, w: _tilted(s_data, S_data, w) ** 2,
            "This is the variance. Its root is asked for.",
        ),
        Mistake(
            "precision",
            lambda s_data, S_data, w: _tilted(s_data, S_data, w) ** -2,
            "This is what stands in front of −x²/2: one divided by the variance.",
        ),
        Mistake(
            "root-of-the-precision",
            lambda s_data, S_data, w: 1 / _tilted(s_data, S_data, w),
            "Your result is upside down: what stands in front of −x²/2 is one divided by the variance.",
        ),
        Mistake(
            "widths-not-squared",
            lambda s_data, S_data, w: 1 / (w / s_data + (1 - w) / S_data),
            "In the exponents the standard deviations come squared.",
        ),
        Mistake(
            "mean-of-widths",
            lambda s_data, S_data, w: w * s_data + (1 - w) * S_data,
            "You mix the widths. The logarithms of the densities are mixed: what stands in them in front of x²?",
        ),
        Mistake(
            "mean-of-variances",
            lambda s_data, S_data, w: (w * s_data**2 + (1 - w) * S_data**2) ** 0.5,
            "You mix the variances. The logarithms of the densities are mixed: what stands in them in front of x²?",
        ),
        _precision_mistake(
            "exchanged",
            lambda s, S, w: w / S**2 + (1 - w) / s**2,
            "s and S are exchanged: w belongs to the data given y.",
        ),
        _precision_mistake(
            "label-given-point",
            lambda s, S, w: w / s**2 + 1 / S**2,
            "This is p(x) p(x|y)^w. The tilt has p(y|x)^w, and by Bayes' rule p(y|x) is p(x|y)/p(x) up to a constant.",
        ),
        _precision_mistake(
            "without-the-prior",
            lambda s, S, w: w / s**2 - w / S**2,
            "This is p(y|x)^w alone: the p(x) in front of it is missing.",
        ),
        _precision_mistake(
            "label-alone",
            lambda s, S, w: w / s**2,
            "This is p(x|y)^w alone: the factor p(x)^(1 − w) is missing.",
        ),
        _precision_mistake(
            "weight-of-the-wrong-sign",
            lambda s, S, w: w / s**2 + (w - 1) / S**2,
            "The exponent of p(x) has the wrong sign: it is 1 − w.",
        ),
        _precision_mistake(
            "other-convention",
            lambda s, S, w: (1 + w) / s**2 - w / S**2,
            "This is the other convention. Here w = 1 is the plain p(x|y).",
        ),
        _precision_mistake(
            "weight-squared",
            lambda s, S, w: (w / s) ** 2 + ((1 - w) / S) ** 2,
            "The weights are squared as well. Only s and S are.",
        ),
        Mistake(
            "not-tilted",
            lambda s_data: s_data,
            "This is the width of p(x|y), right for w = 1 alone.",
        ),
    ]
