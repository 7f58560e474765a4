"""SolverExplorer: the exact solutions, the slopes of theory, and a reader's own step."""

import math

import numpy as np
import pytest
import torch

from course_lib.processes import LinearODE, OrnsteinUhlenbeck
from course_lib.simulate import euler_maruyama_step, rk4_step, simulate, time_grid
from course_lib.widgets import SolverExplorer
from course_lib.widgets.demo.pages import frozen
from course_lib.widgets.races import COUNTS, END, MOST, Race, is_noisy, slope
from course_lib.widgets.scene import Points, packed
from course_lib.widgets.spiral import SPIRAL, TIDE, Spiral
from course_lib.widgets.yours import Own

SOLVERS = {"Euler": 1.0, "Heun": 2.0, "midpoint": 2.0, "Euler-Maruyama": 1.0}
LINEAR = LinearODE([[SPIRAL.shrink, SPIRAL.turn], [-SPIRAL.turn, SPIRAL.shrink]])


def scene(explorer, **values):
    return explorer.scene(**explorer.checked({**explorer.start, **values}))


def readouts(shown):
    """Errors and slopes."""
    return [(r.label, r.value) for r in shown.readouts if "÷" not in r.label]


def doubles(*shape, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=draw, dtype=torch.float64)


def test_the_exact_flow_of_the_spiral_is_that_of_the_linear_ode():
    x, times = doubles(7, 2), torch.tensor([0.0, 0.3, 4.0], dtype=torch.float64)
    assert torch.allclose(SPIRAL.velocity(x, times[0]), LINEAR.velocity(x, times[0]))
    expected = torch.stack([LINEAR.flow(x, t) for t in times.tolist()])
    assert torch.allclose(SPIRAL.exact_flow(x, times), expected)


def test_the_exact_flow_of_the_tide_solves_its_equation():
    """Against a Runge-Kutta simulation, whose error is of order h⁴."""
    x, grid = doubles(7, 2), time_grid(400, end=END, dtype=torch.float64)
    fine = simulate(LINEAR, x, grid, step=lambda _, *now: rk4_step(TIDE.velocity, *now))
    assert torch.allclose(TIDE.exact_flow(x, grid), fine.states, atol=1e-8)


def test_the_tide_turns_to_and_fro():
    times = torch.tensor([0.0, 0.9 * END], dtype=torch.float64)
    x = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    assert TIDE.velocity(x, times[0])[0, 1] > 0.5
    assert TIDE.velocity(x, times[1])[0, 1] < -0.5
    batch = TIDE.velocity(x.expand(2, 2), times)
    assert torch.equal(batch, torch.cat([TIDE.velocity(x, t) for t in times]))


@pytest.mark.parametrize("field", [SPIRAL, TIDE])
@pytest.mark.parametrize("steps", [1, 12])
def test_the_noisy_solution_has_its_exact_law(field, steps):
    """Mean E x, variance σ² (1 - e^{-2at}) / 2a in each direction, whatever the step."""
    n, sigma, end = 20_000, 0.8, 1.5
    h = end / steps
    x = torch.tensor([1.0, -2.0], dtype=torch.float64).expand(n, 2)
    increments = h**0.5 * doubles(steps, n, 2)
    final = field.exact_noisy(x, h, sigma, increments, doubles(steps, n, 2, seed=1))[-1]
    variance = sigma**2 * (1 - math.exp(-2 * field.shrink * end)) / (2 * field.shrink)
    mean = field.exact_flow(x[:1], torch.tensor([end], dtype=torch.float64))[0, 0]
    assert torch.allclose(final.mean(0), mean, atol=5 * (variance / n) ** 0.5)
    assert final.var(0).tolist() == pytest.approx([variance] * 2, rel=5 * (2 / n) ** 0.5)


def test_without_a_turn_it_is_the_ornstein_uhlenbeck_process():
    """Given the increment, the end has the mean that regression on it says."""
    h, theta, sigma = 0.7, 1.3, 0.8
    n = 40_000
    increments = h**0.5 * doubles(1, n, 2)
    x = torch.ones(n, 2, dtype=torch.float64)
    end = Spiral(theta, 0.0).exact_noisy(x, h, sigma, increments, doubles(1, n, 2, seed=1))[-1]
    law = OrnsteinUhlenbeck(theta, sigma).transition(x[:1], h)
    error = 5 / n**0.5
    assert end.mean().item() == pytest.approx(law.mean[0, 0].item(), abs=error)
    assert end.std().item() == pytest.approx(law.scale.item(), rel=error)
    shared = ((end - end.mean()) * increments[0]).mean().item()  # σ ∫ e^{-θ(h - s)} ds
    assert shared == pytest.approx(sigma * (1 - math.exp(-theta * h)) / theta, abs=error)


@pytest.mark.parametrize("field", [SPIRAL, TIDE])
def test_many_exact_steps_see_the_same_brownian_path_as_a_fine_simulation(field):
    n = 4000
    h = 1.0 / n
    increments, x = h**0.5 * doubles(n, 3, 2), torch.ones(3, 2, dtype=torch.float64)
    exact = field.exact_noisy(x, h, 0.5, increments, doubles(n, 3, 2, seed=1))
    for i, dw in enumerate(increments):
        x = x + h * field.velocity(x, torch.tensor(i * h)) + 0.5 * dw
    assert torch.allclose(exact[-1], x, atol=2e-3)


def test_the_strong_error_of_euler_maruyama_is_the_one_of_theory():
    """For z' = -λ z + σ dW the error at T is (rⁿ - e^{-λT}) z₀ and, for each step k and moment s
    of it, σ (r^{n-1-k} - e^{-λ(T-s)}) dW: the squares add up."""
    sigma, rate = 0.5, complex(SPIRAL.shrink, -SPIRAL.turn)
    race = Race(SPIRAL, sigma)
    measured = 10 ** race.log_errors(Own(euler_maruyama_step, "step", ""), True)[0]
    for n, error in zip(COUNTS, measured.tolist(), strict=True):
        h = END / n
        left = (np.arange(400 * n) + 0.5) * h / 400
        kept = (1 - rate * h) ** (n - 1 - left // h)
        noise = 2 * sigma**2 * (abs(kept - np.exp(-rate * (END - left))) ** 2).mean() * END
        start = abs((1 - rate * h) ** n - np.exp(-rate * END)) ** 2
        start *= race.start.square().sum(-1).mean().item()
        assert error == pytest.approx((start + noise) ** 0.5, rel=0.1)


@pytest.mark.parametrize("field", ["spiral", "tide"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_slopes(field, solver):
    (_, error), (_, measured) = readouts(scene(SolverExplorer(), field=field, solver=solver, n=128))
    assert measured == pytest.approx(SOLVERS[solver], abs=0.08)
    assert 0 < error < 0.1


def test_heun_and_midpoint_differ_where_the_field_changes_in_time():
    errors = {
        (field, solver): readouts(scene(SolverExplorer(), field=field, solver=solver))[0][1]
        for field in ("spiral", "tide")
        for solver in ("Heun", "midpoint")
    }
    assert errors["spiral", "Heun"] == pytest.approx(errors["spiral", "midpoint"], rel=1e-6)
    assert errors["tide", "Heun"] < 0.8 * errors["tide", "midpoint"]


@pytest.mark.parametrize("order", [0.5, 1.0, 2.0])
def test_slope_is_the_exponent(order):
    h = END / torch.tensor(COUNTS, dtype=torch.float64)
    assert slope((0.3 * h**order).log10()) == pytest.approx(order)


def my_heun(velocity, x, t, h):
    first = velocity(x, t)
    return x + h / 2 * (first + velocity(x + h * first, t + h))


def early_heun(velocity, x, t, h):
    """The second arrow at t, not at t + h."""
    first = velocity(x, t)
    return x + h / 2 * (first + velocity(x + h * first, t))


def my_noisy(drift, diffusion, x, t, h, noise):
    return x + h * drift(x, t) + h**0.5 * diffusion(t) * noise


@pytest.mark.parametrize("field", ["spiral", "tide"])
@pytest.mark.parametrize(("step", "solver"), [(my_heun, "Heun"), (my_noisy, "Euler-Maruyama")])
def test_your_step_stands_beside_the_truth(field, step, solver):
    shown = scene(SolverExplorer(step=step), field=field, solver=solver)
    (_, ours), (_, slope), (name, yours), (_, your_slope) = readouts(shown)
    assert name.startswith(step.__name__)
    assert (yours, your_slope) == (pytest.approx(ours), pytest.approx(slope))
    assert ("yours", "line", step.__name__) in shown.legend
    assert shown.error == ""


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_factor_is_that_of_the_two_errors(solver):
    here, half = (scene(SolverExplorer(), solver=solver, n=n) for n in (16, 32))
    factor = next(r.value for r in here.readouts if "÷" in r.label)
    assert factor == pytest.approx(readouts(here)[0][1] / readouts(half)[0][1])
    last = scene(SolverExplorer(), solver=solver, n=128)
    assert math.isnan(next(r.value for r in last.readouts if "÷" in r.label))


def test_noise_is_idle_where_no_solver_takes_it():
    assert [scene(SolverExplorer(), solver=s).idle for s in SOLVERS] == [
        () if s == "Euler-Maruyama" else ("sigma",) for s in SOLVERS
    ]


@pytest.mark.parametrize("step", [rk4_step, lambda velocity, x, t, h: x + 2 * h * velocity(x, t)])
def test_the_axis_holds_every_error(step):
    panel = scene(SolverExplorer(step=step)).panels[1]
    points = torch.cat([torch.as_tensor(p.xy) for p in panel.layers if isinstance(p, Points)])
    low, high = panel.y
    assert ((points[:, 1] > low) & (points[:, 1] < high)).all()
    assert low <= -4.2
    assert high >= 1.6


def test_a_step_that_fails_at_some_lengths_is_shown_at_the_others():
    def short_only(velocity, x, t, h):
        if h > 0.3:
            raise ValueError("too long")
        return x + h * velocity(x, t)

    shown = scene(SolverExplorer(step=short_only), n=128)
    assert shown.error.startswith("With 4 steps: short_only raised ValueError: too long")
    assert ("yours", "line", "short_only") in shown.legend
    (_, ours), (_, slope), (_, theirs), (_, their_slope) = readouts(shown)
    assert (theirs, their_slope) == (pytest.approx(ours), pytest.approx(slope))


def test_an_axis_for_no_error_at_all_and_for_infinite_ones():
    assert scene(SolverExplorer()).panels[1].y == pytest.approx((-4.2, 1.6))
    far = SolverExplorer(step=lambda velocity, x, t, h: x * 1e200)
    low, high = scene(far).panels[1].y
    assert low == pytest.approx(-4.2)
    assert high < 7


def test_the_tide_shows_a_step_that_looks_at_the_wrong_time():
    explorer = SolverExplorer(step=early_heun)
    on_spiral, on_tide = (readouts(scene(explorer, field=f))[-1][1] for f in ("spiral", "tide"))
    assert on_spiral == pytest.approx(2, abs=0.08)
    assert on_tide == pytest.approx(1, abs=0.08)


def test_a_step_is_shown_only_with_the_solvers_of_its_kind():
    shown = scene(SolverExplorer(step=my_noisy), solver="Euler")
    assert len(readouts(shown)) == 2
    assert "my_noisy stands beside Euler-Maruyama alone" in shown.note
    shown = scene(SolverExplorer(step=my_heun), solver="Euler-Maruyama")
    assert len(readouts(shown)) == 2
    assert "my_heun takes no noise" in shown.note
    assert SolverExplorer(step=my_noisy).start["solver"] == "Euler-Maruyama"


def raises(velocity, x, t, h):
    raise KeyError("h")


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        (raises, "raises raised KeyError: 'h'"),
        (lambda v, x, t, h: x[:, :1], "<lambda> returned shape (256, 1); expected (256, 2)"),
        (lambda v, x, t, h: None, "<lambda> returned None"),
        (lambda v, x, t, h: x * math.nan, "<lambda> returned NaN in step 1 of 16"),
        (lambda v, x, t, h: x * 1e60, "<lambda> returned infinite numbers in step 6 of 16"),
    ],
)
def test_a_wrong_step_is_a_sentence_and_the_rest_is_shown(step, sentence):
    right, shown = scene(SolverExplorer()), scene(SolverExplorer(step=step))
    assert shown.error.startswith(sentence)
    assert readouts(shown)[:2] == readouts(right)
    layers, expected = shown.panels[0].layers, right.panels[0].layers
    for ours, theirs in zip(layers, expected, strict=False):
        assert np.array_equal(np.asarray(ours.xy), np.asarray(theirs.xy))
    assert packed(shown)[0]["frames"] == MOST + 1


def test_a_step_that_writes_into_x_spoils_nothing():
    def in_place(velocity, x, t, h):
        x += h * velocity(x, t)
        return x

    (_, ours), _, (_, yours), _ = readouts(scene(SolverExplorer(step=in_place)))
    assert yours == pytest.approx(ours)


def test_a_step_that_explodes_leaves_its_first_moves_where_they_are():
    shown = scene(SolverExplorer(step=lambda v, x, t, h: x * (1 + 1e8 * t)), n=4)
    lines = np.asarray(shown.panels[0].layers[3].xy)
    assert np.abs(lines[:, :33]).max() < 3
    assert np.abs(lines).max() == 200


@pytest.mark.parametrize("step", [lambda x, t, h: x, lambda a, b, c, d, e: a, "Heun", 3])
def test_a_step_of_another_kind_is_said(step):
    shown = scene(SolverExplorer(step=step))
    assert "expected a function of (velocity, x, t, h), or of (drift, diffusion, x" in shown.error
    assert [words for _, _, words in shown.legend][2:] == ["Euler"]


def test_steps_are_told_apart_by_what_they_can_be_called_with():
    assert not is_noisy(my_heun)
    assert not is_noisy(lambda velocity, x, t, h, looks=2: x)
    assert is_noisy(my_noisy)
    assert not is_noisy(lambda *args: args[1])
    assert not is_noisy(lambda velocity, x, t, h, looks=2, more=3: x)
    assert not is_noisy(3)


@pytest.mark.parametrize("field", ["spiral", "tide"])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("n", [4, 128])
@pytest.mark.parametrize("sigma", [0.0, 1.0])
def test_every_end_of_every_control(field, solver, n, sigma):
    spec, arrays = packed(scene(SolverExplorer(), field=field, solver=solver, n=n, sigma=sigma))
    assert spec["frames"] == len(spec["times"]) == MOST + 1
    assert sum(map(len, arrays)) < 30_000


def test_a_frozen_page_is_small():
    assert len(frozen(SolverExplorer(), {})) < 700_000
