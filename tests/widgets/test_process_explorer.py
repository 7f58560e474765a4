"""ProcessExplorer: the crowd beside its exact law, and what a long step spoils."""

import math

import numpy as np
import pytest
import torch

from course_lib.widgets import ProcessExplorer
from course_lib.widgets.demo.pages import frozen
from course_lib.widgets.histogram import histogram
from course_lib.widgets.scene import packed

EXPLORER = ProcessExplorer()
PROCESSES = ("Brownian motion", "Ornstein-Uhlenbeck", "Langevin")


def scene(**changes):
    return EXPLORER.scene(**EXPLORER.checked({**EXPLORER.start, **changes}))


def moments(shown):
    """mean, exact mean, standard deviation, exact one: arrays (frames,)."""
    return [np.asarray(r.value) for r in shown.readouts[:4]]


def exact_law(shown):
    """The curve (frames, points, 2): density and x."""
    (law,) = [layer for layer in shown.panels[1].layers if layer.color == "exact"]
    return np.asarray(law.xy)[:, 0]


@pytest.mark.parametrize("sigma", [0.3, 1.0])
@pytest.mark.parametrize("start", [-2.0, 1.5])
def test_exact_law_of_brownian_motion(start, sigma):
    shown = scene(process="Brownian motion", start=start, sigma=sigma)
    t = np.asarray(shown.times)
    _, mean, _, std = moments(shown)
    assert mean == pytest.approx(np.full_like(t, start))
    assert std == pytest.approx(sigma * np.sqrt(t), abs=1e-6)


@pytest.mark.parametrize("theta", [0.5, 2.0])
@pytest.mark.parametrize("sigma", [0.3, 1.0])
def test_exact_law_of_ornstein_uhlenbeck(theta, sigma):
    shown = scene(start=-2.0, theta=theta, sigma=sigma)
    t = np.asarray(shown.times, dtype=float)
    _, mean, _, std = moments(shown)
    assert mean == pytest.approx(-2 * np.exp(-theta * t), rel=1e-5)
    variance = sigma**2 * (1 - np.exp(-2 * theta * t)) / (2 * theta)
    assert std == pytest.approx(np.sqrt(variance), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("process", PROCESSES)
def test_the_drawn_law_has_the_moments_that_are_printed(process):
    shown = scene(process=process, start=0.0, sigma=0.5)
    _, mean, _, std = moments(shown)
    law = exact_law(shown)[-1]
    density, x = law[:, 0].astype(float), law[:, 1].astype(float)
    width = x[1] - x[0]
    assert density.sum() * width == pytest.approx(1, abs=0.01)
    assert (density * x).sum() * width == pytest.approx(mean[-1], abs=0.02)
    spread = (density * (x - mean[-1]) ** 2).sum() * width
    assert math.sqrt(spread) == pytest.approx(std[-1], abs=0.02)


@pytest.mark.parametrize("process", PROCESSES)
@pytest.mark.parametrize("sigma", [0.5, 1.5])
def test_the_crowd_has_the_exact_law_at_every_time(process, sigma):
    """Within 4.5 standard errors of 2,000 particles, and the bias of a step of 0.02."""
    mean, exact_mean, std, exact_std = moments(scene(process=process, sigma=sigma, h=0.02))
    assert np.all(abs(mean - exact_mean) < 4.5 * exact_std / math.sqrt(2000) + 0.03)
    assert np.all(abs(std - exact_std) < 4.5 * exact_std / math.sqrt(4000) + 0.02)


@pytest.mark.parametrize("h", [0.4, 1.0])
def test_a_long_step_spoils_the_spread_as_theory_says(h):
    """Euler-Maruyama's own law of the OU process: variance σ²/2θ · 1/(1 - θh/2)."""
    _, _, std, _ = moments(scene(theta=1.0, start=0.0, h=h))
    n = round(4 / h)
    settled = 0.5 / (1 - h / 2) * (1 - (1 - h) ** (2 * n))
    assert std[-1] == pytest.approx(math.sqrt(settled), rel=4.5 / math.sqrt(4000))


def test_bars_are_the_share_of_the_particles_in_each_bin():
    shown = scene()
    bars = shown.panels[1].layers[0]
    heights, edges = np.asarray(bars.heights), np.asarray(bars.edges)
    total = (heights * np.diff(edges)).sum(1)
    assert np.all(total > 0.98)
    middle = (edges[1:] + edges[:-1]) / 2
    mean = (heights * middle * np.diff(edges)).sum(1) / total
    assert np.all(abs(mean - moments(shown)[0]) < 0.51 * (edges[1] - edges[0]))


@pytest.mark.parametrize("process", PROCESSES)
@pytest.mark.parametrize(("theta", "sigma", "h"), [(1, 1, 0.04), (4, 2, 1.0), (0.1, 0.1, 0.04)])
def test_the_axis_holds_the_crowd_and_the_law_at_most_times(process, theta, sigma, h):
    shown = scene(process=process, theta=theta, sigma=sigma, h=h)
    panel = shown.panels[1]
    bars = np.asarray(panel.layers[0].heights)
    law = np.nan_to_num(exact_law(shown)[..., 0])
    held = np.maximum(bars.max(1), law.max(1)) < panel.x[1]
    assert held[-1]
    assert held.mean() >= 0.75


def test_what_has_left_the_picture_is_counted():
    assert not [r for r in scene().readouts if r.label == "outside the picture"]
    shown = scene(process="Brownian motion", sigma=2.0, start=0.0)
    (outside,) = [np.asarray(r.value) for r in shown.readouts if r.label == "outside the picture"]
    share = 100 * math.erfc(5 / (2.0 * math.sqrt(4.0)) / math.sqrt(2))
    assert outside[0] == 0
    assert outside[-1] == pytest.approx(share, abs=4.5 * math.sqrt(share * (100 - share) / 2000))


def test_a_reader_s_particles_that_left_are_counted_too():
    wrong = ProcessExplorer(step=lambda drift, diffusion, x, t, h, noise: x + 40 * h)
    labels = [r.label for r in wrong.scene(**wrong.start).readouts]
    assert "yours outside the picture" in labels
    assert "outside the picture" not in labels


@pytest.mark.parametrize("h", [0.02, 0.3, 0.7, 1.0])
def test_the_step_that_is_shown_is_the_one_that_is_used(h):
    used = EXPLORER.checked({**EXPLORER.start, "h": h})["h"]
    assert abs(used - h) < 0.1 * h
    asked = []

    def step(drift, diffusion, x, t, h, noise):
        asked.append(float(h))
        return x

    ProcessExplorer(step).scene(**{**EXPLORER.start, "h": used})
    assert asked == pytest.approx([used] * round(4 / used), rel=1e-4)


def test_histogram_is_that_of_numpy():
    values = torch.randn(3, 500, generator=torch.Generator().manual_seed(0))
    values[0, :3] = torch.tensor([math.nan, math.inf, -9.0])
    heights, edges = histogram(values, -2.0, 2.0, 7)
    for row, found in zip(values.numpy(), heights.numpy(), strict=True):
        counts, _ = np.histogram(row[np.isfinite(row)], edges.numpy())
        assert found == pytest.approx(counts / (500 * 4 / 7), rel=1e-5)


@pytest.mark.parametrize("process", PROCESSES)
@pytest.mark.parametrize(
    "changes",
    [{c.name: end} for c in EXPLORER.controls[1:] for end in (c.low, c.high)]
    + [dict(theta=4.0, h=1.0, sigma=2.0)],
    ids=str,
)
def test_every_end_of_every_slider(process, changes):
    shown = scene(process=process, **changes)
    spec, arrays = packed(shown)
    assert spec["frames"] == len(spec["times"]) == len(moments(shown)[0])
    assert sum(map(len, arrays)) < 400_000
    assert np.isfinite(moments(shown)[1]).all()
    assert np.isfinite(moments(shown)[3]).all()


def test_theta_is_idle_where_there_is_none():
    assert [scene(process=p).idle for p in PROCESSES] == [("theta",), (), ("theta",)]


def test_langevin_approaches_a_law_that_is_named_and_drawn():
    shown = scene(process="Langevin", sigma=2.0)
    assert "0.4 N(−1.8, 0.35) + 0.6 N(1.5, 0.25)" in shown.note
    (limit,) = [np.asarray(x.xy)[0] for x in shown.panels[1].layers if x.color == "guide"]
    at = limit[:, 1]
    p = sum(
        w * np.exp(-((at - m) ** 2) / (2 * v)) / math.sqrt(2 * math.pi * v)
        for w, m, v in ((0.4, -1.8, 0.35), (0.6, 1.5, 0.25))
    )
    assert limit[:, 0] == pytest.approx(p, abs=1e-6)


def test_what_chance_does_to_the_mean_is_said():
    shown = scene(sigma=1.0)
    (chance,) = [np.asarray(r.value) for r in shown.readouts if r.label.startswith("chance")]
    assert chance == pytest.approx(moments(shown)[3] / math.sqrt(2000))


def test_a_frozen_page_can_answer_its_question_and_is_small():
    assert {"theta", "sigma", "h"} <= set(EXPLORER.frozen)
    assert len(frozen(ProcessExplorer(), {})) < 3_000_000


def my_step(drift, diffusion, x, t, h, noise):
    return x + h * drift(x, t) + diffusion(t) * math.sqrt(h) * noise


def forgets_the_root(drift, diffusion, x, t, h, noise):
    return x + h * drift(x, t) + diffusion(t) * h * noise


def my_transition(x, elapsed, theta, sigma):
    mean = math.exp(-theta * elapsed) * x
    return mean, sigma * math.sqrt((1 - math.exp(-2 * theta * elapsed)) / (2 * theta))


def by_label(shown):
    return {r.label: np.asarray(r.value) for r in shown.readouts if "your" in r.label}


@pytest.mark.parametrize("process", PROCESSES)
def test_a_reader_s_own_step_beside_the_library_s(process):
    explorer = ProcessExplorer(step=my_step, process=process)
    shown = explorer.scene(**explorer.start)
    ours, theirs = shown.panels[0].layers
    assert theirs.color == "yours"
    assert torch.allclose(ours.xy, theirs.xy, atol=1e-4)
    wrong = ProcessExplorer(step=forgets_the_root, process=process)
    mean = by_label(wrong.scene(**wrong.start))["your mean"]
    assert len(mean) == 101
    assert not torch.allclose(wrong.scene(**wrong.start).panels[0].layers[1].xy, ours.xy, atol=0.1)


def test_a_reader_s_own_law_beside_the_exact_one():
    explorer = ProcessExplorer(transition=my_transition)
    shown = explorer.scene(**explorer.start)
    _, exact, theirs = shown.panels[1].layers
    assert theirs.color == "yours"
    np.testing.assert_allclose(np.asarray(theirs.xy), np.asarray(exact.xy), atol=1e-4)
    mean, std = (np.asarray(r.value) for r in shown.readouts if r.color == "yours")
    np.testing.assert_allclose(mean, moments(shown)[1], atol=1e-5)
    np.testing.assert_allclose(std, moments(shown)[3], atol=1e-5)
    other = explorer.scene(**{**explorer.start, "process": "Brownian motion"})
    assert len(other.panels[1].layers) == 2  # it is the law of another process


@pytest.mark.parametrize(
    ("own", "words"),
    [
        (dict(step=lambda x: x), "<lambda> takes (x); expected a function of (drift, diffusion"),
        (dict(step=...), "step is not written yet"),
        (dict(step=lambda d, g, x, t, h, n: x[:, 0]), "<lambda> returned shape (2000,); expected"),
        (
            dict(step=lambda d, g, x, t, h, n: x / 0),
            "At t = 0.00: <lambda> returned infinite numbers",
        ),
        (dict(transition=lambda x, e, a, s: x), "<lambda> returned a Tensor; expected a mean and"),
        (dict(transition=lambda x, e, a, s: (x, 1.0, 2.0)), "<lambda> returned 3 values"),
        (dict(transition=lambda x, e, a, s: (x.expand(3, 1), 1.0)), "<lambda> returned shapes (3,"),
        (
            dict(transition=lambda x, e, a, s: (x, -s * e)),
            "At t = 0.04: <lambda> returned the negative deviation -0.04",
        ),
        (
            dict(transition=lambda x, e, a, s: (x, torch.full((1, 1), -1.0))),
            "At t = 0.00: <lambda> returned the negative deviation -1",
        ),
        (
            dict(transition=lambda x, e, a, s: (x, None)),
            "<lambda> returned a Tensor and None; expected a tensor and a number",
        ),
        (dict(transition=lambda x, e, a, s: (x, math.nan)), "At t = 0.00: <lambda> returned NaN"),
        (dict(transition=lambda x: (x, 1.0)), "<lambda> takes (x); expected a function of (x, ela"),
    ],
)
def test_a_wrong_function_is_a_sentence_and_the_rest_is_shown(own, words):
    explorer = ProcessExplorer(**own)
    shown = explorer.scene(**explorer.start)
    assert shown.error.startswith(words)
    assert [len(panel.layers) for panel in shown.panels] == [1, 2]
