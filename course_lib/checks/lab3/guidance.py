"""Exercises on guidance in Lab 3: labels dropped, the loss, the guided velocity and its SDE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from course_lib import guidance, paths
from course_lib.checks.base import Check, Mistake
from course_lib.checks.lab3.earlier import blame_earlier, named
from course_lib.checks.lab3.images import PathOnImages
from course_lib.shapes import expand_time

__all__ = ["DropLabels", "GuidedCFMLoss", "GuidedSDEStep", "GuidedVelocity", "OtherConvention"]

_PASSED_IN = "Draw nothing here: the uniform numbers u and the noise are passed in."


def _labels(rng, n, classes):
    return torch.randint(classes, (n,), generator=rng.generator)


def _spread_out(rng, n):
    """One number in each nth of [0, 1), shuffled: about every threshold lie numbers on each side."""
    order = torch.randperm(n, generator=rng.generator)
    return (order + rng.uniform(n, low=0.1, high=0.9)) / n


def _first_share(y, rate):
    return torch.arange(len(y)) < round(rate * len(y))


def _drop(mask, null=lambda null_label: null_label):
    """Labels dropped by a mask, as a formula of the check's inputs."""
    return lambda y, u, rate, null_label: torch.where(mask(y, u, rate), null(null_label), y)


def _below(y, u, rate):
    return u < rate


_right_labels = _drop(_below)


class DropLabels(Check):
    """Dropping labels: Notes (69)."""

    points = 2
    depends_on = ("y", "u")
    if_random = _PASSED_IN
    reference = (guidance.drop_labels,)

    def inputs(self, rng):
        classes = rng.integer(5, 12)
        return dict(
            y=_labels(rng, 20, classes - 2) + 1,  # neither 0 nor the last: see the mistakes
            u=_spread_out(rng, 20),
            rate=rng.number(0.2, 0.4),
            null_label=classes,
        )

    def run(self, drop_labels, y, u, rate, null_label):
        return drop_labels(y, u, rate, null_label)

    answer = staticmethod(_right_labels)

    mistakes = [
        Mistake(
            "kept-and-dropped-exchanged",
            _drop(lambda y, u, rate: u >= rate),
            "You drop the labels that should stay. η is the share that is *dropped*, and is small: which of the u lie in a share η of [0, 1)?",
        ),
        Mistake(
            "rate-is-the-share-kept",
            _drop(lambda y, u, rate: u < 1 - rate),
            "You drop a share 1 − η. η is the probability of dropping a label, not of keeping it.",
        ),
        Mistake(
            "top-share",
            _drop(lambda y, u, rate: u > 1 - rate),
            "Your share is right, but it is the top one. So that there is one right answer, drop where u is *below* the rate.",
        ),
        Mistake(
            "zero-as-null",
            _drop(_below, lambda null_label: 0),
            "Dropped labels become 0 with you. But 0 is a class like any other: the network would mix it with “no label”.",
        ),
        Mistake(
            "minus-one-as-null",
            _drop(_below, lambda null_label: -1),
            "Dropped labels become −1 with you. The network looks labels up in a table, and the row of “no label” has a number: null_label.",
        ),
        Mistake(
            "last-class-as-null",
            _drop(_below, lambda null_label: null_label - 1),
            "Dropped labels become one of the classes with you. Is a number written into the code? The null label is the argument null_label.",
        ),
        Mistake(
            "null-label-added",
            lambda y, u, rate, null_label: y + null_label * (u < rate),
            "You add the null label to the label. It takes the label's place.",
        ),
        Mistake(
            "nothing-dropped",
            lambda y: y.clone(),
            "No label is dropped. Operations such as torch.where and masked_fill return a new tensor: is that what you return?",
        ),
        Mistake(
            "all-dropped",
            lambda y, null_label: torch.full_like(y, null_label),
            "Every label is dropped, and the network would never see one. Each label has a u of its own.",
        ),
        Mistake(
            "the-first-ones",
            lambda y, u, rate, null_label: torch.where(_first_share(y, rate), null_label, y),
            "You drop the first labels of the batch. Chance decides for each label: look at its u.",
        ),
        Mistake(
            "rows-removed",
            lambda y, u, rate: y[u >= rate],
            "You remove the dropped labels from the batch. Their images stay and need a label: the null label.",
        ),
        Mistake(
            "mask",
            lambda u, rate: u < rate,
            "This is the mask. What you want are the labels, replaced where it is True.",
        ),
        Mistake(
            "floats",
            lambda y, u, rate, null_label: torch.where(u < rate, null_label, y).to(u.dtype),
            "The numbers are right, but they have become floats: labels number the rows of a table, so they have to stay int64. Products with u or with a float tensor do this.",
        ),
        Mistake(
            "floats",
            lambda y, u, rate, null_label: torch.where(u < rate, null_label, y).float(),
            "The numbers are right, but they have become floats: labels number the rows of a table, so they have to stay int64. Products with u or with a float tensor do this.",
        ),
    ]


def _network(model_weights):
    """A small network of images, model(x, t, y). Its weights: two mixings, then a map a label."""
    first, second, table = model_weights[0], model_weights[1], model_weights[2:, None]

    def model(x, t, y):
        phase = 4 * expand_time(t, x)
        return torch.sin(x @ first + phase) @ second + table[y]

    return model


@dataclass(frozen=True)
class _Batch:
    """What a formula of the loss may use; t and kept broadcast against the images."""

    z: Any
    t: Any
    noise: Any
    kept: Any
    times: Any

    @property
    def x(self):
        return self.t * self.z + (1 - self.t) * self.noise


def _loss(
    target=lambda b: b.z - b.noise,
    *,
    shown=lambda b: b.x,
    clock=lambda t: t,
    labels=_right_labels,
    reduce=lambda error, b: error.square().mean(),
):
    """The loss as a formula of the check's inputs; the knobs are what the mistakes turn."""

    def loss(model_weights, z, y, t, noise, u, rate, null_label):
        y_seen = labels(y, u, rate, null_label)
        batch = _Batch(z, expand_time(t, z), noise, u >= rate, t)
        error = _network(model_weights)(shown(batch), clock(t), y_seen) - target(batch)
        return reduce(error, batch)

    return loss


def _pixel_sums(error):
    return error.square().sum(dim=(1, 2, 3))


def _along(*axes):
    """The point on the path, with the times along axes of the image."""

    def point(b):
        t = b.times.reshape(axes)
        return t * b.z + (1 - t) * b.noise

    return point


_ALONG = "t is spread over the rows, columns or channels of an image: since batch, height and width are equal here, torch does not complain. Each *image* has one time: view t as (batch, 1, 1, 1)."


class GuidedCFMLoss(Check):
    """The guided flow matching loss: Notes (68)."""

    points = 2
    depends_on = ("y", "t")
    differentiable = ("model_weights",)
    if_random = _PASSED_IN
    reference = (paths.GaussianPath.target, paths.LinearPath.target)

    def inputs(self, rng):
        n, classes = 8, 4  # as many images as rows and columns
        return dict(
            model_weights=rng.normal(2 + classes + 1, n, n),
            z=rng.normal(n, 1, n, n, scale=1.5),
            y=_labels(rng, n, classes - 1) + 1,
            t=rng.uniform(n, low=0.15, high=0.85),
            noise=rng.normal(n, 1, n, n),
            u=_spread_out(rng, n),
            rate=rng.number(0.3, 0.45),
            null_label=classes,
        )

    def run(self, guided_cfm_loss, model_weights, z, y, t, noise, u, rate, null_label):
        given = (z, y, t, noise, u, rate, null_label)
        loss = guided_cfm_loss(_network(model_weights), *given)
        earlier = [
            (1, PathOnImages, named(guided_cfm_loss, "sample_path")),
            (7, DropLabels, named(guided_cfm_loss, "drop_labels")),
        ]
        blame_earlier(self, (model_weights, *given), loss, earlier)
        return loss

    answer = staticmethod(_loss())

    mistakes = [
        Mistake(
            "rates-exchanged",
            _loss(lambda b: b.noise - b.z),
            "Your target points from the image to the noise. Step 7 of the Notes' Algorithm 5 has it so, and is misprinted: α̇ belongs to the data z, β̇ to the noise.",
        ),
        Mistake(
            "sum-over-pixels",
            _loss(reduce=lambda error, b: _pixel_sums(error).mean()),
            "You sum over the pixels, as (68) is printed. Here the loss is divided by their number, so that it does not depend on how large images are.",
        ),
        Mistake(
            "sum-over-the-batch",
            _loss(reduce=lambda error, b: error.square().sum()),
            "You sum over the batch and the pixels. Average over all of them.",
        ),
        Mistake(
            "sum-over-the-batch",
            _loss(reduce=lambda error, b: error.square().mean(dim=(1, 2, 3)).sum()),
            "You sum over the batch and the pixels. Average over all of them.",
        ),
        Mistake(
            "labels-never-dropped",
            _loss(labels=lambda y, u, rate, null_label: y),
            "The network sees every label. Then it never learns what to do without one, and there is nothing to guide away from.",
        ),
        Mistake(
            "labels-always-dropped",
            _loss(labels=lambda y, u, rate, null_label: torch.full_like(y, null_label)),
            "The network never sees a label. Only those with u below the rate are dropped.",
        ),
        Mistake(
            "kept-and-dropped-exchanged",
            _loss(labels=_drop(lambda y, u, rate: u >= rate)),
            "The labels that should stay are dropped, and the others are kept.",
        ),
        Mistake(
            "zero-as-null",
            _loss(labels=_drop(_below, lambda null_label: 0)),
            "Dropped labels become 0 with you, a class like any other. Take the null label that is passed in.",
        ),
        Mistake(
            "dropped-images-left-out",
            _loss(reduce=lambda error, b: error[b.kept].square().mean()),
            "Images whose label is dropped do not count in your loss. From them the network learns the field without a label.",
        ),
        Mistake(
            "dropped-images-left-out",
            _loss(reduce=lambda error, b: (expand_time(1.0 * b.kept, error) * error**2).mean()),
            "Images whose label is dropped do not count in your loss. From them the network learns the field without a label.",
        ),
        Mistake(
            "shown-the-clean-image",
            _loss(shown=lambda b: b.z),
            "You show the network the clean image z. When it draws, it will meet noisy ones: show it x_t.",
        ),
        Mistake(
            "shown-the-noise",
            _loss(shown=lambda b: b.noise),
            "You show the network the noise alone. Show it x_t, the place on the path.",
        ),
        Mistake(
            "path-exchanged",
            _loss(shown=lambda b: b.t * b.noise + (1 - b.t) * b.z),
            "Your x_t has image and noise exchanged: at t = 1 the image should be left.",
        ),
        Mistake(
            "data-and-noise-exchanged",
            _loss(lambda b: b.noise - b.z, shown=lambda b: b.t * b.noise + (1 - b.t) * b.z),
            "Image and noise are exchanged throughout: your path leads from images to noise.",
        ),
        Mistake("one-time-an-image", _loss(shown=_along(-1)), _ALONG),
        Mistake("one-time-an-image", _loss(shown=_along(-1, 1)), _ALONG),
        Mistake("one-time-an-image", _loss(shown=_along(-1, 1, 1)), _ALONG),
        Mistake(
            "clock-reversed",
            _loss(clock=lambda t: 1 - t),
            "The network is told 1 − t. It has to know the t of the image that it is shown.",
        ),
        Mistake(
            "no-time",
            _loss(clock=torch.zeros_like),
            "The network is told t = 0 for every image.",
        ),
        Mistake(
            "one-time-for-all",
            _loss(clock=lambda t: t[0]),
            "The network gets one time for the whole batch. Each image has a t of its own.",
        ),
        Mistake(
            "predicts-the-image",
            _loss(lambda b: b.z),
            "Your target is the image. Flow matching asks for the velocity on the way there.",
        ),
        Mistake(
            "predicts-the-noise",
            _loss(lambda b: b.noise),
            "Your target is the noise. Flow matching asks for a velocity.",
        ),
        Mistake(
            "predicts-the-point",
            _loss(lambda b: b.x),
            "Your target is x_t itself. A velocity says how fast x_t changes.",
        ),
        Mistake(
            "noise-added",
            _loss(lambda b: b.z + b.noise),
            "Your target is z + ε. How does 1 − t, the factor of the noise, change with time?",
        ),
        Mistake(
            "from-the-point",
            _loss(lambda b: b.z - b.x),
            "Your target is the way left from x_t. The velocity is the whole way, from the noise to the image, since it takes the whole time from 0 to 1.",
        ),
        Mistake(
            "the-way-so-far",
            _loss(lambda b: b.x - b.noise),
            "Your target is the way so far, from the noise to x_t. The velocity is the whole way, from the noise to the image, since it takes the whole time from 0 to 1.",
        ),
        Mistake(
            "weights-in-the-target",
            _loss(lambda b: b.t * b.z - (1 - b.t) * b.noise),
            "In your target the factors t and 1 − t stand as they do in x_t. How fast do they change?",
        ),
        Mistake(
            "path-not-weighted",
            _loss(shown=lambda b: b.z + b.noise),
            "You show the network z + ε, which is the same at all times. Show it x_t, the place on the path.",
        ),
        Mistake(
            "squared-after-the-mean",
            _loss(reduce=lambda error, b: error.mean().square()),
            "You average first and square then, so errors of opposite sign cancel.",
        ),
        Mistake(
            "not-squared",
            _loss(reduce=lambda error, b: error.mean()),
            "Nothing is squared, so errors of opposite sign cancel.",
        ),
        Mistake(
            "absolute-error",
            _loss(reduce=lambda error, b: error.abs().mean()),
            "These are absolute errors. Only with squares is the best answer the mean of the targets.",
        ),
        Mistake(
            "norm-not-squared",
            _loss(reduce=lambda error, b: _pixel_sums(error).sqrt().mean()),
            "This is a length, not its square. Only with squares is the best answer the mean of the targets.",
        ),
        Mistake(
            "root",
            _loss(reduce=lambda error, b: error.square().mean().sqrt()),
            "You take a root at the end. The loss is the mean square itself.",
        ),
        Mistake(
            "half",
            _loss(reduce=lambda error, b: error.square().mean() / 2),
            "A factor ½ came along. It would not change the minimiser, but the loss is the plain mean square.",
        ),
    ]


def _exact(means, variances, labels, null_label, wanted):
    """An exact field(x, t, y) of the linear path to Gaussians N(m_k, v_k I), each with a label.

    Rows of y with the null label are about all the data. Much faster than `oracles.Marginal`,
    with which a test compares it: a judge computes every mistake.
    """
    centres = means.flatten(1)

    def field(x, t, y):
        if y is None:
            raise ValueError("y is None; expected labels (batch,). “No label” is the null label")
        y = torch.as_tensor(y)
        if y.shape != x.shape[:1] or y.is_floating_point():
            raise ValueError(
                f"y is {y.dtype} of shape {tuple(y.shape)}; expected ({len(x)},) integers"
            )
        known = torch.cat([labels, torch.tensor([null_label])])
        if not torch.isin(y, known).all():
            raise ValueError(
                f"y has the label {y[~torch.isin(y, known)][0].item()}, and here labels are 0 to "
                f"{labels.max().item()} and null_label = {null_label}. No number belongs in the code: "
                "null_label is an argument"
            )
        points = x.flatten(1)
        t = expand_time(t, points)
        variance = t**2 * variances + (1 - t) ** 2
        offsets = points[:, None] - t[..., None] * centres
        log_p = -offsets.square().sum(-1) / (2 * variance) - centres.shape[1] / 2 * variance.log()
        other = (labels != y[:, None]) & (y != null_label)[:, None]
        shares = log_p.masked_fill(other, -torch.inf).softmax(1)
        score = -((shares / variance)[..., None] * offsets).sum(1)
        value = score if wanted == "score" else (points + (1 - t) * score) / t
        return value.reshape(x.shape)

    return field


def _random_field(rng, classes, wanted):
    """The exact field of two Gaussians of the plane for each label."""
    k = 2 * classes
    means, variances = rng.normal(k, 2, scale=1.5), rng.uniform(k, low=0.2, high=0.8)
    return _exact(means, variances, torch.arange(k) % classes, classes, wanted)


def _null(y, null_label):
    return torch.full_like(y, null_label)


# Wrong mixtures of o, the field without a label, and c, the one with it, by the scale w.
_MIXTURES = [
    (
        "weights-exchanged",
        lambda o, c, w: w * o + (1 - w) * c,
        "The two weights are exchanged: at w = 1 yours ignores the label, and beyond it flees from it.",
    ),
    (
        "other-convention",
        lambda o, c, w: (1 + w) * c - w * o,
        "This is the other convention, where w = 0 is the plain conditional model. In the Notes w = 0 ignores the label, and w = 1 is the plain conditional model.",
    ),
    (
        "weights-do-not-sum-to-one",
        lambda o, c, w: o + w * c,
        "The two weights should sum to 1. Yours sum to 1 + w: at w = 1 both fields come in full.",
    ),
    (
        "weight-of-the-wrong-sign",
        lambda o, c, w: (w - 1) * o + w * c,
        "The field without a label has the wrong sign: for w above 1 you should move *away* from it.",
    ),
    (
        "label-subtracted",
        lambda o, c, w: (1 - w) * o - w * c,
        "The field with the label is subtracted: you move away from what was asked for.",
    ),
    (
        "difference-reversed",
        lambda o, c, w: o + w * (o - c),
        "Your difference is reversed: from the field without a label go *towards* the one with it.",
    ),
    (
        "difference-alone",
        lambda o, c, w: w * (c - o),
        "This is the step that the label adds. Where does it start from?",
    ),
    (
        "scaled-label",
        lambda o, c, w: w * c,
        "You only make the arrows of the labelled field longer. Guidance moves away from the field without a label: where is that one?",
    ),
    (
        "off-by-one",
        lambda o, c, w: (2 - w) * o + (w - 1) * c,
        "You have taken 1 off the scale. Here w is the weight of the labelled field as it is.",
    ),
]


def _mixed(combine, *, null=_null, labels=lambda y: y, clock=lambda t: t):
    """A mixture of two fields as a formula of `GuidedVelocity`'s inputs: its four parts."""

    def parts(velocity, x, t, y, w, null_label, image_velocity, images, image_t, image_y):
        def mix(field, x, t, y, w):
            t, seen = clock(t), labels(y)
            return combine(field(x, t, null(seen, null_label)), field(x, t, seen), w)

        return (
            mix(velocity, x, t, y, w),
            mix(velocity, x, t, y, 0.0),
            mix(velocity, x, t, y, 1.0),
            mix(image_velocity, images, image_t, image_y, w),
        )

    return parts


def _right(o, c, w):
    return (1 - w) * o + w * c


class GuidedVelocity(Check):
    """The guided velocity: Notes (70)."""

    points = 2
    parts = ("points, a random w", "points, w = 0", "points, w = 1", "images, a random w")
    depends_on = ("t", "y", "w")
    if_random = "There is nothing random here: keep nothing between calls."
    reference = (guidance.guided,)

    def inputs(self, rng):
        classes, n = rng.integer(3, 5), 5  # as many images as rows and columns
        pictures, labels = rng.normal(12, 1, n, n), torch.arange(12) % classes
        return dict(
            velocity=_random_field(rng, classes, "velocity"),
            x=rng.normal(16, 2, scale=1.5),
            t=rng.uniform(16, low=0.2, high=0.8),
            y=_labels(rng, 16, classes - 1) + 1,
            w=rng.number(1.5, 5),
            null_label=classes,
            image_velocity=_exact(pictures, torch.zeros(12), labels, classes, "velocity"),
            images=rng.normal(n, 1, n, n),
            image_t=rng.uniform(n, low=0.2, high=0.4),
            image_y=_labels(rng, n, classes - 1) + 1,
        )

    def run(
        self,
        guided_velocity,
        velocity,
        x,
        t,
        y,
        w,
        null_label,
        image_velocity,
        images,
        image_t,
        image_y,
    ):
        return (
            guided_velocity(velocity, x, t, y, w, null_label),
            guided_velocity(velocity, x, t, y, 0.0, null_label),
            guided_velocity(velocity, x, t, y, 1.0, null_label),
            guided_velocity(image_velocity, images, image_t, image_y, w, null_label),
        )

    answer = staticmethod(_mixed(_right))

    mistakes = [
        *(Mistake(name, _mixed(combine), sentence) for name, combine, sentence in _MIXTURES),
        Mistake(
            "label-alone",
            _mixed(lambda o, c, w: c),
            "This is the plain conditional field, right for w = 1 alone.",
        ),
        Mistake(
            "no-label",
            _mixed(lambda o, c, w: o),
            "This is the field without a label, right for w = 0 alone.",
        ),
        Mistake(
            "scale-clamped",
            _mixed(lambda o, c, w: _right(o, c, min(w, 1))),
            "Your scale goes no further than 1. Guidance begins beyond: then 1 − w is negative, and that is meant.",
        ),
        Mistake(
            "zero-as-null",
            _mixed(_right, null=lambda y, null_label: torch.zeros_like(y)),
            "You take class 0 for “no label”, so you move away from class 0. The null label is passed in.",
        ),
        Mistake(
            "last-class-as-null",
            _mixed(_right, null=lambda y, null_label: torch.full_like(y, null_label - 1)),
            "You take the last class for “no label”. The null label is one more: null_label itself.",
        ),
        Mistake(
            "clock-reversed",
            _mixed(_right, clock=lambda t: 1 - t),
            "The fields are asked for time 1 − t. In this course noise is at t = 0.",
        ),
        Mistake(
            "one-time-for-all",
            _mixed(_right, clock=lambda t: t[0]),
            "The fields are asked for one time for the whole batch. Hand t on as it is.",
        ),
        Mistake(
            "one-label-for-all",
            _mixed(_right, labels=lambda y: torch.full_like(y, y[0].item())),
            "You use the first label for the whole batch. Each row has its own.",
        ),
    ]


class OtherConvention(Check):
    """The same scale in another paper."""

    points = 1

    def answer(self):
        return 2.5

    mistakes = [
        Mistake(
            "same-number",
            lambda: 1.5,
            "With w = 1.5 here the labelled score has weight 1.5. Which weight does it have in the paper?",
        ),
        Mistake(
            "subtracted",
            lambda: 0.5,
            "That is the wrong way round: the paper's w' = 0 is already the plain conditional model. Which w is that here?",
        ),
        Mistake(
            "weight-of-the-null",
            lambda: -1.5,
            "That is the weight of the score without a label. Here w is the weight of the one with it.",
        ),
        Mistake(
            "one-minus",
            lambda: -0.5,
            "1 − w' would be the weight of the score without a label by the Notes. Compare the paper's weights with (77), one by one.",
        ),
        Mistake(
            "both-weights-added",
            lambda: 4.0,
            "You have added up the sizes of both weights. Compare them with (77), one by one.",
        ),
        Mistake(
            "doubled",
            lambda: 3.0,
            "The two scales do not differ by a factor. Which w' is the plain conditional model, and which w?",
        ),
        Mistake(
            "three-and-a-half",
            lambda: 3.5,
            "One too many: put your w into (77) and read off the weight of the labelled score.",
        ),
    ]


@dataclass(frozen=True)
class _At:
    """What a step may use: scores without a label (o), with it (c) and guided (s)."""

    x: Any
    t: Any
    h: Any
    sigma: Any
    noise: Any
    o: Any
    c: Any
    s: Any

    def velocity(self, score):
        return (self.x + (1 - self.t) * score) / self.t

    def step(self, u, s):
        """Euler–Maruyama with the velocity u and the score s."""
        return self.x + self.h * (u + self.sigma**2 / 2 * s) + self.jump

    @property
    def u(self):
        return self.velocity(self.s)

    @property
    def jump(self):
        return self.h**0.5 * self.sigma * self.noise


def _step(formula=lambda a: a.step(a.u, a.s), *, mix=_right, null=_null, clock=lambda t, h: t):
    """A step as a formula of the check's inputs; the knobs are what the mistakes turn."""

    def step(score, x, t, h, y, w, sigma, noise, null_label):
        at = clock(t, h)
        o, c = score(x, at, null(y, null_label)), score(x, at, y)
        return formula(_At(x, t, h, sigma, noise, o, c, mix(o, c, w)))

    return step


class GuidedSDEStep(Check):
    """One step of the guided SDE: Notes (77) and below."""

    points = 3
    depends_on = ("t", "y", "w")
    if_random = "The noise is passed in: draw none of your own."
    reference = (guidance.guided, paths.convert, paths.GaussianPath.convert)

    def inputs(self, rng):
        classes = rng.integer(3, 5)
        return dict(
            score=_random_field(rng, classes, "score"),
            x=rng.normal(16, 2, scale=1.5),
            t=rng.number(0.25, 0.45),
            h=rng.number(0.05, 0.15),
            y=_labels(rng, 16, classes - 1) + 1,
            w=rng.number(1.5, 4),
            sigma=rng.number(1.2, 1.8),
            noise=rng.normal(16, 2),
            null_label=classes,
        )

    def run(self, guided_sde_step, score, x, t, h, y, w, sigma, noise, null_label):
        given = (score, x, t, h, y, w, sigma, noise, null_label)
        result = guided_sde_step(*given)
        earlier = [(9, GuidedVelocity, named(guided_sde_step, "guided_velocity"))]
        blame_earlier(self, given, result, earlier)
        return result

    answer = staticmethod(_step())

    mistakes = [
        *(
            Mistake(name, _step(mix=combine), f"In the guided score: {sentence}")
            for name, combine, sentence in _MIXTURES
        ),
        Mistake(
            "not-guided",
            _step(lambda a: a.step(a.velocity(a.c), a.c)),
            "Nothing is guided: this is the step of the plain conditional model, w = 1.",
        ),
        Mistake(
            "no-label",
            _step(lambda a: a.step(a.velocity(a.o), a.o)),
            "The label does nothing here: this is the step at w = 0.",
        ),
        Mistake(
            "score-not-guided",
            _step(lambda a: a.step(a.u, a.c)),
            "Your velocity is guided, the score beside it is not. Both come from the same guided score.",
        ),
        Mistake(
            "velocity-not-guided",
            _step(lambda a: a.step(a.velocity(a.c), a.s)),
            "Your score is guided, the velocity beside it is not. Both come from the same guided score.",
        ),
        Mistake(
            "zero-as-null",
            _step(null=lambda y, null_label: torch.zeros_like(y)),
            "You take class 0 for “no label”. The null label is passed in.",
        ),
        Mistake(
            "last-class-as-null",
            _step(null=lambda y, null_label: torch.full_like(y, null_label - 1)),
            "You take the last class for “no label”. The null label is one more: null_label itself.",
        ),
        Mistake(
            "late-clock",
            _step(clock=lambda t, h: t + h),
            "You ask for the score at the time at which the step ends. An Euler step looks at where it begins.",
        ),
        Mistake(
            "clock-reversed",
            _step(clock=lambda t, h: 1 - t),
            "You ask for the score at time 1 − t.",
        ),
        Mistake(
            "late-velocity",
            _step(lambda a: a.step((a.x + (1 - a.t - a.h) * a.s) / (a.t + a.h), a.s)),
            "In the velocity stands the time at which the step ends. An Euler step looks at where it begins.",
        ),
        Mistake(
            "score-without-h",
            _step(lambda a: a.x + a.h * a.u + a.sigma**2 / 2 * a.s + a.jump),
            "The term with σ² s is not multiplied by h: it is part of the drift, like the velocity.",
        ),
        Mistake(
            "drift-alone",
            _step(lambda a: a.u + a.sigma**2 / 2 * a.s),
            "This is the drift. A step goes on from x, for a time h, and takes the noise along.",
        ),
        Mistake(
            "velocity-not-divided",
            _step(lambda a: a.step(a.x + (1 - a.t) * a.s, a.s)),
            "The velocity is not divided by t: (66) has α̇/α, and α = t.",
        ),
        Mistake(
            "velocity-half-divided",
            _step(lambda a: a.step(a.x + (1 - a.t) / a.t * a.s, a.s)),
            "In the velocity only the score is divided by t. Both terms of (65) have α below the line.",
        ),
        Mistake(
            "velocity-half-divided-at-x",
            _step(lambda a: a.step(a.x / a.t + (1 - a.t) * a.s, a.s)),
            "In the velocity only x is divided by t. Both terms of (65) have α below the line.",
        ),
        Mistake(
            "velocity-beta-squared",
            _step(lambda a: a.step((a.x + (1 - a.t) ** 2 * a.s) / a.t, a.s)),
            "(x + (1 − t)² s)/t is the image that the score stands for, not the velocity. In (66) β̇ is −1: the two terms of b add up to less than that.",
        ),
        Mistake(
            "velocity-of-the-wrong-sign",
            _step(lambda a: a.step((a.x - (1 - a.t) * a.s) / a.t, a.s)),
            "In the velocity the score is subtracted. β̇ is −1 in (66), so b is positive: the flow, too, goes to where points are dense.",
        ),
        Mistake(
            "velocity-without-beta",
            _step(lambda a: a.step((a.x + a.s) / a.t, a.s)),
            "In the velocity the score has lost its factor: what is left of b in (66) with α = t, β = 1 − t?",
        ),
        Mistake(
            "velocity-without-score",
            _step(lambda a: a.step(a.x / a.t, a.s)),
            "Your velocity is x/t, so it only carries points outwards. The term b with the score is missing, Notes (65).",
        ),
        Mistake(
            "alpha-and-beta-exchanged",
            _step(lambda a: a.step((a.x + a.t * a.s) / (1 - a.t), a.s)),
            "In the velocity t and 1 − t are exchanged: α = t, β = 1 − t.",
        ),
        Mistake(
            "score-as-velocity",
            _step(lambda a: a.step(a.s, a.s)),
            "The score itself stands in for the velocity. Notes (65) and (66) turn the one into the other.",
        ),
        Mistake(
            "no-half",
            _step(lambda a: a.step(a.u + a.sigma**2 / 2 * a.s, a.s)),
            "The half in front of σ² s is missing.",
        ),
        Mistake(
            "sigma-not-squared",
            _step(lambda a: a.x + a.h * (a.u + a.sigma / 2 * a.s) + a.jump),
            "The drift has σ², the noise has σ.",
        ),
        Mistake(
            "sigma-squared-in-the-noise",
            _step(
                lambda a: a.x + a.h * (a.u + a.sigma**2 / 2 * a.s) + a.h**0.5 * a.sigma**2 * a.noise
            ),
            "The noise has σ, the drift has σ².",
        ),
        Mistake(
            "score-subtracted",
            _step(lambda a: a.step(a.u - a.sigma**2 * a.s, a.s)),
            "In the drift σ²/2 s has the wrong sign: the noise spreads the points, the score gathers them.",
        ),
        Mistake(
            "no-score",
            _step(lambda a: a.x + a.h * a.u + a.jump),
            "The drift is the velocity alone. Noise spreads the points: what holds them together?",
        ),
        Mistake(
            "no-velocity",
            _step(lambda a: a.step(0, a.s)),
            "The velocity is missing: this is Langevin dynamics, for a density that stands still.",
        ),
        Mistake(
            "noise-times-h",
            _step(lambda a: a.step(a.u, a.s) + (a.h - a.h**0.5) * a.sigma * a.noise),
            "The noise is multiplied by h. A random walk spreads with the root of time.",
        ),
        Mistake(
            "noise-without-h",
            _step(lambda a: a.step(a.u, a.s) + (1 - a.h**0.5) * a.sigma * a.noise),
            "The noise of a step does not know how long the step is: in half the time a random walk spreads less.",
        ),
        Mistake(
            "noise-without-sigma",
            _step(lambda a: a.step(a.u, a.s) + a.h**0.5 * (1 - a.sigma) * a.noise),
            "The noise is not multiplied by σ.",
        ),
        Mistake(
            "no-noise",
            _step(lambda a: a.step(a.u, a.s) - a.jump),
            "There is no noise. The score in the drift then only gathers the points.",
        ),
        Mistake(
            "drift-without-h",
            _step(lambda a: a.x + a.u + a.sigma**2 / 2 * a.s + a.jump),
            "The drift is not multiplied by the length of the step.",
        ),
        Mistake(
            "flow-alone",
            _step(lambda a: a.x + a.h * a.u),
            "This is a step of the guided flow, right for σ = 0 alone.",
        ),
        Mistake(
            "step-without-x",
            _step(lambda a: a.step(a.u, a.s) - a.x),
            "This is the change of x. The step returns where it leads: what does the change start from?",
        ),
    ]
