"""Exercises 5 and 6 of Lab 2: posterior weights, the marginal velocity and the marginal score."""

from __future__ import annotations

import math

import torch

from course_lib import oracles
from course_lib.checks.base import Check, Mistake
from course_lib.checks.choice import Choice
from course_lib.checks.lab2.fields import (
    NOTHING_RANDOM,
    SECONDS,
    random_mixture,
    random_schedule,
    random_times,
    schedule_at,
)
from course_lib.distributions import GaussianMixture

__all__ = ["MarginalScore", "MarginalVelocity", "PosteriorWeights", "PredictFirstArrow"]


class PredictFirstArrow(Choice):
    """Prediction: where the first arrow points."""

    points = 1
    key = "8c8365c693253f39"
    replies = {
        "a": "So it will be at the end, near t = 1. But what does a particle of pure noise at t = 0 tell of the point that it will become? Look at the arrow below, then choose again.",
        "b": "That is where it will have to go in the mean when the data are centred at 0. Are they? Look at the arrow below, then choose again.",
        "c": "One particle may reach any of the points, true; but a velocity is a function of x and t, and gives the same arrow whenever it is asked. Look at the arrow below, then choose again.",
        "d": "At t = 0 the noise tells nothing of z, so every data point has the same weight: the arrow is the mean of all the ways z − x.",
    }


def _spread(alpha, beta, stds):
    """The variance of each component at time t: what was s² in the data."""
    return alpha**2 * stds**2 + beta**2


def _data_spread(alpha, beta, stds):
    return stds**2


def _noise_spread(alpha, beta, stds):
    return beta**2 + 0 * stds


def _root_spread(alpha, beta, stds):
    return _spread(alpha, beta, stds).sqrt()


def _spread_of_unsquared_stds(alpha, beta, stds):
    return alpha**2 * stds + beta**2


def _unscaled_spread(alpha, beta, stds):
    return stds**2 + beta**2


def _offset(alpha, x, means):
    """From the centre of each component at time t to each point, shape (batch, k, dim)."""
    return x[:, None] - alpha[..., None] * means


def _square(offset):
    return offset.square().sum(-1)


def _log_joint(
    schedule, x, t, means, stds, weights, *,
    spread=_spread, below=None, centre=True, size=_square, d=3, half=2, log=True,
):  # fmt: skip
    """log of w_k N(x; α m_k, V_k I) less a constant, with the knobs that the mistakes turn.

    `below` is the variance in the exponent where it is another than that in the normaliser.
    """
    alpha, beta, *_ = schedule_at(schedule, t, x)
    variance = spread(alpha, beta, stds)
    divisor = half * (variance if below is None else below(alpha, beta, stds))
    squares = size(_offset(alpha if centre else torch.ones_like(alpha), x, means))
    return -squares / divisor - d / 2 * variance.log() + (weights.log() if log else weights)


def _posterior(*inputs, axis=1, **knobs):
    return _log_joint(*inputs, **knobs).softmax(dim=axis)


def _log_posterior(*inputs):
    return _log_joint(*inputs).log_softmax(dim=1)


def _log_of_posterior(*inputs):
    """The same, but minus infinity where a weight is too small for a float."""
    return _posterior(*inputs).log()


def _log_normed_joint(*inputs):
    return _log_joint(*inputs) - 1.5 * math.log(2 * math.pi)


def _joint(*inputs):
    return _log_joint(*inputs).exp()


def _normed_joint(*inputs):
    """The joint with the constant that the logarithm leaves out: 1/(2π)^{d/2} in space."""
    return _joint(*inputs) * (2 * torch.pi) ** -1.5


def _underflowing(*inputs):
    """The posterior by dividing densities: far away 0/0."""
    joint = _joint(*inputs)
    return joint / joint.sum(dim=1, keepdim=True)


def _posterior_of_points(schedule, x, t, means, stds, weights):
    return _posterior(schedule, x, t, means, 0 * stds, weights)


def _prior(schedule, x, t, means, stds, weights):
    return weights.expand(len(x), -1)


def _unweighted(schedule, x, t, means, stds, weights):
    return _posterior(schedule, x, t, means, stds, torch.ones_like(weights))


def _everywhere(function, schedule, x, t, far_x, shared_t, means, stds, weights):
    """Near the means; and far away, with data points in place of Gaussians."""
    return (
        function(schedule, x, t, means, stds, weights),
        function(schedule, far_x, shared_t, means, torch.zeros_like(stds), weights),
    )


def _mistake(name, function, sentence, **knobs):
    """A mistake whose formula is given for one set of points."""

    def formula(schedule, x, t, far_x, shared_t, means, stds, weights):
        return _everywhere(
            lambda *inputs: function(*inputs, **knobs),
            schedule, x, t, far_x, shared_t, means, stds, weights,
        )  # fmt: skip

    return Mistake(name, formula, sentence)


class PosteriorWeights(Check):
    """Posterior weights: which component does x come from?"""

    points = 2
    parts = ("near the means", "at |x| = 1000, every std 0, one t for all points")
    depends_on = ("schedule",)
    if_random = NOTHING_RANDOM
    seconds = SECONDS
    reference = (
        oracles.Marginal.responsibilities,
        GaussianMixture.responsibilities,
    )

    def inputs(self, rng):
        far = 1e3 * torch.tensor([[1.0, 0.0, 0.0], [0.0, -0.6, 0.8]])
        return dict(
            schedule=random_schedule(rng),
            x=rng.normal(12, 3, scale=1.5),
            far_x=far.double(),
            **random_times(rng, 12),
            **random_mixture(rng),
        )

    def run(self, posterior_weights, schedule, x, t, far_x, shared_t, means, stds, weights):
        return _everywhere(posterior_weights, schedule, x, t, far_x, shared_t, means, stds, weights)

    def answer(self, schedule, x, t, far_x, shared_t, means, stds, weights):
        return _everywhere(_posterior, schedule, x, t, far_x, shared_t, means, stds, weights)

    mistakes = [
        _mistake(
            "prior-weights",
            _prior,
            "These are the prior weights w, the same for every x. Near the centre of a component that component should count most.",
        ),
        _mistake(
            "underflow",
            _underflowing,
            "Right near the means, but at |x| = 1000 every density underflows to 0 and 0/0 is NaN. Stay with log densities until the last step.",
        ),
        *(
            _mistake(
                "not-normalised",
                joint,
                "The weights of one x do not sum to 1. Bayes' rule also divides by the density of x, the sum over the components.",
            )
            for joint in (_joint, _normed_joint)
        ),
        *(
            _mistake(
                "log-weights",
                logarithm,
                "These are logarithms. Exponentials, normalised to sum to 1 over the components, would be weights.",
            )
            for logarithm in (_log_joint, _log_normed_joint)
        ),
        *(
            _mistake(
                "log-posterior",
                logarithm,
                "These are the logarithms of the weights. Wanted are the weights themselves: each row sums to 1.",
            )
            for logarithm in (_log_posterior, _log_of_posterior)
        ),
        _mistake(
            "data-variance",
            _posterior,
            "You use the component's variance in the data, s². By time t it is scaled, and noise has been added.",
            spread=_data_spread,
        ),
        _mistake(
            "noise-variance",
            _posterior,
            "You use the variance of the noise alone, as if every component were a single point. Its own spread adds to it.",
            spread=_noise_spread,
        ),
        _mistake(
            "alpha-not-in-the-variance",
            _posterior,
            "The path scales the whole component, its spread as well as its mean. α is missing in the variance.",
            spread=_unscaled_spread,
        ),
        _mistake(
            "alpha-not-squared",
            _posterior,
            "Scaled by α, a standard deviation takes α and a variance takes α².",
            spread=lambda alpha, beta, stds: alpha * stds**2 + beta**2,
        ),
        _mistake(
            "deviations-added",
            _posterior,
            "You add standard deviations. For independent data and noise the variances add.",
            spread=lambda alpha, beta, stds: (alpha * stds + beta) ** 2,
        ),
        _mistake(
            "std-not-squared",
            _posterior,
            "`stds` are standard deviations: in a variance they are squared.",
            spread=_spread_of_unsquared_stds,
        ),
        *(
            _mistake(
                "nothing-squared",
                _posterior,
                "α and β scale points. In a variance each of them is squared.",
                spread=spread,
            )
            for spread in (
                lambda alpha, beta, stds: alpha * stds**2 + beta,
                lambda alpha, beta, stds: alpha * stds + beta,
            )
        ),
        *(
            _mistake(
                "deviation-for-the-variance",
                _posterior,
                "You divide by the standard deviation. In the exponent of a Gaussian stands the variance.",
                **knobs,
            )
            for knobs in (dict(spread=_root_spread), dict(below=_root_spread))
        ),
        _mistake(
            "variance-squared",
            _posterior,
            "Your variance is squared once more. Does a function that you call want a standard deviation, and get the variance?",
            spread=lambda alpha, beta, stds: _spread(alpha, beta, stds) ** 2,
        ),
        *(
            _mistake(
                "distance-not-squared",
                _posterior,
                "In the exponent of a Gaussian the distance from the centre is squared.",
                size=size,
            )
            for size in (
                lambda offset: offset.norm(dim=-1),
                lambda offset: offset.abs().sum(-1),
                lambda offset: offset.sum(-1),
            )
        ),
        _mistake(
            "mean-of-the-squares",
            _posterior,
            "The squared distance is the sum of the squares over the coordinates, not their mean.",
            size=lambda offset: offset.square().mean(-1),
        ),
        _mistake(
            "beta-not-squared",
            _posterior,
            "β is a standard deviation: in a variance it is squared.",
            spread=lambda alpha, beta, stds: alpha**2 * stds**2 + beta,
        ),
        _mistake(
            "no-alpha",
            _posterior,
            "At time t the centre of a component is not yet at its mean m: the path scales it.",
            centre=False,
        ),
        _mistake(
            "no-half",
            _posterior,
            "The log density of a Gaussian is −|x − mean|² / (2 · variance): the 2 is missing.",
            half=1,
        ),
        _mistake(
            "wrong-sign",
            _posterior,
            "The sign is turned round: your farthest component gets the largest weight.",
            half=-2,
        ),
        _mistake(
            "no-normaliser",
            _posterior,
            "A narrow component is also higher: its density has a normaliser that depends on the variance.",
            d=0,
        ),
        _mistake(
            "one-dimension",
            _posterior,
            "Your normaliser is that of one dimension. In d dimensions it is its d-th power.",
            d=1,
        ),
        _mistake(
            "two-dimensions",
            _posterior,
            "Your normaliser is that of the plane. Take the dimension from x.",
            d=2,
        ),
        _mistake(
            "normaliser-of-the-variance",
            _posterior,
            "Lab 1's d log s is written with the standard deviation; with a variance v, log s = ½ log v.",
            d=6,
        ),
        _mistake(
            "normaliser-upside-down",
            _posterior,
            "The normaliser has the wrong sign in the logarithm: a narrow component is higher.",
            d=-3,
        ),
        _mistake(
            "no-weights",
            _unweighted,
            "The mixture's weights are missing: a component that is rare in the data is rare among the posteriors too.",
        ),
        _mistake(
            "weights-without-logarithm",
            _posterior,
            "You add the weights to log densities. Add their logarithms.",
            log=False,
        ),
        _mistake(
            "softmax-over-the-points",
            _posterior,
            "Your weights sum to 1 over the points. For each point they should sum to 1 over the components: dim=1.",
            axis=0,
        ),
    ]


def _component_velocities(
    schedule, x, t, means, stds, *, rate=None, spread=_spread, carried=True, centre=True
):
    """The velocity of each component, shape (batch, k, dim), with the knobs of the mistakes."""
    alpha, beta, alpha_dot, beta_dot = schedule_at(schedule, t, x)
    right = alpha * alpha_dot * stds**2 + beta * beta_dot
    top = right if rate is None else rate(alpha, beta, alpha_dot, beta_dot, stds)
    growth = (top / spread(alpha, beta, stds))[..., None]
    offset = _offset(alpha if centre else torch.ones_like(alpha), x, means)
    return (alpha_dot[..., None] * means if carried else 0) + growth * offset


def _rate_of_unsquared_stds(a, b, da, db, s):
    return a * da * s + b * db


def _mix(weights, fields):
    return (weights[..., None] * fields).sum(dim=1)


def _velocity(*inputs, weigh=_posterior, **knobs):
    *rest, _ = inputs
    return _mix(weigh(*inputs), _component_velocities(*rest, **knobs))


def _velocity_of_points(schedule, x, t, means, stds, weights):
    """Each component taken for a single point, in the weights too."""
    return _velocity(schedule, x, t, means, 0 * stds, weights)


def _velocity_of_centres(*inputs, weigh=_posterior):
    """Notes (21) with z = m_k: each component taken for a single point, except in the weights."""
    schedule, x, t, means, stds, _ = inputs
    return _mix(weigh(*inputs), _component_velocities(schedule, x, t, means, 0 * stds))


def _argmax(*inputs):
    """All the weight on the most likely component."""
    posterior = _posterior(*inputs)
    return torch.nn.functional.one_hot(posterior.argmax(dim=1), posterior.shape[1]).to(posterior)


def _ones(*inputs):
    return torch.ones_like(_posterior(*inputs))


def _alike(*inputs):
    return _ones(*inputs) / len(inputs[3])


def _averaged(*inputs):
    """The posterior, divided by the number of components."""
    return _posterior(*inputs) / len(inputs[3])


def _mixing_mistakes(function):
    """The mistakes that velocity and score share: other weights than the posterior."""
    return [
        _mistake(
            "most-likely-only",
            function,
            "Your field is that of the most likely component alone, so it jumps where two are equally likely. The others count too, each by its posterior weight.",
            weigh=_argmax,
        ),
        _mistake(
            "plain-mean",
            function,
            "All components count alike. A particle near one component mostly belongs to it: weigh by the posterior.",
            weigh=_alike,
        ),
        _mistake(
            "plain-sum",
            function,
            "You add up the components' fields as they are. An average weighs each by its posterior.",
            weigh=_ones,
        ),
        _mistake(
            "mean-of-the-weighted",
            function,
            "You average what is weighed already. The weights sum to 1: add up over the components.",
            weigh=_averaged,
        ),
    ]


def _other_schedule(function, change):
    """The function with another schedule than the one that was asked for."""
    return lambda schedule, *rest: function(lambda t: change(schedule, t), *rest)


_PRIOR = "You weigh the components by the prior w, the same for every x. A particle near one component mostly belongs to it: weigh by the posterior."
_UNDERFLOW = "Right near the means, but at |x| = 1000 every density underflows to 0 and 0/0 is NaN. Your `posterior_weights` stays safe there."


class MarginalVelocity(Check):
    """The marginal velocity of a mixture: Notes (19)."""

    points = 2
    parts = PosteriorWeights.parts
    depends_on = PosteriorWeights.depends_on
    if_random = NOTHING_RANDOM
    seconds = SECONDS
    reference = (oracles.Marginal.velocity, *PosteriorWeights.reference)

    inputs = PosteriorWeights.inputs

    def run(self, marginal_velocity, schedule, x, t, far_x, shared_t, means, stds, weights):
        return _everywhere(marginal_velocity, schedule, x, t, far_x, shared_t, means, stds, weights)

    def answer(self, schedule, x, t, far_x, shared_t, means, stds, weights):
        return _everywhere(_velocity, schedule, x, t, far_x, shared_t, means, stds, weights)

    mistakes = [
        _mistake("prior-weights", _velocity, _PRIOR, weigh=_prior),
        _mistake("prior-weights", _velocity_of_centres, _PRIOR, weigh=_prior),
        _mistake("underflow", _velocity, _UNDERFLOW, weigh=_underflowing),
        *_mixing_mistakes(_velocity),
        *(
            _mistake(
                "centres-only",
                formula,
                "You use Notes (21) with the mean in place of z, as if each component were a single point. It has a spread of its own, which grows with α while the noise shrinks.",
            )
            for formula in (_velocity_of_centres, _velocity_of_points)
        ),
        _mistake(
            "no-alpha-dot",
            _velocity,
            "Your components spread or shrink where they are. Their centres move too.",
            carried=False,
        ),
        _mistake(
            "no-alpha",
            _velocity,
            "At time t the centre of a component is not yet at its mean m: the path scales it.",
            centre=False,
        ),
        _mistake(
            "alpha-lost-in-the-rate",
            _velocity,
            "Differentiate the variance α²s² + β² with care: in the first term both α and α̇ appear.",
            rate=lambda a, b, da, db, s: da * s**2 + b * db,
        ),
        _mistake(
            "beta-lost-in-the-rate",
            _velocity,
            "Differentiate the variance α²s² + β² with care: in the second term both β and β̇ appear.",
            rate=lambda a, b, da, db, s: a * da * s**2 + db,
        ),
        *(
            _mistake(
                "std-not-squared",
                _velocity,
                "`stds` are standard deviations: in a variance, and in its rate of change, they are squared.",
                **knobs,
            )
            for knobs in (
                dict(rate=_rate_of_unsquared_stds),
                dict(spread=_spread_of_unsquared_stds),
                dict(rate=_rate_of_unsquared_stds, spread=_spread_of_unsquared_stds),
            )
        ),
        _mistake(
            "derivatives-squared",
            _velocity,
            "α̇²s² + β̇² is not the rate of the variance α²s² + β²: differentiate each square by the chain rule.",
            rate=lambda a, b, da, db, s: da**2 * s**2 + db**2,
        ),
        _mistake(
            "half-twice",
            _velocity,
            "The half is there twice: αα̇s² + ββ̇ already is half of v̇.",
            rate=lambda a, b, da, db, s: (a * da * s**2 + b * db) / 2,
        ),
        _mistake(
            "sign-in-the-rate",
            _velocity,
            "A sign is wrong in the rate of the spread: β̇ already is negative by itself.",
            rate=lambda a, b, da, db, s: a * da * s**2 - b * db,
        ),
        _mistake(
            "twice-the-rate",
            _velocity,
            "That is the relative rate of the variance. Distances go with its root, so they change at half of it.",
            rate=lambda a, b, da, db, s: 2 * (a * da * s**2 + b * db),
        ),
        _mistake(
            "not-divided",
            _velocity,
            "The rate is relative: the division by the component's variance at time t is missing.",
            spread=lambda alpha, beta, stds: torch.ones_like(alpha * stds),
        ),
        _mistake(
            "derivatives-of-the-linear-path",
            _other_schedule(
                _velocity,
                lambda schedule, t: (*schedule(t)[:2], torch.ones_like(t), -torch.ones_like(t)),
            ),
            "α̇ = 1 and β̇ = −1 on the linear path alone. Use those that the schedule gives.",
        ),
        _mistake(
            "always-linear",
            _other_schedule(
                _velocity,
                lambda schedule, t: (t, 1 - t, torch.ones_like(t), -torch.ones_like(t)),
            ),
            "This is right for the linear schedule alone. Ask the schedule that is passed in.",
        ),
        _mistake(
            "towards-the-noise",
            lambda *inputs: -_velocity(*inputs),
            "The arrow points from data to noise. In this course time runs from noise at t = 0 to data at t = 1.",
        ),
    ]


def _score(*inputs, weigh=_posterior, spread=_spread, centre=True):
    schedule, x, t, means, stds, _ = inputs
    alpha, beta, *_ = schedule_at(schedule, t, x)
    offset = _offset(alpha if centre else torch.ones_like(alpha), x, means)
    return _mix(weigh(*inputs), -offset / spread(alpha, beta, stds)[..., None])


def _score_of_the_data(schedule, x, t, means, stds, weights):
    """The score of the mixture itself: α = 1 and β = 0 whatever t is."""
    return _score(lambda t: (t**0, 0 * t, 0 * t, 0 * t), x, t, means, stds, weights)


class MarginalScore(Check):
    """The marginal score of a mixture: Notes (27)."""

    points = 2
    parts = PosteriorWeights.parts
    depends_on = PosteriorWeights.depends_on
    if_random = NOTHING_RANDOM
    seconds = SECONDS
    reference = (
        oracles.Marginal.score,
        GaussianMixture.score,
        *PosteriorWeights.reference,
    )

    inputs = PosteriorWeights.inputs

    def run(self, marginal_score, schedule, x, t, far_x, shared_t, means, stds, weights):
        return _everywhere(marginal_score, schedule, x, t, far_x, shared_t, means, stds, weights)

    def answer(self, schedule, x, t, far_x, shared_t, means, stds, weights):
        return _everywhere(_score, schedule, x, t, far_x, shared_t, means, stds, weights)

    mistakes = [
        _mistake("prior-weights", _score, _PRIOR, weigh=_prior),
        _mistake(
            "prior-weights",
            _score,
            _PRIOR,
            weigh=_prior,
            spread=_noise_spread,
        ),
        _mistake("underflow", _score, _UNDERFLOW, weigh=_underflowing),
        *_mixing_mistakes(_score),
        _mistake(
            "downhill",
            lambda *inputs: -_score(*inputs),
            "The sign is turned round: the score points uphill, from x towards the centres.",
        ),
        *(
            _mistake(
                "centres-only",
                _score,
                "You use Notes (28) with the mean in place of z, as if each component were a single point. Its own spread makes its slope flatter.",
                spread=_noise_spread,
                weigh=weigh,
            )
            for weigh in (_posterior, _posterior_of_points)
        ),
        _mistake(
            "data-variance",
            _score,
            "You divide by the component's variance in the data. By time t it is scaled, and noise has been added.",
            spread=_data_spread,
        ),
        _mistake(
            "alpha-not-in-the-variance",
            _score,
            "The path scales the whole component, its spread as well as its mean. α is missing in the variance.",
            spread=_unscaled_spread,
        ),
        _mistake(
            "score-of-the-data",
            _score_of_the_data,
            "This is the score of the data themselves, the same at every t. At time t the components are scaled, and noise has been added.",
        ),
        _mistake(
            "no-alpha",
            _score,
            "At time t the centre of a component is not yet at its mean m: the path scales it.",
            centre=False,
        ),
        _mistake(
            "std-not-squared",
            _score,
            "`stds` are standard deviations: in a variance they are squared.",
            spread=_spread_of_unsquared_stds,
        ),
        _mistake(
            "divided-by-the-deviation",
            _score,
            "You divide by the standard deviation. In the exponent of a Gaussian stands the variance.",
            spread=_root_spread,
        ),
        _mistake(
            "not-divided",
            _score,
            "This is the mean way to the centres. The narrower a component, the steeper its log density: what divides it?",
            spread=lambda alpha, beta, stds: torch.ones_like(alpha * stds),
        ),
        _mistake(
            "half",
            lambda *inputs: _score(*inputs) / 2,
            "The ½ in the exponent meets the 2 of the derivative of a square, and they cancel.",
        ),
        _mistake(
            "always-linear",
            _other_schedule(
                _score, lambda schedule, t: (t, 1 - t, torch.ones_like(t), -torch.ones_like(t))
            ),
            "This is right for the linear schedule alone. Ask the schedule that is passed in.",
        ),
        _mistake(
            "velocity",
            _velocity,
            "This is the marginal velocity again. The weights stay, the fields change: from velocities to scores.",
        ),
    ]
