"""PathExplorer: the arrow at the probe is the weighted mean of the seats' arrows."""

import numpy as np
import pytest
import torch

from course_lib.oracles import Marginal
from course_lib.paths import GaussianPath, Linear
from course_lib.processes import ODE
from course_lib.simulate import heun_step, simulate
from course_lib.widgets import PathExplorer
from course_lib.widgets.demo.pages import frozen
from course_lib.widgets.path_explorer import MIXTURE, NUMBERS, TIMES
from course_lib.widgets.scene import Arrows, Bars, Links, Points, packed
from course_lib.widgets.seats import SCHEDULES, SEATS, WEIGHTS, cell_masses, conditional, marginal

EXPLORER = PathExplorer()


def scene(explorer=EXPLORER, **values):
    return explorer.scene(**explorer.checked({**explorer.start, **values}))


def layer(panel, kind):
    return next(item for item in panel.layers if isinstance(item, kind))


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_marginal_velocity_is_the_weighted_mean_of_the_conditional_ones(schedule):
    x = torch.randn(len(TIMES), 2, generator=torch.Generator().manual_seed(0))
    exact = marginal(SCHEDULES[schedule])
    weights = exact.responsibilities(x, TIMES)
    arrows = conditional(SCHEDULES[schedule], x, TIMES)
    mean = (weights[..., None] * arrows).sum(1)
    assert torch.allclose(mean, exact.velocity(x, TIMES), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_links_and_bars_are_the_posterior_weights(schedule):
    shown = scene(schedule=schedule, probe=[0.3, -0.4])
    probe = torch.tensor([0.3, -0.4]).expand(len(TIMES), 2)
    weights = marginal(SCHEDULES[schedule]).responsibilities(probe, TIMES).numpy()
    assert np.allclose(layer(shown.panels[1], Links).weights, weights)
    bars = layer(shown.panels[2], Bars)
    heights = np.asarray(bars.heights)
    middles = np.asarray(bars.edges).reshape(-1, 2).mean(1)
    assert bars.sideways
    assert middles == pytest.approx(np.arange(1, len(SEATS) + 1))
    assert np.allclose(heights[:, ::2], weights)
    known = float(SCHEDULES[schedule].alpha(TIMES[0]))  # a little, where α(0) is not 0
    assert weights[0] == pytest.approx(WEIGHTS.numpy(), abs=1e-6 + 0.3 * known)
    assert weights.sum(1) == pytest.approx(np.ones(len(TIMES)))


@pytest.mark.parametrize("t", [0.0, 0.5, 0.96])
def test_the_density_is_all_there_and_sums_to_one(t):
    masses = cell_masses(Linear(), torch.tensor([t]), 6.0, 40)
    assert masses.sum().item() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_thick_arrow_is_the_mean_of_the_thin_ones_as_drawn(schedule):
    shown = scene(schedule=schedule, probe=[0.3, -0.4])
    arrows = [item for item in shown.panels[1].layers if isinstance(item, Arrows)]
    thin = np.asarray(next(a for a in arrows if a.only == "parts").by)  # (frames, seats, 2)
    thick = np.asarray(next(a for a in arrows if a.only is None).by)  # (frames, 1, 2)
    weights = np.asarray(layer(shown.panels[1], Links).weights)
    assert np.allclose((weights[..., None] * thin).sum(1), thick[:, 0], atol=1e-3)


def test_on_the_linear_path_the_thin_arrows_end_at_their_seats():
    shown = scene(probe=[0.3, -0.4])
    arrows = [item for item in shown.panels[1].layers if isinstance(item, Arrows)]
    thin = next(a for a in arrows if a.only == "parts")
    ends = np.asarray(thin.at) + np.asarray(thin.by)
    assert np.allclose(ends, SEATS.numpy(), atol=1e-4)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_crowd_ends_where_a_crowd_in_small_steps_does(schedule):
    exact = marginal(SCHEDULES[schedule])
    shown = layer(scene(schedule=schedule).panels[1], Points)
    fine = torch.linspace(0, TIMES[-1], 401)
    start = torch.as_tensor(np.asarray(shown.xy))[0]
    end = simulate(ODE(exact.velocity), start, fine, step=heun_step, record=1).final
    away = (torch.as_tensor(np.asarray(shown.xy))[-1] - end).norm(dim=1)
    assert away.quantile(0.95) < 0.02  # a few start where two seats are as likely


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_linear_schedule_knows_the_ticket_first(schedule):
    def known(name):
        weights = np.asarray(layer(scene(schedule=name).panels[1], Links).weights).max(1)
        return np.argmax(weights > 0.95)

    assert known("linear") <= known(schedule)


def test_weights_that_forget_how_many_have_a_ticket_are_seen():
    def equally_likely(schedule, x, t, means, stds, weights):
        shares = my_weights(schedule, x, t, means, stds, weights) / weights
        return shares / shares.sum(-1, keepdim=True)

    shown = scene(PathExplorer(weights=equally_likely))
    assert np.asarray(shown.readouts[-1].value).max() > 0.09


def test_a_frozen_page_is_small():
    assert len(frozen(EXPLORER, {})) < 1_500_000


def my_velocity(schedule, x, t, means, stds, weights):
    exact = Marginal(GaussianPath(schedule), MIXTURE_DATA)
    return exact.velocity(x, t)


def my_weights(schedule, x, t, means, stds, weights):
    return Marginal(GaussianPath(schedule), MIXTURE_DATA).responsibilities(x, t)


MIXTURE_DATA = marginal(Linear())._data


def test_your_functions_stand_beside_the_truth():
    shown = scene(PathExplorer(velocity=my_velocity, weights=my_weights))
    values = {r.label: np.asarray(r.value) for r in shown.readouts}
    assert not shown.error
    assert np.abs(values["your weights, farthest from exact"]).max() < 1e-5
    assert np.abs(values["your particles, farthest from exact"]).max() < 1e-2


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda s, x, t, m, d, w: x[:, :1], "returned shape"),
        (lambda s, x, t, m, d, w: x * float("nan"), "NaN"),
        (
            lambda s, x, t: x,
            "takes (s, x, t); expected a function of (schedule, x, t, ",
        ),
    ],
)
def test_a_wrong_function_is_a_sentence_beside_the_truth(wrong, sentence):
    shown = scene(PathExplorer(velocity=wrong))
    assert sentence in shown.error
    assert len(shown.panels) == 3


@pytest.mark.parametrize("value", [[9.0, 0.0], [0.0], "here", [float("nan"), 0.0]])
def test_a_probe_outside_is_refused(value):
    with pytest.raises(ValueError, match="expected \\[x, y\\]"):
        PathExplorer(probe=value)


def test_no_function_and_nothing_yet_are_said():
    explorer = PathExplorer(velocity=1, weights=...)
    shown = explorer.scene(**explorer.start)
    first, second = shown.error.splitlines()
    assert first == "weights is not written yet"
    assert second.startswith("velocity is an int; expected a function of (schedule, x, t, means")
    assert not [words for color, _, words in shown.legend if color == "yours"]


def test_it_says_when_a_function_goes_wrong():
    late = PathExplorer(velocity=lambda s, x, t, *mixture: x / (t < 0.5)[..., None])
    assert late.scene(**late.start).error.startswith("At t = 0.50: <lambda> returned infinite")


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("ticket", [NUMBERS[0], NUMBERS[-1]])
@pytest.mark.parametrize("probe", [[-3.4, -3.4], [3.4, 3.4], SEATS[2].tolist()])
def test_every_end_of_every_control(schedule, ticket, probe):
    spec, arrays = packed(scene(schedule=schedule, ticket=ticket, probe=probe))
    assert spec["frames"] == len(TIMES)
    assert sum(map(len, arrays)) < 400_000
    assert all(v is not None for r in spec["readouts"] for v in r["value"])
    assert len(MIXTURE[2]) == len(SEATS)
