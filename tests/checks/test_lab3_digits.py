"""The checks of Lab 3 on digits that no formula decides: what they accept, and what they say."""

import math
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from course_lib.checks import Outcome, execute, judge
from course_lib.checks.lab3 import digits
from course_lib.checks.lab3.digits import HandedInDigits, TrainedDigits
from course_lib.checks.lab3.failures import failure
from course_lib.checks.lab3.sweep import BestScale, FeatureSpread
from course_lib.checks.plain import to_plain
from course_lib.checks.rng import Rng
from course_lib.datasets import MNIST
from course_lib.metrics.digits import class_accuracy
from course_lib.networks import UNet
from course_lib.networks.weights import load_weights, save_weights
from course_lib.pretrained import digit_generator
from course_lib.pretrained.train_judge import distorted

SOLUTIONS = Path(__file__).parents[2] / "solutions" / "lab3"
ORDER = torch.arange(10).repeat(20)  # the labels that HandedInDigits asks for


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed))


# The trained network


def verdict_on_fields(told, untold=None, of_another_label=None, at_another_time=None, seed=0):
    """On a network that returns these; by default it uses time and label."""
    another = told + normal(*told.shape, seed=1)
    fields = [
        told,
        told + 0.01 if untold is None else untold,
        another if of_another_label is None else of_another_label,
        another if at_another_time is None else at_another_time,
    ]
    parts = [digits._some_pixels(field) for field in fields]
    return judge(TrainedDigits(), Outcome("trained-digits", to_plain(parts)), seed)


def drawn(seed=0):
    inputs = TrainedDigits().inputs(Rng(seed))
    return tuple(inputs[name] for name in ("z", "noise", "x", "t", "y"))


def off_by(error, seed=2):
    """Images whose mean square is `error`, on the pixels that count."""
    noise = normal(256, 1, 28, 28, seed=seed)
    return noise * (error / digits._some_pixels(noise).square().mean()).sqrt()


Z, NOISE, X, T, Y = drawn()
BLUR = off_by(0.5)


def test_the_digits_that_the_network_sees_are_on_the_path():
    s = T[:, None, None, None]
    assert torch.equal(X, s * Z + (1 - s) * NOISE)
    assert X.dtype == torch.float32
    assert T.sub((torch.arange(256) + 0.5) / 256).abs().max() <= 0.5 / 256
    assert set(Y.tolist()) == set(range(10))


@pytest.mark.parametrize(
    ("error", "points"), [(0.19, 3), (0.89, 3), (0.91, 1.5), (1.19, 1.5), (1.21, 0)]
)
def test_points_by_error(error, points):
    field = Z - NOISE + off_by(error)
    verdict = verdict_on_fields(field, untold=field)
    assert verdict.points == points
    assert verdict.fault == (None if points == 3 else "not-accurate")
    assert f"{error:.2f}" in verdict.message + verdict.detail


@pytest.mark.parametrize(
    ("field", "fault"),
    [
        (0 * X, "untrained"),
        ((Z - NOISE).mean(dim=0) + 0 * X, "untrained"),
        (NOISE - Z + BLUR, "backwards"),
        (Z + BLUR, "predicts-the-data"),
        (NOISE + BLUR, "predicts-the-noise"),
        (Z + NOISE + BLUR, "rates-added"),
        (3 * normal(256, 1, 28, 28), "wrong"),
    ],
)
def test_what_another_network_learned_is_named(field, fault):
    verdict = verdict_on_fields(field)
    assert (verdict.points, verdict.fault) == (0, fault)


def test_a_network_that_ignores_what_it_is_told():
    field = Z - NOISE + off_by(1.3)
    assert verdict_on_fields(field, at_another_time=field).fault == "ignores-time"
    assert verdict_on_fields(field, field, field).fault == "ignores-the-label"
    for error, points in ((1.1, 0), (0.5, 1.5)):
        verdict = verdict_on_fields(Z - NOISE + off_by(error), at_another_time=Z - NOISE)
        assert (verdict.points, verdict.fault) == (points, "clock-reversed")


@pytest.mark.parametrize(
    ("told", "untold", "otherwise", "fault"),
    [
        (0.40, 0.50, 0.50, "null-label-not-learned"),
        (0.55, 0.99, 0.60, "null-label-not-learned"),
        (0.85, 0.45, 0.85, "labels-not-learned"),
        (0.40, 0.41, 0.402, "label-of-no-use"),
        (0.40, 0.43, 0.41, None),
    ],
)
def test_a_network_that_learned_one_of_the_two_fields(told, untold, otherwise, fault):
    fields = (Z - NOISE + off_by(error) for error in (told, untold, otherwise))
    verdict = verdict_on_fields(*fields)
    assert (verdict.points, verdict.fault) == (1.5 if fault else 3, fault)


@pytest.mark.parametrize(
    ("output", "fault"),
    [
        (torch.zeros(256, 784), "shape"),
        (None, "nothing"),
        (torch.full((256, 1, 28, 28), torch.nan), "not-finite"),
    ],
)
def test_a_network_that_returns_no_images(output, fault):
    verdict = judge(TrainedDigits(), execute(TrainedDigits(), (lambda x, t, y: output,), 0), 0)
    assert (verdict.points, verdict.fault) == (0, fault)


def trained_by_the_lab():
    network = UNet()
    load_weights(network, SOLUTIONS / "digits.safetensors")
    return network


@pytest.mark.parametrize("seed", range(3))
def test_a_network_that_was_trained_passes_and_the_courses_own_does_not(seed):
    for network, points, fault in (
        (trained_by_the_lab(), 3, None),
        (digit_generator(), 0, "the-courses-own"),
        (lambda x, t, y: 1.001 * digit_generator()(x, t, y), 0, "the-courses-own"),
    ):
        verdict = judge(TrainedDigits(), execute(TrainedDigits(), (network,), seed), seed)
        assert (verdict.points, verdict.fault) == (points, fault), verdict


# The digits handed in


@pytest.fixture
def own(monkeypatch):
    """No digits are the course's own, so that a judgement is quick."""
    monkeypatch.setattr(digits, "_shipped", lambda noise, y: torch.zeros_like(noise))


def verdict_on_images(x, seed=0):
    return judge(HandedInDigits(), Outcome("handed-in-digits", to_plain(x)), seed)


def written(y, seed=0):
    """Digits that are in no data set."""
    generator = seeded(seed)
    return distorted(MNIST("test").sample(len(y), generator, y=y)[0], generator)


REAL = written(ORDER)


@pytest.mark.parametrize("seed", range(6))
def test_well_made_digits_earn_all_points(own, seed):
    verdict = verdict_on_images(written(ORDER, seed))
    assert verdict.points == 8, verdict
    assert verdict.fault is None
    assert "Accuracy" in verdict.message


@pytest.mark.parametrize(
    ("x", "fault", "low", "high"),
    [
        (normal(200, 1, 28, 28), "noise", 0, 0),
        (0.62 * normal(200, 1, 28, 28) - 0.74, "noise", 0, 0),
        (-torch.ones(200, 1, 28, 28), "all-alike", 0, 0),
        (REAL[:10].repeat(20, 1, 1, 1), "all-alike", 4, 8),
        (-REAL, "inverted", 0, 1),
        (REAL.roll(1, 0), "other-labels", 4, 4),
        (REAL[torch.randperm(200, generator=seeded())], "labels-ignored", 4, 4),
        (REAL + 0.3 * normal(200, 1, 28, 28), "not-there-yet", 1, 4),
        (REAL + 0.2 * normal(200, 1, 28, 28), "unlike-mnist", 6, 7.5),
        (torch.cat([REAL[:20].roll(1, 0), REAL[20:]]), "not-as-asked", 7, 7.8),
        (torch.nn.functional.avg_pool2d(REAL, 5, 1, 2), "unreadable", 0, 0),
    ],
)
def test_digits_that_are_not_right_are_named(own, x, fault, low, high):
    verdict = verdict_on_images(x)
    assert verdict.fault == fault, verdict
    assert low <= verdict.points <= high
    assert "Fréchet distance" in verdict.detail


@pytest.mark.parametrize("split", ["train", "test"])
def test_digits_out_of_mnist_are_no_work_of_a_network(own, split):
    x, _ = MNIST(split).sample(200, seeded(), y=ORDER)
    x = x + 0.02 * normal(*x.shape)
    verdict = verdict_on_images(x)
    assert (verdict.points, verdict.fault) == (0, "copies")
    some = torch.where(torch.arange(200)[:, None, None, None] < 10, x, REAL)
    assert verdict_on_images(some).fault is None


@pytest.mark.parametrize(
    ("output", "fault"),
    [
        (REAL[:100], "shape"),
        (REAL.squeeze(1), "shape"),
        ("digits.safetensors", "shape"),
        (REAL.where(REAL < 0.9, torch.nan), "not-finite"),
    ],
)
def test_an_output_that_is_no_set_of_digits(output, fault):
    verdict = verdict_on_images(output)
    assert (verdict.points, verdict.fault) == (0, fault)


def test_the_courses_own_weights_are_refused(tmp_path):
    file = tmp_path / "digits.safetensors"
    save_weights(digit_generator(), file)
    outcome = execute(HandedInDigits(), (UNet(), str(file)), 0)
    verdict = judge(HandedInDigits(), outcome, 0)
    assert (verdict.points, verdict.fault) == (0, "the-courses-own"), verdict


class TakesLists(UNet):
    def forward(self, x, t):
        return x


def handed_in(folder, kind):
    """A file of this kind, under the name that fits."""
    file = folder / "digits.safetensors"
    if kind == "empty":
        file.write_bytes(b"")
    elif kind == "text":
        file.write_text("weights")
    elif kind == "cut":
        save_weights(UNet(), folder / "whole.safetensors")
        file.write_bytes((folder / "whole.safetensors").read_bytes()[:-100])
    elif kind == "pickle":
        file = folder / "digits.pt"
        torch.save(UNet().state_dict(), file)
    elif kind == "renamed":
        torch.save(UNet().state_dict(), file)
    elif kind == "large":
        save_file({"a": torch.zeros(2**20 + 1)}, file)
    elif kind == "nan":
        save_file({"a": torch.full((2,), torch.nan)}, file)
    elif kind == "wide":
        save_weights(UNet(widths=(32, 96)), file)
    elif kind == "wrapped":
        save_weights(nn.Sequential(UNet()), file)
    elif kind == "untrained":
        save_weights(UNet(), file)
    return file


@pytest.mark.parametrize(
    ("kind", "fault", "words"),
    [
        ("none", "no-file", "There is no file digits.safetensors in "),
        ("pickle", "pickle", "digits.pt is a pickle"),
        ("renamed", "unusable-file", "is a pickle"),
        ("empty", "unusable-file", "is empty"),
        ("text", "unusable-file", "no safetensors file"),
        ("cut", "unusable-file", "damaged"),
        ("nan", "unusable-file", "NaN"),
        ("large", "too-large", "4.0 MiB, and at most 4 MiB"),
        (
            "wide",
            "other-layers",
            "its down.weight has shape (96, 32, 2, 2), expected (64, 32, 2, 2)",
        ),
        ("wrapped", "other-layers", "no weight "),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_words(tmp_path, kind, fault, words):
    file = handed_in(tmp_path, kind)
    outcome = execute(HandedInDigits(), (UNet(), file), 0)
    verdict = judge(HandedInDigits(), outcome, 0)
    assert (verdict.points, verdict.fault) == (0, fault)
    assert words in verdict.message
    assert "Traceback" not in verdict.message + verdict.detail


@pytest.mark.parametrize(
    ("network", "file", "fault"),
    [
        (lambda x, t, y: x, "digits.safetensors", "no-network"),
        (UNet(), UNet().state_dict(), "no-name"),
        (None, "digits.safetensors", "not-written"),
    ],
)
def test_other_answers_are_refused_in_words(network, file, fault):
    assert execute(HandedInDigits(), (network, file), 0).fault.name == fault


def test_the_students_network_stays_as_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(digits, "_digits", lambda field, noise, y: field(noise, torch.tensor(0), y))
    shutil.copy(handed_in(tmp_path, "untrained"), tmp_path / "some.safetensors")
    trained = UNet().double()
    nn.init.ones_(trained.head.bias)
    before, state = trained.head.bias.clone(), torch.get_rng_state()
    for network in (trained, UNet):
        outcome = execute(HandedInDigits(), (network, "some.safetensors"), 0)
        assert outcome.fault is None, outcome
    assert torch.equal(trained.head.bias, before)
    assert torch.equal(torch.get_rng_state(), state)


# The sweep and the failures


@pytest.mark.parametrize(
    ("w", "fault"),
    [
        (0, "no-guidance"),
        (1, "plain-model"),
        (1.0, "plain-model"),
        (3, "most-accurate"),
        (torch.tensor(8), "most-accurate"),
        (1.7, "not-tried"),
        (math.nan, "not-tried"),
        ("2", "type"),
        (True, "type"),
        ([2], "type"),
    ],
)
def test_another_scale_than_the_best(w, fault):
    verdict = judge(BestScale(), execute(BestScale(), (w,), 0), 0)
    assert (verdict.points, verdict.fault) == (0, fault)


def test_a_spread_of_nan_has_a_reason():
    def of_all_ten(features, y):
        kinds = [features[y == k] for k in range(10)]
        return sum((f - f.mean(dim=0)).square().sum() / len(f) for f in kinds) / 10

    verdict = judge(FeatureSpread(), execute(FeatureSpread(), (of_all_ten,), 0), 0)
    assert verdict.fault == "empty-class"


def test_failures_are_of_these_labels_from_this_noise():
    y, noise = torch.arange(10), normal(10, 1, 28, 28)
    a, b = (failure(which, y, noise) for which in "ab")
    assert a.shape == b.shape == noise.shape
    assert class_accuracy(a, y) == 1
    assert class_accuracy(b[1:], y[1:]) == 1
    assert a.abs().max() > 1.5 > b.square().mean()
    with pytest.raises(ValueError, match="which is 'c'; expected one of a, b"):
        failure("c", y, noise)
