"""Part D of Lab 1: scores, Langevin dynamics and sampling."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import torch

from course_lib import metrics, processes
from course_lib.checks.base import Check, Mistake
from course_lib.checks.choice import Choice
from course_lib.checks.judge import Judgement
from course_lib.checks.plain import Array
from course_lib.distributions import GaussianMixture

__all__ = [
    "FarModesDistance",
    "FiveModeSample",
    "LangevinDrift",
    "MixtureScore",
    "ModeShares",
    "OrnsteinUhlenbeckAsLangevin",
    "PredictMixing",
    "TotalVariation",
    "cell_moments",
]


def _mixture(rng):
    weights = rng.uniform(4, low=0.2, high=1.0)
    return dict(
        means=rng.normal(4, 3, scale=1.5),
        stds=rng.uniform(4, low=0.4, high=1.2),
        weights=weights / weights.sum(),
    )


def _mixture_score(x, means, stds, weights, *, d=3, prior=False, power=2, axis=1, half=2, log=True):
    """The score, with the knobs that the mistakes turn: the defaults are right."""
    offset = means - x[:, None, :]
    logits = -offset.square().sum(-1) / (half * stds**2) - d * stds.log()
    logits = logits + (weights.log() if log else weights)
    responsibilities = weights.expand_as(logits) if prior else logits.softmax(dim=axis)
    return (responsibilities[..., None] * offset / (stds**power)[:, None]).sum(dim=1)


def _underflowing_score(x, means, stds, weights):
    offset = means - x[:, None, :]
    densities = weights * (-offset.square().sum(-1) / (2 * stds**2)).exp() / stds ** x.shape[1]
    responsibilities = densities / densities.sum(dim=1, keepdim=True)
    return (responsibilities[..., None] * offset / (stds**2)[:, None]).sum(dim=1)


def _nearest_only(x, means, stds, weights):
    nearest = torch.cdist(x, means).argmin(dim=1)
    return (means[nearest] - x) / stds[nearest, None] ** 2


def _negative_score(x, means, stds, weights):
    return -_mixture_score(x, means, stds, weights)


def _near_and_far(score, near, far, *mixture, **options):
    return score(near, *mixture, **options), score(far, *mixture, **options)


def _wrong(score=_mixture_score, **options):
    """A mistake in the score: one knob turned, or another formula."""
    return lambda near, far, means, stds, weights: _near_and_far(
        score, near, far, means, stds, weights, **options
    )


class MixtureScore(Check):
    """The score of a Gaussian mixture."""

    points = 4
    parts = ("near the modes", "at |x| = 1000")
    depends_on = ("near", "means", "stds", "weights")
    reference = (GaussianMixture.score, GaussianMixture.responsibilities)

    def inputs(self, rng):
        far = 1e3 * torch.tensor([[1.0, 0.0, 0.0], [0.0, -0.6, 0.8]])
        return dict(near=rng.normal(48, 3, scale=1.5), far=far.double(), **_mixture(rng))

    def run(self, mixture_score, near, far, means, stds, weights):
        return mixture_score(near, means, stds, weights), mixture_score(far, means, stds, weights)

    def answer(self, near, far, means, stds, weights):
        return _near_and_far(_mixture_score, near, far, means, stds, weights)

    mistakes = [
        Mistake(
            "prior-weights",
            _wrong(prior=True),
            "You weigh the components by w, the same for every x. Near a mode that mode should decide: weigh by the responsibilities r(x).",
        ),
        Mistake(
            "underflow",
            _wrong(_underflowing_score),
            "Right near the modes, but at |x| = 1000 every density underflows to 0 and 0/0 is NaN. Stay with log densities: a softmax of them gives the responsibilities.",
        ),
        Mistake(
            "wrong-sign",
            _wrong(_negative_score),
            "The sign is turned round: the score points uphill, from x towards the modes.",
        ),
        Mistake(
            "no-variance",
            _wrong(power=0),
            "The pull of a component is (m − x) / s². The division by s² is missing.",
        ),
        Mistake(
            "deviation-for-variance",
            _wrong(power=1),
            "The pull of a component is (m − x) / s². You divide by s.",
        ),
        Mistake(
            "no-half",
            _wrong(half=1),
            "The log density of a Gaussian is −|x − m|² / 2s²: the 2 is missing.",
        ),
        Mistake(
            "no-normaliser",
            _wrong(d=0),
            "A narrow component is also higher: its density carries a factor 1/s^d, which belongs in the responsibilities.",
        ),
        Mistake(
            "one-dimension",
            _wrong(d=1),
            "In d dimensions a Gaussian's normaliser is 1/s^d. You have 1/s.",
        ),
        Mistake(
            "two-dimensions",
            _wrong(d=2),
            "In d dimensions a Gaussian's normaliser is 1/s^d. You have 1/s², which is right in the plane alone: take d from x.",
        ),
        Mistake(
            "normaliser-upside-down",
            _wrong(d=-3),
            "The normaliser has the wrong sign: −d log s, because a narrow component is higher.",
        ),
        Mistake(
            "no-weights",
            lambda near, far, means, stds, weights: _near_and_far(
                _mixture_score, near, far, means, stds, torch.ones_like(weights)
            ),
            "The mixture's weights are missing in the responsibilities.",
        ),
        Mistake(
            "weights-without-logarithm",
            _wrong(log=False),
            "You add the weights to log densities. Add their logarithms.",
        ),
        Mistake(
            "softmax-over-the-points",
            _wrong(axis=0),
            "Your softmax runs over the points. It runs over the components: dim=1.",
        ),
        Mistake(
            "nearest-mode-only",
            _wrong(_nearest_only),
            "You use the nearest mode alone. Between two modes both pull, each by its responsibility.",
        ),
    ]


class LangevinDrift(Check):
    """Langevin drift: Notes (31)."""

    points = 1
    depends_on = ("x", "sigma")
    if_random = "The drift has no noise in it: the step adds the noise."
    reference = (processes.Langevin.drift,)

    def inputs(self, rng):
        matrix = rng.normal(2, 2)
        return dict(
            score=lambda x: -torch.tanh(x @ matrix) - x,
            x=rng.normal(64, 2),
            sigma=rng.number(1.2, 2.5),
        )

    def run(self, langevin_drift, score, x, sigma):
        return langevin_drift(score, x, sigma)

    def answer(self, score, x, sigma):
        return sigma**2 / 2 * score(x)

    mistakes = [
        Mistake(
            "no-half",
            lambda score, x, sigma: sigma**2 * score(x),
            "The half is missing. Without it the particles gather too tightly: they would sample p².",
        ),
        Mistake(
            "sigma-not-squared",
            lambda score, x, sigma: sigma / 2 * score(x),
            "The drift has σ², the noise has σ.",
        ),
        Mistake(
            "downhill",
            lambda score, x, sigma: -(sigma**2) / 2 * score(x),
            "This runs downhill, away from the modes. The score already points uphill.",
        ),
        Mistake(
            "score-alone",
            lambda score, x: score(x),
            "This is the score alone. Notes (31) puts σ²/2 in front of it, so that pull and noise balance.",
        ),
    ]


class ModeShares(Check):
    """The share of the particles at each mode."""

    points = 1
    depends_on = ("x", "means")
    reference = (metrics.mode_weights, GaussianMixture.nearest_mode)

    def inputs(self, rng):
        means = 2 * rng.normal(5, 2)
        return dict(
            x=means[torch.randint(4, (200,), generator=rng.generator)] + rng.normal(200, 2),
            means=means,
        )

    def run(self, mode_shares, x, means):
        return mode_shares(x, means)

    def answer(self, x, means):
        nearest = torch.cdist(x, means).argmin(dim=1)
        return torch.bincount(nearest, minlength=len(means)).to(x) / len(x)

    mistakes = [
        Mistake(
            "counts",
            lambda x, means: torch.bincount(
                torch.cdist(x, means).argmin(dim=1), minlength=len(means)
            ).to(x),
            "These are counts. Divide by the number of particles.",
        ),
        Mistake(
            "counts",
            lambda x, means: torch.bincount(
                torch.cdist(x, means).argmin(dim=1), minlength=len(means)
            ),
            "These are counts. Divide by the number of particles.",
        ),
        Mistake(
            "farthest",
            lambda x, means: (
                torch.bincount(torch.cdist(x, means).argmax(dim=1), minlength=len(means)).to(x)
                / len(x)
            ),
            "You count the farthest mode. Nearest is where the distance is smallest.",
        ),
        Mistake(
            "nearest-particle-of-each-mode",
            lambda x, means: torch.cdist(x, means).argmin(dim=0).to(x) / len(x),
            "You look for the particle nearest to each mode. Look for the mode nearest to each particle.",
        ),
        Mistake(
            "only-nearest-by-x",
            lambda x, means: (
                torch.bincount(
                    (x[:, None, 0] - means[:, 0]).abs().argmin(dim=1), minlength=len(means)
                ).to(x)
                / len(x)
            ),
            "You compare the first coordinate alone. The distance is a norm over both.",
        ),
    ]


class TotalVariation(Check):
    """Total variation: how far two lists of shares are apart."""

    points = 1
    depends_on = ("p", "q")
    reference = (metrics.total_variation,)

    def inputs(self, rng):
        q = rng.uniform(5, low=0.15, high=0.25)
        moved = torch.tensor([1.0, 0.6, -0.9, -0.7, 0.0], dtype=torch.float64)
        return dict(p=q / q.sum() + rng.number(0.05, 0.15) * moved, q=q / q.sum())

    def run(self, total_variation, p, q):
        return total_variation(p, q)

    def answer(self, p, q):
        return (p - q).abs().sum().item() / 2

    mistakes = [
        Mistake(
            "no-half",
            lambda p, q: (p - q).abs().sum().item(),
            "What moves away from one mode arrives at another and is counted twice, hence the half.",
        ),
        Mistake(
            "no-absolute-value",
            lambda p, q: (p - q).sum().item() / 2,
            "Surplus and shortfall cancel. Take absolute values first.",
        ),
        Mistake(
            "averaged",
            lambda p, q: (p - q).abs().mean().item(),
            "This is the mean over the modes. Sum, then halve.",
        ),
        Mistake(
            "squares",
            lambda p, q: (p - q).square().sum().item() / 2,
            "You square the differences. Total variation sums their absolute values.",
        ),
        Mistake(
            "euclidean",
            lambda p, q: (p - q).norm().item(),
            "This is the Euclidean distance. Total variation sums absolute differences.",
        ),
        Mistake(
            "largest",
            lambda p, q: (p - q).abs().max().item(),
            "This is the largest difference. Total variation sums them all, and halves.",
        ),
    ]


class PredictMixing(Choice):
    """Prediction: five far modes, started from one."""

    points = 1
    key = "b44f2dbe274c3e7f"
    replies = {
        "a": "That is the law after infinite time. Is 10 long enough? Run the experiment below, then choose again.",
        "b": "To leave, a particle must climb against the score for 5 standard deviations, by noise alone. The waiting time grows like the exponential of the barrier.",
        "c": "Noise alone would do that. What does the drift do to a particle on its way? Run the experiment below, then choose again.",
        "d": "The neighbours are the nearest. How low is the pass between? Run the experiment below, then choose again.",
    }


class FarModesDistance(Check):
    """How far that sample is from the truth."""

    points = 1
    rtol = 0.025
    repeatable = False

    def answer(self):
        return 1 - 0.15

    mistakes = [
        Mistake(
            "weight-of-the-start",
            lambda: 0.15,
            "This is the weight of the mode where they sit. The total variation is what is missing elsewhere.",
        ),
        Mistake(
            "no-half",
            lambda: 2 * (1 - 0.15),
            "This is twice the total variation. Use your `total_variation`.",
        ),
        Mistake(
            "mixed",
            lambda: 0.0,
            "This would be a perfect sample. Did you measure the run that starts from one mode of `far_modes`?",
        ),
    ]


FIVE_WEIGHTS = (0.35, 0.15, 0.25, 0.10, 0.15)


@cache
def cell_moments() -> tuple[torch.Tensor, float]:
    """Exact share and mean squared distance of each mode's cell, by quadrature on a fine grid."""
    mixture = FiveModeSample.target()
    axis = torch.linspace(-6, 6, 481, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    mass = mixture.log_prob(grid).exp()
    mass = mass / mass.sum()
    distance, cell = torch.cdist(grid, mixture.means).min(dim=1)
    shares = torch.zeros(len(mixture.means), dtype=torch.float64).index_add(0, cell, mass)
    return shares, (mass * distance.square()).sum().item()


def _stretch(offset: torch.Tensor) -> float:
    """How far a cloud is from round: 0 for a round one, 1 for a line."""
    second = offset.T @ offset
    return ((second[0, 0] - second[1, 1]) ** 2 + 4 * second[0, 1] ** 2).sqrt().item() / (
        second.trace().item() + 1e-300
    )


class FiveModeSample(Check):
    """A sample of the five-mode mixture.

    Judged by two numbers with known truth: the share of the n particles in each mode's cell
    (total variation at most 0.05, or 2.7/√n if that is more) and the mean squared distance to the
    nearest mode (within 12 %, or 4.8/√n). One of the two earns half the points, unless the other
    is far off (0.25; a factor of 2). A perfect sample fails with a probability below 1 in
    100,000, whatever its size.
    """

    points = 3
    repeatable = False
    at_least, at_most = 1000, 1_000_000

    @staticmethod
    def target() -> GaussianMixture:
        return GaussianMixture.ring(
            modes=5, radius=2.0, std=0.6, weights=FIVE_WEIGHTS, dtype=torch.float64
        )

    def judge(self, inputs: dict[str, Any], output: Any) -> Judgement:
        if not isinstance(output, Array) or output.values.ndim != 2 or output.values.shape[1] != 2:
            return Judgement(0, "shape", "A tensor of points of shape (n, 2) was expected.")
        if len(output.values) > self.at_most:  # before anything is computed of them
            message = (
                f"{len(output.values):,} points came, and at most {self.at_most:,} are judged."
            )
            return Judgement(0, "too-many", message)
        x = torch.as_tensor(output.values, dtype=torch.float64)
        if len(x) < self.at_least:
            return Judgement(
                0,
                "too-few",
                f"{len(x)} points came, and at least {self.at_least} are needed to judge by.",
            )
        if not x.isfinite().all():
            return Judgement(
                0, "not-finite", "Some points are NaN or infinite. Is the step too long?"
            )
        target = self.target()
        true_shares, true_spread = cell_moments()
        distance, cell = torch.cdist(x, target.means).min(dim=1)
        shares = torch.bincount(cell, minlength=5) / len(x)
        gap = (shares - true_shares).abs().sum().item() / 2
        spread = distance.square().mean().item() / true_spread
        most, band = max(0.05, 2.7 / len(x) ** 0.5), max(0.12, 4.8 / len(x) ** 0.5)
        numbers = f"Total variation of the mode shares {gap:.3f} (at most {most:.3f}); squared spread {spread:.3f} times the true one ({1 - band:.3f} to {1 + band:.3f})."
        stretched = _stretch(x - target.means[cell]) > 3 * band
        return self._say(gap, most, spread, band, stretched, numbers)

    @staticmethod
    def _say(
        gap: float, most: float, spread: float, band: float, stretched: bool, numbers: str
    ) -> Judgement:
        shares_right, spread_right = gap <= most, abs(spread - 1) <= band
        if shares_right and spread_right and stretched:
            reason = "The clouds are stretched. Has each coordinate noise of its own?"
            return Judgement(0, "not-round", reason, numbers)
        if shares_right and spread_right:
            return Judgement(1, None, numbers)
        if spread_right:
            return Judgement(
                0.5 if gap < 0.25 else 0,
                "not-mixed",
                "Each mode is sampled well, but the modes have the wrong shares: the particles have not had the time to change places.",
                numbers,
            )
        half = 0.5 if shares_right and 0.5 < spread < 2 else 0
        if spread > 1:
            reason = "The clouds are too wide. Is the step so long that the simulation has its own, larger variance, or the time so short that the start still shows?"
            return Judgement(half, "too-wide", reason, numbers)
        reason = (
            "The clouds are too narrow. Is the noise in the drift and in the diffusion the same σ?"
        )
        return Judgement(half, "too-narrow", reason, numbers)


class OrnsteinUhlenbeckAsLangevin(Check):
    """Ornstein–Uhlenbeck as Langevin, both ways."""

    points = 2
    parts = ("ou_to_langevin", "langevin_to_ou")

    def inputs(self, rng):
        return dict(
            theta=rng.number(0.6, 2), sigma=rng.number(1.2, 2), target_std=rng.number(0.4, 0.9)
        )

    def run(self, ou_to_langevin, langevin_to_ou, theta, sigma, target_std):
        return ou_to_langevin(theta, sigma), langevin_to_ou(target_std, sigma)

    def answer(self, theta, sigma, target_std):
        return sigma / math.sqrt(2 * theta), sigma**2 / (2 * target_std**2)

    mistakes = [
        Mistake(
            "variance-for-deviation",
            lambda theta, sigma, target_std: (
                sigma**2 / (2 * theta),
                sigma**2 / (2 * target_std**2),
            ),
            "`ou_to_langevin` returns the target's variance; its standard deviation was asked for.",
        ),
        Mistake(
            "deviation-for-variance",
            lambda theta, sigma, target_std: (
                sigma / math.sqrt(2 * theta),
                sigma**2 / (2 * target_std),
            ),
            "In `langevin_to_ou`, the score of N(0, s²) is −x/s²: s enters squared.",
        ),
        Mistake(
            "no-half-there-and-back",
            lambda theta, sigma, target_std: (sigma / math.sqrt(theta), sigma**2 / target_std**2),
            "Both ways lose the factor ½ of the Langevin drift, so the round trip closes and yet both are wrong.",
        ),
        Mistake(
            "no-half",
            lambda theta, sigma, target_std: (
                sigma / math.sqrt(2 * theta),
                sigma**2 / target_std**2,
            ),
            "In `langevin_to_ou` the factor ½ of the Langevin drift is missing.",
        ),
        Mistake(
            "precedence",
            lambda theta, sigma, target_std: (
                math.sqrt(sigma**2 / 2 * theta),
                sigma**2 / 2 * target_std**2,
            ),
            "Python reads sigma**2 / 2 * theta as (σ²/2)·θ. Put what stands below in brackets.",
        ),
        Mistake(
            "notes-misprint",
            lambda theta, sigma, target_std: (sigma, sigma**2 / (2 * target_std**2)),
            "You take σ for the stationary deviation, as Example 6 prints. Your own check of it said otherwise.",
        ),
    ]
