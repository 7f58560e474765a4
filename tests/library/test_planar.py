"""The three densities of the plane, and finite data."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.distributions import Chessboard, Circles, Density, Empirical, Moons

F64 = torch.float64


def grid(half_width, n, centre=(0.0, 0.0)):
    """Midpoints of n × n cells, and the area of a cell."""
    ticks = (torch.arange(n, dtype=F64) + 0.5) / n * 2 * half_width - half_width
    x = torch.stack(torch.meshgrid(ticks, ticks, indexing="ij"), dim=-1).reshape(-1, 2)
    return x + torch.tensor(centre, dtype=F64), (2 * half_width / n) ** 2


def arc_integrals(x, start, end, variance, n=200_000):
    """log of the mean of N(x; c(θ), variance I) over an arc of radius 1, by brute force."""
    theta = start + (end - start) * (torch.arange(n, dtype=F64) + 0.5) / n
    arc = torch.stack([theta.cos(), theta.sin()], dim=-1)
    logs = -(x[:, None, :] - arc).square().sum(-1) / (2 * variance)
    return logs.logsumexp(-1) - math.log(n) - math.log(2 * math.pi * variance)


@pytest.mark.parametrize("squares", [1, 3, 4])
def test_chessboard_density_integrates_to_one(squares):
    board = Chessboard(squares, half_width=1.5, dtype=F64)
    x, area = grid(2.0, 240)  # no cell is cut by an edge of a square
    assert board.log_prob(x).exp().sum() * area == pytest.approx(1.0, abs=1e-9)
    assert torch.equal(board.log_prob(x).isfinite(), board.contains(x))


def test_chessboard_colours_alternate():
    board = Chessboard(4, half_width=2.0)
    ticks = torch.arange(4) - 1.5
    x = torch.stack(torch.meshgrid(ticks, ticks, indexing="ij"), dim=-1)
    expected = (torch.arange(4)[:, None] + torch.arange(4)) % 2 == 0
    assert torch.equal(board.contains(x), expected)
    assert board.log_prob(x)[0, 0] == pytest.approx(-math.log(8.0))
    assert not board.contains(torch.tensor([[2.5, 2.5], [-2.5, -2.5]])).any()


def test_chessboard_samples_fill_the_black_squares_evenly():
    board = Chessboard()
    x = board.sample(400_000, torch.Generator().manual_seed(0))
    assert board.contains(x).all()
    square = (x + 2.0).floor().long()
    counts = torch.bincount(square[:, 0] * 4 + square[:, 1], minlength=16)
    share = counts[counts > 0] / len(x)
    assert len(share) == 8
    assert (share - 1 / 8).abs().max() < 5 * math.sqrt(1 / 8 * 7 / 8 / len(x))
    assert ((x + 2.0) % 1.0).mean() == pytest.approx(0.5, abs=5 * math.sqrt(1 / 12 / (2 * len(x))))


def test_chessboard_has_no_score_and_refuses_bad_input():
    with pytest.raises(NotImplementedError, match="jumps"):
        Chessboard().score(torch.zeros(1, 2))
    with pytest.raises(ValueError, match="squares is 0"):
        Chessboard(0)
    with pytest.raises(ValueError, match="half_width is -1"):
        Chessboard(4, -1.0)


def test_circles_match_brute_force_and_autograd():
    circles = Circles((1.0,), noise=0.1, dtype=F64)
    x = torch.tensor([[0.0, 0.0], [0.3, -0.2], [1.0, 0.1], [-1.4, 0.3], [0.0, 3.0]], dtype=F64)
    expected = arc_integrals(x, 0.0, 2 * math.pi, 0.01)
    torch.testing.assert_close(circles.log_prob(x), expected, rtol=1e-10, atol=1e-10)
    both = Circles((0.7, 2.0), noise=0.3, dtype=F64)
    x = 3 * torch.randn(100, 2, generator=torch.Generator().manual_seed(0), dtype=F64)
    torch.testing.assert_close(both.score(x), Density.score(both, x), rtol=1e-8, atol=1e-8)
    assert torch.equal(both.score(torch.zeros(1, 2, dtype=F64)), torch.zeros(1, 2, dtype=F64))


def test_moons_match_brute_force():
    x = torch.tensor(
        [[0.0, 1.0], [0.0, 0.0], [-1.0, -0.3], [0.5, 0.25], [2.1, 0.4], [0.1, -2.0], [4.0, 3.0]],
        dtype=F64,
    )
    turned = torch.tensor([1.0, 0.5], dtype=F64) - x
    for noise in (0.05, 0.3, 2.0):
        expected = torch.logaddexp(
            arc_integrals(x, 0.0, math.pi, noise**2), arc_integrals(turned, 0.0, math.pi, noise**2)
        ) - math.log(2)
        torch.testing.assert_close(
            Moons(noise, dtype=F64).log_prob(x), expected, rtol=1e-8, atol=1e-8
        )


@given(st.floats(0.02, 3.0), st.floats(-3.0, 4.0), st.floats(-3.0, 4.0))
def test_moons_score_is_the_gradient(noise, a, b):
    moons = Moons(noise, dtype=F64)
    x = torch.tensor([[a, b]], dtype=F64)
    torch.testing.assert_close(
        moons.score(x), Density.score(moons, x), rtol=1e-7, atol=1e-7 / noise**2
    )
    h = 1e-5 * noise
    steps = h * torch.eye(2, dtype=F64)
    slope = (moons.log_prob(x + steps) - moons.log_prob(x - steps)) / (2 * h)
    torch.testing.assert_close(moons.score(x)[0], slope, rtol=1e-4, atol=1e-4 / noise)


@pytest.mark.parametrize(
    ("density", "centre"),
    [(Moons(0.1), (0.5, 0.25)), (Circles((1.0, 1.8), noise=0.1), (0.0, 0.0))],
)
def test_densities_integrate_to_one(density, centre):
    x, area = grid(2.6, 200, centre)
    assert density.log_prob(x).exp().sum() * area == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("density", [Moons(0.1), Circles((1.0, 2.0), noise=0.1)])
def test_samples_follow_the_density(density):
    n = 40_000
    x, labels = density.sample_labelled(n, torch.Generator().manual_seed(0))
    share = (labels == 1).double().mean()
    assert abs(share - 0.5) < 5 * 0.5 / math.sqrt(n)
    # Integration by parts: E[∇log p] = 0 and E[x · ∇log p] = -d for the true score alone.
    score = density.score(x.double())
    assert (score.mean(0).abs() < 5 * score.std(0) / math.sqrt(n)).all()
    stein = (x.double() * score).sum(-1)
    assert abs(stein.mean() + 2) < 5 * stein.std() / math.sqrt(n)
    # Nearly every label is the component with the larger responsibility.
    agree = density.responsibilities(x).argmax(-1) == labels
    assert agree.double().mean() > 0.99


@pytest.mark.parametrize("density", [Moons(0.05), Circles((1.0, 2.0))])
@pytest.mark.parametrize("distance", [1e2, 1e4, 1e6])
def test_far_away_the_score_points_home(density, distance):
    x = distance * torch.tensor([[1.0, 0.0], [0.0, 1.0], [-0.6, -0.8]])
    score = density.score(x)
    assert density.log_prob(x).isfinite().all()
    torch.testing.assert_close(score * 0.05**2, -x, rtol=3 / distance * 2, atol=3.0)


@pytest.mark.parametrize("make", [lambda noise: Moons(noise), lambda noise: Circles(noise=noise)])
def test_noise_must_be_positive(make):
    for noise in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="noise is"):
            make(noise)


@pytest.mark.parametrize("radii", [(), (1.0, -1.0), (1.0, math.nan)])
def test_radii_must_be_positive(radii):
    with pytest.raises(ValueError, match="radii"):
        Circles(radii)


def test_dtype_is_chosen_by_the_caller():
    for density in (Chessboard(dtype=F64), Moons(dtype=F64), Circles(dtype=F64)):
        assert density.sample(3).dtype == F64
        assert density.sample(3).shape == (3, 2)
    assert Moons().sample(3).dtype == torch.float32


def test_empirical_draws_its_points_evenly_with_their_labels():
    points = torch.arange(12.0).reshape(4, 3)
    data = Empirical(points, labels=[5, 6, 7, 8])
    x, labels = data.sample_labelled(8_000, torch.Generator().manual_seed(0))
    assert data.dim == 3
    assert torch.equal(x, points[labels - 5])
    counts = torch.bincount(labels - 5) / 8_000
    assert (counts - 0.25).abs().max() < 5 * math.sqrt(0.25 * 0.75 / 8_000)
    assert Empirical(np.ones((2, 1, 4, 4))).sample(5).shape == (5, 1, 4, 4)


def test_bad_data_are_refused():
    with pytest.raises(ValueError, match=r"points has shape \(0, 2\)"):
        Empirical(torch.ones(0, 2))
    with pytest.raises(ValueError, match=r"labels has shape \(3,\); expected \(2,\)"):
        Empirical(torch.ones(2, 2), labels=[0, 1, 2])
    with pytest.raises(ValueError, match="no labels"):
        Empirical(torch.ones(2, 2)).sample_labelled(3)
    with pytest.raises(ValueError, match="n is 0"):
        Empirical(torch.ones(2, 2)).sample(0)
