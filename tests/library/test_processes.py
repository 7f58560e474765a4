import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.distributions import Empirical, Gaussian, GaussianMixture
from course_lib.processes import (
    ODE,
    SDE,
    BrownianMotion,
    Langevin,
    LinearODE,
    OrnsteinUhlenbeck,
    Transition,
)

F64 = torch.float64
COVARIANCE = torch.tensor([[2.0, 0.6], [0.6, 0.5]], dtype=F64)
TARGET = Gaussian(torch.tensor([1.0, -2.0], dtype=F64), COVARIANCE)
KNOWN = [
    BrownianMotion(0.7),
    OrnsteinUhlenbeck(0.8, 1.3),
    Langevin(TARGET, 0.9),
    LinearODE(0.4),
    LinearODE(torch.tensor([[0.3, 1.0], [-2.0, 0.1]], dtype=F64)),
]


def points(n=6):
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(0), dtype=F64)


def drift_of(process, x):
    t = torch.zeros((), dtype=x.dtype)
    return process.velocity(x, t) if isinstance(process, ODE) else process.drift(x, t)


def propagator(process, elapsed):
    """The matrix P in E[X_s] = P x + constant."""
    corners = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], dtype=F64)
    mean = process.transition(corners, elapsed).mean
    return (mean[1:] - mean[0]).T


@pytest.mark.parametrize("process", KNOWN, ids=lambda p: type(p).__name__)
def test_transition_solves_its_equation(process):
    """d mean / ds = u(mean), and dC/ds = A C + C Aᵀ + σ² I for the drift's Jacobian A."""
    x, s, h = points(), 0.7, 1e-5
    before, now, after = (process.transition(x, s + k * h) for k in (-1, 0, 1))
    slope = (after.mean - before.mean) / (2 * h)
    torch.testing.assert_close(slope, drift_of(process, now.mean), rtol=1e-7, atol=1e-7)
    jacobian = torch.autograd.functional.jacobian(
        lambda y: drift_of(process, y[None])[0], torch.zeros(2, dtype=F64)
    )
    sigma = 0.0 if isinstance(process, ODE) else process.diffusion(torch.zeros((), dtype=F64))
    covariance = now.covariance()
    growth = jacobian @ covariance + covariance @ jacobian.T + sigma**2 * torch.eye(2, dtype=F64)
    slope = (after.covariance() - before.covariance()) / (2 * h)
    torch.testing.assert_close(slope, growth, rtol=1e-7, atol=1e-7)


@given(st.sampled_from(KNOWN), st.floats(0.0, 3.0), st.floats(0.0, 3.0))
def test_two_transitions_make_one(process, first, second):
    x = points()
    middle, last = process.transition(x, first), process.transition(x, first + second)
    onward = process.transition(middle.mean, second)
    torch.testing.assert_close(onward.mean, last.mean, rtol=1e-9, atol=1e-9)
    p = propagator(process, second)
    carried = p @ middle.covariance() @ p.T + onward.covariance()
    torch.testing.assert_close(carried, last.covariance(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("process", KNOWN, ids=lambda p: type(p).__name__)
def test_a_transition_takes_one_time_per_point(process):
    x, elapsed = points(4), torch.tensor([0.0, 0.5, 1.0, 2.0], dtype=F64)
    noise = torch.randn_like(x)
    together = process.transition(x, elapsed)
    for i in range(4):
        alone = process.transition(x[i : i + 1], elapsed[i])
        torch.testing.assert_close(together.mean[i], alone.mean[0])
        torch.testing.assert_close(together.covariance()[i], alone.covariance())
        torch.testing.assert_close(together.sample(noise)[i], alone.sample(noise[i : i + 1])[0])
    torch.testing.assert_close(together.mean[0], x[0])


@pytest.mark.parametrize("process", KNOWN, ids=lambda p: type(p).__name__)
def test_bad_elapsed_times_are_refused(process):
    for bad in (-0.1, math.nan):
        with pytest.raises(ValueError, match="elapsed is"):
            process.transition(points(), bad)
    with pytest.raises(ValueError, match=r"expected \(\) or \(batch,\)"):
        process.transition(points(), torch.ones(5))


def test_flow_of_a_linear_ode():
    x, t = points(), 0.9
    torch.testing.assert_close(LinearODE(0.4).flow(x, t), math.exp(-0.36) * x)
    turn = LinearODE([[0.0, 1.0], [-1.0, 0.0]])
    quarter = torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=F64)
    torch.testing.assert_close(turn.flow(x, math.pi / 2), x @ quarter)
    torch.testing.assert_close(turn.velocity(x, torch.tensor(0.0)), x @ quarter)
    torch.testing.assert_close(turn.flow(turn.flow(x, t), -t), x)
    images = torch.randn(3, 1, 4, 4)
    torch.testing.assert_close(LinearODE(2.0).flow(images, 0.5), images * math.exp(-1.0))


def test_ou_stationary_law_is_kept_by_its_transition():
    ou = OrnsteinUhlenbeck(0.8, 1.3)
    law = ou.stationary(2, dtype=F64)
    torch.testing.assert_close(law.covariance, 1.3**2 / 1.6 * torch.eye(2, dtype=F64))
    p, step = propagator(ou, 0.4), ou.transition(points(), 0.4)
    torch.testing.assert_close(p @ law.covariance @ p.T + step.covariance(), law.covariance)
    with pytest.raises(ValueError, match="sigma is 0"):
        OrnsteinUhlenbeck(1.0, 0.0).stationary(2)


def test_langevin_on_a_gaussian_tends_to_it_and_its_isotropic_case_is_ou():
    late = Langevin(TARGET, 0.9).transition(points(), 200.0)
    torch.testing.assert_close(late.covariance(), COVARIANCE)
    torch.testing.assert_close(late.mean, TARGET.mean.expand(6, 2), rtol=1e-9, atol=1e-9)
    ou = OrnsteinUhlenbeck(0.8, 1.3)
    langevin = Langevin(ou.stationary(2, dtype=F64), 1.3)
    x, t = points(), torch.tensor(0.3, dtype=F64)
    torch.testing.assert_close(langevin.drift(x, t), ou.drift(x, t))
    theirs, ours = ou.transition(x, 0.6), langevin.transition(x, 0.6)
    torch.testing.assert_close(ours.mean, theirs.mean)
    torch.testing.assert_close(ours.covariance(), theirs.covariance())


def test_langevin_drift_is_half_sigma_squared_score():
    mixture, x = GaussianMixture.ring(dtype=F64), points()
    langevin = Langevin(mixture, 0.6)
    torch.testing.assert_close(
        langevin.drift(x, torch.zeros(6, dtype=F64)), 0.18 * mixture.score(x)
    )
    assert langevin.stationary() is mixture
    with pytest.raises(ValueError, match="dim is 3"):
        langevin.stationary(3)
    with pytest.raises(NotImplementedError, match="GaussianMixture"):
        langevin.transition(x, 1.0)
    with pytest.raises(ValueError, match="expected a Density"):
        Langevin(Empirical([[0.0, 0.0]]))


def test_diffusion_is_shaped_like_time():
    for process in KNOWN[:3]:
        for t in (torch.tensor(0.5), torch.rand(7, dtype=F64)):
            assert process.diffusion(t).shape == t.shape
            assert process.diffusion(t).dtype == t.dtype
    assert torch.equal(BrownianMotion().drift(points(), torch.tensor(0.0)), 0 * points())


def test_plain_functions_make_a_process_without_known_laws():
    ode = ODE(lambda x, t: t * x)
    sde = SDE(lambda x, t: -x, lambda t: 1 + t)
    t = torch.tensor(0.5)
    assert torch.equal(ode.velocity(torch.ones(2, 2), t), torch.full((2, 2), 0.5))
    assert torch.equal(sde.drift(torch.ones(2, 2), t), -torch.ones(2, 2))
    assert sde.diffusion(t) == 1.5
    for process in (ode, sde):
        with pytest.raises(NotImplementedError, match="no known transition law"):
            process.transition(torch.ones(2, 2), 1.0)
        with pytest.raises(NotImplementedError, match="no known stationary law"):
            process.stationary(2)
    with pytest.raises(NotImplementedError, match="BrownianMotion"):
        BrownianMotion().stationary(2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OrnsteinUhlenbeck(0.0, 1.0), "theta is 0"),
        (lambda: OrnsteinUhlenbeck(math.nan, 1.0), "theta is nan"),
        (lambda: OrnsteinUhlenbeck(1.0, -1.0), "sigma is -1"),
        (lambda: BrownianMotion(math.inf), "sigma is inf"),
        (lambda: Langevin(TARGET, -1.0), "sigma is -1"),
        (lambda: LinearODE([1.0, 2.0]), r"theta has shape \(2,\)"),
        (lambda: LinearODE(torch.ones(2, 3)), r"theta has shape \(2, 3\)"),
        (lambda: LinearODE(torch.eye(3)).velocity(points(), torch.tensor(0.0)), r"\(\.\.\., 3\)"),
        (lambda: Transition(points(), torch.tensor(1.0)).sample(points(5)), "noise has shape"),
    ],
)
def test_bad_parameters_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
