"""What the checks of Lab 3 say of a network that does not fit, and of a wrong shape."""

import pytest
import torch
from torch import nn

from course_lib.checks import Outcome, execute, judge
from course_lib.checks.lab3.blocks import ResidualBlockForward
from course_lib.checks.lab3.unet import PredictShapes, UNetForward
from course_lib.checks.plain import to_plain
from course_lib.networks.unet import ResidualBlock, UNet


class Block(ResidualBlock):
    """The library's layers; tests change one, and forward is never reached."""

    def forward(self, h, c):
        raise AssertionError


class RenamedNorm(Block):
    def __init__(self, width, condition):
        super().__init__(width, condition)
        self.second_norm = self.norm2
        del self.norm2


class NoFilm(Block):
    def __init__(self, width, condition):
        super().__init__(width, condition)
        self.film = None


class NoBias(Block):
    def __init__(self, width, condition):
        super().__init__(width, condition)
        self.conv1.bias = None


class OneMore(Block):
    def __init__(self, width, condition):
        super().__init__(width, condition)
        self.conv3 = nn.Conv2d(width, width, 1)


class NarrowFilm(Block):
    def __init__(self, width, condition):
        super().__init__(width, condition)
        self.film = nn.Linear(condition, width)


class Unconditional(Block):
    def forward(self, h):
        return h


class NoForward(nn.Module):
    def __init__(self, width, condition):
        super().__init__()
        self.__dict__.update(ResidualBlock(width, condition).__dict__)


class NotWritten(Block):
    def forward(self, h, c):
        raise NotImplementedError


class ReturnsNothing(Block):
    def forward(self, h, c):
        self.norm1(h)


def verdict_on(check, answer, seed=0):
    return judge(check(), execute(check(), (answer,), seed), seed)


@pytest.mark.parametrize(
    ("answer", "fault", "words"),
    [
        (RenamedNorm, "missing-layer", "no layer `norm2`. Is it the one called `second_norm`?"),
        (NoFilm, "missing-layer", "`NoFilm` has no layer `film`"),
        (NoBias, "missing-weight", "no `conv1.bias`"),
        (OneMore, "further-layer", "`conv3`"),
        (NarrowFilm, "other-shape", "`film.weight` is (16, 12)"),
        (Unconditional, "arguments", "`forward` is called with 2 arguments, and takes (h)."),
        (NoForward, "exception", "forward"),
        (NotWritten, "not-written", "not written yet"),
        (ReturnsNothing, "nothing", "returned nothing"),
        (ResidualBlock, "forwards", "`ResidualBlock.forward`"),
        ("ResidualBlock", "not-a-function", "a string"),
        (lambda width, condition: None, "exception", "a class of networks was expected"),
        (lambda h: h, "arguments", "2 arguments"),
        (None, "not-written", "no answer"),
    ],
)
def test_a_block_that_does_not_fit_is_refused_in_words(answer, fault, words):
    verdict = verdict_on(ResidualBlockForward, answer)
    assert verdict.points == 0
    assert verdict.fault == fault
    assert words in verdict.message
    assert "Traceback" not in verdict.message + verdict.detail


def test_a_layer_of_a_layer_is_named_in_full():
    class Twice(UNet):
        def __init__(self, **sizes):
            super().__init__(**sizes)
            self.fine_up.film = nn.Linear(12, 12)

    verdict = verdict_on(UNetForward, Twice)
    assert verdict.fault == "other-shape"
    assert "`fine_up.film.weight`" in verdict.message


def test_the_checks_leave_the_notebooks_random_numbers_alone():
    before = torch.get_rng_state()
    verdict_on(ResidualBlockForward, ResidualBlock)
    verdict_on(UNetForward, UNet)
    assert torch.equal(before, torch.get_rng_state())


RIGHT = [
    (16, 4, 14, 14),
    (16, 32, 14, 14),
    (16, 64, 7, 7),
    (16, 32, 14, 14),
    (16, 64, 14, 14),
    (16, 1, 28, 28),
]


@pytest.mark.parametrize(
    ("place", "shape", "fault"),
    [
        (0, (16, 1, 14, 14), "channels-unshuffle"),
        (0, (16, 4, 28, 28), "size-unshuffle"),
        (0, (4, 14, 14), "no-shape"),
        (0, 4, "no-shape"),
        (1, (16, 14, 14, 32), "order"),
        (1, (1, 32, 14, 14), "batch"),
        (2, (16, 64, 14, 14), "size-down"),
        (2, (16, 32, 7, 7), "channels-down"),
        (3, (16, 64, 14, 14), "channels-up"),
        (4, (16, 32, 14, 14), "channels-cat"),
        (4, (32, 32, 14, 14), "batch"),
        (4, (16, 64, 28, 14), "size-cat"),
        (5, (16, 4, 14, 14), "channels-result"),
    ],
)
def test_a_wrong_shape_is_explained(place, shape, fault):
    shapes = [*RIGHT[:place], shape, *RIGHT[place + 1 :]]
    verdict = judge(PredictShapes(), Outcome("predict-shapes", to_plain(shapes)), 0)
    assert (verdict.points, verdict.fault) == (0, fault)


@pytest.mark.parametrize("shapes", [RIGHT[:5], (16, 1, 28, 28), "shapes", 4, {}])
def test_six_shapes_are_expected(shapes):
    verdict = judge(PredictShapes(), Outcome("predict-shapes", to_plain(shapes)), 0)
    assert (verdict.points, verdict.fault) == (0, "length")
