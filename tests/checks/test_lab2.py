"""The checks of Lab 2 that no formula decides: how often they err, and what they call a fault."""

import pytest
import torch

from course_lib.checks import Outcome, execute, judge
from course_lib.checks.lab2 import CirclesToChessboard, FlowSample, TrainedVelocity
from course_lib.checks.lab2.training import five_modes
from course_lib.checks.plain import Array
from course_lib.distributions import Chessboard, Circles
from course_lib.oracles import Marginal
from course_lib.paths import GaussianPath, Linear
from course_lib.shapes import expand_time

MODES = five_modes()
TRUTH = Marginal(GaussianPath(Linear()), MODES)
BOARD = Chessboard(dtype=torch.float64)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def verdict_on(check, x):
    return judge(check, Outcome(check.name, Array(x.numpy())), 0)


def verdict_on_model(model, seed=0):
    return judge(TrainedVelocity(), execute(TrainedVelocity(), (model,), seed), seed)


@pytest.mark.parametrize(
    ("check", "distribution"), [(FlowSample(), MODES), (CirclesToChessboard(), BOARD)]
)
@pytest.mark.parametrize("n", [1000, 4000])
def test_a_perfect_sample_is_never_refused(check, distribution, n):
    generator = seeded(1)
    for draw in range(300):
        verdict = verdict_on(check, distribution.sample(n, generator))
        assert verdict.passed, f"draw {draw}: {verdict}"


@pytest.mark.parametrize(
    ("sample", "fault"),
    [
        (torch.randn(2000, 2, generator=seeded()), "not-moved"),
        (torch.zeros(2000, 2), "collapsed"),
        (2 * MODES.sample(2000, seeded()), "too-wide"),
        (MODES.means[torch.randint(5, (2000,), generator=seeded())], "too-narrow"),
        (MODES.sample_components(torch.arange(2000) % 5, seeded()), "wrong-shares"),
        (MODES.sample(999, seeded()), "too-few"),
        (MODES.sample(2000, seeded()).T, "shape"),
        (MODES.sample(2000, seeded()) / 0, "not-finite"),
    ],
)
def test_a_bad_sample_of_the_modes_is_refused_and_named(sample, fault):
    verdict = verdict_on(FlowSample(), sample)
    assert verdict.fault == fault
    assert verdict.points < FlowSample.points


LEFT_HALF = BOARD.sample(4000, seeded()) * torch.tensor([0.5, 1.0]) - torch.tensor([1.0, 0.0])
LEFT_HALF = LEFT_HALF[BOARD.contains(LEFT_HALF)]


@pytest.mark.parametrize(
    ("sample", "fault"),
    [
        (Circles().sample(2000, seeded()), "still-circles"),
        (torch.randn(2000, 2, generator=seeded()), "gaussian"),
        (4 * torch.rand(2000, 2, generator=seeded()) - 2, "blurred"),
        (2 * BOARD.sample(2000, seeded()), "off-the-board"),
        (BOARD.sample(2000, seeded()) * torch.tensor([1.0, -1.0]), "white-squares"),
        (LEFT_HALF, "uneven"),
        (BOARD.sample(999, seeded()), "too-few"),
    ],
)
def test_a_bad_chessboard_is_refused_and_named(sample, fault):
    verdict = verdict_on(CirclesToChessboard(), sample)
    assert verdict.fault == fault
    assert verdict.points < CirclesToChessboard.points


def off_by(share):
    """The exact velocity with a relative error of about `share`."""

    def model(x, t):
        exact = TRUTH.velocity(x, t)
        noise = torch.randn(x.shape, generator=seeded(5))
        return exact + share * exact.square().mean().sqrt() * noise

    return model


@pytest.mark.parametrize(
    ("model", "points"), [(TRUTH.velocity, 3), (off_by(0.25), 3), (off_by(0.4), 1.5)]
)
def test_a_model_earns_by_its_error(model, points):
    for seed in range(10):
        assert verdict_on_model(model, seed).points == points


@pytest.mark.parametrize(
    ("model", "fault"),
    [
        (lambda x, t: -TRUTH.velocity(x, t), "backwards"),
        (TRUTH.denoiser, "predicts-the-data"),
        (TRUTH.noise, "predicts-the-noise"),
        (TRUTH.score, "predicts-the-score"),
        (lambda x, t: 0 * x, "no-arrows"),
        (lambda x, t: TRUTH.velocity(x, torch.full_like(t, 0.5)), "ignores-time"),
        (lambda x, t: TRUTH.velocity(x, 1 - t), "clock-reversed"),
        (
            lambda x, t: (MODES.weights @ MODES.means - x).float() / expand_time(1 - t, x),
            "wrong",
        ),
        (lambda x, t: TRUTH.velocity(x, t)[:, :1], "shape"),
        (lambda x, t: x / 0, "not-finite"),
    ],
)
def test_a_wrong_model_is_refused_and_named(model, fault):
    verdict = verdict_on_model(model)
    assert (verdict.fault, verdict.points) == (fault, 0)
