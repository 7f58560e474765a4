"""Exercise 12 of Lab 2: a trained velocity, measured against the exact one."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course_lib.checks.base import Check, Mistake
from course_lib.checks.judge import Judgement
from course_lib.checks.plain import Array
from course_lib.distributions import GaussianMixture
from course_lib.oracles import Marginal
from course_lib.paths import GaussianPath, Linear
from course_lib.shapes import expand_time

__all__ = ["RelativeError", "TrainedVelocity", "five_modes"]


def _root_mean_square(arrows):
    return arrows.square().sum(dim=1).mean().sqrt().item()


class RelativeError(Check):
    """The relative error of a field."""

    points = 1
    depends_on = ("learned", "exact")

    def inputs(self, rng):
        exact = rng.normal(64, 3) + rng.normal(3)
        return dict(learned=exact + rng.normal(64, 3, scale=rng.number(0.2, 0.6)), exact=exact)

    def run(self, relative_error, learned, exact):
        return relative_error(learned, exact)

    def answer(self, learned, exact):
        return _root_mean_square(learned - exact) / _root_mean_square(exact)

    mistakes = [
        Mistake(
            "no-root",
            lambda learned, exact: (
                (_root_mean_square(learned - exact) / _root_mean_square(exact)) ** 2
            ),
            "The root is missing: an error of 10 % would read 1 %.",
        ),
        Mistake(
            "root-above-only",
            lambda learned, exact: (
                _root_mean_square(learned - exact) / _root_mean_square(exact) ** 2
            ),
            "Below the line the root is missing, so the result still has a unit.",
        ),
        Mistake(
            "not-relative",
            lambda learned, exact: _root_mean_square(learned - exact),
            "This is the error itself. Compare it with the length of the exact arrows.",
        ),
        Mistake(
            "mean-square",
            lambda learned, exact: _root_mean_square(learned - exact) ** 2,
            "This is the mean square of the error. Compare it with that of the exact arrows, and take the root.",
        ),
        Mistake(
            "relative-to-the-learned",
            lambda learned, exact: _root_mean_square(learned - exact) / _root_mean_square(learned),
            "You divide by the learned arrows. The measure is the truth.",
        ),
        Mistake(
            "point-by-point",
            lambda learned, exact: (
                ((learned - exact).norm(dim=1) / exact.norm(dim=1)).mean().item()
            ),
            "You divide at each point and average then, so a point where the exact arrow is short rules the result. Average above and below first.",
        ),
        Mistake(
            "number-by-number",
            lambda learned, exact: ((learned - exact) / exact).square().mean().sqrt().item(),
            "You divide coordinate by coordinate. An arrow has one length.",
        ),
        Mistake(
            "number-by-number",
            lambda learned, exact: ((learned - exact) / exact).abs().mean().item(),
            "You divide coordinate by coordinate. An arrow has one length.",
        ),
        Mistake(
            "mean-lengths",
            lambda learned, exact: (
                (learned - exact).norm(dim=1).mean() / exact.norm(dim=1).mean()
            ).item(),
            "You average lengths. The root mean square averages their squares, and takes the root at the end.",
        ),
        Mistake(
            "absolute-values",
            lambda learned, exact: ((learned - exact).abs().mean() / exact.abs().mean()).item(),
            "You average absolute values. The root mean square averages squares, and takes the root at the end.",
        ),
        Mistake(
            "lengths-compared",
            lambda learned, exact: (
                abs(_root_mean_square(learned) - _root_mean_square(exact))
                / _root_mean_square(exact)
            ),
            "You compare the lengths of the two. Arrows of the right length may still point elsewhere: subtract the arrows first.",
        ),
        Mistake(
            "percent",
            lambda learned, exact: (
                100 * _root_mean_square(learned - exact) / _root_mean_square(exact)
            ),
            "This is in percent. Leave the 100 out.",
        ),
    ]


def five_modes() -> GaussianMixture:
    """The mixture that Lab 2 trains on."""
    return GaussianMixture.ring(
        modes=5,
        radius=2.0,
        std=0.6,
        weights=(0.35, 0.15, 0.25, 0.10, 0.15),
        dtype=torch.float64,
    )


@cache
def _truth() -> Marginal:
    return Marginal(GaussianPath(Linear()), five_modes())


def _by_prior(x: Tensor, t: Tensor) -> Tensor:
    """The velocity with the weights of the modes in place of the posterior ones."""
    truth = _truth()
    arrows = [truth.velocity(x, t, torch.full((len(x),), k)) for k in range(5)]
    return torch.einsum("k,kbd->bd", five_modes().weights, torch.stack(arrows))


def _other_fields(x: Tensor, t: Tensor) -> dict[str, tuple[Tensor, str]]:
    """What a network may have learned instead, and what to say of it."""
    truth = _truth()
    velocity, noise = truth.velocity(x, t), truth.noise(x, t)
    mirrored = truth.velocity(x, 1 - t)
    return {
        "backwards": (
            -velocity,
            "Its arrows point the wrong way, from data to noise. Which sign has the target?",
        ),
        "predicts-the-data": (
            truth.denoiser(x, t),
            "It predicts the data point z. Is the noise in the target the very noise that made x_t, or has the target lost it?",
        ),
        "predicts-the-noise": (
            noise,
            "It predicts the noise. Was it trained with the noise loss?",
        ),
        "predicts-the-score": (
            truth.score(x, t),
            "It predicts the score. Was it trained with the score loss?",
        ),
        "predicts-the-point": (
            x,
            "It returns the point that it is shown. Was it shown z in training, or was x_t its target?",
        ),
        "noise-without-a-rate": (
            truth.denoiser(x, t) + (1 - t)[:, None] * noise,
            "It predicts z + (1 − t) ε. The target has the *rate* of β in front of the noise.",
        ),
        "rates-added": (
            truth.denoiser(x, t) + noise,
            "It predicts z + ε. How does β change with time?",
        ),
        "prior-weights": (
            _by_prior(x, t),
            "It averages the modes with weights that are the same everywhere. At x count the modes that are likely from there.",
        ),
        "clock-reversed": (
            mirrored,
            "It has learned the arrows of time 1 − t. Was it told another time than that of the point, or are α and β exchanged?",
        ),
        "clock-reversed-and-backwards": (
            -mirrored,
            "Its clock runs from data to noise. In this course noise is at t = 0.",
        ),
    }


def _relative_error(got: Tensor, wanted: Tensor) -> float:
    return ((got - wanted).square().mean() / wanted.square().mean()).sqrt().item()


class TrainedVelocity(Check):
    """The trained velocity of the five modes.

    Judged by its relative error sqrt(E|v - v*|² / E|v*|²) on 1,000 points of the linear path, t
    uniform in [0.05, 0.95]: at most 0.3 for all points, 0.45 for half of them. The exact velocity
    has error 0; the drawn points move the error of a given model by about 0.01.
    """

    points = 3
    repeatable = False
    full, half = 0.3, 0.45

    def inputs(self, rng):
        t = rng.uniform(1000, low=0.05, high=0.95)
        z, noise = five_modes().sample(1000, rng.generator), rng.normal(1000, 2)
        x = expand_time(t, z) * z + expand_time(1 - t, z) * noise
        return dict(x=x.float(), t=t.float())

    def run(self, model, x, t):
        with torch.no_grad():
            return model(x, t), model(x, 1 - t)

    def judge(self, inputs: dict[str, Any], output: Any) -> Judgement:
        x, t = inputs["x"].double(), inputs["t"].double()
        parts = output if isinstance(output, list) else []
        arrays = [p.values for p in parts if isinstance(p, Array) and p.values.shape == x.shape]
        if len(arrays) != 2:
            return Judgement(
                0,
                "shape",
                f"The model should return a tensor shaped like x, here {tuple(x.shape)}.",
            )
        if not all(np.isfinite(array).all() for array in arrays):
            return Judgement(0, "not-finite", "Some arrows are NaN or infinite.")
        learned, at_another_time = (torch.as_tensor(array).double() for array in arrays)
        exact = _truth().velocity(x, t)
        error = _relative_error(learned, exact)
        numbers = f"Relative error {error:.3f} (at most {self.full:g})."
        if error <= self.full:
            return Judgement(1, None, numbers)
        share = 0.5 if error <= self.half else 0
        return Judgement(share, *_reason(x, t, learned, at_another_time, exact), numbers)


def _reason(
    x: Tensor, t: Tensor, learned: Tensor, at_another_time: Tensor, exact: Tensor
) -> tuple[str, str]:
    """What a model is that is not accurate enough: the fault's name and a sentence."""
    length = exact.square().mean().sqrt()
    if learned.square().mean().sqrt() < 0.2 * length:
        return (
            "no-arrows",
            "It hardly has any arrows. The library's MLP starts as zero: was it trained, and is this the trained one?",
        )
    if learned.std(dim=0).max() < 0.2 * length:
        return (
            "the-same-everywhere",
            "It has nearly the same arrow everywhere. Does it see x_t, or something else?",
        )
    if _relative_error(at_another_time, learned) < 0.2:
        return (
            "ignores-time",
            "It gives nearly the same arrows at every time. Is it told the t of each point, in training and here?",
        )
    error = _relative_error(learned, exact)
    others = _other_fields(x, t)
    near = {name: _relative_error(learned, field) for name, (field, _) in others.items()}
    nearest = min(near, key=near.__getitem__)
    if near[nearest] < min(0.5, error / 2):
        return nearest, others[nearest][1]
    if error < 0.6:
        return (
            "not-accurate",
            "It has understood the task, but is not accurate yet. Has it been trained long enough, with a batch of fresh points and times in each step?",
        )
    return (
        "wrong",
        "Its arrows are far from the exact ones. Go through the loss once more: is each x_t made with the t that the model is told, and by the linear schedule?",
    )
