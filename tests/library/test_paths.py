import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.paths import (
    Cosine,
    GaussianPath,
    Linear,
    LinearPath,
    Schedule,
    SquareRoot,
    VariancePreserving,
)

F64 = torch.float64
SCHEDULES = [Linear(), SquareRoot(), Cosine(), VariancePreserving()]
QUANTITIES = ["velocity", "score", "noise", "data"]
PAIRS = [(a, b) for a in QUANTITIES for b in QUANTITIES if a != b]
NAMES = [type(s).__name__ for s in SCHEDULES]

schedules = pytest.mark.parametrize("schedule", SCHEDULES, ids=NAMES)
seeds = st.integers(0, 10_000)


def normals(*shape, seed=0, count=2):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(*shape, generator=generator, dtype=F64) for _ in range(count)]


def derivative(f, t):
    t = t.clone().requires_grad_()
    return torch.autograd.grad(f(t).sum(), t)[0]


# Schedules.


@schedules
def test_derivatives_are_those_of_autograd(schedule):
    t = torch.linspace(0, 1, 101, dtype=F64)[:-1]
    torch.testing.assert_close(schedule.alpha_dot(t), derivative(schedule.alpha, t))
    torch.testing.assert_close(schedule.beta_dot(t), derivative(schedule.beta, t))
    squared = derivative(lambda t: schedule.beta(t).square(), t)
    torch.testing.assert_close(schedule.beta_squared_dot(t), squared)


@schedules
def test_it_runs_from_noise_to_data(schedule):
    t = torch.linspace(0, 1, 1001)
    alpha, beta = schedule.alpha(t), schedule.beta(t)
    assert (alpha.diff() > 0).all()
    assert (beta.diff()[5:] < 0).all()
    # Exact in float32: that 1 is 1 and 0 is 0 is what the ends of time are recognised by.
    assert (alpha[-1], beta[-1]) == (1, 0)
    if not isinstance(schedule, VariancePreserving):
        assert (alpha[0], beta[0]) == (0, 1)


def test_the_formulas():
    t = torch.tensor([0.0, 0.36, 0.5, 1.0], dtype=F64)
    assert Linear().beta(t).tolist() == [1.0, 0.64, 0.5, 0.0]
    assert SquareRoot().beta(t)[1].item() == pytest.approx(0.8)
    torch.testing.assert_close(Cosine().alpha(t), (math.pi / 2 * t).sin())
    torch.testing.assert_close(Cosine().beta(t), (math.pi / 2 * t).cos())


@settings(max_examples=20)
@given(st.floats(0.01, 2.0), st.floats(0.0, 30.0))
def test_variance_preserving_integrates_its_rate(rate_min, more):
    schedule = VariancePreserving(rate_min, rate_min + more)
    t = torch.linspace(0, 1, 11, dtype=F64)
    for time in t:
        s = torch.linspace(0, 1 - time.item(), 3, dtype=F64)
        integral = torch.trapezoid(rate_min + s * more, s)  # exact for a straight line
        assert schedule.alpha(time).item() == pytest.approx(math.exp(-integral / 2), rel=1e-12)
    total = schedule.alpha(t).square() + schedule.beta(t).square()
    torch.testing.assert_close(total, torch.ones_like(t))
    assert VariancePreserving().alpha(t)[0].item() == pytest.approx(0.00657, rel=1e-3)


@schedules
def test_the_noise_has_a_finite_rate_at_the_data(schedule):
    one = torch.ones((), dtype=F64)
    expected = {"Linear": 0, "SquareRoot": -1, "Cosine": 0, "VariancePreserving": -0.1}
    assert schedule.beta_squared_dot(one).item() == expected[type(schedule).__name__]
    if schedule.beta_dot_is_finite:
        assert schedule(one).beta_dot < -0.9
        return
    for infinite in (schedule, schedule.beta_dot):
        with pytest.raises(ValueError, match=r"t is 1, where beta_dot .* is infinite"):
            infinite(torch.tensor([0.5, 1.0]))


@schedules
@pytest.mark.parametrize("shape", [(), (5,), (2, 3, 1)])
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_times_keep_their_shape_and_dtype(schedule, shape, dtype):
    t = torch.full(shape, 0.3, dtype=dtype)
    values = schedule(t)
    for value in (*values, schedule.beta_squared_dot(t)):
        assert (value.shape, value.dtype) == (shape, dtype)
    assert values._fields == ("alpha", "beta", "alpha_dot", "beta_dot")
    assert torch.equal(values.alpha, schedule.alpha(t))
    values.alpha.add_(1)
    assert (t == torch.full(shape, 0.3, dtype=dtype)).all()


@schedules
@pytest.mark.parametrize("t", [-0.01, 1.01, math.nan, torch.tensor([0.5, 1.5]), torch.empty(0)])
def test_times_outside_are_refused(schedule, t):
    for method in ("alpha", "beta", "alpha_dot", "beta_dot", "beta_squared_dot", "__call__"):
        with pytest.raises(ValueError, match=r"t runs from .* expected times in \[0, 1\]|t has"):
            getattr(schedule, method)(t)


def test_bad_rates_and_schedules_are_refused():
    for rates in ((0.0, 1.0), (2.0, 1.0), (math.nan, 1.0), (0.1, math.inf)):
        with pytest.raises(ValueError, match="rate_m"):
            VariancePreserving(*rates)
    with pytest.raises(ValueError, match="expected a Schedule"):
        GaussianPath(Linear)


# The Gaussian path.


@schedules
@pytest.mark.parametrize("shape", [(6, 2), (6, 3, 4, 4), (6,)])
def test_sample_and_target_are_their_formulas(schedule, shape):
    path, (z, noise) = GaussianPath(schedule), normals(*shape)
    t = torch.linspace(0, 0.95, 6, dtype=F64)
    x, u = path.sample(z, t, noise), path.target(z, t, noise)
    for i in range(6):
        alpha, beta, alpha_dot, beta_dot = (v.item() for v in schedule(t[i]))
        torch.testing.assert_close(x[i], alpha * z[i] + beta * noise[i])
        torch.testing.assert_close(u[i], alpha_dot * z[i] + beta_dot * noise[i])
        torch.testing.assert_close(path.sample(z, t[i], noise)[i], x[i])
        torch.testing.assert_close(path.sample(z, t[i].item(), noise)[i], x[i])


@schedules
def test_target_is_the_derivative_of_the_sample(schedule):
    path, (z, noise) = GaussianPath(schedule), normals(8, 1)
    t = torch.linspace(0, 0.99, 8, dtype=F64)
    by_autograd = derivative(lambda t: path.sample(z, t, noise), t)
    torch.testing.assert_close(path.target(z, t, noise)[:, 0], by_autograd)


@schedules
@settings(max_examples=20)
@given(seed=seeds)
def test_conditional_velocity_meets_the_target_on_the_path(schedule, seed):
    path, (z, noise) = GaussianPath(schedule), normals(8, 2, seed=seed)
    t = torch.rand(8, generator=torch.Generator().manual_seed(seed), dtype=F64)
    x = path.sample(z, t, noise)
    target = path.target(z, t, noise)
    torch.testing.assert_close(path.conditional_velocity(x, z, t), target, rtol=1e-8, atol=1e-8)


@schedules
def test_conditional_score_is_the_gradient_of_the_gaussian(schedule):
    path, (z, x) = GaussianPath(schedule), normals(8, 3)
    t = torch.linspace(0, 0.95, 8, dtype=F64)
    alpha, beta = schedule.alpha(t)[:, None], schedule.beta(t)[:, None]
    x.requires_grad_()
    log_prob = torch.distributions.Normal(alpha * z, beta).log_prob(x).sum()
    expected = torch.autograd.grad(log_prob, x)[0]
    torch.testing.assert_close(path.conditional_score(x, z, t), expected)


def test_the_path_keeps_the_dtype_of_the_states():
    path, z = GaussianPath(Cosine()), torch.ones(4, 2)
    for t in (0.3, torch.tensor(0.3, dtype=F64), torch.full((4,), 0.3, dtype=F64)):
        assert path.sample(z, t, z).dtype == torch.float32
        assert path.target(z, t, z).dtype == torch.float32
        assert path.conditional_velocity(z, z, t).dtype == torch.float32
        assert LinearPath().sample(z, t, z).dtype == torch.float32
        assert LinearPath().conditional_velocity(z, z, t).dtype == torch.float32
    assert path.sample(z.double(), 0.3, z.double()).dtype == F64


@pytest.mark.parametrize("path", [GaussianPath(Linear()), LinearPath()])
def test_bad_states_and_times_are_refused(path):
    z = torch.ones(4, 2)
    for method in (path.sample, path.target):
        with pytest.raises(ValueError, match=r"shape \(4, 3\); expected \(4, 2\), as z has"):
            method(z, 0.5, torch.ones(4, 3))
        with pytest.raises(ValueError, match="not empty"):
            method(torch.ones(0, 2), 0.5, torch.ones(0, 2))
        with pytest.raises(ValueError, match="floating-point"):
            method(z.long(), 0.5, z)
        with pytest.raises(ValueError, match=r"t has shape \(3,\)"):
            method(z, torch.rand(3), z)
        with pytest.raises(ValueError, match="t runs from"):
            method(z, 1.5, z)
        with pytest.raises(ValueError, match="t runs from"):
            method(z, torch.tensor([0.0, math.nan, 0.0, 0.0]), z)
    with pytest.raises(ValueError, match=r"z has shape \(4, 3\); expected|value has shape"):
        path.conditional_velocity(z, torch.ones(4, 3), 0.5)


# Conversions.


def four_quantities(schedule, z, noise, t):
    """x = α z + β ε, and what is to be predicted at it, straight from the definitions."""
    alpha, beta, alpha_dot, beta_dot = (v[:, None] for v in schedule(t))
    return alpha * z + beta * noise, {
        "velocity": alpha_dot * z + beta_dot * noise,
        "score": -noise / beta,
        "noise": noise,
        "data": z,
    }


@schedules
@settings(max_examples=20)
@given(seed=seeds)
def test_conversions_are_exact_and_undo_each_other(schedule, seed):
    (z, noise), path = normals(6, 2, seed=seed), GaussianPath(schedule)
    t = 0.02 + 0.96 * torch.rand(6, generator=torch.Generator().manual_seed(seed), dtype=F64)
    x, truth = four_quantities(schedule, z, noise, t)
    for known, wanted in PAIRS:
        got = path.convert(truth[known], x, t, given=known, wanted=wanted)
        torch.testing.assert_close(got, truth[wanted], rtol=1e-9, atol=1e-9)
        # Any value goes there and back, whether or not it belongs to this x.
        there = path.convert(z, x, t, given=known, wanted=wanted)
        back = path.convert(there, x, t, given=wanted, wanted=known)
        torch.testing.assert_close(back, z, rtol=1e-8, atol=1e-8)


def gaussian_data(schedule, x, t, mean=0.7, variance=0.4):
    """The four quantities for data N(mean, variance) at one t, by hand; finite at both ends."""
    alpha, beta, alpha_dot = (f(t) for f in (schedule.alpha, schedule.beta, schedule.alpha_dot))
    total = alpha**2 * variance + beta**2
    score = -(x - alpha * mean) / total
    data = mean + alpha * variance / total * (x - alpha * mean)
    velocity = alpha_dot * data - schedule.beta_squared_dot(t) / 2 * score
    return {"velocity": velocity, "score": score, "noise": -beta * score, "data": data}


def refused_at(t, schedule):
    """The pairs whose answer needs more than is given: at α = 0 and at β = 0."""
    if t == 0:
        known = {"score", "noise"} if schedule.alpha(t) == 0 else set()
        return {(a, b) for a in known for b in ("data", "velocity")}
    refused = {("data", b) for b in QUANTITIES} | {("noise", "score")}
    return refused | {
        ("velocity", "score") if schedule.beta_dot_is_finite else ("noise", "velocity")
    }


@schedules
@pytest.mark.parametrize(("known", "wanted"), PAIRS)
@pytest.mark.parametrize("end", [0.0, 1.0])
def test_conversions_at_the_ends_are_exact_or_refused(schedule, known, wanted, end):
    x = torch.linspace(-2, 2, 5, dtype=F64)[:, None]
    path, t = GaussianPath(schedule), torch.tensor(end, dtype=F64)
    truth = gaussian_data(schedule, x, t)
    if (known, wanted) not in refused_at(end, schedule):
        got = path.convert(truth[known], x, t, given=known, wanted=wanted)
        torch.testing.assert_close(got, truth[wanted], rtol=1e-12, atol=1e-12)
        return
    letter = "alpha" if end == 0 else "beta"
    message = f"the {wanted} does not follow from the {known} at t = {end:g}: {letter} is 0"
    mixed = torch.tensor([0.5, 0.5, end, 0.5, 0.5], dtype=F64)
    for times in (t, end, mixed):
        with pytest.raises(ValueError, match=message):
            path.convert(truth[known], x, times, given=known, wanted=wanted)


@schedules
@pytest.mark.parametrize(("known", "wanted"), PAIRS)
def test_conversions_in_float32_near_the_ends(schedule, known, wanted):
    """Where the answer follows, it is as good as float32 allows a hair's breadth from the end."""
    x = torch.linspace(-2, 2, 5)[:, None]
    for end, near in ((0.0, 1e-6), (1.0, 1 - 2.0**-22)):
        if (known, wanted) in refused_at(end, schedule):
            continue
        truth = gaussian_data(schedule, x.double(), torch.tensor(near, dtype=F64))
        value = truth[known].float()
        got = GaussianPath(schedule).convert(value, x, near, given=known, wanted=wanted)
        assert got.dtype == torch.float32
        torch.testing.assert_close(got, truth[wanted].float(), rtol=1e-3, atol=1e-3)


def test_conversions_of_images_carry_gradients():
    path, (z, noise) = GaussianPath(Linear()), normals(3, 1, 4, 4)
    t = torch.tensor([0.2, 0.5, 0.8], dtype=F64)
    x = path.sample(z, t, noise)
    u = path.target(z, t, noise).requires_grad_()
    score = path.convert(u, x, t, given="velocity", wanted="score")
    torch.testing.assert_close(score, path.conditional_score(x, z, t))
    slope = torch.autograd.grad(score.sum(), u)[0]
    torch.testing.assert_close(slope[:, 0, 0, 0], t / (1 - t))  # α / (β² α̇ - α β β̇)


def test_bad_conversions_are_refused():
    path, x = GaussianPath(Linear()), torch.ones(4, 2)
    assert path.convert(x, x, 1.0, given="score", wanted="score") is x
    with pytest.raises(ValueError, match="wanted is 'denoiser'; expected one of velocity, score"):
        path.convert(x, x, 0.5, given="score", wanted="denoiser")
    with pytest.raises(ValueError, match="given is 'epsilon'"):
        path.convert(x, x, 0.5, given="epsilon", wanted="score")
    with pytest.raises(ValueError, match=r"value has shape \(2,\); expected \(4, 2\)"):
        path.convert(torch.ones(2), x, 0.5, given="score", wanted="data")
    with pytest.raises(ValueError, match="t runs from"):
        path.convert(x, x, 2.0, given="score", wanted="score")


class Quadratic(Schedule):
    """A schedule of one's own: α = t², β = 1 - t²."""

    def _alpha(self, t):
        return t**2

    def _beta(self, t):
        return 1 - t**2

    def _alpha_dot(self, t):
        return 2 * t

    def _beta_dot(self, t):
        return -2 * t


def test_a_schedule_of_ones_own_needs_four_formulas():
    (z, noise), schedule = normals(5, 2), Quadratic()
    t = torch.linspace(0.1, 0.9, 5, dtype=F64)
    x, truth = four_quantities(schedule, z, noise, t)
    for known, wanted in PAIRS:
        got = GaussianPath(schedule).convert(truth[known], x, t, given=known, wanted=wanted)
        torch.testing.assert_close(got, truth[wanted])


# The linear path.


def test_linear_path_goes_straight_from_start_to_target():
    path, (start, z) = LinearPath(), normals(5, 2)
    t = torch.tensor([0.0, 0.2, 0.5, 0.9, 1.0], dtype=F64)
    x = path.sample(z, t, start)
    torch.testing.assert_close(x, torch.lerp(start, z, t[:, None]))
    assert torch.equal(x[0], start[0])
    assert torch.equal(x[4], z[4])
    assert torch.equal(path.target(z, t, start), z - start)
    early = t[:4]
    velocity = path.conditional_velocity(x[:4], z[:4], early)
    torch.testing.assert_close(velocity, (z - start)[:4])
    for end in (1.0, t):
        with pytest.raises(ValueError, match="t is 1, where x is z"):
            path.conditional_velocity(x, z, end)


def test_linear_path_from_noise_is_the_gaussian_one():
    (z, noise), gaussian = normals(4, 1, 3, 3), GaussianPath(Linear())
    t = torch.rand(4, generator=torch.Generator().manual_seed(0), dtype=F64)
    x = LinearPath().sample(z, t, noise)
    torch.testing.assert_close(x, gaussian.sample(z, t, noise))
    torch.testing.assert_close(LinearPath().target(z, t, noise), gaussian.target(z, t, noise))
    torch.testing.assert_close(
        LinearPath().conditional_velocity(x, z, t), gaussian.conditional_velocity(x, z, t)
    )
