"""Exercise 14 of Lab 3: the sweep over w, and what diversity is."""

from __future__ import annotations

from typing import Any

import torch

from course_lib.checks.base import Check, Mistake
from course_lib.checks.choice import Choice, seal
from course_lib.checks.guard import StudentError
from course_lib.checks.judge import Judgement
from course_lib.checks.outcome import Fault
from course_lib.checks.plain import Array

__all__ = ["BestScale", "FeatureSpread", "PredictSweep"]


def _per_class(measure, combine=torch.mean):
    """A formula of the check's inputs: a measure of each class's features (n, d), then combined."""

    def formula(features, y):
        values = [measure(features[y == label]) for label in y.unique()]
        return combine(torch.stack(values)).item()

    return formula


def _trace(f, correction=0):
    return f.var(dim=0, correction=correction).sum()


def _squared_distances(f):
    return (f[:, None] - f).square().sum(dim=-1)


class FeatureSpread(Check):
    """The spread of features within a class."""

    points = 2
    depends_on = ("features", "y")

    def inputs(self, rng):
        sizes = torch.tensor([2, 3, 4, 5, 6, 7, 8])  # as many images as features, 35
        labels = torch.randperm(10, generator=rng.generator)[: len(sizes)]
        order = torch.randperm(35, generator=rng.generator)
        widths = rng.uniform(10, 1, low=0.5, high=2)
        y = labels.repeat_interleave(sizes)[order]
        centres = 2 + rng.normal(10, 35)
        return dict(features=centres[y] + widths[y] * rng.normal(35, 35), y=y)

    def run(self, spread, features, y):
        result = spread(features, y)
        if isinstance(result, float | torch.Tensor) and torch.as_tensor(result).isnan().any():
            raise StudentError(_EMPTY_CLASS)
        return result

    answer = staticmethod(_per_class(_trace))

    mistakes = [
        *(
            Mistake(
                "all-images-at-once",
                lambda features, n=n: _trace(features, n).item(),
                "You take all images at once, so the distances between the classes count as well: even ten prototypes, each repeated, would look diverse. Within each class first.",
            )
            for n in (0, 1)
        ),
        *(
            Mistake(
                "standard-deviations",
                _per_class(lambda f, n=n: f.std(dim=0, correction=n).sum()),
                "You add standard deviations. Variances add up to the mean squared distance from the centre.",
            )
            for n in (0, 1)
        ),
        Mistake(
            "root-of-the-sum",
            _per_class(lambda f: _trace(f).sqrt()),
            "You take a root at the end. The total variance is a squared length.",
        ),
        Mistake(
            "divided-by-n-1",
            _per_class(lambda f: _trace(f, correction=1)),
            "You divide by n − 1, which is the default of `var`. Here it is n: `correction=0`.",
        ),
        Mistake(
            "sum-over-classes",
            _per_class(_trace, torch.sum),
            "You add the classes up, so the result grows with their number. Take their mean.",
        ),
        Mistake(
            "divided-by-ten",
            _per_class(_trace, lambda values: values.sum() / 10),
            "You divide by ten, and fewer classes are there. Take the mean over those that are.",
        ),
        Mistake(
            "weighted-by-size",
            lambda features, y: (
                sum((y == k).sum() * _trace(features[y == k]) for k in y.unique()) / len(y)
            ).item(),
            "Large classes count for more here. Each class counts once, however many images it has.",
        ),
        Mistake(
            "sum-of-squares",
            _per_class(lambda f: len(f) * _trace(f)),
            "Within a class you add the images up, so a larger class looks more diverse. Divide by their number.",
        ),
        *(
            Mistake(
                "mean-over-features",
                _per_class(lambda f, n=n: f.var(dim=0, correction=n).mean()),
                "You average over the features. The total variance is their sum, the trace of the covariance.",
            )
            for n in (0, 1)
        ),
        Mistake(
            "all-numbers-of-a-class",
            _per_class(lambda f: f.var(correction=0)),
            "You take one variance of all numbers of a class, so different features are compared with one another. One for each feature, over the images.",
        ),
        Mistake(
            "over-the-features",
            _per_class(lambda f: f.var(dim=1, correction=0).sum()),
            "The variance runs over the wrong axis: over the features of an image, in place of the images of a class.",
        ),
        Mistake(
            "over-the-features",
            _per_class(lambda f: f.var(dim=1, correction=0).mean()),
            "The variance runs over the wrong axis: over the features of an image, in place of the images of a class.",
        ),
        *(
            Mistake(
                "columns-of-a-class",
                _per_columns,
                "The label picks columns, and a column is a feature. Rows are images: `features[y == label]`.",
            )
            for _per_columns in (
                lambda features, y: _per_class(_trace)(features.mT, y),
                lambda features, y: (
                    sum(_trace(features[:, y == k]) for k in y.unique()) / len(y.unique())
                ).item(),
            )
        ),
        Mistake(
            "between-the-classes",
            lambda features, y: _trace(
                torch.stack([features[y == k].mean(dim=0) for k in y.unique()])
            ).item(),
            "This is how far the classes lie apart. How far do the images lie apart within one?",
        ),
        Mistake(
            "distances-not-squared",
            _per_class(lambda f: (f - f.mean(dim=0)).norm(dim=1).mean()),
            "You average distances. A variance averages their squares.",
        ),
        Mistake(
            "pairs",
            _per_class(lambda f: _squared_distances(f).mean()),
            "The mean squared distance of two images is twice the variance.",
        ),
        Mistake(
            "pairs",
            _per_class(lambda f: _squared_distances(f).sum() / (len(f) * (len(f) - 1))),
            "The mean squared distance of two images is twice the variance.",
        ),
        Mistake(
            "mean-not-subtracted",
            _per_class(lambda f: f.square().sum(dim=1).mean()),
            "The mean of the class is not subtracted, so the distance from the origin counts.",
        ),
        Mistake(
            "mean-of-all-subtracted",
            lambda features, y: _per_class(
                lambda f: (f - features.mean(dim=0)).square().sum(dim=1).mean()
            )(features, y),
            "You subtract the mean of all images. Each class has its own.",
        ),
        Mistake(
            "last-class-alone",
            lambda features, y: _trace(features[y == y.max()]).item(),
            "This is the spread of the last class alone. Does each turn of the loop forget the one before?",
        ),
        Mistake(
            "first-class-alone",
            lambda features, y: _trace(features[y == y.min()]).item(),
            "This is the spread of the first class alone. Is the `return` inside the loop?",
        ),
    ]


_EMPTY_CLASS = Fault(
    "empty-class",
    "The result is NaN. Not all ten digits occur in `y` here, and the mean of no image is NaN: "
    "average over the classes that occur.",
)


class PredictSweep(Choice):
    """Prediction: accuracy, diversity and Fréchet distance from w = 0 to w = 8."""

    points = 1
    key = "1c0fec692dd12a65"
    replies = {
        "a": "Guidance drives all digits of a kind to what is most typical of it. What does that do to their variety? Measure below, then choose again.",
        "b": "That would be so for exact fields. A network trained for minutes is not exact: at w = 1 one digit in twenty falls between two kinds. Measure below, then choose again.",
        "c": "Some guidance drops the digits that fall between two kinds, so the whole gets more like MNIST. More of it drops digits as people do write them, and only those left that look like no other kind. The best w lies where the one begins to cost more than the other brings.",
        "d": "Once nearly every digit can be read, there is no accuracy left to win. Does the distance to real digits stop falling there, or does something else go on? Measure below, then choose again.",
    }


class BestScale(Check):
    """The guidance scale of the least Fréchet distance."""

    points = 1
    repeatable = False
    key = "3b90a3240281a3f5"

    def judge(self, inputs: dict[str, Any], output: Any) -> Judgement:
        if isinstance(output, Array) and output.values.size == 1:
            output = output.values.item()
        if isinstance(output, bool) or not isinstance(output, int | float):
            return Judgement(0, "type", "Write one number, the w.")
        if seal(self.name, f"{output:g}") == self.key:
            return Judgement(
                1,
                None,
                "There nearly all digits can be read, and those of a kind still differ, if less than real ones do.",
            )
        name, message = _other_scale(output)
        return Judgement(0, name, message)


def _other_scale(w: float) -> tuple[str, str]:
    """Why this w is not the best of those tried: the fault's name and a sentence."""
    if w not in (0, 1, 1.5, 2, 3, 4, 8):
        return "not-tried", "This w is none of those in the sweep."
    if w == 0:
        return (
            "no-guidance",
            "At w = 0 the label counts for nothing. The *smallest* distance is wanted, and this is the largest.",
        )
    if w == 1:
        return (
            "plain-model",
            "w = 1 would be best if the network were exact. Look at the panel of the Fréchet distance once more.",
        )
    return (
        "most-accurate",
        "Here nearly all digits can be read, but they get ever more alike. Look at the panel of the Fréchet distance.",
    )
