"""LangevinExplorer: the shares that are found, the true ones, and what a long step spoils."""

import numpy as np
import pytest
import torch

from course_lib.distributions import GaussianMixture
from course_lib.widgets import LangevinExplorer
from course_lib.widgets.scene import packed

EXPLORER = LangevinExplorer()


def values(**changes):
    """share found at the end, true share, spread at the end."""
    shown = EXPLORER.scene(**EXPLORER.checked({**EXPLORER.start, **changes}))
    found, exact, spread, _ = (np.asarray(r.value) for r in shown.readouts)
    return float(found[-1]), float(exact), float(spread[-1])


@pytest.mark.parametrize(("distance", "weight"), [(0.0, 0.3), (1.0, 0.7), (3.0, 0.2)])
def test_the_true_share_is_that_of_samples(distance, weight):
    means = torch.tensor([[-distance / 2, 0.0], [distance / 2, 0.0]])
    target = GaussianMixture(means, 0.36, torch.tensor([weight, 1 - weight]))
    samples = target.sample(200_000, torch.Generator().manual_seed(0))
    _, exact, _ = values(distance=distance, weight=weight)
    assert (samples[:, 0] < 0).double().mean().item() == pytest.approx(exact, abs=0.005)


def test_near_modes_are_mixed_and_far_ones_are_not():
    found, exact, _ = values(distance=1.6)
    assert found == pytest.approx(exact, abs=0.05)
    found, exact, _ = values(distance=5.0)
    assert found > 0.95
    assert exact < 0.35


def test_more_noise_mixes_faster():
    slow, exact, _ = values(distance=2.6, sigma=0.6)
    fast, _, _ = values(distance=2.6, sigma=1.2)
    assert abs(fast - exact) < abs(slow - exact)


@pytest.mark.parametrize("h", [0.08, 0.64])
def test_a_long_step_spreads_by_the_law_of_its_own(h):
    """Euler-Maruyama on N(0, s²) ends with the variance s² / (1 - hσ² / 4s²)."""
    _, _, spread = values(distance=0.0, h=h)
    assert spread == pytest.approx((0.36 / (1 - h / (4 * 0.36))) ** 0.5, rel=0.08)


@pytest.mark.parametrize("control", [c.name for c in LangevinExplorer.controls])
@pytest.mark.parametrize("end", [0, -1])
def test_every_end_of_every_control(control, end):
    spec = next(c for c in EXPLORER.controls if c.name == control)
    ends = spec.options if spec.kind == "choice" else (spec.low, spec.high)
    shown = EXPLORER.scene(**EXPLORER.checked({**EXPLORER.start, control: ends[end]}))
    packing, arrays = packed(shown)
    assert packing["frames"] == len(packing["times"]) <= 61
    assert sum(map(len, arrays)) < 300_000


def test_the_landscape_is_the_density():
    shown = EXPLORER.scene(**EXPLORER.start)
    image = np.asarray(shown.panels[0].layers[0].values)
    cell = (9 / 134) * (5.4 / 80)
    assert image.sum() * cell == pytest.approx(1.0, abs=0.01)
    middle = 67
    assert image[40, :middle].max() / image[40, middle:].max() == pytest.approx(0.3 / 0.7, rel=0.05)
