"""Plots: what is drawn is what was given, bad data do not stop them, and bad input is refused."""

from __future__ import annotations

import io
import math
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.text import Text

from course_lib import plots
from course_lib.plots.frame import bulk_limits, path_limits
from course_lib.plots.histograms import finite_density
from course_lib.plots.style import EXACT, EXACT_LINE, PALETTE, SIMULATED

TIMES = torch.linspace(0.0, 2.0, 21)


def trajectory(dim: int = 1, batch: int = 8, scale: float = 1.0, times: torch.Tensor = TIMES):
    noise = torch.randn(len(times), batch, dim, generator=torch.Generator().manual_seed(0))
    return SimpleNamespace(times=times, states=scale * 0.3 * noise.cumsum(0))


class Bumps:
    """An even mixture of two Gaussians of unit variance in the plane, in float64."""

    dim = 2
    means = torch.tensor([[-2.0, 0.0], [2.0, 0.0]], dtype=torch.float64)

    def sample(self, n, generator=None):
        which = torch.randint(2, (n,), generator=generator)
        noise = torch.randn(n, 2, generator=generator, dtype=torch.float64)
        return self.means[which] + noise

    def log_prob(self, x):
        assert x.dtype == torch.float64, "the grid must have the distribution's own dtype"
        squares = (x[..., None, :] - self.means).square().sum(-1)
        return torch.logsumexp(-0.5 * squares, -1) - math.log(4 * math.pi)

    def score(self, x):
        x = x.detach().requires_grad_()
        return torch.autograd.grad(self.log_prob(x).sum(), x)[0]


def rotation(x, t):
    return torch.stack([-x[:, 1], x[:, 0]], dim=-1)


def band(times):
    return torch.zeros(()), times.sqrt()


def normal(x):
    return torch.exp(-0.5 * x**2) / math.sqrt(2 * math.pi)


def history(losses, seconds=(0.5, 2.0)):
    return SimpleNamespace(steps=range(len(losses)), losses=losses, seconds=seconds)


STEPS = [0.1, 0.05, 0.025]
LOSSES = 1.2 + 5 * torch.exp(-torch.arange(400) / 20)
CORNERS = torch.tensor([[2.0, 0.0], [0.0, 2.0], [-2.0, 0.0], [0.0, -2.0]])
EVEN = torch.full((4,), 0.25)
MOVING = SimpleNamespace(at=lambda t: Bumps())
COVARIANCE = torch.minimum(TIMES[1:, None], TIMES[1:])
EVERY_FIGURE = {
    "vector_field": lambda: plots.vector_field(rotation, trajectory(2), title="A rotation"),
    "vector_field alone": lambda: plots.vector_field(rotation, t=0.5, extent=(-1, 2, 0, 3)),
    "paths": lambda: plots.paths(trajectory(), band=band),
    "paths of a dict": lambda: plots.paths(
        {"σ = 1": trajectory(), "σ = 2": trajectory(scale=2)}, band={"σ = 1": band}, title="Two"
    ),
    "convergence": lambda: plots.convergence(STEPS, {"Euler": STEPS, "Heun": [1e-2, 3e-3, 6e-4]}),
    "covariance": lambda: plots.covariance(1.1 * COVARIANCE, COVARIANCE, TIMES[1:]),
    "histogram": lambda: plots.histogram(torch.randn(500), normal),
    "histogram of a dict": lambda: plots.histogram({"a": torch.randn(50, 1), "b": torch.randn(9)}),
    "curves": lambda: plots.curves(
        [1, 2, 3], {"measured": [1, 2, 4], "true": [1, 2, 3]}, xlabel="h", ylabel="variance",
        exact=["true"], marks={"θh = 2": 2.0}, logx=True, logy=True,
    ),
    "curves of many": lambda: plots.curves(
        TIMES, {f"error with {i} steps": i + TIMES for i in range(9)}, joined=True,
        xlabel="time", ylabel="error",
    ),
    "density": lambda: plots.density(Bumps(), samples=Bumps().sample(50), score=True),
    "snapshots": lambda: plots.snapshots(trajectory(2), Bumps()),
    "fields": lambda: plots.fields(
        {"learned by a network": rotation, "exact": rotation}, times=(0.1, 0.9),
        background=MOVING, title="Two fields",
    ),
    "fields at one time": lambda: plots.fields({"a": rotation, "b": rotation}, times=[0.5]),
    "marginal_arrow": lambda: plots.marginal_arrow(
        torch.zeros(2), CORNERS, EVEN.expand(2, 4), CORNERS, times=[0.1, 0.9], title="Mean"
    ),
    "training": lambda: plots.training(history(LOSSES), floor=1.2, title="One run"),
    "training of a dict": lambda: plots.training({"a": history(LOSSES), "b": history([2, 1])}),
    "mode_weights": lambda: plots.mode_weights([0.3, 0.7], {"measured": [0.25, 0.75]}),
    "collapse": lambda: plots.collapse({"a": trajectory(), "b": trajectory(scale=2)}),
    "answer_against_expected": lambda: plots.answer_against_expected([1, 2, 3], [1, 2, 4]),
}  # fmt: skip


def every_text(fig: Figure) -> str:
    return "\n".join(text.get_text() for text in fig.findobj(Text))


def panels(fig: Figure) -> list:
    return [ax for ax in fig.axes if ax.get_label() != "<colorbar>"]


@pytest.mark.parametrize("name", EVERY_FIGURE)
def test_every_figure_is_labelled_without_overlaps_and_leaves_pyplot_alone(name):
    torch.manual_seed(0)
    settings = dict(mpl.rcParams)
    fig = EVERY_FIGURE[name]()
    assert isinstance(fig, Figure)
    assert plt.get_fignums() == []
    assert dict(mpl.rcParams) == settings
    # Numbers stand under the lowest panels and left of the first one: there the axes have names.
    assert panels(fig)[0].get_ylabel()
    assert panels(fig)[-1].get_xlabel() or name == "mode_weights"
    sizes = [t.get_fontsize() for t in fig.findobj(Text) if t.get_text() and t.get_visible()]
    assert min(sizes) >= 9
    sentence = plots.alt_text(fig)
    assert sentence.startswith("Figure")
    assert sentence.endswith(".")
    assert "$" not in sentence
    assert "\n" not in sentence

    fig.draw_without_rendering()
    heads = [ax.title for ax in fig.axes] + [ax.xaxis.label for ax in fig.axes]
    heads += [t for ax in fig.axes for t in ax.texts] + [t for g in fig.legends for t in g.texts]
    heads += [fig._suptitle] if fig.get_suptitle() else []
    boxes = [(t.get_text(), t.get_window_extent()) for t in heads if t.get_text()]
    for i, (text, place) in enumerate(boxes):
        assert place.y0 >= -1, text
        assert place.y1 <= fig.bbox.y1 + 1, text
        for other, there in boxes[:i]:
            assert not place.padded(-1).overlaps(there.padded(-1)), (text, other)


@pytest.mark.parametrize("count", [1, 3, 5, 7])
def test_a_dict_gives_one_panel_a_label_on_shared_axes(count):
    labels = [f"$\\sigma = {i}$" for i in range(count)]
    fig = plots.paths({label: trajectory(scale=i + 1.0) for i, label in enumerate(labels)})
    assert [ax.get_title() for ax in panels(fig)] == labels
    assert len({ax.get_ylim() for ax in panels(fig)}) == 1
    assert len({ax.get_xlim() for ax in panels(fig)}) == 1


def test_paths_draw_the_states_and_the_exact_band():
    given = trajectory(dim=2, batch=5)
    fig = plots.paths(given, band=band, coordinate=1, most=3)
    faint, strong = panels(fig)[0].collections[:2]
    drawn = np.array([path.vertices[:, 1] for path in strong.get_paths()])
    np.testing.assert_allclose(drawn, given.states[:, [0, 2, 4], 1].T)
    assert len(faint.get_paths()) == 2
    lines = [line.get_ydata() for line in panels(fig)[0].lines]
    np.testing.assert_allclose(lines[2], 2 * TIMES.sqrt(), rtol=1e-6)
    np.testing.assert_allclose(lines[1], -2 * TIMES.sqrt(), rtol=1e-6)
    assert all(line.get_color() == EXACT for line in panels(fig)[0].lines)


def test_convergence_measures_the_slope_by_least_squares():
    h = torch.tensor([0.2, 0.1, 0.05, 0.025], dtype=torch.float64)
    fig = plots.convergence(h, {"Euler": 3 * h, "Heun": 0.7 * h**2})
    labels = [text.get_text() for text in fig.legends[0].get_texts()]
    assert labels[:2] == ["Euler: slope 1.00", "Heun: slope 2.00"]
    guides = panels(fig)[0].lines[2:]
    slopes = [np.diff(np.log(g.get_ydata())) / np.diff(np.log(g.get_xdata())) for g in guides]
    np.testing.assert_allclose(np.ravel(slopes), [1, 2])


def test_covariances_share_one_colour_scale_and_the_difference_is_centred():
    fig = plots.covariance(1.1 * COVARIANCE, COVARIANCE, TIMES[1:])
    first, second, difference = (ax.collections[0] for ax in panels(fig))
    assert first.get_clim() == second.get_clim() == (0, pytest.approx(2.0))
    assert difference.get_clim() == pytest.approx((-0.2, 0.2))
    np.testing.assert_allclose(difference.get_array(), 0.1 * COVARIANCE, atol=1e-6)


def test_histogram_bars_are_shares_of_all_samples():
    values = np.array([0.1, 0.2, 0.6, 5.0, np.nan])
    np.testing.assert_allclose(finite_density(values, np.array([0.0, 0.5, 1.0])), [0.8, 0.4])
    fig = plots.histogram(torch.randn(1000), normal)
    bars = panels(fig)[0].patches[0].get_data()
    assert (bars.values * np.diff(bars.edges)).sum() == pytest.approx(1.0)
    x, y = panels(fig)[0].lines[0].get_data()
    np.testing.assert_allclose(y, normal(torch.as_tensor(x)), rtol=1e-5)


def test_a_one_dimensional_distribution_serves_as_density():
    class Normal:
        dim = 1

        def log_prob(self, x):
            assert x.shape[-1] == 1
            return torch.distributions.Normal(0.0, 1.0).log_prob(x[..., 0])

    x, y = panels(plots.histogram(torch.randn(99), Normal()))[0].lines[0].get_data()
    np.testing.assert_allclose(y, normal(torch.as_tensor(x)), rtol=1e-5)


def test_exact_curves_are_dark_lines_and_measured_ones_coloured_markers():
    fig = plots.curves([3, 1, 2], {"m": [9, 1, 4], "e": [9, 1, 4]}, xlabel="x", ylabel="y",
                       exact=["e"])  # fmt: skip
    measured, exact = panels(fig)[0].lines
    assert (measured.get_linestyle(), measured.get_color()) == ("None", SIMULATED)
    assert (exact.get_marker(), exact.get_color()) == ("None", EXACT)
    np.testing.assert_allclose(exact.get_xdata(), [1, 2, 3])  # in order, or the line would cross
    assert EXACT_LINE["color"] not in PALETTE


def test_density_image_is_the_density_relative_to_its_peak():
    fig = plots.density(Bumps(), extent=4.0)
    image = panels(fig)[0].images[0].get_array()
    centre = (np.arange(200) + 0.5) / 200 * 8 - 4
    x, y = np.meshgrid(centre, centre)
    truth = np.exp(-0.5 * ((x - 2) ** 2 + y**2)) + np.exp(-0.5 * ((x + 2) ** 2 + y**2))
    np.testing.assert_allclose(image, truth / truth.max(), rtol=1e-9)


def test_a_density_that_is_zero_somewhere_is_drawn():
    class Box:
        dim = 2

        def log_prob(self, x):
            return torch.where(x.abs().amax(-1) < 1, math.log(0.25), -math.inf)

    image = panels(plots.density(Box(), extent=2.0))[0].images[0].get_array()
    assert image.sum() == 100 * 100


def test_snapshots_show_the_recorded_times_nearest_to_those_asked_for():
    given = trajectory(2, batch=30)
    fig = plots.snapshots(given, at=(0.0, 1.04, 2.0), extent=9.0)
    assert [ax.get_title() for ax in panels(fig)] == ["$t$ = 0", "$t$ = 1", "$t$ = 2"]
    np.testing.assert_allclose(panels(fig)[1].lines[0].get_xydata(), given.states[10])
    assert len(panels(plots.snapshots(given, at=4))) == 4
    two = SimpleNamespace(times=TIMES[[0, -1]], states=given.states[[0, -1]])
    assert len(panels(plots.snapshots(two, at=5))) == 2


def test_mode_weights_write_the_values_on_the_bars():
    fig = plots.mode_weights([0.3, 0.7], {"measured": [math.nan, 0.8]})
    heights = [[bar.get_height() for bar in group] for group in panels(fig)[0].containers]
    np.testing.assert_allclose(heights, [[0.3, 0.7], [0.0, 0.8]])
    assert [t.get_text() for t in panels(fig)[0].texts] == ["0.30", "0.70", "NaN", "0.80"]


def test_arrows_point_along_the_velocity_and_the_longest_are_clipped():
    fig = plots.vector_field(lambda x, t: (1 + t) * x, t=1.0)
    quiver = panels(fig)[0].collections[0]
    np.testing.assert_allclose(quiver.U * quiver.Y, quiver.V * quiver.X, atol=1e-6)
    assert np.hypot(quiver.U, quiver.V).max() < 2 * 4 / 19


def test_velocity_is_called_as_the_trajectory_was_simulated():
    seen = {}

    def velocity(x, t):
        seen.update(x=x, t=t)
        return x

    given = trajectory(2)
    given.states = given.states.double()
    plots.vector_field(velocity, given, t=0.5)
    assert seen["x"].dtype == seen["t"].dtype == torch.float64
    assert (seen["x"].shape, seen["t"].shape, seen["t"].item()) == ((361, 2), (), 0.5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_any_float_type_with_or_without_gradient(dtype):
    given = trajectory(2)
    given.states = given.states.to(dtype).requires_grad_()
    expected = given.states[-1].detach().double().numpy()
    drawn = panels(plots.snapshots(given, at=1, extent=99.0))[0].lines[0].get_xydata()
    np.testing.assert_allclose(drawn, expected)
    one = torch.ones((), dtype=dtype, requires_grad=True)
    fig = plots.convergence([0.2, 0.1], {"Euler": [2 * one, one]})
    np.testing.assert_allclose(panels(fig)[0].lines[0].get_ydata(), [2, 1])


# --- data that explode ---------------------------------------------------------------------------


def exploding(dim: int = 1, batch: int = 6) -> SimpleNamespace:
    """An Ornstein-Uhlenbeck simulation at θh = 2.1, with NaN and infinity in two of its paths."""
    steps = torch.arange(101, dtype=torch.float64)
    states = ((-1.1) ** steps)[:, None, None] * torch.ones(1, batch, dim, dtype=torch.float64)
    states[50:, 0], states[60:, 1] = math.nan, math.inf
    return SimpleNamespace(times=2.1 * steps, states=states)


def test_an_exploding_simulation_is_cut_and_the_figure_says_so():
    fig = plots.paths(exploding())
    text = " ".join(every_text(fig).split())
    assert "6 of 6 paths leave the frame (largest |x| = 1.38e+04)" in text
    assert "2 of 6 paths become NaN or infinite" in text
    assert "2 of 6 paths become NaN or infinite" in plots.alt_text(fig)
    low, high = panels(fig)[0].get_ylim()
    assert -300 < low < -10
    assert 10 < high < 300


def test_one_exploding_panel_does_not_flatten_the_others():
    fig = plots.paths({"calm": trajectory(), "explodes": exploding()})
    assert max(map(abs, panels(fig)[0].get_ylim())) < 50
    fig = plots.histogram({"calm": torch.randn(99), "explodes": 1e5 * torch.randn(99)})
    assert max(map(abs, panels(fig)[0].get_xlim())) < 50


def test_a_panel_that_contracts_to_a_point_does_not_hide_the_others():
    assert bulk_limits([np.full(9, 1e-9) * np.arange(9), np.linspace(-4, 4, 9)])[1] >= 4
    assert path_limits([np.exp(np.linspace(-7, 0, 50))[:, None]])[1] >= 1


@pytest.mark.parametrize("value", [math.nan, math.inf, -1e308])
def test_no_value_stops_a_plot(value):
    states = trajectory(2).states.double()
    states[5:, 1] = value
    broken = SimpleNamespace(times=TIMES, states=states)
    everywhere = SimpleNamespace(times=TIMES, states=torch.full_like(states, value))
    matrix = COVARIANCE.double().clone()
    matrix[3, 4] = value
    losses = LOSSES.double().clone()
    losses[300:] = value
    arrows = CORNERS.double() * torch.tensor([1, 1, 1, value])[:, None]
    figures = [
        *(plots.paths(t, band=lambda s: (s, s + value)) for t in (broken, everywhere)),
        plots.collapse({"a": everywhere}),
        plots.snapshots(broken, Bumps(), at=1),
        plots.snapshots(everywhere, at=1),
        plots.vector_field(lambda x, t: x * value, broken),
        plots.histogram({"a": states[-1, :, 0], "b": torch.tensor([value], dtype=torch.float64)}),
        plots.convergence(STEPS, {"a": [value, 1, 2], "b": [value] * 3}),
        plots.curves([1, 2, value], {"a": [value, 1, 2]}, xlabel="x", ylabel="y", logy=True),
        plots.mode_weights([0.5, 0.5], {"a": [value, 0.5]}),
        plots.covariance(matrix, COVARIANCE, TIMES[1:]),
        plots.covariance(torch.full_like(matrix, value), COVARIANCE, TIMES[1:]),
        plots.density(Bumps(), samples=states[-1]),
        plots.fields({"a": lambda x, t: x * value, "exact": rotation}, times=[0.5]),
        plots.marginal_arrow(arrows[0], arrows, EVEN, arrows),
        plots.marginal_arrow(CORNERS[0], CORNERS, EVEN, arrows),
        plots.training({"a": history(losses), "b": history([value, value])}),
        plots.answer_against_expected(states, torch.full_like(states, value)),
        plots.answer_against_expected(torch.full_like(states, value), states),
    ]
    for fig in figures:
        assert np.isfinite([ax.get_xlim() + ax.get_ylim() for ax in fig.axes]).all()
        # For time's sake: texts are not measured, and ticks drawn where limits may be extreme.
        fig.set_layout_engine("none")
        for ax in fig.axes if not math.isfinite(value) else []:
            ax.set_axis_off()
        fig.draw_without_rendering()


def test_what_is_left_out_is_counted():
    nan = math.nan
    fig = plots.convergence(STEPS, {"Euler": [0.1, 0.0, nan]})
    assert "2 left out" in every_text(fig)
    assert "slope not measurable" in every_text(fig)
    fig = plots.curves([1, 2], {"a": [nan, 1]}, xlabel="x", ylabel="y")
    assert "1 left out: NaN or infinite" in every_text(fig)
    fig = plots.vector_field(lambda x, t: torch.where(x[:, :1] > 0, x, nan))
    assert "190 of 361 arrows are NaN or infinite" in every_text(fig)


@pytest.mark.parametrize("shape", [(), (3,), (40, 5, 6)])
def test_the_card_draws_at_most_500_numbers_of_any_shape(shape):
    expected = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    fig = plots.answer_against_expected(expected, expected + 1)
    points = panels(fig)[0].lines[1].get_xydata()
    assert len(points) == min(500, expected.numel())
    np.testing.assert_allclose(points[:, 1], points[:, 0] + 1, rtol=1e-5, atol=1e-6)
    assert tuple(fig.get_size_inches()) == (3.2, 2.6)


def test_the_card_keeps_far_answers_at_its_edge_and_counts_them():
    fig = plots.answer_against_expected([1e30, 2e30, 3e30, 4e30], [1e30, 1e36, math.nan, 4e30])
    assert "1 NaN or infinite, 1 beyond the frame" in " ".join(every_text(fig).split())
    assert "expected (in 1e30)" in every_text(fig)
    assert panels(fig)[0].get_ylim()[1] < 10


# --- bad input -----------------------------------------------------------------------------------

PLANE, LINE = trajectory(2), trajectory(1)
REFUSED = {
    "points in space": (lambda: plots.snapshots(trajectory(3)), r"\(n, batch, 2\), got \(21, 8, 3"),
    "a line for the plane": (lambda: plots.vector_field(rotation, LINE), r"got \(21, 8, 1\)"),
    "no trajectory": (lambda: plots.paths(TIMES), "Trajectory .*, got Tensor of torch.float32"),
    "states without batch": (
        lambda: plots.paths(SimpleNamespace(times=TIMES, states=TIMES[:, None])),
        r"shape \(21, batch, d\).*got \(21, 1\)",
    ),
    "times that do not fit": (
        lambda: plots.paths(SimpleNamespace(times=TIMES[:4], states=LINE.states)),
        r"shape \(4, batch, d\)",
    ),
    "NaN time": (
        lambda: plots.paths(SimpleNamespace(times=TIMES * math.nan, states=LINE.states)),
        "must be finite",
    ),
    "one time": (
        lambda: plots.paths(SimpleNamespace(times=TIMES[:1], states=LINE.states[:1])),
        "at least two",
    ),
    "empty batch": (
        lambda: plots.paths(SimpleNamespace(times=TIMES, states=LINE.states[:, :0])),
        r"empty \(shape \(21, 0, 1\)\)",
    ),
    "empty dict": (lambda: plots.collapse({}), "empty dict"),
    "coordinate": (lambda: plots.paths(PLANE, coordinate=2), "from 0 to 1, got 2"),
    "most": (lambda: plots.paths(PLANE, most=0), "at least 1 path, got 0"),
    "band of no panel": (
        lambda: plots.paths({"a": LINE}, band={"b": band}),
        r"\['b'\], expected some of \['a'\]",
    ),
    "band that is no function": (lambda: plots.paths(LINE, band=3.0), "function times"),
    "band of one": (lambda: plots.paths(LINE, band=lambda t: t), r"return \(mean, std\)"),
    "band too short": (
        lambda: plots.paths(LINE, band=lambda t: (t[:3], t)),
        r"shape \(21,\).*got \(3,\)",
    ),
    "velocity's shape": (lambda: plots.vector_field(lambda x, t: x[:, 0]), r"got \(361,\)"),
    "extent": (lambda: plots.vector_field(rotation, extent=-1.0), "half width > 0"),
    "extent upside down": (lambda: plots.density(Bumps(), extent=(0, 1, 1, 0)), "x_min"),
    "no density": (lambda: plots.density(object()), "with log_prob, got object"),
    "dimension": (
        lambda: plots.density(SimpleNamespace(dim=3, log_prob=abs)),
        "in the plane, got dimension 3",
    ),
    "samples in space": (
        lambda: plots.density(Bumps(), samples=torch.ones(5, 3)),
        r"\(n, 2\), got \(5, 3\)",
    ),
    "no score": (
        lambda: plots.density(SimpleNamespace(dim=2, log_prob=abs), score=True),
        "has no score",
    ),
    "late snapshot": (lambda: plots.snapshots(PLANE, at=(0.0, 3.0)), r"lie in \[0, 2\]"),
    "no snapshot": (lambda: plots.snapshots(PLANE, at=0), "at least 1 panel"),
    "no density at all": (lambda: plots.snapshots(PLANE, SimpleNamespace(at=abs)), "got float"),
    "no field": (lambda: plots.fields({}), "empty dict"),
    "field of what": (lambda: plots.fields({"a": 3.0}), r"'a'.* function of \(x, t\), got 3.0"),
    "field's shape": (lambda: plots.fields({"a": lambda x, t: t}), r"a\(x, t\) .* \(225, 2\)"),
    "field at NaN": (lambda: plots.fields(rotation, times=[math.nan]), "must be finite"),
    "data on a line": (
        lambda: plots.marginal_arrow(CORNERS[0], EVEN[:, None], EVEN, CORNERS),
        r"\(n, 2\), got \(4, 1\)",
    ),
    "too few weights": (
        lambda: plots.marginal_arrow(CORNERS[0], CORNERS, EVEN[:3], CORNERS),
        r"\(4,\) or \(panels, 4\).* got \(1, 3\)",
    ),
    "weights that are no shares": (
        lambda: plots.marginal_arrow(CORNERS[0], CORNERS, 2 * EVEN, CORNERS),
        r"sum to 1 in each panel, got sums \[2.0\]",
    ),
    "arrows' shape": (
        lambda: plots.marginal_arrow(CORNERS[0], CORNERS, EVEN, CORNERS[:3]),
        r"arrows must have shape \(4, 2\) or \(1, 4, 2\), got \(3, 2\)",
    ),
    "no history": (lambda: plots.training(LOSSES), "has no steps"),
    "losses' length": (
        lambda: plots.training(SimpleNamespace(steps=[0, 1], losses=[1.0], seconds=1.0)),
        r"history.losses must have 2 entries",
    ),
    "NaN steps": (
        lambda: plots.training(SimpleNamespace(steps=[math.nan], losses=[1.0], seconds=1.0)),
        "steps must be finite",
    ),
    "NaN floor": (lambda: plots.training(history(LOSSES), floor=math.nan), "floor must be finite"),
    "negative step": (lambda: plots.convergence([0.1, -1], {"a": [1, 2]}), "> 0 and finite"),
    "errors' length": (
        lambda: plots.convergence(STEPS, {"a": [1, 2]}),
        r"errors\['a'\] must have 3 entries, got shape \(2,\)",
    ),
    "no dict": (lambda: plots.convergence(STEPS, STEPS), "must be a dict .*, got list"),
    "covariance's shape": (
        lambda: plots.covariance(torch.eye(3), COVARIANCE, TIMES[1:]),
        r"estimated must have shape \(20, 20\).*got \(3, 3\)",
    ),
    "falling times": (
        lambda: plots.covariance(torch.eye(2), torch.eye(2), [1.0, 0.0]),
        "increasing",
    ),
    "samples in the plane": (lambda: plots.histogram(torch.ones(5, 2)), r"\(n,\) or \(n, 1\)"),
    "bins": (lambda: plots.histogram(torch.ones(5), bins=0), "at least 1, got 0"),
    "density of no panel": (lambda: plots.histogram({"a": TIMES}, {"b": normal}), "some of"),
    "density in the plane": (lambda: plots.histogram(TIMES, Bumps()), "of dimension 1, got 2"),
    "density's shape": (lambda: plots.histogram(TIMES, lambda x: x[:3]), r"got \(3,\)"),
    "density of what": (lambda: plots.histogram(TIMES, "normal"), "got str"),
    "unknown exact": (
        lambda: plots.curves([1], {"a": [1]}, xlabel="x", ylabel="y", exact=["b"]),
        r"names \['b'\], expected some of \['a'\]",
    ),
    "mark": (
        lambda: plots.curves([1], {"a": [1]}, xlabel="x", ylabel="y", marks={"m": math.nan}),
        "place on the x axis",
    ),
    "weights": (lambda: plots.mode_weights([0.5, 0.5], {"a": [1.0]}), "2 entries"),
    "shapes that differ": (
        lambda: plots.answer_against_expected(torch.ones(3), torch.ones(3, 1)),
        r"got has shape \(3, 1\), expected \(3,\)",
    ),
    "words": (lambda: plots.answer_against_expected([1.0], ["one"]), "got must be real numbers"),
    "complex": (
        lambda: plots.answer_against_expected([1.0], torch.ones(1) * 1j),
        "real numbers, got Tensor of torch.complex64",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_says_what_came_and_what_was_expected(name):
    call, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        call()


def test_alt_text_is_one_plain_sentence():
    fig = plots.paths({"$\\sigma=1$": LINE, "$\\sigma=2$": LINE}, title="Two of them")
    assert plots.alt_text(fig) == (
        "Figure: Two of them; 2 panels (sigma=1; sigma=2); X_t against time t; "
        "showing simulated paths."
    )


def test_png_is_a_picture_of_the_figure_at_its_size():
    data = plots.png(plots.answer_against_expected([1, 2, 3], [1, 2, 4]))
    height, width, _ = plt.imread(io.BytesIO(data)).shape
    assert (width, height) == (pytest.approx(320, abs=30), pytest.approx(260, abs=30))


@pytest.mark.kernel
def test_a_cell_that_ends_with_the_call_shows_the_figure_exactly_once(monkeypatch):
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    monkeypatch.delenv("MPLBACKEND", raising=False)  # as in JupyterLab: the inline backend
    source = (
        "from course_lib import plots\n"
        "plots.convergence([0.2, 0.1], {'Euler': [0.2, 0.1]}, title='once')"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    root = str(Path(__file__).parents[2])
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": root}}).execute()
    images = [o for o in notebook.cells[0].outputs if "image/png" in o.get("data", {})]
    assert [o.output_type for o in notebook.cells[0].outputs] == ["execute_result"]
    assert len(images) == 1
