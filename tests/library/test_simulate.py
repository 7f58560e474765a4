import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.distributions import Gaussian
from course_lib.metrics import convergence_order
from course_lib.oracles import euler_maruyama_ou_variance
from course_lib.processes import ODE, SDE, BrownianMotion, Langevin, LinearODE, OrnsteinUhlenbeck
from course_lib.simulate import (
    euler_maruyama_step,
    euler_step,
    heun_step,
    midpoint_step,
    rk4_step,
    simulate,
    time_grid,
)

F64 = torch.float64
ODE_STEPS = [euler_step, heun_step, midpoint_step, rk4_step]
OU = OrnsteinUhlenbeck(0.8, 1.3)


def start(n=5, dtype=F64):
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(0), dtype=dtype)


def test_steps_of_a_growing_velocity():
    """For u = t x, each step's own formula written out by hand."""
    x, t, h = start(), torch.tensor(0.3, dtype=F64), 0.1

    def velocity(x, t):
        return t * x

    k2 = 0.35 * (1 + 0.05 * 0.3)
    k3 = 0.35 * (1 + 0.05 * k2)
    expected = {
        euler_step: 1 + 0.1 * 0.3,
        heun_step: 1 + 0.05 * (0.3 + 0.4 * 1.03),
        midpoint_step: 1 + 0.1 * k2,
        rk4_step: 1 + 0.1 / 6 * (0.3 + 2 * k2 + 2 * k3 + 0.4 * (1 + 0.1 * k3)),
    }
    for step, factor in expected.items():
        torch.testing.assert_close(step(velocity, x, t, h), factor * x, rtol=1e-13, atol=0)


@pytest.mark.parametrize(("step", "order"), list(zip(ODE_STEPS, [1, 2, 2, 4], strict=True)))
def test_order_of_convergence(step, order):
    process = ODE(lambda x, t: x.cos() * (1 + t))  # sin x = tanh(t + t²/2) from x = 0
    truth = math.asin(math.tanh(1.5))
    sizes, errors = [], []
    for n in (20, 40, 80, 160):
        final = simulate(process, torch.zeros(1, 1, dtype=F64), time_grid(n, dtype=F64), step=step)
        sizes.append(1 / n)
        errors.append(abs(final.final.item() - truth))
    assert convergence_order(sizes, errors) == pytest.approx(order, abs=0.12)


@given(st.floats(0.001, 2.0), st.integers(0, 100))
def test_euler_maruyama_step_with_one_time_per_point(h, seed):
    g = torch.Generator().manual_seed(seed)
    x, noise = torch.randn(2, 4, 3, 2, generator=g, dtype=F64)
    t = torch.rand(4, generator=g, dtype=F64)
    got = euler_maruyama_step(lambda x, t: t[:, None, None] - x, lambda t: 1 + t, x, t, h, noise)
    shift = t[:, None, None]
    expected = x + h * (shift - x) + math.sqrt(h) * (1 + shift) * noise
    torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-12)


def test_steps_take_h_as_a_tensor():
    x, t = start(), torch.tensor(0.3, dtype=F64)
    noise = torch.randn_like(x)
    h = torch.tensor(0.1, dtype=F64)
    for step in ODE_STEPS:
        torch.testing.assert_close(step(OU.drift, x, t, h), step(OU.drift, x, t, 0.1))
    torch.testing.assert_close(
        euler_maruyama_step(OU.drift, OU.diffusion, x, t, h, noise),
        euler_maruyama_step(OU.drift, OU.diffusion, x, t, 0.1, noise),
    )


@pytest.mark.parametrize("step", ODE_STEPS)
def test_a_velocity_that_would_broadcast_is_refused(step):
    with pytest.raises(ValueError, match=r"velocity or drift has shape \(5, 1\)"):
        step(lambda x, t: x.sum(-1, keepdim=True), start(), torch.tensor(0.0), 0.1)


def test_noise_and_diffusion_that_would_broadcast_are_refused():
    x, t = start(), torch.rand(5, dtype=F64)
    with pytest.raises(ValueError, match="noise has shape"):
        euler_maruyama_step(OU.drift, OU.diffusion, x, t, 0.1, x[:1])
    with pytest.raises(ValueError, match="expected"):
        euler_maruyama_step(OU.drift, lambda t: t[:, None], x, t, 0.1, x)


def test_a_simulation_is_its_steps_one_after_another():
    x, times = start(), torch.tensor([0.0, 0.1, 0.3, 0.35, 1.0], dtype=F64)
    noise = torch.randn(4, 5, 2, generator=torch.Generator().manual_seed(1), dtype=F64)
    path = simulate(OU, x, times, noise=noise)
    assert len(path) == 5
    assert torch.equal(path.times, times)
    assert torch.equal(path.states[0], x)
    for i in range(4):
        h = (times[i + 1] - times[i]).item()
        x = x - h * 0.8 * x + math.sqrt(h) * 1.3 * noise[i]
        torch.testing.assert_close(path.states[i + 1], x, rtol=1e-12, atol=1e-12)
    assert torch.equal(path.final, path.states[-1])


def test_the_generator_fixes_the_noise():
    x, times = start(), time_grid(7)
    noise = torch.stack(
        [torch.randn(5, 2, generator=g, dtype=F64) for g in [torch.Generator().manual_seed(3)] * 7]
    )
    drawn = simulate(OU, x, times, generator=torch.Generator().manual_seed(3))
    given = simulate(OU, x, times, noise=noise)
    assert torch.equal(drawn.states, given.states)


@given(st.integers(1, 40), st.integers(1, 50))
def test_record_keeps_evenly_spaced_states(n_steps, record):
    x = start()
    full = simulate(LinearODE(1.0), x, time_grid(n_steps))
    part = simulate(LinearODE(1.0), x, time_grid(n_steps), record=record)
    assert len(part) == min(record, n_steps + 1) == len(part.states)
    steps = (part.times * n_steps).round().long()
    assert torch.equal(part.states, full.states[steps])
    assert steps[-1] == n_steps
    if record > 1:
        assert steps[0] == 0
        gaps = steps.diff()
        assert gaps.max() - gaps.min() <= 1


@pytest.mark.parametrize(
    "process",
    [
        BrownianMotion(0.7),
        OU,
        LinearODE(torch.tensor([[0.3, 1.0], [-2.0, 0.1]], dtype=F64)),
        Langevin(Gaussian(torch.ones(2, dtype=F64), [0.5, 2.0]), 0.9),
    ],
    ids=lambda p: type(p).__name__,
)
def test_exact_steps_follow_the_transition(process):
    x, times = start(), torch.tensor([0.0, 0.5, 2.0], dtype=F64)
    path = simulate(process, x, times, step="exact", generator=torch.Generator().manual_seed(0))
    g = torch.Generator().manual_seed(0)
    for i, h in enumerate([0.5, 1.5]):
        law = process.transition(path.states[i], h)
        expected = law.mean
        if isinstance(process, SDE):
            expected = law.sample(torch.randn(5, 2, generator=g, dtype=F64))
        torch.testing.assert_close(path.states[i + 1], expected)
    with pytest.raises(NotImplementedError, match="no known transition"):
        simulate(ODE(lambda x, t: x), x, times, step="exact")


def test_euler_maruyama_has_its_own_stationary_variance():
    n, h = 20_000, 1.0
    path = simulate(
        OU,
        torch.zeros(n, 2),
        time_grid(40, 0.0, 40 * h),
        generator=torch.Generator().manual_seed(0),
    )
    expected = euler_maruyama_ou_variance(0.8, 1.3, h)
    assert path.final.var() == pytest.approx(expected, abs=5 * expected * math.sqrt(2 / (2 * n)))


def test_a_students_step_is_used_and_checked():
    x, times = start(), time_grid(3)
    path = simulate(OU, x, times, step=lambda drift, diffusion, x, t, h, noise: x + 1)
    assert torch.equal(path.final, x + 1 + 1 + 1)
    for bad, message in [
        (lambda velocity, x, t, h: x[:1], r"returned .*\(1, 2\); expected .*\(5, 2\)"),
        (lambda velocity, x, t, h: x.float(), r"returned .*float32.*; expected .*float64"),
        (lambda velocity, x, t, h: None, "returned a NoneType"),
    ]:
        with pytest.raises(ValueError, match=message):
            simulate(LinearODE(1.0), x, times, step=bad)


def test_an_explosion_is_a_result():
    path = simulate(ODE(lambda x, t: x**3), torch.full((1, 1), 10.0), time_grid(50))
    assert not path.final.isfinite().any()
    assert path.states[0] == 10.0


@pytest.mark.parametrize("record", [None, 1, 3])
def test_gradients_flow_through_a_simulation(record):
    x = start().requires_grad_()
    path = simulate(LinearODE(1.0), x, time_grid(10, dtype=F64), record=record)
    (gradient,) = torch.autograd.grad(path.final.sum(), x)
    torch.testing.assert_close(gradient, torch.full_like(x, 0.9**10))
    rate = torch.tensor(1.0, dtype=F64, requires_grad=True)
    path = simulate(ODE(lambda x, t: -rate * x), start(), time_grid(10, dtype=F64), record=record)
    (gradient,) = torch.autograd.grad(path.final.sum(), rate)
    torch.testing.assert_close(gradient, -(0.9**9) * start().sum())


def test_the_caller_keeps_its_state_and_dtype():
    x = start(dtype=torch.float32)
    before = x.clone()
    path = simulate(OU, x, time_grid(5, dtype=F64), generator=torch.Generator().manual_seed(0))
    assert torch.equal(x, before)
    assert path.states.dtype == path.times.dtype == torch.float32
    images = simulate(OU, torch.ones(2, 1, 4, 4), time_grid(5), record=2)
    assert images.states.shape == (2, 2, 1, 4, 4)


def test_progress_shows_a_bar(capfd):
    simulate(OU, start(), time_grid(5), progress=True)
    simulate_bar = capfd.readouterr()
    assert "5/5" in simulate_bar.err + simulate_bar.out
    simulate(OU, start(), time_grid(5))
    assert capfd.readouterr().err == ""


def test_time_grid_has_both_ends():
    times = time_grid(4, 0.5, 1.5)
    assert times.tolist() == [0.5, 0.75, 1.0, 1.25, 1.5]
    for bad in ((0,), (2.5,), (3, 1.0, 1.0), (3, 0.0, math.nan)):
        with pytest.raises(ValueError, match="is"):
            time_grid(*bad)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(process=lambda x, t: x), "expected an ODE or an SDE"),
        (dict(x=torch.ones(0, 2)), "not empty"),
        (dict(x=torch.ones(3, 2, dtype=torch.long)), "expected floating point"),
        (dict(times=torch.tensor([0.0])), "two or more times"),
        (dict(times=torch.ones(2, 2)), "expected shape"),
        (dict(times=[0.0, 1.0]), "a list"),
        (dict(times=torch.tensor([0.0, 1.0, 1.0])), "increasing"),
        (dict(times=torch.tensor([0.0, math.nan, 1.0])), "increasing"),
        (dict(noise=torch.zeros(3, 5, 2)), r"shape \(3, 5, 2\); expected \(4, 5, 2\)"),
        (dict(process=LinearODE(1.0), noise=torch.zeros(4, 5, 2)), "noise was given for an ODE"),
        (dict(step="heun"), "step is 'heun'"),
        (dict(record=0), "record is 0"),
    ],
)
def test_bad_input_is_refused(changes, message):
    arguments = dict(process=OU, x=start(), times=time_grid(4)) | changes
    with pytest.raises(ValueError, match=message):
        simulate(**arguments)
