"""Exercises 7 and 8 of Lab 2: the continuity equation, and the SDEs that keep the marginals."""

from __future__ import annotations

import torch

from course_lib.checks.base import Check, Mistake
from course_lib.checks.choice import Choice
from course_lib.checks.lab2.fields import (
    BOTH_TIMES,
    NOTHING_RANDOM,
    SECONDS,
    at_both_times,
    random_schedule,
    random_times,
)
from course_lib.checks.lab2.fields import mistake_at_both_times as mistake
from course_lib.shapes import expand_time

__all__ = [
    "ContinuityResidual",
    "PredictUnchanged",
    "PredictVariance",
    "SDEDrift",
    "VarianceRate",
]


class _Velocity:
    """A smooth velocity in space that depends on t, with its Jacobian in closed form."""

    def __init__(self, rng):
        self.matrix, self.bend, self.wind = rng.normal(3, 3), rng.normal(3, 3), rng.normal(3)

    def __call__(self, x, t):
        t = expand_time(t, x)
        return torch.sin(x @ self.matrix + t * self.wind) + (1 + t) * (x @ self.bend)

    def jacobian(self, x, t):
        """∂u_j/∂x_i at [:, i, j]."""
        t = expand_time(t, x)
        slope = torch.cos(x @ self.matrix + t * self.wind)
        return self.matrix * slope[:, None] + (1 + t)[..., None] * self.bend


class _LogDensity:
    """A smooth log density in space that depends on t, up to a constant, with its derivatives."""

    def __init__(self, rng):
        self.wave, self.drift = rng.normal(3), rng.normal(3)

    def __call__(self, x, t):
        offset = x - expand_time(t, x) * self.drift
        return torch.cos(x @ self.wave + 3 * t) - offset.square().sum(-1) / 4

    def derivatives(self, x, t):
        """∂_t log p, shape (batch,), and ∇ log p, shape (batch, 3)."""
        steepness = -torch.sin(x @ self.wave + 3 * t)
        offset = x - t[:, None] * self.drift
        score = steepness[:, None] * self.wave - offset / 2
        return 3 * steepness + offset @ self.drift / 2, score


def _residual(log_density, velocity, x, t, combine):
    """Combine ∂_t log p, the Jacobian of u, u·∇log p and log p."""
    change, score = log_density.derivatives(x, t)
    uphill = (velocity(x, t) * score).sum(-1)
    return combine(change, velocity.jacobian(x, t), uphill, log_density(x, t))


def _divergence(jacobian):
    return jacobian.diagonal(dim1=1, dim2=2).sum(-1)


def _piled_up(log_density, velocity, x, t):
    """With a divergence from gradients that hold those of the earlier components as well."""

    def combine(change, jacobian, uphill, log_p):
        return change + jacobian.tril().sum((1, 2)) + uphill

    return _residual(log_density, velocity, x, t, combine)


def _piled_up_on_the_score(log_density, velocity, x, t):
    """The same, where x.grad held the score already."""
    _, score = log_density.derivatives(x, t)
    return _piled_up(log_density, velocity, x, t) + score.sum(-1)


def _residual_mistake(name, combine, sentence):
    """A mistake as a formula of ∂_t log p, the Jacobian of u, u·∇log p and log p."""

    def formula(log_density, velocity, x, t):
        return _residual(log_density, velocity, x, t, combine)

    return Mistake(name, formula, sentence)


class ContinuityResidual(Check):
    """The residual of the continuity equation: Notes (24), divided by p.

    The density and the velocity are no pair, so the residual is not 0; the density is not
    normalised, which its logarithm's derivatives do not feel.
    """

    points = 3
    depends_on = ("t",)
    if_random = "There is nothing random here: differentiate by each coordinate in turn."
    seconds = SECONDS

    def inputs(self, rng):
        return dict(
            log_density=_LogDensity(rng),
            velocity=_Velocity(rng),
            x=rng.normal(24, 3, scale=2.0),
            t=rng.uniform(24, low=0.1, high=0.9),
        )

    def run(self, continuity_residual, log_density, velocity, x, t):
        return continuity_residual(log_density, velocity, x, t)

    def answer(self, log_density, velocity, x, t):
        return _residual(
            log_density,
            velocity,
            x,
            t,
            lambda change, jacobian, uphill, log_p: change + _divergence(jacobian) + uphill,
        )

    mistakes = [
        _residual_mistake(
            "no-uphill-term",
            lambda change, jacobian, uphill, log_p: change + _divergence(jacobian),
            "div(p u) is the derivative of a product: p changes from place to place, not only u. (Without that term the time derivative would have to ride along with the particle.)",
        ),
        _residual_mistake(
            "no-time-derivative",
            lambda change, jacobian, uphill, log_p: _divergence(jacobian) + uphill,
            "This is the outflow alone. The equation balances it with the change of the density in time.",
        ),
        _residual_mistake(
            "no-divergence",
            lambda change, jacobian, uphill, log_p: change + uphill,
            "This is how log p changes along the particle's way. Particles also spread apart, which thins them out: where is the divergence of u?",
        ),
        _residual_mistake(
            "divergence-subtracted",
            lambda change, jacobian, uphill, log_p: change - _divergence(jacobian) + uphill,
            "Where particles spread apart the density falls: bring div(p u) to the left side of Notes (24) and look at its sign.",
        ),
        _residual_mistake(
            "outflow-subtracted",
            lambda change, jacobian, uphill, log_p: change - _divergence(jacobian) - uphill,
            "Where mass flows out the density falls: bring div(p u) to the left side of Notes (24) and look at its sign.",
        ),
        _residual_mistake(
            "uphill-term-subtracted",
            lambda change, jacobian, uphill, log_p: change + _divergence(jacobian) - uphill,
            "Both terms of div(p u), by the product rule, have the same sign.",
        ),
        _residual_mistake(
            "uphill-term-twice",
            lambda change, jacobian, uphill, log_p: change + _divergence(jacobian) + 2 * uphill,
            "u·∇log p is counted twice. ∂_t is the change at a fixed place: nothing moves in it.",
        ),
        _residual_mistake(
            "whole-jacobian",
            lambda change, jacobian, uphill, log_p: change + jacobian.sum((1, 2)) + uphill,
            "You sum the whole Jacobian. The divergence has only ∂u_i/∂x_i in it, the diagonal: differentiate one component at a time.",
        ),
        _residual_mistake(
            "last-coordinate-only",
            lambda change, jacobian, uphill, log_p: change + jacobian[:, -1, -1] + uphill,
            "Your divergence has one term alone, that of the last coordinate. If you loop: add up, do not overwrite.",
        ),
        _residual_mistake(
            "first-two-coordinates",
            lambda change, jacobian, uphill, log_p: (
                change + jacobian[:, 0, 0] + jacobian[:, 1, 1] + uphill
            ),
            "Your divergence is that of the plane. Sum over all coordinates that x has.",
        ),
        _residual_mistake(
            "divergence-averaged",
            lambda change, jacobian, uphill, log_p: change + _divergence(jacobian) / 3 + uphill,
            "The divergence is the sum over the coordinates, not the mean.",
        ),
        _residual_mistake(
            "times-the-density",
            lambda change, jacobian, uphill, log_p: (
                log_p.exp() * (change + _divergence(jacobian) + uphill)
            ),
            "This is ∂_t p + div(p u). The exercise divides by p, so that the residual keeps its size far from the data.",
        ),
        _residual_mistake(
            "turned-round",
            lambda change, jacobian, uphill, log_p: -(change + _divergence(jacobian) + uphill),
            "The sign of the whole is turned round: ∂_t log p comes with a plus.",
        ),
        _residual_mistake(
            "time-derivative-subtracted",
            lambda change, jacobian, uphill, log_p: -change + _divergence(jacobian) + uphill,
            "With everything on one side of Notes (24), ∂_t log p has the same sign as the divergence.",
        ),
        *(
            Mistake(
                "gradients-pile-up",
                formula,
                "Each gradient still has the earlier ones in it: backward() adds to x.grad. Take torch.autograd.grad, or empty x.grad before each coordinate.",
            )
            for formula in (_piled_up, _piled_up_on_the_score)
        ),
        _residual_mistake(
            "divergence-of-the-batch",
            lambda change, jacobian, uphill, log_p: change + _divergence(jacobian).sum() + uphill,
            "Your divergence is one number for the whole batch. Each point has its own: sum over the coordinates, not over the points.",
        ),
        *(
            _residual_mistake(
                "without-its-sign",
                formula,
                "Leave the residual as it is, with its sign: take neither its square nor its absolute value.",
            )
            for formula in (
                lambda change, jacobian, uphill, log_p: (
                    (change + _divergence(jacobian) + uphill) ** 2
                ),
                lambda change, jacobian, uphill, log_p: (
                    change + _divergence(jacobian) + uphill
                ).abs(),
            )
        ),
    ]


class PredictUnchanged(Choice):
    """Prediction: another field for the same marginals."""

    points = 1
    key = "214042038eeb2f77"
    replies = {
        "a": "Then the whole cloud would drift to the right, and its mean with it. Look at the residual below, then choose again.",
        "b": "The rotation carries each particle round a circle on which p_t is the same everywhere: as much flows in as out. So p_t does not say which way its particles go.",
        "c": "The cloud would change its width twice as fast, so it would arrive at another one. Look at the residual below, then choose again.",
        "d": "The equation asks only that div(p_t u_t) be right. Can one add a flow that brings as much into every place as it takes out? Look at the residuals below, then choose again.",
    }


def _drift(combine):
    """A formula of u, s and σ at x and t as one of the check's inputs."""
    return lambda velocity, score, sigma, x, t: combine(
        velocity(x, t), score(x, t), expand_time(sigma(t), x)
    )


class SDEDrift(Check):
    """The drift of the SDE that keeps the marginals: Notes (25)."""

    points = 1
    parts = BOTH_TIMES
    depends_on = ("t",)
    if_random = "The drift has no noise in it: the simulation's step adds the noise."

    def inputs(self, rng):
        matrix, other = rng.normal(2, 2), rng.normal(2, 2)
        start, growth = rng.number(0.3, 0.6), rng.number(1.5, 2.5)

        def velocity(x, t):
            return torch.sin(x @ matrix) + expand_time(t, x) * x

        def score(x, t):
            return -torch.tanh(x @ other) - (2 - expand_time(t, x)) * x

        def sigma(t):
            return start + growth * t**2

        return dict(
            velocity=velocity,
            score=score,
            sigma=sigma,
            x=rng.normal(16, 2),
            **random_times(rng, 16),
        )

    def run(self, sde_drift, velocity, score, sigma, x, t, shared_t):
        return sde_drift(velocity, score, sigma, x, t), sde_drift(
            velocity, score, sigma, x, shared_t
        )

    def answer(self, **inputs):
        right = _drift(lambda u, s, sigma: u + sigma**2 / 2 * s)
        return at_both_times(right)(**inputs)

    mistakes = [
        mistake(
            "no-half",
            _drift(lambda u, s, sigma: u + sigma**2 * s),
            "The half is missing: the noise spreads p_t at the rate σ²/2, and the score has to undo just that.",
        ),
        mistake(
            "sigma-not-squared",
            _drift(lambda u, s, sigma: u + sigma / 2 * s),
            "σ stands in front of dW. What it does to the density goes with σ².",
        ),
        mistake(
            "no-half-and-sigma-not-squared",
            _drift(lambda u, s, sigma: u + sigma * s),
            "σ stands in front of dW. The drift needs another factor: look at Notes (25) again.",
        ),
        mistake(
            "half-squared",
            _drift(lambda u, s, sigma: u + (sigma / 2) ** 2 * s),
            "You square the half as well. Only σ is squared.",
        ),
        mistake(
            "minus",
            _drift(lambda u, s, sigma: u - sigma**2 / 2 * s),
            "The noise spreads the particles; the score must gather them again, so it pulls uphill. A minus belongs to the clock that runs from data to noise.",
        ),
        mistake(
            "reverse-sde",
            _drift(lambda u, s, sigma: sigma**2 * s - u),
            "This is the drift of a forward noising process run backwards. Here time runs from noise to data, and so does u.",
        ),
        mistake(
            "minus-the-whole-sigma-squared",
            _drift(lambda u, s, sigma: u - sigma**2 * s),
            "This reverses a noising SDE whose drift is u. Here u is the velocity of the *flow*, and time runs from noise to data.",
        ),
        mistake(
            "score-alone",
            _drift(lambda u, s, sigma: sigma**2 / 2 * s),
            "This is Langevin's drift, for a p that stands still. Here p_t moves: what carries it?",
        ),
        mistake(
            "velocity-alone",
            _drift(lambda u, s, sigma: u),
            "This is the drift of the ODE. With noise added and nothing against it the particles would spread too far.",
        ),
        mistake(
            "roles-exchanged",
            _drift(lambda u, s, sigma: s + sigma**2 / 2 * u),
            "Velocity and score are exchanged: it is the score that goes with σ.",
        ),
        mistake(
            "half-sigma-squared-on-both",
            _drift(lambda u, s, sigma: sigma**2 / 2 * (u + s)),
            "You multiply the velocity as well. It carries the particles by itself; σ²/2 belongs to the score alone.",
        ),
        mistake(
            "sigma-added",
            _drift(lambda u, s, sigma: u + sigma**2 / 2 * s + sigma),
            "σ dW is the other half of the SDE. The drift is what stands in front of dt.",
        ),
    ]


class PredictVariance(Choice):
    """Prediction: more noise on the way."""

    points = 1
    key = "786910932919aad3"
    replies = {
        "a": "The noise alone would do that. What does the new term in the drift do meanwhile? Follow the variance below, then choose again.",
        "b": "The score pulls back, true. Does it win, lose or draw? Follow the variance below, then choose again.",
        "c": "The noise widens p_t and the score narrows it, at exactly the same rate: p_t stays what it was, for every σ.",
        "d": "The score gathers the particles, true. But what does the noise do meanwhile? Follow the variance below, then choose again.",
    }


def _variance_rate(
    schedule, variance, t, data_std, sigma, *, pull=0.5, noise=1.0, twice=2.0, rate=None, below=None
):
    """2cV + σ², with the knobs that the mistakes turn: the defaults are right."""
    a, b, da, db = schedule(t)
    s = data_std
    growth = a * da * s**2 + b * db if rate is None else rate(a, b, da, db, s)
    spread = a**2 * s**2 + b**2 if below is None else below(a, b, s)
    return twice * (growth - pull * sigma**2) / spread * variance + noise * sigma**2


def _rate_by_drift(coefficient):
    """The rate under another drift; c as a formula of ½v̇, v, V, σ and the schedule's β and β̇."""

    def rate(schedule, variance, t, data_std, sigma):
        a, b, da, db = schedule(t)
        half = a * da * data_std**2 + b * db
        exact = a**2 * data_std**2 + b**2
        return 2 * coefficient(half, exact, variance, sigma, b, db) * variance + sigma**2

    return rate


def _exact_rate(schedule, variance, t, data_std, sigma):
    a, b, da, db = schedule(t)
    return 2 * (a * da * data_std**2 + b * db)


def _rate_mistake(name, sentence, formula=_variance_rate, **knobs):
    """A mistake whose formula is given for one variance and one t: see `_variance_rate`."""

    def formula_for_many_and_one(schedule, variance, one_variance, t, data_std, sigma):
        return (
            formula(schedule, variance, t, data_std, sigma, **knobs),
            formula(schedule, one_variance, t, data_std, sigma, **knobs),
        )

    return Mistake(name, formula_for_many_and_one, sentence)


class VarianceRate(Check):
    """How fast the variance of the SDE changes."""

    points = 2
    parts = ("a tensor of variances", "one variance, a number")
    depends_on = ("schedule",)
    if_random = NOTHING_RANDOM

    def inputs(self, rng):
        return dict(
            schedule=random_schedule(rng),
            variance=rng.uniform(6, low=0.2, high=3),
            one_variance=rng.number(0.5, 2),
            t=rng.uniform(1, low=0.15, high=0.85)[0],
            data_std=rng.number(0.4, 0.8),
            sigma=rng.number(1.2, 2),
        )

    def run(self, variance_rate, schedule, variance, one_variance, t, data_std, sigma):
        return variance_rate(schedule, variance, t, data_std, sigma), variance_rate(
            schedule, one_variance, t, data_std, sigma
        )

    def answer(self, schedule, variance, one_variance, t, data_std, sigma):
        return _variance_rate(schedule, variance, t, data_std, sigma), _variance_rate(
            schedule, one_variance, t, data_std, sigma
        )

    mistakes = [
        _rate_mistake(
            "drift-once",
            "In a short time h the drift multiplies x by 1 + ch, so it multiplies the variance by the square of that.",
            twice=1.0,
        ),
        _rate_mistake(
            "half-the-noise",
            "The half belongs to the Fokker–Planck equation. A step of length h adds noise of variance h·σ².",
            noise=0.5,
        ),
        _rate_mistake(
            "half-of-all",
            "This is half the rate. In a short time h the drift multiplies the variance by (1 + ch)², and the noise adds h·σ².",
            twice=1.0,
            noise=0.5,
        ),
        _rate_mistake(
            "no-noise",
            "This is what the drift does to the variance. The noise adds to it.",
            noise=0.0,
        ),
        _rate_mistake(
            "sigma-not-squared",
            "The noise of a step has the standard deviation √h·σ, so its variance goes with σ².",
            formula=lambda schedule, variance, t, data_std, sigma: (
                _variance_rate(schedule, variance, t, data_std, sigma, noise=0.0) + sigma
            ),
        ),
        _rate_mistake(
            "drift-of-the-ode",
            "Your drift is that of the ODE. The SDE's drift has a further term, the score's.",
            pull=0.0,
        ),
        _rate_mistake(
            "score-outwards",
            "Your score drives the particles apart. That of a Gaussian points to its centre, so it has a minus.",
            pull=-0.5,
        ),
        _rate_mistake(
            "no-half-in-the-drift",
            "In the drift the score comes with half of σ²: see Notes (25).",
            pull=1.0,
        ),
        _rate_mistake(
            "rate-of-the-exact-variance",
            "This is how α²s² + β² changes, whatever `variance` is. The drift belongs to p_t and stays what it is; a cloud of another variance, put into it, changes at another rate.",
            formula=lambda schedule, variance, t, data_std, sigma: (
                _exact_rate(schedule, variance, t, data_std, sigma) + 0 * variance
            ),
        ),
        _rate_mistake(
            "rate-of-the-exact-variance",
            "This is how α²s² + β² changes, whatever `variance` is. The drift belongs to p_t and stays what it is; a cloud of another variance, put into it, changes at another rate.",
            formula=_exact_rate,
        ),
        _rate_mistake(
            "particles-variance-in-the-score",
            "In your rate σ cancels. The score has the path's own variance v_t in it, not the particles' `variance`: the field does not know who follows it.",
            formula=_rate_by_drift(
                lambda half, exact, variance, sigma, b, db: half / exact - sigma**2 / (2 * variance)
            ),
        ),
        _rate_mistake(
            "particles-variance-in-the-velocity",
            "The velocity has the path's own variance v_t in it, not the particles' `variance`: the field does not know who follows it.",
            formula=_rate_by_drift(
                lambda half, exact, variance, sigma, b, db: half / variance - sigma**2 / (2 * exact)
            ),
        ),
        _rate_mistake(
            "no-half-in-the-velocity",
            "In your velocity stands v̇, where Exercise 5 has ½v̇: distances go with the root of the variance.",
            rate=lambda a, b, da, db, s: 2 * (a * da * s**2 + b * db),
        ),
        *(
            _rate_mistake(
                "single-point",
                "You use Notes (21) or (28), as if the data were a single point. Here they have the width `data_std`: take the velocity and the score of a block.",
                formula=_rate_by_drift(coefficient),
            )
            for coefficient in (
                lambda half, exact, variance, sigma, b, db: db / b - sigma**2 / (2 * b**2),
                lambda half, exact, variance, sigma, b, db: db / b - sigma**2 / (2 * exact),
                lambda half, exact, variance, sigma, b, db: half / exact - sigma**2 / (2 * b**2),
            )
        ),
        _rate_mistake(
            "velocity-not-divided",
            "The division by the variance of p_t is missing: both the velocity and the score of N(0, v) have v below.",
            below=lambda a, b, s: 1.0,
        ),
        _rate_mistake(
            "alpha-not-in-the-variance",
            "The variance of p_t is that of αz + βε: the data are scaled by α.",
            below=lambda a, b, s: s**2 + b**2,
        ),
        _rate_mistake(
            "std-not-squared",
            "`data_std` is a standard deviation: in a variance, and in its rate of change, it is squared.",
            rate=lambda a, b, da, db, s: a * da * s + b * db,
            below=lambda a, b, s: a**2 * s + b**2,
        ),
        _rate_mistake(
            "alpha-lost",
            "Differentiate α²s² + β² with care: in the first term both α and α̇ appear, in the second both β and β̇.",
            rate=lambda a, b, da, db, s: da * s**2 + b * db,
        ),
        _rate_mistake(
            "alpha-lost",
            "Differentiate α²s² + β² with care: in the first term both α and α̇ appear, in the second both β and β̇.",
            rate=lambda a, b, da, db, s: a * da * s**2 + db,
        ),
        _rate_mistake(
            "noise-alone-in-the-drift",
            "The noise shrinks, but the spread of the data grows with α at the same time: a part of the velocity is missing.",
            rate=lambda a, b, da, db, s: b * db,
        ),
        _rate_mistake(
            "coefficient",
            "This is c, the coefficient in the drift. What does it do to the variance, and what does the noise add?",
            formula=lambda schedule, variance, t, data_std, sigma: _variance_rate(
                schedule, 1.0, t, data_std, sigma, twice=1.0, noise=0.0
            ),
        ),
    ]
