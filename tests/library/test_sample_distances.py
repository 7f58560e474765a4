import math

import pytest
import torch

from course_lib.distributions import Chessboard
from course_lib.metrics import chessboard_violations, energy_distance, sliced_wasserstein
from course_lib.metrics import energy as energy_module


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, generator=None):
    return torch.randn(*shape, generator=generator or seeded(), dtype=torch.float64)


def mean_distance(x, y):
    return (x[:, None] - y[None]).flatten(2).norm(dim=2).mean().item()


def test_energy_distance_is_the_double_sums_in_blocks_too(monkeypatch):
    g = seeded()
    x, y = normal(40, 3, generator=g), 1.5 * normal(25, 3, generator=g) + 1
    a, b, cross = mean_distance(x, x), mean_distance(y, y), mean_distance(x, y)
    whole = energy_distance(x, y)
    assert whole.value == pytest.approx(2 * cross - a - b, rel=1e-12)
    # Two samples of one law are too far by A/n + B/m, with A and B free of their own zeros.
    assert whole.baseline == pytest.approx(a / 39 + b / 24, rel=1e-12)
    assert energy_distance(x.reshape(40, 1, 3, 1), y.reshape(25, 1, 3, 1)) == whole  # images
    monkeypatch.setattr(energy_module, "_BLOCK", 60)
    blocks = energy_distance(x, y)
    assert blocks.value == pytest.approx(whole.value, rel=1e-12)
    assert blocks.standard_error == pytest.approx(whole.standard_error, rel=1e-12)


def test_energy_distance_of_points_is_exact():
    zeros, ones = torch.zeros(2, 1), torch.ones(3, 1)
    distance = energy_distance(zeros, ones)
    assert float(distance) == distance.value == 2.0
    assert distance.standard_error == distance.baseline == 0.0
    assert energy_distance(zeros, zeros).value == 0.0


def folded(mean, variance):
    """E|Z| for Z ~ N(mean, variance)."""
    std = math.sqrt(variance)
    density = math.exp(-(mean**2) / (2 * variance)) * math.sqrt(2 / math.pi)
    return std * density + mean * math.erf(mean / (std * math.sqrt(2)))


def energy_of_gaussians(mean, std):
    """Energy distance between N(0, 1) and N(mean, std²): differences are Gaussian too."""
    cross = folded(mean, 1 + std**2)
    return 2 * cross - folded(0.0, 2.0) - folded(0.0, 2 * std**2)


def w2_of_gaussians(mean, std):
    return math.sqrt(mean**2 + (std - 1) ** 2)


@pytest.mark.parametrize(("mean", "std"), [(1.0, 1.0), (0.0, 2.0), (0.5, 0.7)])
def test_distances_of_gaussians_in_one_dimension(mean, std):
    g = seeded(1)
    x, y = normal(4000, 1, generator=g), mean + std * normal(3000, 1, generator=g)
    energy = energy_distance(x, y)
    truth = energy_of_gaussians(mean, std)
    assert abs(energy.value - energy.baseline - truth) < 4 * energy.standard_error
    assert energy.standard_error < 0.1 * truth
    sliced = sliced_wasserstein(x, y, 1, g)  # on a line every direction is the same
    assert abs(sliced.value - w2_of_gaussians(mean, std)) < 4 * sliced.standard_error
    assert sliced.standard_error < 0.1 * sliced.value


def test_sliced_wasserstein_pairs_what_is_sorted():
    g = seeded()
    x, y = normal(50, 1, generator=g), normal(50, 1, generator=g) ** 3
    paired = (x.flatten().sort()[0] - y.flatten().sort()[0]).square().mean().sqrt().item()
    assert sliced_wasserstein(x, y, 1).value == pytest.approx(paired, rel=1e-12)
    # Samples of unequal size: as if each were repeated until both are equally many.
    y = y[:30]
    many = sliced_wasserstein(x.repeat(3, 1), y.repeat(5, 1), 1)
    assert sliced_wasserstein(x, y, 1).value == pytest.approx(many.value, rel=1e-12)


def test_sliced_wasserstein_of_a_shift_is_its_mean_shadow():
    x = normal(100, 2)
    shift = torch.tensor([3.0, 4.0], dtype=torch.float64)
    distance = sliced_wasserstein(x, x + shift, 400, seeded())
    # E (θ·shift)² = |shift|² / 2 in the plane
    assert abs(distance.value - 5 / math.sqrt(2)) < 4 * distance.standard_error
    assert distance.standard_error < 0.12


def test_sliced_wasserstein_repeats_itself_with_its_generator():
    x, y = normal(2, 60, 2)
    runs = [sliced_wasserstein(x, y, 20, seeded(seed)) for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
    images = sliced_wasserstein(x.reshape(60, 1, 2, 1), y.reshape(60, 1, 2, 1), 20, seeded(1))
    assert images == runs[0]


@pytest.mark.parametrize("shift", [0.0, 0.2, 1.0])
@pytest.mark.parametrize(
    "distance",
    [lambda x, y, g: energy_distance(x, y), lambda x, y, g: sliced_wasserstein(x, y, 10, g)],
    ids=["energy", "sliced"],
)
def test_stated_errors_are_honest(distance, shift):
    """Over samples drawn again and again, the spread is the stated error, the mean the baseline."""
    g = seeded(2)
    drawn = [
        distance(normal(60, 2, generator=g), normal(90, 2, generator=g) + shift, g)
        for _ in range(300)
    ]
    values = torch.tensor([float(one) for one in drawn])
    stated = torch.tensor([one.standard_error for one in drawn])
    # A standard deviation of 300 values is itself known to 4 to 7 %; for equal laws the variance is
    # the larger of two noisy estimates, and so on the safe side.
    ratio = (stated.square().mean().sqrt() / values.std()).item()
    assert (0.85 if shift else 0.9) < ratio < (1.2 if shift else 1.5)
    if shift == 0:
        baseline = torch.tensor([one.baseline for one in drawn]).mean().item()
        assert values.mean().item() == pytest.approx(baseline, rel=0.08)


def test_a_distance_prints_itself():
    text = str(energy_distance(normal(50, 2), normal(50, 2, generator=seeded(1)) + 1))
    assert "±" in text
    assert "two samples of one law" in text


@pytest.mark.parametrize("distance", [energy_distance, sliced_wasserstein])
@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (torch.zeros(5, 2), torch.zeros(5, 3), "expected samples of one shape"),
        (torch.zeros(5), torch.zeros(5), r"x has shape \(5,\)"),
        (torch.zeros(5, 2), torch.zeros(1, 2), "y .* two samples or more"),
        (torch.zeros(5, 2), torch.full((5, 2), math.nan), "y has NaN"),
        (torch.zeros(5, 2, dtype=torch.int64), torch.zeros(5, 2), "x is torch.int64"),
        ([[0.0]], torch.zeros(5, 2), "x is list"),
    ],
)
def test_only_samples_have_a_distance(distance, x, y, message):
    with pytest.raises(ValueError, match=message):
        distance(x, y)


def test_counts_of_projections_and_shuffles():
    x = torch.zeros(5, 2)
    with pytest.raises(ValueError, match="n_projections is 0"):
        sliced_wasserstein(x, x, 0)
    with pytest.raises(ValueError, match="n_shuffles is 1"):
        sliced_wasserstein(x, x, n_shuffles=1)


def test_violations_are_white_squares_and_the_world_outside():
    board = Chessboard()  # black where both coordinates' squares have an even sum
    points = torch.tensor([[-1.5, -1.5], [-1.5, -0.5], [-0.5, -0.5], [9.0, 9.0]])
    assert chessboard_violations(points, board) == 0.5
    assert chessboard_violations(board.sample(1000, seeded()), board) == 0.0
    uniform = 4 * torch.rand(4000, 2, generator=seeded()) - 2
    assert abs(chessboard_violations(uniform, board) - 0.5) < 4 * 0.5 / math.sqrt(4000)
    with pytest.raises(ValueError, match="at least one point"):
        chessboard_violations(torch.zeros(0, 2), board)
