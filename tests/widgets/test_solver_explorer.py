"""SolverExplorer: the exact spiral, the slopes of theory, and a reader's own step."""

import numpy as np
import pytest
import torch

from course_lib.processes import LinearODE
from course_lib.widgets import SolverExplorer
from course_lib.widgets.scene import packed
from course_lib.widgets.spiral import SHRINK, TURN, exact_flow, exact_noisy, velocity

SPIRAL = LinearODE([[SHRINK, TURN], [-TURN, SHRINK]])


def scene(explorer, **values):
    return explorer.scene(**explorer.checked({**explorer.start, **values}))


def readouts(shown):
    return [(r.label, r.value) for r in shown.readouts]


def test_the_exact_flow_is_that_of_the_linear_ode():
    x, times = torch.randn(7, 2, dtype=torch.float64), torch.tensor([0.0, 0.3, 4.0])
    assert torch.allclose(velocity(x, times[0]), SPIRAL.velocity(x, times[0]))
    expected = torch.stack([SPIRAL.flow(x, t) for t in times.tolist()])
    assert torch.allclose(exact_flow(x, times.double()), expected)


def test_the_noisy_solution_has_its_exact_law():
    """Mean e^{-θt} x, variance σ² (1 - e^{-2at}) / 2a in each direction, whatever the step."""
    n, sigma, draw = 20_000, 0.8, torch.Generator().manual_seed(0)
    x = torch.tensor([1.0, -2.0]).expand(n, 2)
    for steps, end in ((1, 1.5), (12, 1.5)):
        h = end / steps
        increments = h**0.5 * torch.randn(steps, n, 2, generator=draw)
        extra = torch.randn(steps, n, 2, generator=draw)
        final = exact_noisy(x, h, sigma, increments, extra)[-1]
        variance = sigma**2 * (1 - np.exp(-2 * SHRINK * end)) / (2 * SHRINK)
        error = 5 * (variance / n) ** 0.5
        assert torch.allclose(final.mean(0), SPIRAL.flow(x[:1], end)[0], atol=error)
        assert final.var(0).tolist() == pytest.approx([variance] * 2, rel=5 * (2 / n) ** 0.5)


def test_many_exact_steps_see_the_same_brownian_path_as_a_fine_simulation():
    draw, n = torch.Generator().manual_seed(0), 4000
    h = 1.0 / n
    increments = h**0.5 * torch.randn(n, 3, 2, generator=draw)
    exact = exact_noisy(torch.ones(3, 2), h, 0.5, increments, torch.randn(n, 3, 2, generator=draw))
    x = torch.ones(3, 2)
    for dw in increments:
        x = x + h * velocity(x, torch.tensor(0.0)) + 0.5 * dw
    assert torch.allclose(exact[-1], x, atol=2e-3)


@pytest.mark.parametrize(
    ("solver", "slope"), [("Euler", 1.0), ("Heun", 2.0), ("Euler-Maruyama", 1.0)]
)
def test_slopes(solver, slope):
    (_, error), (_, measured) = readouts(scene(SolverExplorer(), solver=solver, n=128))
    assert measured == pytest.approx(slope, abs=0.12)
    assert error < 0.15


def my_heun(velocity, x, t, h):
    first = velocity(x, t)
    return x + h / 2 * (first + velocity(x + h * first, t + h))


def my_noisy(drift, diffusion, x, t, h, noise):
    return x + h * drift(x, t) + h**0.5 * diffusion(t) * noise


@pytest.mark.parametrize(("step", "solver"), [(my_heun, "Heun"), (my_noisy, "Euler-Maruyama")])
def test_your_step_stands_beside_the_truth(step, solver):
    shown = scene(SolverExplorer(step=step), solver=solver)
    (_, ours), _, (name, yours), _ = readouts(shown)
    assert name.startswith(step.__name__)
    assert yours == pytest.approx(ours, rel=1e-4)
    assert ("yours", "line", step.__name__) in shown.legend


def test_a_step_is_shown_only_with_the_solvers_of_its_kind():
    assert len(scene(SolverExplorer(step=my_noisy), solver="Euler").readouts) == 2
    assert len(scene(SolverExplorer(step=my_heun), solver="Euler-Maruyama").readouts) == 2
    assert SolverExplorer(step=my_noisy).start["solver"] == "Euler-Maruyama"


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        (lambda v, x, t, h: x[:, :1], "returned shape"),
        (lambda v, x, t, h: None, "returned a NoneType"),
        (lambda v, x, t, h: x / h["h"], "raised TypeError"),
    ],
)
def test_a_wrong_step_is_a_sentence(step, sentence):
    with pytest.raises(ValueError, match=sentence):
        scene(SolverExplorer(step=step))


def test_a_step_that_returns_nan_is_drawn_as_far_as_it_goes():
    spec, _ = packed(scene(SolverExplorer(step=lambda v, x, t, h: x * float("nan"))))
    assert spec["frames"] == 129
    assert spec["readouts"][2]["value"] == [None]


def test_a_step_of_three_arguments_is_refused():
    with pytest.raises(ValueError, match=r"expected a function of \(velocity, x, t, h\)"):
        SolverExplorer(step=lambda x, t, h: x)


@pytest.mark.parametrize("solver", ["Euler", "Heun", "Euler-Maruyama"])
@pytest.mark.parametrize("n", [4, 128])
@pytest.mark.parametrize("sigma", [0.0, 1.0])
def test_every_end_of_every_slider(solver, n, sigma):
    spec, arrays = packed(scene(SolverExplorer(), solver=solver, n=n, sigma=sigma))
    assert spec["frames"] == len(spec["times"]) == 129
    assert sum(map(len, arrays)) < 60_000
