"""Exercises 12 and 13 of Lab 3: the trained network, and the digits of the weights handed in."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from course_lib.checks.base import Check
from course_lib.checks.guard import StudentError
from course_lib.checks.judge import Judgement
from course_lib.checks.outcome import Fault
from course_lib.checks.plain import Array
from course_lib.datasets import MNIST
from course_lib.datasets.mnist import to_floats
from course_lib.guidance import LabelledField, guided
from course_lib.metrics.digits import class_accuracy, digit_features, digit_quality
from course_lib.networks.weights import load_weights, read_weights
from course_lib.pretrained import digit_generator
from course_lib.pretrained.load import digit_judge
from course_lib.processes import ODE
from course_lib.shapes import expand_time
from course_lib.simulate import midpoint_step, simulate, time_grid

__all__ = ["HandedInDigits", "TrainedDigits"]

_NULL = 10


def _images(output: Any, shape: tuple[int, ...]) -> tuple[Tensor | None, Judgement]:
    """The output as float64 numbers of this shape, or None and what is wrong with them."""
    if not isinstance(output, Array) or output.values.shape != shape:
        return None, Judgement(0, "shape", "The network should return images shaped like x.")
    if not np.isfinite(output.values).all():
        return None, Judgement(0, "not-finite", "Some pixels are NaN or infinite.")
    return torch.as_tensor(output.values).double(), Judgement(1)


def _some_pixels(x: Tensor) -> Tensor:
    """157 pixels of each image, all over it: enough to judge by, and little to write down."""
    return x.flatten(1)[:, ::5]


def _course(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
    with torch.no_grad():
        return digit_generator()(x, t, y)


def _error(a: Tensor, b: Tensor) -> float:
    return (a - b).square().mean().item()


class TrainedDigits(Check):
    """The trained network of digits.

    Judged by two mean squared errors to z − ε on 256 digits of the test set, t uniform: told the
    label, and told the null label. Both are at most 0.9 for all points and 1.2 for half of them,
    which is meant for seconds of training: 80 batches of 64 give 0.6. (The least error is not 0,
    since x_t does not tell z − ε: after minutes it is 0.16 and 0.19.) Half of the points are lost
    as well if only one of the two has been learned: if the errors differ by 0.04 or more, or
    another label does as well as the right one; or if it is better at 1 − t than at t. The drawn
    digits move an error by 0.02 and the difference of two by 0.002.

    The course's own generator earns nothing. What it says differs from itself by no more than
    rounding, and from the lab's own training by a mean square of 0.011 and more: below `alike` it
    is refused.
    """

    points = 3
    repeatable = False
    seconds = 50.0
    costly = True
    full, half = 0.9, 1.2
    gap, least_use = 0.04, 0.003
    alike = 0.001

    def inputs(self, rng):
        test = MNIST("test")
        chosen = torch.randperm(len(test), generator=rng.generator)[:256]
        z, y = to_floats(test.images[chosen]), test.labels[chosen]
        t = ((torch.arange(256) + rng.uniform(256)) / 256).float()
        noise = rng.normal(*z.shape).float()
        s = expand_time(t, z)
        return dict(z=z, noise=noise, x=s * z + (1 - s) * noise, t=t, y=y)

    def run(self, model, x, t, y):
        first = next(iter(model.parameters()), x) if isinstance(model, nn.Module) else x
        x, t, y = (given.to(first.device) for given in (x, t, y))
        null = torch.full_like(y, _NULL)
        with torch.no_grad():
            fields = (
                model(x, t, y),
                model(x, t, null),
                model(x, t, (y + 3) % 10),
                model(x, 1 - t, y),
            )
        like_x = [getattr(field, "shape", None) == x.shape for field in fields]
        return tuple(_some_pixels(field) for field in fields) if all(like_x) else fields

    def judge(self, inputs: dict[str, Any], output: Any) -> Judgement:
        parts = output if isinstance(output, list) else []
        fields = []
        for part in (*parts, *[None] * 4)[:4]:
            field, fault = _images(part, (256, 157))
            if field is None:
                return fault
            fields.append(field)
        wanted = _some_pixels(inputs["z"] - inputs["noise"]).double()
        told, untold, otherwise, backwards = (_error(field, wanted) for field in fields)
        of_the_course = _some_pixels(_course(inputs["x"], inputs["t"], inputs["y"])).double()
        if _error(fields[0], of_the_course) < self.alike:
            return Judgement(0, "the-courses-own", _NOT_YOURS)
        numbers = f"Mean squared error {told:.3f} with the label, {untold:.3f} with the null label (at most {self.full:g})."
        name = None
        if min(told, untold) <= self.full and abs(told - untold) >= self.gap:
            name = "null-label-not-learned" if told < untold else "labels-not-learned"
        elif told <= self.half and backwards < told - 0.01:
            name = "clock-reversed"
        elif told <= self.full and otherwise - told < self.least_use:
            name = "label-of-no-use"
        if name is not None:
            return Judgement(0.5 if told <= self.full else 0, name, _HALF[name], numbers)
        worst = max(told, untold)
        if worst <= self.full:
            return Judgement(1, None, numbers)
        name, sentence = _what_it_learned(inputs, *fields)
        half = worst <= self.half and name == "not-accurate"
        return Judgement(0.5 if half else 0, name, sentence, numbers)


_NOT_YOURS = "This is `digit_generator()`, which comes with the course. Hand over the network that you trained yourself."

_HALF = {
    "null-label-not-learned": "It is right about a digit whose label it is told, and not about one whose label is covered. Does the loss cover one label in ten, and with the null label 10?",
    "labels-not-learned": "It is right about a digit whose label is covered, and not about one whose label it is told. Does the loss hand the labels to the network, and leave nine in ten as they are?",
    "label-of-no-use": "It is as good with a wrong label as with the right one. Does `forward` use its y, and does the loss hand the labels on, each with its own digit?",
    "clock-reversed": "It is better if told 1 − t. Was it told the t of each image in training, and is there noise at t = 0?",
}


def _what_it_learned(
    inputs: dict[str, Any],
    learned: Tensor,
    untold: Tensor,
    of_another_label: Tensor,
    at_another_time: Tensor,
) -> tuple[str, str]:
    """What a network is that is not accurate enough: the fault's name and a sentence."""
    z, noise = (_some_pixels(inputs[name]).double() for name in ("z", "noise"))
    wanted = z - noise
    if _centred(learned).square().mean() < 0.02:
        return (
            "untrained",
            "It says nearly the same of every image, as a network does that has learned next to nothing. Was it trained, and is this `run.model`?",
        )
    if _error(learned, at_another_time) < 1e-6:
        return (
            "ignores-time",
            "It says the same at every time. Does `forward` use its t?",
        )
    if max(_error(learned, other) for other in (untold, of_another_label)) < 1e-9:
        return (
            "ignores-the-label",
            "It says the same for every label. Does `forward` use its y?",
        )
    others = {
        "backwards": (
            -wanted,
            "Its arrows point the wrong way, from data to noise. Which sign has the target?",
        ),
        "predicts-the-data": (
            z,
            "It predicts the digit z itself. The target is the velocity, in which the noise has its part.",
        ),
        "predicts-the-noise": (
            noise,
            "It predicts the noise. The target is the velocity, in which the digit has its part.",
        ),
        "rates-added": (
            z + noise,
            "It predicts z + ε. How does 1 − t change with time?",
        ),
    }
    alike = {name: _likeness(learned, other) for name, (other, _) in others.items()}
    nearest = max(alike, key=alike.__getitem__)
    if alike[nearest] > _likeness(learned, wanted) + 0.1:
        return nearest, others[nearest][1]
    if _likeness(learned, wanted) > 0.3:
        return (
            "not-accurate",
            "It has understood the task, but is not accurate yet. Has it been trained long enough, on a batch of fresh digits and times in each step?",
        )
    return (
        "wrong",
        "It is far from z − ε. Go through the loss once more: is each x_t made with the t that the network is told, and from the z of the target?",
    )


def _centred(images: Tensor) -> Tensor:
    return images - images.mean(dim=0)


def _likeness(a: Tensor, b: Tensor) -> float:
    """Correlation of two batches, without the mean image, which is learned first."""
    return cosine_similarity(_centred(a).flatten(), _centred(b).flatten(), dim=0).item()


_LARGEST = 4 * 2**20
_SAVE = 'Write it with `save_weights(trained, "digits.safetensors")`'
_ALIKE = 0.05  # root mean square distance of pixels; real digits are 0.09 and more apart


def _digits(field: LabelledField, noise: Tensor, y: Tensor) -> Tensor:
    """Digits `y` from `noise` at w = 2, by six midpoint steps."""
    with torch.no_grad():
        flow = ODE(guided(field, y, 2.0))
        return simulate(flow, noise, time_grid(6), step=midpoint_step, record=1).final


def _loaded(network: Any, file: Any) -> nn.Module:
    """A copy of a student's network with the weights of the file; StudentError if they do not fit."""
    if isinstance(network, type) and issubclass(network, nn.Module):
        with torch.random.fork_rng(devices=[]):
            network = network()
    if not isinstance(network, nn.Module):
        raise StudentError(
            Fault("no-network", "The first answer is the network, such as `UNet()`.")
        )
    if not isinstance(file, str | Path):
        raise StudentError(
            Fault("no-name", 'The second answer is the name of a file: "digits.safetensors".')
        )
    path = Path(file)
    if path.suffix in (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin"):
        raise StudentError(
            Fault(
                "pickle",
                f"{path.name} is a pickle: to load it is to run whatever code is in it, so it is refused. {_SAVE}.",
            )
        )
    if path.is_file() and path.stat().st_size > _LARGEST:
        size = path.stat().st_size / 2**20
        raise StudentError(
            Fault(
                "too-large",
                f"{path.name} has {size:.1f} MiB, and at most {_LARGEST // 2**20} MiB are taken: a million weights.",
            )
        )
    model = copy.deepcopy(network).cpu().float().eval()
    try:
        read_weights(path)
    except FileNotFoundError as error:
        where = f"{error} {_SAVE}, beside the notebook, and hand in both."
        raise StudentError(Fault("no-file", where)) from None
    except ValueError as error:
        raise StudentError(Fault("unusable-file", str(error), f"{_SAVE}.")) from None
    try:
        load_weights(model, path)
    except ValueError as error:
        hint = "Hand over the network that was trained, built as it was for the training."
        raise StudentError(Fault("other-layers", str(error), hint)) from None
    return model


class HandedInDigits(Check):
    """Digits from the weights handed in.

    The check draws 200 noise images, and with the weights and w = 2 makes 20 digits of each kind
    of them. Half of the points are for accuracy, the share that the judge reads as they were
    meant: none up to 50 %, all from 95 %, evenly between. Half are for the Fréchet distance: all
    up to 4, none from 32, evenly in its logarithm. Among 200 draws of 200 real digits the largest
    distance was 0.9. A network that is right 98 times in 100 misses the accuracy once in 300
    draws, by a hundredth of the points.
    """

    points = 8
    repeatable = False
    seconds = 50.0
    costly = True
    least, accurate = 0.5, 0.95
    near, far = 4.0, 32.0

    def inputs(self, rng):
        return dict(noise=rng.normal(200, 1, 28, 28).float(), y=torch.arange(10).repeat(20))

    def run(self, network, file, noise, y):
        model = _loaded(network, file)

        def field(x: Tensor, t: Tensor, y: Tensor | None) -> Tensor:
            labels = torch.full((len(x),), _NULL) if y is None else y
            return model(x, t.expand(len(x)), labels)

        return _digits(field, noise, y)

    def judge(self, inputs: dict[str, Any], output: Any) -> Judgement:
        noise, y = inputs["noise"], inputs["y"]
        x, fault = _images(output, tuple(noise.shape))
        if x is None:
            return fault
        x = x.clamp(-1, 1)
        quality = digit_quality(x, y)
        numbers = (
            f"Accuracy {quality.accuracy:.1%} (all points from {self.accurate:.0%}); "
            f"Fréchet distance {quality.frechet:.1f} (all points up to {self.near:g})."
        )
        foul = _foul(x, noise, y)
        if foul is not None:
            return Judgement(0, *foul, numbers)
        accuracy = (quality.accuracy - self.least) / (self.accurate - self.least)
        distance = math.log(self.far / max(quality.frechet, 1e-9)) / math.log(self.far / self.near)
        shares = [min(max(share, 0.0), 1.0) for share in (accuracy, distance)]
        if shares == [1.0, 1.0]:
            return Judgement(1, None, numbers)
        return Judgement(sum(shares) / 2, *_what_they_are(x, y, quality.accuracy, shares), numbers)


def _foul(x: Tensor, noise: Tensor, y: Tensor) -> tuple[str, str] | None:
    """The fault's name and a sentence if the digits are not a student's own."""
    if (_shipped(noise[:10], y[:10]) - x[:10]).square().mean().sqrt() < _ALIKE:
        return (
            "the-courses-own",
            "These are the digits of `digit_generator()`, which comes with the course. Train your own.",
        )
    copies = _distance_to_mnist(x, y) < _ALIKE
    if copies.double().mean() > 0.1:
        return (
            "copies",
            f"{int(copies.sum())} of the {len(x)} digits are copies of digits in MNIST. A generator writes new ones.",
        )
    return None


def _shipped(noise: Tensor, y: Tensor) -> Tensor:
    return _digits(digit_generator(), noise, y).clamp(-1, 1)


def _distance_to_mnist(x: Tensor, y: Tensor) -> Tensor:
    """Root mean square distance (n,) of each image to the nearest of MNIST of the same label."""
    distance = torch.full((len(x),), math.inf)
    for split in (MNIST("train"), MNIST("test")):
        for label in range(10):
            real = to_floats(split.images[split.labels == label]).flatten(1)
            gaps = torch.cdist(x[y == label].flatten(1).float(), real).min(dim=1).values
            distance[y == label] = distance[y == label].minimum(gaps / math.sqrt(real.shape[1]))
    return distance


def _what_they_are(x: Tensor, y: Tensor, accuracy: float, shares: list[float]) -> tuple[str, str]:
    """What digits are that do not earn all points: the fault's name and a sentence."""
    steps = x.diff(dim=-1).square().mean() / x.var(dim=0).mean()  # 2 for noise
    if steps > 1.2:
        return (
            "noise",
            "This is noise. Are these the weights of the trained network, or of one that was just built?",
        )
    kinds = torch.stack([x[y == label].var(dim=0).mean() for label in range(10)])
    if kinds.mean().sqrt() < 0.1:
        return (
            "all-alike",
            "All digits of a kind look alike. Had each image of a batch its own noise and its own time in training?",
        )
    if class_accuracy(-x, y) > max(0.6, accuracy):
        return (
            "inverted",
            "Ink and paper are exchanged. In this course paper is −1 and ink is 1.",
        )
    read = digit_judge().head(digit_features(x)).argmax(dim=1)
    usual = torch.stack([read[y == label].mode().values for label in range(10)])
    mixed_up = (usual != torch.arange(10)).nonzero().flatten().tolist()
    if mixed_up and len(usual.unique()) == 10 and (read == usual[y]).double().mean() > 0.75:
        asked = mixed_up[0]
        return (
            "other-labels",
            f"The digits are well made, but not those that were asked for: a {asked} mostly is read as a {usual[asked]}. Did each digit keep its own label in training?",
        )
    if accuracy < 0.25 and shares[1] > 0.3:
        return (
            "labels-ignored",
            "The digits are fair, but what they show has little to do with the label. Did the labels reach the network in training, and were nine in ten left uncovered?",
        )
    if accuracy < 0.25:
        return (
            "unreadable",
            "Hardly any digit can be read. Draw some in the notebook: did the training come to its end, and is the saved network the one that `fit` returned in `run.model`?",
        )
    if shares[0] == 1:
        return (
            "unlike-mnist",
            "The digits can be read, but are not like those that people write. More training makes them finer, and so do the averaged weights, `run.model`.",
        )
    if shares[1] == 1:
        return (
            "not-as-asked",
            "The digits are like those that people write, but too many are others than asked for, or fall between two. Train longer, and see that no more than one label in ten is covered.",
        )
    return (
        "not-there-yet",
        "It is on its way. Train longer, save the averaged weights, `run.model`, and see that one label in ten is covered: w = 2 needs both fields.",
    )
