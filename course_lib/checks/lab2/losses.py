"""Exercises 9, 10, 11 and 13 of Lab 2: what a network is trained on, and how low it can get."""

from __future__ import annotations

import torch

from course_lib import oracles, paths
from course_lib.checks.base import Check, Mistake
from course_lib.checks.choice import Choice
from course_lib.checks.lab2.fields import random_schedule, schedule_at
from course_lib.checks.lab2.regression import (
    GAUSSIAN_PATH_MISTAKES,
    network,
    random_weights,
    regression,
    regression_mistakes,
)

__all__ = [
    "CFMLoss",
    "ExactLosses",
    "LossFloor",
    "NoiseLoss",
    "PredictFloor",
    "ScoreLoss",
    "ScoreWeight",
]


def _batch(rng, n=16):
    """Data, noise and a time for each of n points in space, a schedule and a network's weights."""
    return dict(
        model_weights=random_weights(rng),
        schedule=random_schedule(rng),
        z=rng.normal(n, 3, scale=1.5),
        t=rng.uniform(n, low=0.15, high=0.85),
        noise=rng.normal(n, 3),
    )


_SAME_NOISE = "Draw no noise here: the noise that makes x_t and the noise in the target are one and the same, the one passed in."


def _velocity_target(pairs):
    return pairs.alpha_dot * pairs.z + pairs.beta_dot * pairs.noise


class CFMLoss(Check):
    """The conditional flow matching loss: Notes (44)."""

    points = 2
    depends_on = ("schedule", "t")
    differentiable = ("model_weights",)
    if_random = _SAME_NOISE
    reference = (paths.GaussianPath.target, paths.GaussianPath.conditional_velocity)

    def inputs(self, rng):
        return _batch(rng)

    def run(self, cfm_loss, model_weights, schedule, z, t, noise):
        return cfm_loss(network(model_weights), schedule, z, t, noise)

    answer = staticmethod(regression(_velocity_target))

    mistakes = regression_mistakes(
        _velocity_target,
        [
            (
                "rates-exchanged",
                dict(target=lambda p: p.alpha_dot * p.noise + p.beta_dot * p.z),
                "In the target α̇ and β̇ are exchanged (step 7 of the Notes' Algorithm 5 has that too). α multiplies the data, so its rate does.",
            ),
            (
                "noise-without-a-rate",
                dict(target=lambda p: p.alpha_dot * p.z + p.beta * p.noise),
                "β ε says where the noise is, not how fast it goes. The target is the rate of x_t: a dot is missing.",
            ),
            (
                "data-without-a-rate",
                dict(target=lambda p: p.alpha * p.z + p.beta_dot * p.noise),
                "α z says where the data are, not how fast they come. The target is the rate of x_t: a dot is missing.",
            ),
            (
                "target-is-the-point",
                dict(target=lambda p: p.x),
                "Your target is x_t itself. A velocity says how fast x_t changes.",
            ),
            (
                "linear-schedule-only",
                dict(target=lambda p: p.z - p.noise),
                "z − ε is the target of the linear schedule alone. How fast do α and β of another one change?",
            ),
            (
                "linear-schedule-only",
                dict(target=lambda p: p.z - p.noise, shown=lambda p: p.linear_x),
                "z − ε is the target of the linear schedule alone. How fast do α and β of another one change?",
            ),
            (
                "wrong-sign",
                dict(target=lambda p: -_velocity_target(p)),
                "The target has the wrong sign: the loss is about the difference of network and target.",
            ),
            (
                "backwards",
                dict(target=lambda p: p.noise - p.z),
                "Your target runs from data to noise, and for the linear schedule alone. In this course noise becomes data.",
            ),
            (
                "predicts-the-score",
                dict(target=lambda p: -p.noise / p.beta),
                "Your target is the conditional score. Flow matching asks for a velocity.",
            ),
            (
                "noise-subtracted",
                dict(target=lambda p: p.alpha_dot * p.z - p.beta_dot * p.noise),
                "You subtract the noise's part. β̇ is negative already, so a plus leads away from the noise.",
            ),
            (
                "predicts-the-data",
                dict(target=lambda p: p.z),
                "Your target is the data point. Flow matching asks for the velocity on the way there.",
            ),
            (
                "predicts-the-noise",
                dict(target=lambda p: p.noise),
                "Your target is the noise, as in Exercise 13. Flow matching asks for a velocity.",
            ),
            (
                "data-and-noise-exchanged",
                dict(
                    target=lambda p: p.alpha_dot * p.noise + p.beta_dot * p.z,
                    shown=lambda p: p.alpha * p.noise + p.beta * p.z,
                ),
                "Data and noise are exchanged throughout: your path leads from data to noise.",
            ),
            *GAUSSIAN_PATH_MISTAKES,
        ],
    )


class PredictFloor(Choice):
    """Prediction: where the loss ends."""

    points = 1
    key = "0f326dff9e0b33e1"
    replies = {
        "a": "Two pairs (z, ε) may pass the same place at the same time with different arrows. Which of the two should the network answer? Compute the floor below, then choose again.",
        "b": "Straight lines cross, too. What should the network answer at a crossing? Compute the floor below, then choose again.",
        "c": "The best answer is the mean of the arrows that pass there, the marginal velocity. How they scatter about it is left over, whatever the network. So the loss alone does not say how good a model is, and losses of two schedules cannot be compared.",
        "d": "That is the loss of a network that always answers 0. The mean arrow is not 0 everywhere: at the edge it points inwards. Compute the floor below, then choose again.",
    }


def _posterior(logits):
    return logits.softmax(dim=1)


def _mean_arrow(shares, arrows):
    return (shares[..., None] * arrows).sum(dim=1, keepdim=True)


def _variance(shares, arrows):
    """Σ_i r_i |u_i - ū|² at each point."""
    return _spread(shares, arrows - _mean_arrow(shares, arrows))


def _spread(shares, deviations):
    return (shares * deviations.square().sum(dim=-1)).sum(dim=1)


def _arrows(alpha, beta, alpha_dot, beta_dot, x, z):
    return alpha_dot * z + beta_dot * (x - alpha * z) / beta


def _exponent(alpha, beta, x, z):
    return -(x - alpha * z).square().sum(dim=-1) / (2 * beta.squeeze(-1) ** 2)


def _floor(
    combine=_variance, *, shares=_posterior, exponent=_exponent, arrows=_arrows, reduce=torch.mean
):
    """The floor as a formula of the check's inputs; the knobs are what the mistakes turn."""

    def floor(schedule, x, t, points):
        x, z = x[:, None], points[None]
        alpha, beta, alpha_dot, beta_dot = schedule_at(schedule, t, x)
        r = shares(exponent(alpha, beta, x, z))
        return reduce(combine(r, arrows(alpha, beta, alpha_dot, beta_dot, x, z)))

    return floor


def _around_the_grand_mean(shares, arrows):
    return _spread(shares, arrows - _mean_arrow(shares, arrows).mean(dim=0))


def _variance_of_the_mean(shares, arrows):
    mean = _mean_arrow(shares, arrows)
    return (mean - mean.mean(dim=0)).square().sum(dim=(1, 2))


class LossFloor(Check):
    """The floor of the loss: the conditional variance of its target."""

    points = 2
    depends_on = ("schedule", "x", "t")
    reference = (
        oracles.Marginal.posterior_variance,
        oracles.Marginal.responsibilities,
        oracles.Marginal.velocity,
    )

    def inputs(self, rng):
        schedule, points = random_schedule(rng), rng.normal(6, 3, scale=1.2)
        t = rng.uniform(16, low=0.2, high=0.7)
        z = points[torch.randint(len(points), (16,), generator=rng.generator)]
        alpha, beta, *_ = schedule_at(schedule, t, z)
        return dict(schedule=schedule, x=alpha * z + beta * rng.normal(16, 3), t=t, points=points)

    def run(self, loss_floor, schedule, x, t, points):
        return loss_floor(schedule, x, t, points)

    answer = staticmethod(_floor())

    mistakes = [
        Mistake(
            "zero",
            lambda x: x.new_zeros(()),
            "Zero would mean that a point gives away its z. Many z may lead to the same x, each with an arrow of its own.",
        ),
        Mistake(
            "prior-weights",
            _floor(shares=lambda logits: torch.full_like(logits, 1 / logits.shape[1])),
            "You weigh all data points alike, the same for every x. What counts is how likely each is, given that the particle is at x.",
        ),
        Mistake(
            "prior-mean",
            _floor(lambda r, u: _spread(r, u - u.mean(dim=1, keepdim=True))),
            "You measure from the plain average of the arrows. The best answer at x is the marginal velocity, which weighs them by the posterior.",
        ),
        Mistake(
            "mean-square",
            _floor(lambda r, u: _spread(r, u)),
            "This is the mean square of the arrows. A variance is measured from their mean.",
        ),
        Mistake(
            "total-variance",
            _floor(_around_the_grand_mean),
            "You measure from one mean for the whole batch. A model may answer differently at each x and t: measure from the mean at that x.",
        ),
        Mistake(
            "variance-of-the-data",
            _floor(arrows=lambda a, b, da, db, x, z: z.expand(len(x), -1, -1)),
            "This is the posterior variance of z. The floor is that of the target, an arrow.",
        ),
        Mistake(
            "noise-forgotten",
            _floor(arrows=lambda a, b, da, db, x, z: da * z),
            "α̇ z is only half of the arrow. At a given x, another z also means another ε.",
        ),
        Mistake(
            "rates-exchanged",
            _floor(arrows=lambda a, b, da, db, x, z: db * z + da * (x - a * z) / b),
            "In the arrows α̇ and β̇ are exchanged. α multiplies the data, so its rate does.",
        ),
        Mistake(
            "averaged-over-the-data",
            _floor(lambda r, u: _variance(r, u) / r.shape[1]),
            "You average over the data points as well. Their weights r sum to 1 already: over them, sum.",
        ),
        Mistake(
            "mean-over-coordinates",
            _floor(lambda r, u: _variance(r, u) / u.shape[2]),
            "You average over the coordinates. A squared length is their sum.",
        ),
        Mistake(
            "sum-over-the-batch",
            _floor(reduce=torch.sum),
            "You sum over the batch. The floor of a mean is a mean.",
        ),
        Mistake(
            "norm-not-squared",
            _floor(lambda r, u: (r * (u - _mean_arrow(r, u)).norm(dim=-1)).sum(dim=1)),
            "The distances from the mean arrow are not squared.",
        ),
        Mistake(
            "softmax-over-the-batch",
            _floor(shares=lambda logits: logits.softmax(dim=0)),
            "Your weights sum to 1 over the batch. They are shares of the data points at each x.",
        ),
        Mistake(
            "not-normalised",
            _floor(shares=torch.exp),
            "Your weights do not sum to 1: divide by their sum over the data points, which is p_t(x) up to a constant.",
        ),
        Mistake(
            "deviation-for-variance",
            _floor(exponent=lambda a, b, x, z: b.squeeze(-1) * _exponent(a, b, x, z)),
            "In the weights' exponent you divide by β. A Gaussian has −|x − αz|² / 2β².",
        ),
        Mistake(
            "data-not-scaled",
            _floor(exponent=lambda a, b, x, z: _exponent(torch.ones_like(a), b, x, z)),
            "In the weights you compare x with z. At time t the cloud that leads to z has not arrived: where is its centre?",
        ),
        Mistake(
            "marginal-velocity-squared",
            _floor(lambda r, u: _mean_arrow(r, u).square().sum(dim=(1, 2))),
            "This is the square of the marginal velocity. The floor is what scatters about it.",
        ),
        Mistake(
            "no-half",
            _floor(exponent=lambda a, b, x, z: 2 * _exponent(a, b, x, z)),
            "In the weights' exponent the 2 below is missing: a Gaussian has −|x − αz|² / 2β².",
        ),
    ]


def _exact_losses(
    model_velocity,
    conditional_velocity,
    joint,
    *,
    average=None,
    place=None,
    cfm=None,
    fm=None,
    size=torch.square,
):
    """(cfm, fm), or what replaces one of them or of their parts."""
    f, u = model_velocity, conditional_velocity
    place = joint.sum(dim=1) if place is None else place
    average = (joint * u).sum(dim=1) / joint.sum(dim=1) if average is None else average
    return (
        (joint * size(f[:, None] - u)).sum() if cfm is None else cfm,
        (place * size(f - average)).sum() if fm is None else fm,
    )


def _exact(**wrong):
    """A mistake in the exact losses: its parts as formulas of the model, the arrows, the joint."""

    def formula(model_velocity, conditional_velocity, joint):
        inputs = (model_velocity, conditional_velocity, joint)
        parts = {name: part(*inputs) for name, part in wrong.items()}
        return _exact_losses(*inputs, **parts)

    return formula


class ExactLosses(Check):
    """The two losses as exact sums: Notes, Theorem 18."""

    points = 2
    parts = ("the CFM loss", "the FM loss")
    depends_on = ("conditional_velocity", "joint")
    differentiable = ("model_velocity",)

    def inputs(self, rng):
        joint = rng.uniform(15, 4, low=0.05, high=1.0) * rng.uniform(15, 1, low=0.2, high=1.0)
        return dict(
            model_velocity=rng.normal(15),
            conditional_velocity=rng.normal(15, 4, scale=1.5),
            joint=joint / joint.sum(),
        )

    def run(self, exact_losses, model_velocity, conditional_velocity, joint):
        return exact_losses(model_velocity, conditional_velocity, joint)

    def answer(self, model_velocity, conditional_velocity, joint):
        return _exact_losses(model_velocity, conditional_velocity, joint)

    mistakes = [
        Mistake(
            "average-not-normalised",
            _exact(average=lambda f, u, joint: (joint * u).sum(dim=1)),
            "Your average arrow shrinks where p(x) is small: the joint weights of one place sum to p(x), not to 1.",
        ),
        Mistake(
            "plain-average",
            _exact(average=lambda f, u, joint: u.mean(dim=1)),
            "Your average arrow weighs all seats alike. It should weigh them by how likely each is at that place.",
        ),
        Mistake(
            "prior-average",
            _exact(average=lambda f, u, joint: u @ joint.sum(dim=0)),
            "Your average arrow weighs the seats the same at every place: by p(z). It should weigh them by p(z | x).",
        ),
        Mistake(
            "normalised-over-places",
            _exact(average=lambda f, u, joint: (joint / joint.sum(dim=0) * u).sum(dim=1)),
            "You divide by p(z), the sum over the places. Given the place, the weights of the seats sum to 1.",
        ),
        Mistake(
            "places-alike",
            _exact(place=lambda f, u, joint: torch.full_like(f, 1 / len(f))),
            "In the FM loss all places count alike. Places where particles rarely are should count less.",
        ),
        Mistake(
            "joint-missing",
            _exact(
                cfm=lambda f, u, joint: (f[:, None] - u).square().mean(),
                place=lambda f, u, joint: torch.full_like(f, 1 / len(f)),
            ),
            "In both losses all places count alike. The expectation weighs them by their probability.",
        ),
        Mistake(
            "pairs-alike",
            _exact(cfm=lambda f, u, joint: (f[:, None] - u).square().mean()),
            "In the CFM loss all pairs count alike. The expectation weighs each by its joint probability.",
        ),
        Mistake(
            "mean-of-the-weighted",
            _exact(cfm=lambda f, u, joint: (joint * (f[:, None] - u).square()).mean()),
            "In the CFM loss you average what is weighed already. The weights sum to 1: add up.",
        ),
        Mistake(
            "conditional-targets-twice",
            _exact(fm=lambda f, u, joint: (joint * (f[:, None] - u).square()).sum()),
            "Your FM loss is the CFM loss again. Its target is the average arrow of each place.",
        ),
        Mistake(
            "marginal-target-twice",
            _exact(cfm=lambda f, u, joint: _exact_losses(f, u, joint)[1]),
            "Your CFM loss is the FM loss again. Its targets are the single arrows.",
        ),
        Mistake(
            "exchanged",
            lambda model_velocity, conditional_velocity, joint: _exact_losses(
                model_velocity, conditional_velocity, joint
            )[::-1],
            "The two results are exchanged: first the CFM loss, then the FM loss.",
        ),
        Mistake(
            "not-squared",
            _exact(size=lambda f, u, joint: torch.abs),
            "The errors are not squared. Only for squares do the two losses differ by a constant.",
        ),
    ]


def _score_target(pairs):
    return -pairs.noise / pairs.beta


class ScoreLoss(Check):
    """The denoising score matching loss: Notes (61)."""

    points = 2
    depends_on = ("schedule", "t")
    differentiable = ("model_weights",)
    if_random = _SAME_NOISE
    reference = (paths.GaussianPath.conditional_score,)

    def inputs(self, rng):
        return _batch(rng)

    def run(self, score_loss, model_weights, schedule, z, t, noise):
        return score_loss(network(model_weights), schedule, z, t, noise)

    answer = staticmethod(regression(_score_target))

    mistakes = regression_mistakes(
        _score_target,
        [
            (
                "wrong-sign",
                dict(target=lambda p: p.noise / p.beta),
                "The sign is turned round: the score points back towards the data, against the noise.",
            ),
            (
                "not-divided",
                dict(target=lambda p: -p.noise),
                "The division by β is missing: the less noise there is, the steeper is the density.",
            ),
            (
                "divided-by-the-variance",
                dict(target=lambda p: -p.noise / p.beta**2),
                "You divide by β². In (28) that stands below x − αz, which is not ε itself.",
            ),
            (
                "divided-by-alpha",
                dict(target=lambda p: -p.noise / p.alpha),
                "You divide by α. How steep the Gaussian is depends on its width.",
            ),
            (
                "predicts-the-velocity",
                dict(target=_velocity_target),
                "Your target is the velocity, as in Exercise 9. Here it is the conditional score.",
            ),
            (
                "multiplied",
                dict(target=lambda p: -p.noise * p.beta),
                "You multiply by β. Less noise makes the density steeper, not flatter.",
            ),
            (
                "measured-from-the-data",
                dict(target=lambda p: -(p.x - p.z) / p.beta**2),
                "You measure from z. At time t the Gaussian has its centre at α z.",
            ),
            (
                "predicts-the-noise",
                dict(target=lambda p: p.noise),
                "Your target is ε: this is the noise prediction loss. The score has another sign and another scale.",
            ),
            (
                "noise-weighted",
                dict(weight=lambda p: p.beta),
                "You multiply the error by β, which makes this the noise loss in disguise. Here nothing is weighted.",
            ),
            *GAUSSIAN_PATH_MISTAKES,
        ],
    )


def _noise_target(pairs):
    return pairs.noise


class NoiseLoss(Check):
    """The noise prediction loss."""

    points = 1
    depends_on = ("schedule", "t")
    differentiable = ("model_weights",)
    if_random = _SAME_NOISE

    def inputs(self, rng):
        return _batch(rng)

    def run(self, noise_loss, model_weights, schedule, z, t, noise):
        return noise_loss(network(model_weights), schedule, z, t, noise)

    answer = staticmethod(regression(_noise_target))

    mistakes = regression_mistakes(
        _noise_target,
        [
            (
                "wrong-sign",
                dict(target=lambda p: -p.noise),
                "The sign belongs to the score. The network predicts the noise as it was drawn.",
            ),
            (
                "scaled-noise",
                dict(target=lambda p: p.beta * p.noise),
                "Your target is β ε, what was added to the data. The network predicts ε itself.",
            ),
            (
                "predicts-the-score",
                dict(target=_score_target),
                "Your target is the score. The network predicts the noise, and the score is read off it later.",
            ),
            (
                "divided-noise",
                dict(target=lambda p: p.noise / p.beta),
                "You divide the noise by β, so the target grows without bound as t → 1. That is what this loss avoids.",
            ),
            (
                "predicts-the-data",
                dict(target=lambda p: p.z),
                "Your target is the data point. The network predicts the noise.",
            ),
            (
                "predicts-the-velocity",
                dict(target=_velocity_target),
                "Your target is the velocity, as in Exercise 9. Here it is the noise.",
            ),
            (
                "weighted-as-a-score",
                dict(weight=lambda p: 1 / p.beta),
                "You divide the error by β: that is the score loss again. This loss has no weight.",
            ),
            *GAUSSIAN_PATH_MISTAKES,
        ],
    )


def _weight(formula):
    return lambda schedule, t: formula(*schedule(t))


class ScoreWeight(Check):
    """The weight between the two losses."""

    points = 1
    depends_on = ("schedule", "t")

    def inputs(self, rng):
        return dict(schedule=random_schedule(rng), t=rng.uniform(24, low=0.15, high=0.85))

    def run(self, score_weight, schedule, t):
        return score_weight(schedule, t)

    answer = staticmethod(_weight(lambda a, b, da, db: b**-2))

    mistakes = [
        Mistake(
            "not-squared",
            _weight(lambda a, b, da, db: 1 / b),
            "1/β is the factor between the two errors. The losses are squares of them.",
        ),
        Mistake(
            "upside-down",
            _weight(lambda a, b, da, db: b**2),
            "This is the way back, from the score loss to the noise loss.",
        ),
        Mistake(
            "upside-down-and-not-squared",
            _weight(lambda a, b, da, db: b),
            "s = −ε̂/β: is the score's error larger or smaller than the noise's? And the losses are squares.",
        ),
        Mistake(
            "squared-twice",
            _weight(lambda a, b, da, db: b**-4),
            "Squared once too often: the errors differ by 1/β, the losses by its square.",
        ),
        Mistake(
            "minus",
            _weight(lambda a, b, da, db: -(b**-2)),
            "The minus of s = −ε̂/β is in both terms of the error, and a square forgets it.",
        ),
        Mistake(
            "minus",
            _weight(lambda a, b, da, db: -1 / b),
            "The minus of s = −ε̂/β is in both terms of the error, and a square forgets it.",
        ),
        Mistake(
            "signal-to-noise",
            _weight(lambda a, b, da, db: (a / b) ** 2),
            "α²/β² leads from the noise loss to the loss of predicting the data. The score knows nothing of α.",
        ),
        Mistake(
            "alpha-for-beta",
            _weight(lambda a, b, da, db: a**-2),
            "α scales the data. What lies between score and noise is the width of the Gaussian.",
        ),
        Mistake(
            "rate-for-beta",
            _weight(lambda a, b, da, db: db**-2),
            "You took β̇, how fast the noise changes. s = −ε̂/β has β itself.",
        ),
        Mistake(
            "linear-schedule-only",
            lambda t: (1 - t) ** -2,
            "This is right for the linear schedule alone. Take β from the schedule that is passed in.",
        ),
    ]
