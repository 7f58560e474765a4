"""Exercises 15 and 16 of Lab 2: sampling with and without noise, and from any start to any end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from course_lib import simulate
from course_lib.checks.base import Check, Mistake
from course_lib.checks.choice import Choice
from course_lib.checks.judge import Judgement
from course_lib.checks.lab1.langevin import cell_moments
from course_lib.checks.lab2.regression import (
    network,
    random_weights,
    regression,
    regression_mistakes,
)
from course_lib.checks.lab2.training import five_modes
from course_lib.checks.plain import Array
from course_lib.distributions import Chessboard, Circles
from course_lib.paths import LinearPath
from course_lib.shapes import expand_time

__all__ = [
    "CirclesToChessboard",
    "FlowSample",
    "LinearPathLoss",
    "PredictSigma",
    "SDESample",
]


@dataclass(frozen=True)
class _Step:
    """What one step may use: the fields and σ where it begins, its length and its noise."""

    x: Any
    u: Any
    score: Any
    sigma: Any
    h: Any
    noise: Any


def _right_step(s):
    return s.x + s.h * (s.u + s.sigma**2 / 2 * s.score) + s.h.sqrt() * s.sigma * s.noise


def _walk(
    step=_right_step,
    *,
    clock=lambda times, i: times[i],
    length=lambda times, i: times[i + 1] - times[i],
    draw=lambda noise, i: noise[i],
    steps=range,
):
    """A simulation as a formula of the check's inputs; the knobs are what the mistakes turn."""

    def walk(velocity, score, sigma, x, times, noise):
        for i in steps(len(times) - 1):
            t, h = clock(times, i), length(times, i)
            x = step(_Step(x, velocity(x, t), score(x, t), sigma(t), h, draw(noise, i)))
        return x

    return walk


class SDESample(Check):
    """Sampling with noise: Notes (25) by Euler–Maruyama."""

    points = 2
    depends_on = ("sigma", "times", "noise")
    if_random = "Step i uses noise[i], the one that is passed in."
    reference = (simulate.simulate,)

    def inputs(self, rng):
        bend, low, slope = rng.normal(3, 3), rng.number(1.2, 1.5), rng.number(0.4, 0.8)
        lengths = rng.uniform(3, low=0.1, high=0.25)
        return dict(
            velocity=lambda x, t: torch.sin(x @ bend + 4 * expand_time(t, x)),
            score=lambda x, t: torch.cos(3 * expand_time(t, x) * x) - x,
            sigma=lambda t: low + slope * t,
            x=rng.normal(16, 3),
            times=rng.number(0.05, 0.15) + torch.cat([torch.zeros(1), lengths.cumsum(0)]),
            noise=rng.normal(3, 16, 3),
        )

    def run(self, sde_sample, velocity, score, sigma, x, times, noise):
        return sde_sample(velocity, score, sigma, x, times, noise)

    answer = staticmethod(_walk())

    mistakes = [
        Mistake(
            "no-half",
            _walk(
                lambda s: s.x + s.h * (s.u + s.sigma**2 * s.score) + s.h.sqrt() * s.sigma * s.noise
            ),
            "The half in front of σ² s is missing: the score pulls back harder than the noise spreads.",
        ),
        Mistake(
            "sigma-not-squared",
            _walk(
                lambda s: s.x + s.h * (s.u + s.sigma / 2 * s.score) + s.h.sqrt() * s.sigma * s.noise
            ),
            "The drift has σ², the noise has σ.",
        ),
        Mistake(
            "sigma-squared-in-the-noise",
            _walk(
                lambda s: (
                    s.x + s.h * (s.u + s.sigma**2 / 2 * s.score) + s.h.sqrt() * s.sigma**2 * s.noise
                )
            ),
            "The noise has σ, the drift has σ².",
        ),
        Mistake(
            "score-subtracted",
            _walk(
                lambda s: (
                    s.x + s.h * (s.u - s.sigma**2 / 2 * s.score) + s.h.sqrt() * s.sigma * s.noise
                )
            ),
            "The score has the wrong sign: it makes up for the noise, so it points back to where the points are dense.",
        ),
        Mistake(
            "no-score",
            _walk(lambda s: s.x + s.h * s.u + s.h.sqrt() * s.sigma * s.noise),
            "The score is missing in the drift. Noise alone spreads the points: what holds them together?",
        ),
        Mistake(
            "no-velocity",
            _walk(lambda s: s.x + s.h * s.sigma**2 / 2 * s.score + s.h.sqrt() * s.sigma * s.noise),
            "The velocity is missing: this is Langevin dynamics, for a density that stands still.",
        ),
        Mistake(
            "noise-times-h",
            _walk(lambda s: s.x + s.h * (s.u + s.sigma**2 / 2 * s.score + s.sigma * s.noise)),
            "The noise is multiplied by h. A random walk spreads with the root of time.",
        ),
        Mistake(
            "noise-without-h",
            _walk(lambda s: s.x + s.h * (s.u + s.sigma**2 / 2 * s.score) + s.sigma * s.noise),
            "The noise of a step does not know how long the step is: in half the time a random walk spreads less.",
        ),
        Mistake(
            "drift-without-h",
            _walk(lambda s: s.x + s.u + s.sigma**2 / 2 * s.score + s.h.sqrt() * s.sigma * s.noise),
            "The drift is not multiplied by the length of the step.",
        ),
        Mistake(
            "no-noise",
            _walk(lambda s: s.x + s.h * (s.u + s.sigma**2 / 2 * s.score)),
            "There is no noise. The score in the drift then only gathers the points.",
        ),
        Mistake(
            "last-step-missing",
            _walk(steps=lambda n: range(n - 1)),
            "You stop one step early: n + 1 times make n steps. (The Notes' Algorithms 1 and 2 stop early, too.)",
        ),
        Mistake(
            "first-step-missing",
            _walk(steps=lambda n: range(1, n)),
            "Your loop begins with the second step: the first goes from times[0] to times[1].",
        ),
        Mistake(
            "same-noise",
            _walk(draw=lambda noise, i: noise[0]),
            "You use noise[0] in each step. Steps of a random walk know nothing of each other.",
        ),
        Mistake(
            "late-clock",
            _walk(clock=lambda times, i: times[i + 1]),
            "You ask the fields for the time at which the step ends. An Euler step looks at where it begins.",
        ),
        Mistake(
            "clock-stands-still",
            _walk(clock=lambda times, i: times[0]),
            "You ask the fields for the same time in each step. They change on the way.",
        ),
        Mistake(
            "flow-alone",
            _walk(lambda s: s.x + s.h * s.u),
            "This is the flow, right for σ = 0 alone.",
        ),
        Mistake(
            "equal-steps",
            _walk(length=lambda times, i: times[1] - times[0]),
            "You take steps of equal length. The times that are passed in need not be evenly spaced.",
        ),
        Mistake(
            "from-zero-to-one",
            _walk(length=lambda times, i: torch.tensor(1 / (len(times) - 1)).to(times)),
            "Your steps lead from 0 to 1. Those that are asked for lead from times[0] to times[-1].",
        ),
    ]


class PredictSigma(Choice):
    """Prediction: exact fields, few steps, more and more noise."""

    points = 1
    key = "84d93f36eccbc30b"
    replies = {
        "a": "The drift has a part σ²/2 s, and a step trusts it for a time h. As long as hσ²/2 is small beside the squared width of the clouds the score makes good what the noise does; beyond, each step overshoots, and the clouds get too wide, as in Lab 1.",
        "b": "So says the theorem, of the exact process. A simulation takes steps of finite length, and the drift of a step grows with σ². Measure below, then choose again.",
        "c": "Some noise does mend errors: compare σ = 0 and σ = 1 below. But the drift of a step grows with σ². Is there no σ for which the step is too long?",
        "d": "The score gathers them with σ²/2, the noise spreads them with σ. In short steps the two balance. Which of them wins when the steps are too long? Measure below, then choose again.",
    }


_AT_MOST = 1_000_000


def _points(output: Any, at_least: int) -> tuple[torch.Tensor | None, Judgement]:
    """The points as a tensor, or None and what is wrong with them."""
    if not isinstance(output, Array) or output.values.ndim != 2 or output.values.shape[1] != 2:
        message = "A tensor of points of shape (n, 2) was expected."
        if isinstance(output, Array) and output.values.ndim == 3:
            message += (
                f" {output.values.shape} came: are these the states of all times? The last is [-1]."
            )
        return None, Judgement(0, "shape", message)
    if len(output.values) > _AT_MOST:  # before anything is computed of them
        message = f"{len(output.values):,} points came, and at most {_AT_MOST:,} are judged."
        return None, Judgement(0, "too-many", message)
    x = torch.as_tensor(output.values, dtype=torch.float64)
    if len(x) < at_least:
        message = f"{len(x)} points came, and at least {at_least} are needed to judge by."
        return None, Judgement(0, "too-few", message)
    if not x.isfinite().all():
        message = "Some points are NaN or infinite. Was a field asked for at a time at which it divides by 0?"
        return None, Judgement(0, "not-finite", message)
    return x, Judgement(1)


class FlowSample(Check):
    """A sample of the five modes by the trained network.

    Judged as in Lab 1, with room for the errors of a network that was trained for seconds: the
    shares of the points nearest to each mode (total variation at most 0.1) and the mean squared
    distance to the nearest mode (0.6 to 1.75 times the true one). One of the two earns half the
    points, unless the other is far off (0.15; below 0.45 times). Exact samples of 1,000 points are
    five standard deviations and more away from these bounds.
    """

    points = 2
    repeatable = False
    at_least = 1000
    most, low, high = 0.1, 0.6, 1.75

    def judge(self, inputs: dict[str, Any], output: Any) -> Judgement:
        x, fault = _points(output, self.at_least)
        if x is None:
            return fault
        means = five_modes().means
        true_shares, true_spread = cell_moments()
        distance, cell = torch.cdist(x, means).min(dim=1)
        shares = torch.bincount(cell, minlength=len(means)) / len(x)
        gap = (shares - true_shares).abs().sum().item() / 2
        spread = distance.square().mean().item() / true_spread
        numbers = f"Total variation of the mode shares {gap:.3f} (at most {self.most:g}); squared spread {spread:.2f} times the true one ({self.low:g} to {self.high:g})."
        shares_right, spread_right = gap <= self.most, self.low <= spread <= self.high
        if shares_right and spread_right:
            return Judgement(1, None, numbers)
        name, reason = self._reason(x, spread)
        near = (shares_right and 0.45 < spread < self.high) or (spread_right and gap < 0.15)
        half = near and name in ("too-narrow", "wrong-shares")
        return Judgement(0.5 if half else 0, name, reason, numbers)

    def _reason(self, x: torch.Tensor, spread: float) -> tuple[str, str]:
        """What is wrong with the points: the fault's name and a sentence."""
        if x.var(dim=0).sum() < 0.5:
            return (
                "collapsed",
                "The points gather at one place. Does one long step lead from 0 to 1? Seen from t = 0, all arrows point to the mean of the data.",
            )
        if abs(x.square().sum(dim=1).mean().item() - 2) < 0.4:  # 2 for the noise, 4.7 for the modes
            return (
                "not-moved",
                "The points have not got far from the noise of the start. Are these the points at the last time, and is that t = 1?",
            )
        if spread > self.high:
            return (
                "too-wide",
                "The clouds are too wide. Does the simulation reach t = 1 in enough steps, does the drift have the score if there is noise, and can that score be trusted near t = 1?",
            )
        if spread < self.low:
            return (
                "too-narrow",
                "The clouds are too narrow. Is the σ of the noise that of the drift, and is the noise of a step scaled by √h? Near t = 1 the learned score is wrong: let a σ fade there.",
            )
        return (
            "wrong-shares",
            "Each cloud has the right width, but the shares of the modes are wrong. Do the points start from N(0, I), and do they follow the network all the way from t = 0?",
        )


def _linear(t):
    return t, 1 - t, torch.ones_like(t), -torch.ones_like(t)


def _of_pairs(loss):
    """The loss of a Gaussian path as that of the linear path, whose `start` is its noise."""
    return lambda model_weights, start, z, t: loss(model_weights, _linear, z, t, start)


class LinearPathLoss(Check):
    """The loss of the linear path: Notes §4.3."""

    points = 2
    depends_on = ("start", "t")
    differentiable = ("model_weights",)
    if_random = "Draw nothing here: z, its start and its time are passed in."
    reference = (LinearPath.sample, LinearPath.target, LinearPath.conditional_velocity)

    def inputs(self, rng):
        return dict(
            model_weights=random_weights(rng),
            start=rng.uniform(16, 3, low=-2, high=1),
            z=rng.normal(16, 3, scale=1.5),
            t=rng.uniform(16, low=0.1, high=0.9),
        )

    def run(self, linear_path_loss, model_weights, start, z, t):
        return linear_path_loss(network(model_weights), start, z, t)

    answer = staticmethod(_of_pairs(regression(lambda p: p.z - p.noise)))

    mistakes = [
        Mistake(mistake.name, _of_pairs(mistake.formula), mistake.sentence)
        for mistake in regression_mistakes(
            lambda p: p.z - p.noise,
            [
                (
                    "backwards",
                    dict(target=lambda p: p.noise - p.z),
                    "Your target leads from z back to the start.",
                ),
                (
                    "path-exchanged",
                    dict(shown=lambda p: p.t * p.noise + (1 - p.t) * p.z),
                    "In the network's point t and 1 − t are exchanged: at t = 0 it should be at its start.",
                ),
                (
                    "start-and-end-exchanged",
                    dict(
                        shown=lambda p: p.t * p.noise + (1 - p.t) * p.z,
                        target=lambda p: p.noise - p.z,
                    ),
                    "Start and end are exchanged throughout: your path leads from z to the start.",
                ),
                (
                    "way-that-is-left",
                    dict(target=lambda p: p.z - p.x),
                    "z − x_t is the way that is left. A velocity is a way divided by the time for it.",
                ),
                (
                    "predicts-the-end",
                    dict(target=lambda p: p.z),
                    "Your target is the end point. The network learns how fast to go, and where to.",
                ),
                (
                    "sum-for-difference",
                    dict(target=lambda p: p.z + p.noise),
                    "You add start and end. How does (1 − t) x₀ + t z change with t?",
                ),
                (
                    "shown-the-start",
                    dict(shown=lambda p: p.noise),
                    "You show the network the start. When it samples, it will meet points on the way: show it x_t.",
                ),
                (
                    "start-stays",
                    dict(shown=lambda p: p.noise + p.t * p.z),
                    "In the network's point the start never fades. At t = 1 the point should be at z.",
                ),
            ],
        )
    ]


class CirclesToChessboard(Check):
    """From the circles to the chessboard.

    Judged by the share of points on black squares (at least 75 %, half the points from 62 %) and
    by how evenly the eight squares are filled (total variation of their shares at most 0.15).
    Of points anywhere on the board 50 % are on black, of the circles 47 %. Exact samples always
    are, and one of 1,000 points is ten standard deviations away from being called uneven.
    """

    points = 3
    repeatable = False
    at_least = 1000
    full, half, uneven = 0.75, 0.62, 0.15

    def judge(self, inputs: dict[str, Any], output: Any) -> Judgement:
        x, fault = _points(output, self.at_least)
        if x is None:
            return fault
        board = Chessboard(dtype=torch.float64)
        black = board.contains(x)
        share = black.double().mean().item()
        row, column = ((x[black] + board.half_width) / board.side).floor().long().unbind(dim=1)
        counts = torch.bincount(2 * row + column // 2, minlength=8).double()
        gap = (counts / counts.sum().clamp(min=1) - 1 / 8).abs().sum().item() / 2
        numbers = f"{share:.1%} on black (at least {self.full:.0%}; 50 % by chance). Total variation of the black squares' shares {gap:.3f} (at most {self.uneven:g})."
        if share >= self.full and gap <= self.uneven:
            return Judgement(1, None, numbers)
        name, reason = self._reason(x, share, gap)
        near = share >= self.half and gap <= 2 * self.uneven
        return Judgement(0.5 if near else 0, name, reason, numbers)

    def _reason(self, x: torch.Tensor, share: float, gap: float) -> tuple[str, str]:
        """What is wrong with the points: the fault's name and a sentence."""
        radius = x.norm(dim=1)
        circles = (radius[:, None] - Circles().radii).abs().amin(dim=1) < 0.2
        if circles.double().mean() > 0.9:
            return (
                "still-circles",
                "These still are the circles. Are these the points at the last time, and does the trained flow lead from the circles to the board, not back?",
            )
        if x.var(dim=0).sum() < 1:
            return (
                "collapsed",
                "The points gather at one place. Does one long step lead from 0 to 1? Seen from t = 0, all arrows point to the middle of the board.",
            )
        if (radius < 1).double().mean() > 0.33:  # 0.39 of a standard Gaussian, 0.20 of the board
            if (x.abs() > 2).any(dim=1).double().mean() > 0.05:
                return (
                    "gaussian",
                    "The points lie like a Gaussian cloud. In this exercise the start is a sample of the circles, in training as in sampling.",
                )
            return (
                "half-way",
                "The points crowd in the middle of the board, as they do half-way. Are these the points at the last time, and is that t = 1?",
            )
        if (x.abs() > 2.2).any(dim=1).double().mean() > 0.15:
            return (
                "off-the-board",
                "Many points are off the board. Do they start on the circles, as in training, and does the simulation stop at t = 1?",
            )
        if share < 0.3:
            return (
                "white-squares",
                "Most points are on white squares. Black is the square in the corner of the smallest coordinates.",
            )
        if share >= self.half and gap > self.uneven:
            return (
                "uneven",
                "Some black squares are crowded, others nearly empty. Are start and end drawn independently, fresh in each step?",
            )
        return (
            "blurred",
            "Too many points are on white squares. Is the network trained long enough, with a time for every pair, and does it see the waves that `fourier` gives it?",
        )
