"""Plots of what is learned: losses, fields beside the exact ones, p_t, and means of arrows."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgba
from matplotlib.quiver import Quiver

from course_lib import plots
from course_lib.plots.loss import running_mean
from course_lib.plots.style import END, EXACT, SIMULATED


def panels(fig):
    return [ax for ax in fig.axes if ax.get_label() != "<colorbar>"]


def notes(fig):
    return " ".join(t.get_text() for ax in fig.axes for t in ax.texts).replace("\n", " ")


def legend(fig):
    return [text.get_text() for text in fig.legends[0].get_texts()]


# --- training ------------------------------------------------------------------------------------


def history(losses, seconds=21.3):
    return SimpleNamespace(steps=torch.arange(len(losses)), losses=losses, seconds=[0.0, seconds])


def noisy(curve, seed=0):
    noise = torch.randn(len(curve), generator=torch.Generator().manual_seed(seed))
    return curve * (1 + 0.05 * noise)


STEP = torch.arange(3000)
PLATEAU = noisy(1.2 + 8 * torch.exp(-STEP / 40))


def test_the_plateau_fills_the_frame_and_the_start_is_counted():
    fig = plots.training(history(PLATEAU), floor=1.2)
    (ax,) = panels(fig)
    low, high = ax.get_ylim()
    assert 0.9 < low < 1.1
    assert 1.3 < high < 1.6
    above = f"{int((high < PLATEAU).sum())} of 3000 losses lie above the frame"
    assert f"{above} (largest = {PLATEAU.max():.3g})" in notes(fig)
    raw, mean, floor = ax.lines
    np.testing.assert_allclose(raw.get_ydata()[200:], PLATEAU[200:])
    np.testing.assert_allclose(mean.get_ydata()[1000], PLATEAU[963:1038].mean(), rtol=1e-6)
    assert floor.get_ydata() == [1.2, 1.2]
    assert (floor.get_color(), raw.get_color()) == (EXACT, SIMULATED)
    assert legend(fig) == ["each step", "running mean; 21 s in all", "floor 1.2 (of the mean)"]


@pytest.mark.parametrize("window", [1, 5, 9])
def test_the_running_mean_is_that_of_the_numbers_round_each_step(window):
    values = np.random.default_rng(0).normal(size=40)
    values[[3, 20, 21, 22, 39]] = np.nan, np.inf, np.nan, -np.inf, np.nan
    mean = running_mean(values, window)
    for i, value in enumerate(values):
        near = values[max(0, i - window // 2) : i + window // 2 + 1]
        expected = near[np.isfinite(near)].mean() if np.isfinite(value) else np.nan
        np.testing.assert_allclose(mean[i], expected, rtol=1e-12)


def test_one_huge_loss_spoils_the_running_mean_nowhere_else():
    values = np.full(100, 0.1)
    values[50] = 1e30
    np.testing.assert_array_equal(np.flatnonzero(np.abs(running_mean(values, 10) - 0.1) > 1e-12),
                                  np.arange(45, 55) + 1)  # fmt: skip


def test_losses_that_fall_through_decades_have_a_logarithmic_axis():
    falling = history(noisy(10 * torch.exp(-STEP / 400) + 0.01))
    ax = panels(plots.training(falling, floor=0.01))[0]
    assert ax.get_yscale() == "log"
    assert ax.get_ylim()[0] < 0.01
    assert ax.get_ylim()[1] > 10
    assert "the floor 0 has no place" in notes(plots.training(falling, floor=0.0))
    assert panels(plots.training(history(PLATEAU - 5)))[0].get_yscale() == "linear"


def test_several_runs_share_a_panel_and_lost_losses_are_counted():
    broken = PLATEAU.clone()
    broken[1000:1010] = math.nan
    fig = plots.training({"width 64": history(PLATEAU, 8.04), "width 256": history(broken)})
    assert legend(fig) == ["width 64; 8.0 s in all", "width 256; 21 s in all"]
    assert "10 of 6000 losses are NaN or infinite" in notes(fig)
    few = plots.training(SimpleNamespace(steps=[10, 20], losses=[2.0, 1.0], seconds=0.1))
    np.testing.assert_allclose(panels(few)[0].lines[0].get_xydata(), [[10, 2], [20, 1]])


# --- fields and snapshots ------------------------------------------------------------------------


class Cloud:
    """The Gaussian of some standard deviation in the plane, in float64."""

    dim = 2

    def __init__(self, std):
        self.std = std

    def sample(self, n, generator=None):
        return self.std * torch.randn(n, 2, generator=generator, dtype=torch.float64)

    def log_prob(self, x):
        assert x.dtype == torch.float64
        return -0.5 * (x / self.std).square().sum(-1)


class Narrowing:
    """Of standard deviation 2 - t, and with no density at t = 1."""

    @staticmethod
    def at(t):
        if t == 1:
            raise ValueError("no density")
        return Cloud(2.0 - t)


def arrows(ax):
    """The drawn arrows (n, 2) of each quiver of a panel."""
    quivers = [thing for thing in ax.collections if isinstance(thing, Quiver)]
    return [np.column_stack([q.U, q.V]) / q.scale for q in quivers]


def test_each_panel_has_the_density_of_its_own_time():
    times = torch.tensor([0.0, 0.5, 1.0])
    walk = SimpleNamespace(times=times, states=torch.ones(3, 4, 2))
    fig = plots.snapshots(walk, Narrowing, at=3, extent=4.0)
    first, second, last = panels(fig)
    for ax, std in ((first, 2.0), (second, 1.5)):
        image = ax.images[0].get_array()
        centre = (np.arange(len(image)) + 0.5) / len(image) * 8 - 4
        truth = np.exp(-0.5 * (centre[:, None] ** 2 + centre**2) / std**2)
        np.testing.assert_allclose(image, truth / truth.max(), rtol=1e-9)
    assert not last.images
    assert len(last.lines[0].get_xydata()) == 4
    assert legend(fig)[0] == "exact density $p_t$"
    assert panels(plots.snapshots(walk, Narrowing))[0].get_xlim()[1] > 4  # fits p_0


def test_a_row_for_each_field_a_column_for_each_time():
    fig = plots.fields({"learned": lambda x, t: x, "exact": lambda x, t: x}, times=(0.1, 0.9))
    assert [ax.get_title() for ax in panels(fig)] == ["$t$ = 0.1", "$t$ = 0.9", "", ""]
    assert [ax.get_ylabel() for ax in panels(fig)] == ["learned\n$x_2$", "", "exact\n$x_2$", ""]
    colors = [ax.collections[0].get_facecolor()[0] for ax in panels(fig)]
    np.testing.assert_allclose(colors, [to_rgba(c) for c in (SIMULATED, SIMULATED, EXACT, EXACT)])
    one = plots.fields({"a": lambda x, t: x, "b": lambda x, t: x}, times=[0.5])
    assert [ax.get_title() for ax in panels(one)] == ["a, $t$ = 0.5", "b, $t$ = 0.5"]
    assert len({ax.get_subplotspec().rowspan.start for ax in panels(one)}) == 1
    assert "4 panels (t = 0.1; t = 0.9); learned x_2 and exact x_2" in plots.alt_text(fig)


def test_the_arrows_of_a_column_have_one_scale():
    turn = torch.tensor([[0.0, 1.0], [-1.0, 0.0]])
    fig = plots.fields({"double": lambda x, t: 2 * (1 + t) * x @ turn,
                        "exact": lambda x, t: (1 + t) * x @ turn}, times=(0.0, 1.0))  # fmt: skip
    for column in (panels(fig)[::2], panels(fig)[1::2]):
        (double,), (single,) = map(arrows, column)
        short = np.hypot(*double.T) < 0.99 * np.hypot(*double.T).max()  # the longest are cut
        np.testing.assert_allclose(double[short], 2 * single[short], rtol=1e-5, atol=1e-9)


def test_a_field_that_explodes_is_cut_and_leaves_the_others_their_length():
    calm = {"exact": lambda x, t: x}
    fig = plots.fields({"broken": lambda x, t: 1e6 * x, **calm}, times=[0.5])
    alone = plots.fields(calm, times=[0.5])
    np.testing.assert_allclose(arrows(panels(fig)[1])[0], arrows(panels(alone)[0])[0])
    assert "cut: arrows of length" in notes(fig)
    assert "cut" not in notes(alone)


def test_where_no_particle_comes_arrows_are_faint_and_do_not_set_the_scale():
    seen = {}

    def field(x, t):
        seen.update(shape=tuple(x.shape), t=t)
        far = x.norm(dim=-1, keepdim=True) > 1.5  # 99.9 % of p_t is nearer
        return torch.where(far, 1000 * x, x)

    background = SimpleNamespace(at=lambda t: Cloud(0.4))
    fig = plots.fields(field, times=[0.5], background=background, extent=3.0)
    assert (seen["shape"], seen["t"].shape, seen["t"].dtype) == ((225, 2), (), torch.float64)
    quiver = panels(fig)[0].collections[0]
    near = np.hypot(quiver.X, quiver.Y) < 0.4 * math.sqrt(2 * math.log(100))
    np.testing.assert_array_equal(quiver.get_alpha(), np.where(near, 1.0, 0.2))
    (drawn,) = arrows(panels(fig)[0])
    assert np.hypot(*drawn[near].T).max() > 0.9 * np.hypot(*drawn.T).max()


# --- the mean of arrows --------------------------------------------------------------------------

DATA = torch.tensor([[2.0, 0.0], [0.0, 1.0], [-1.0, -1.0]], dtype=torch.float64)
PROBE = torch.tensor([0.5, 0.5], dtype=torch.float64)
TIMES = torch.tensor([0.1, 0.9], dtype=torch.float64)
WEIGHTS = torch.tensor([[0.4, 0.3, 0.3], [0.05, 0.95, 0.0]], dtype=torch.float64)
TARGETS = (DATA - PROBE) / (1 - TIMES[:, None, None])  # of the linear path


def test_the_bold_arrow_is_the_weighted_mean_and_the_thin_ones_end_at_the_data():
    fig = plots.marginal_arrow(PROBE, DATA, WEIGHTS, TARGETS, times=TIMES)
    assert [ax.get_title() for ax in panels(fig)] == [
        "$t$ = 0.1\narrows × 0.9",
        "$t$ = 0.9\narrows × 0.1",
    ]
    for ax, weights in zip(panels(fig), WEIGHTS, strict=True):
        thin, bold = arrows(ax)
        ways = (DATA - PROBE).numpy()
        np.testing.assert_allclose(thin, ways, atol=1e-12)
        np.testing.assert_allclose(bold[0], weights.numpy() @ ways, atol=1e-12)
        np.testing.assert_allclose(ax.collections[2].get_facecolor()[0], to_rgba(END))


def test_area_and_opacity_grow_with_the_weight_on_one_scale_for_all_panels():
    fig = plots.marginal_arrow(PROBE, DATA, WEIGHTS, TARGETS)
    areas = np.stack([ax.collections[0].get_sizes() for ax in panels(fig)])
    np.testing.assert_allclose((areas - 10) / (areas[1, 1] - 10), WEIGHTS.numpy() / 0.95)
    opacity = np.stack([ax.collections[1].get_facecolor()[:, 3] for ax in panels(fig)])
    np.testing.assert_array_equal(np.argsort(opacity.ravel()), np.argsort(WEIGHTS.numpy().ravel()))


def test_a_mean_of_no_numbers_is_not_drawn():
    broken = TARGETS[0].clone()
    broken[1, 0] = math.nan
    fig = plots.marginal_arrow(PROBE, DATA, WEIGHTS[0], broken)
    assert [len(drawn) for drawn in arrows(panels(fig)[0])] == [2]
    assert "no mean: 1 of 3 arrows or weights are NaN or infinite" in notes(fig)


# --- curves --------------------------------------------------------------------------------------


def test_a_joined_curve_has_a_gap_where_a_value_is_lost_and_curves_differ_in_more_than_colour():
    y = {str(i): [1.0, math.nan, 3.0, 2.0] for i in range(8)}
    fig = plots.curves([0, 1, 2, 3], y, xlabel="x", ylabel="y", joined=True)
    lines = panels(fig)[0].lines
    np.testing.assert_array_equal(lines[0].get_ydata(), [1, math.nan, 3, 2])
    assert {line.get_linestyle() for line in lines} == {"-"}
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == 8
