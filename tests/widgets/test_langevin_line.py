"""Langevin dynamics on a line without simulation, beside a target whose law is known."""

import math

import pytest
import torch

from course_lib.distributions import GaussianMixture
from course_lib.widgets.langevin_line import LangevinLine

X = torch.linspace(-7.0, 7.0, 561, dtype=torch.float64)


def on_a_normal(std):
    return LangevinLine(X, -X.square() / (2 * std**2))


@pytest.mark.parametrize("start", [-1.0, 0.0, 2.0])
@pytest.mark.parametrize("std", [0.5, 1.0])
def test_on_a_normal_it_is_the_ornstein_uhlenbeck_process(std, start):
    """With θ = σ²/2s²: mean e^{-θt} x₀, variance s² (1 - e^{-2θt})."""
    clock = torch.tensor([0.1, 0.4, 1.0, 3.0])
    found = on_a_normal(std).density(start, clock)
    for density, c in zip(found, clock.tolist(), strict=True):
        decay = math.exp(-c / std**2)
        variance = std**2 * (1 - decay**2)
        exact = (-(X - decay * start).square() / (2 * variance)).exp()
        exact = exact / math.sqrt(2 * math.pi * variance)
        assert (density - exact).abs().max() < 4e-3 * exact.max()


@pytest.mark.parametrize("std", [0.5, 1.0])
def test_its_slowest_deviation_is_that_of_the_ornstein_uhlenbeck_process(std):
    assert on_a_normal(std).relaxation == pytest.approx(std**2, rel=1e-3)


def test_it_begins_at_its_start_keeps_its_mass_and_ends_at_the_target():
    target = GaussianMixture(torch.tensor([[-1.0], [1.5]]), 0.3, torch.tensor([0.4, 0.6]))
    log_p = target.log_prob(X[:, None].float()).double()
    line = LangevinLine(X, log_p)
    density = line.density(1.5, torch.tensor([0.0, 0.1, 1.0, 10.0, 1000.0]))
    assert X[density[0].argmax()] == pytest.approx(1.5, abs=1e-9)
    assert (density[0] > 1e-6).sum() == 1
    assert (line.width * density.sum(1)).tolist() == pytest.approx([1.0] * 5, rel=1e-6)
    assert torch.allclose(density[-1], log_p.exp(), atol=1e-4)
