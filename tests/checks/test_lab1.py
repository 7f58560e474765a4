"""The check of Lab 1 that no formula decides: how often it errs."""

import pytest
import torch

from course_lib.checks import Outcome, judge
from course_lib.checks.lab1 import FiveModeSample
from course_lib.checks.lab1.langevin import cell_moments
from course_lib.checks.plain import Array

CHECK = FiveModeSample()
TARGET = CHECK.target()


def verdict_on(x):
    return judge(CHECK, Outcome(CHECK.name, Array(x.numpy())), 0)


def test_the_truth_by_quadrature_is_the_truth_by_sampling():
    n = 400_000
    distance, cell = torch.cdist(
        TARGET.sample(n, torch.Generator().manual_seed(0)), TARGET.means
    ).min(dim=1)
    shares, spread = cell_moments()
    band = 5 * (shares * (1 - shares) / n).sqrt()
    assert ((torch.bincount(cell, minlength=5) / n - shares).abs() < band).all()
    assert abs(distance.square().mean() - spread) < 5 * distance.square().std() / n**0.5


@pytest.mark.parametrize("n", [1000, 2000])
def test_a_perfect_sample_is_never_refused(n):
    generator = torch.Generator().manual_seed(1)
    for draw in range(1000):
        verdict = verdict_on(TARGET.sample(n, generator))
        assert verdict.passed, f"draw {draw}: {verdict}"


def perfect(n=2000, seed=2):
    return TARGET.sample(n, torch.Generator().manual_seed(seed))


def around_the_modes(shares, std=0.6, n=2000, flat=False):
    generator = torch.Generator().manual_seed(3)
    modes = torch.multinomial(torch.tensor(shares), n, replacement=True, generator=generator)
    noise = torch.randn(n, 1 if flat else 2, generator=generator, dtype=torch.float64)
    return TARGET.means[modes] + std * noise


@pytest.mark.parametrize(
    ("sample", "fault", "points"),
    [
        (around_the_modes([0.2] * 5), "not-mixed", 1.5),
        (around_the_modes([0.0, 1.0, 0.0, 0.0, 0.0]), "not-mixed", 0),
        (around_the_modes([0.35, 0.15, 0.25, 0.10, 0.15], std=0.75), "too-wide", 1.5),
        (around_the_modes([0.35, 0.15, 0.25, 0.10, 0.15], std=0.5), "too-narrow", 1.5),
        (around_the_modes([0.2] * 5, std=0.4), "too-narrow", 0),
        (3 * perfect(), "too-wide", 0),
        (1e6 * perfect(), "too-wide", 0),
        (torch.zeros(2000, 2), "too-wide", 0),
        (perfect(999), "too-few", 0),
        (around_the_modes([0.35, 0.15, 0.25, 0.10, 0.15], flat=True), "not-round", 0),
        (perfect().T, "shape", 0),
        (perfect()[:, :1], "shape", 0),
        (perfect() / 0, "not-finite", 0),
    ],
)
def test_a_bad_sample_is_refused_and_named(sample, fault, points):
    verdict = verdict_on(sample)
    assert (verdict.fault, verdict.points) == (fault, points)
