"""LangevinExplorer: the shares that are found, the true ones, and what a long step spoils."""

import math

import numpy as np
import pytest
import torch

from course_lib.processes import Langevin
from course_lib.simulate import simulate, time_grid
from course_lib.widgets import LangevinExplorer
from course_lib.widgets.demo import MOST_MB
from course_lib.widgets.demo.pages import frozen
from course_lib.widgets.mixing import left_share, settled_spread, settling_time, two_modes
from course_lib.widgets.scene import packed

EXPLORER = LangevinExplorer()


def values(**changes):
    """share found at the end, true share, spread at the end."""
    shown = EXPLORER.scene(**EXPLORER.checked({**EXPLORER.start, **changes}))
    found, exact, spread, _ = (np.asarray(r.value) for r in shown.readouts)
    return float(found[-1]), float(exact), float(spread[-1])


def note(**changes):
    return EXPLORER.scene(**EXPLORER.checked({**EXPLORER.start, **changes})).note


@pytest.mark.parametrize(("distance", "weight"), [(0.0, 0.3), (1.0, 0.7), (3.0, 0.2)])
def test_the_true_share_is_that_of_samples(distance, weight):
    samples = two_modes(distance, weight, 0.6).sample(200_000, torch.Generator().manual_seed(0))
    _, exact, _ = values(distance=distance, weight=weight)
    assert exact == left_share(distance, weight, 0.6)
    assert (samples[:, 0] < 0).double().mean().item() == pytest.approx(exact, abs=0.005)


@pytest.mark.parametrize(("std", "sigma"), [(0.6, 1.0), (1.5, 0.4)])
def test_one_mode_settles_as_the_ornstein_uhlenbeck_process(std, sigma):
    """θ = σ²/2s², and the slowest deviation falls as e^{-θt}."""
    assert settling_time(0.0, 0.5, std, sigma) == pytest.approx(2 * std**2 / sigma**2, rel=1e-3)


def test_far_modes_settle_in_the_time_that_the_flow_over_the_ridge_says():
    """Kramers: 1/λ = (2/σ²) ω (1 - ω) ∫ dx / p(x) between the modes, for a high ridge."""
    distance, weight, sigma = 6.0, 0.3, 0.8
    x = torch.linspace(-distance / 2, distance / 2, 20_001, dtype=torch.float64)
    means = distance * torch.tensor([-0.5, 0.5], dtype=torch.float64)
    bells = torch.exp(-((x[:, None] - means) ** 2) / (2 * 0.36)) / (0.6 * math.sqrt(2 * math.pi))
    p = bells @ torch.tensor([weight, 1 - weight], dtype=torch.float64)
    kramers = 2 / sigma**2 * weight * (1 - weight) * torch.trapezoid(1 / p, x).item()
    assert settling_time(distance, weight, 0.6, sigma) == pytest.approx(kramers, rel=0.02)


def test_simulated_shares_approach_at_the_rate_of_theory():
    """Over one settling time, late enough for the slowest deviation to be alone: by 1/e."""
    distance, weight, time = 2.4, 0.3, settling_time(2.4, 0.3, 0.6, 1.0)
    target = two_modes(distance, weight, 0.6)
    x = target.means[0] + 0.6 * torch.randn(8000, 2, generator=torch.Generator().manual_seed(0))
    run = simulate(
        Langevin(target), x, time_grid(300, end=1.5 * time), record=4,
        generator=torch.Generator().manual_seed(1),
    )  # fmt: skip
    early, late = (
        (run.states[k, :, 0] < 0).double().mean().item() - left_share(distance, weight, 0.6)
        for k in (1, 3)
    )
    assert late / early == pytest.approx(1 / math.e, abs=0.05)


def test_the_settled_spread_is_that_of_lab_1():
    assert settled_spread(0.6, 1.0, 0.36) == pytest.approx(0.6 / math.sqrt(0.75))
    assert settled_spread(0.6, 1.0, 1.43) < math.inf
    assert settled_spread(0.6, 1.0, 1.45) == math.inf


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


@pytest.mark.parametrize("h", [0.08, 0.625])
def test_a_long_step_spreads_by_the_law_of_its_own(h):
    """Euler-Maruyama on N(0, s²) ends with the variance s² / (1 - hσ² / 4s²)."""
    _, _, spread = values(distance=3.0, h=h)
    expected = settled_spread(0.6, 1.0, 20 / round(20 / h))
    assert spread == pytest.approx(expected, rel=5 / math.sqrt(2 * 2000))
    assert f"settles at the spread {expected:.3f}, not 0.600" in note(h=h)


def test_a_step_that_explodes_is_said_to():
    assert "throws the particles farther out" in note(sigma=2.0, h=1.25)
    shown = EXPLORER.scene(**EXPLORER.checked({**EXPLORER.start, "sigma": 2.0, "h": 1.25}))
    cloud = np.asarray(shown.panels[0].layers[1].xy)
    assert np.abs(cloud[0]).max() < 5
    assert np.abs(cloud).max() == 20


def test_the_one_of_two_functions_that_is_wrong_is_named():
    def my_drift(score, x, sigma):
        return sigma**2 / 2 * score(x)

    def my_score(x, means, stds, weights):
        return x * math.nan

    both = LangevinExplorer(drift=my_drift, score=my_score)
    assert both.scene(**both.start).error == "my_score returned NaN"


def test_what_has_left_the_picture_is_counted():
    def outside(**changes):
        shown = EXPLORER.scene(**EXPLORER.checked({**EXPLORER.start, **changes}))
        return [r.value[-1].item() for r in shown.readouts if r.label == "outside the picture"]

    assert outside() == []
    assert outside(sigma=2.0, h=1.25) == [100.0]


@pytest.mark.parametrize(("distance", "words"), [(2.4, "of 5.6;"), (6.0, "of 73,000;")])
def test_the_wait_for_the_shares_is_said(distance, words):
    assert words in note(distance=distance)


def my_drift(score, x, sigma):
    return sigma**2 / 2 * score(x)


def my_score(x, means, stds, weights):
    pull = means - x[:, None, :]
    log_density = -pull.square().sum(2) / (2 * stds**2) - x.shape[1] * stds.log()
    shares = torch.softmax(weights.log() + log_density, dim=1)
    return (shares[:, :, None] * pull / stds[:, None] ** 2).sum(1)


@pytest.mark.parametrize(
    "own", [dict(drift=my_drift), dict(score=my_score), dict(drift=my_drift, score=my_score)]
)
def test_your_functions_stand_beside_the_truth(own):
    shown = LangevinExplorer(**own).scene(**EXPLORER.start)
    assert shown.error == ""
    ours, theirs = (np.asarray(layer.xy) for layer in shown.panels[0].layers[1:])
    assert np.quantile(np.abs(ours - theirs), 0.99) < 1e-3
    assert shown.legend[-1] == ("yours", "dot", " and ".join(f.__name__ for f in own.values()))
    assert len(shown.readouts) == 6


def test_a_drift_without_the_half_shrinks_the_modes():
    """Twice the pull: the variance halves."""
    shown = LangevinExplorer(drift=lambda score, x, sigma: sigma**2 * score(x)).scene(
        **{**EXPLORER.start, "sigma": 0.5}
    )
    spread = float(shown.readouts[-1].value[-1])
    assert spread == pytest.approx(settled_spread(0.6 / 2**0.5, 0.5, 0.08), rel=0.08)


def raises(score, x, sigma):
    raise NotImplementedError("langevin_drift")


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        (dict(drift=raises), "langevin_drift is not written yet"),
        (dict(drift=lambda score, x, sigma: score(x)[:, 0]), "<lambda> returned shape (2000,)"),
        (dict(drift=lambda score, x, sigma: None), "<lambda> returned None"),
        (dict(drift=lambda score, x, sigma: score(x) * math.nan), "<lambda> returned NaN"),
        (
            dict(score=lambda x, means: x),
            "<lambda> takes (x, means); expected a function of (x",
        ),
        (dict(score=lambda x, m, s, w: x / 0), "<lambda> returned infinite numbers"),
    ],
)
def test_a_wrong_function_is_a_sentence_and_the_rest_is_shown(own, sentence):
    shown, right = (e.scene(**EXPLORER.start) for e in (LangevinExplorer(**own), EXPLORER))
    assert shown.error.startswith(sentence)
    assert len(shown.readouts) == len(right.readouts)
    assert [len(a) for a in packed(shown)[1]] == [len(a) for a in packed(right)[1]]


@pytest.mark.parametrize("name", ["drift", "score"])
def test_what_is_no_function_is_said(name):
    shown = LangevinExplorer(**{name: 3}).scene(**EXPLORER.start)
    assert shown.error.startswith(f"{name} is an int; expected a function of")


def test_a_frozen_page_is_small():
    assert len(frozen(LangevinExplorer(), {})) < MOST_MB * 1e6


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
