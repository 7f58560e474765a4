import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.distributions import Empirical, GaussianMixture
from course_lib.guidance import drop_labels, guided
from course_lib.oracles import Marginal
from course_lib.paths import Cosine, GaussianPath, Linear, SquareRoot, VariancePreserving
from course_lib.processes import ODE, SDE
from course_lib.simulate import euler_maruyama_step, heun_step, rk4_step, simulate, time_grid

F64 = torch.float64
QUANTITIES = {"velocity": "velocity", "score": "score", "noise": "noise", "data": "denoiser"}
PATHS = [GaussianPath(s) for s in (Linear(), SquareRoot(), Cosine(), VariancePreserving())]
paths = pytest.mark.parametrize("path", PATHS, ids=[type(p.schedule).__name__ for p in PATHS])
scales = st.floats(-2.0, 8.0)


def normals(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


def three_labels(path):
    """Six Gaussians of the plane, two a label, so that a label is no single Gaussian."""
    stds = torch.tensor([0.3, 0.5, 0.7, 0.4, 0.6, 0.5], dtype=F64)
    mixture = GaussianMixture(2 * normals(6, 2, seed=1), stds.square(), torch.arange(1.0, 7.0))
    return Marginal(path, mixture, labels=[0, 1, 2, 0, 1, 2])


def a_batch(n=24):
    t = torch.linspace(0.05, 0.95, n, dtype=F64)
    return 1.5 * normals(n, 2), t, torch.arange(n) % 3


# The guided field.


@paths
@pytest.mark.parametrize("method", QUANTITIES.values())
def test_scale_0_and_1_return_the_field_itself_from_one_call(path, method):
    (x, t, y), field = a_batch(), getattr(three_labels(path), method)
    calls = []

    def spy(x, t, y):
        calls.append(y)
        return field(x, t, y)

    for scale, label in [(0, None), (0.0, None), (1, y), (1.0, y)]:
        calls.clear()
        assert torch.equal(guided(spy, y, scale)(x, t), field(x, t, label))
        assert len(calls) == 1
        assert calls[0] is label


@paths
@settings(max_examples=4, deadline=None)
@given(w=scales)
def test_the_guided_score_is_the_gradient_of_the_tilted_log_density(path, w):
    """p_t(x) p_t(y|x)^w by responsibilities, Notes (67): nothing of the mixing formula in it."""
    truth, (x, t, y) = three_labels(path), a_batch()
    x.requires_grad_()
    shares = truth.responsibilities(x, t)
    p_y = (shares * (truth.labels == y[:, None])).sum(-1)
    tilted = truth.log_prob(x, t) + w * p_y.log()
    (slope,) = torch.autograd.grad(tilted.sum(), x)
    got = guided(truth.score, y, w)(x.detach(), t)
    torch.testing.assert_close(got, slope, rtol=1e-7, atol=1e-7)


@paths
@settings(max_examples=4, deadline=None)
@given(w=scales)
def test_all_four_predictions_describe_one_guided_flow(path, w):
    truth, (x, t, y) = three_labels(path), a_batch()
    fields = {name: guided(getattr(truth, m), y, w)(x, t) for name, m in QUANTITIES.items()}
    for given_, value in fields.items():
        for wanted, expected in fields.items():
            got = path.convert(value, x, t, given=given_, wanted=wanted)
            torch.testing.assert_close(got, expected, rtol=1e-8, atol=1e-8)


@settings(max_examples=4, deadline=None)
@given(w=scales, v=scales)
def test_the_field_is_a_straight_line_in_the_scale(w, v):
    truth, (x, t, y) = three_labels(PATHS[0]), a_batch()
    one, other, middle = (guided(truth.velocity, y, s)(x, t) for s in (w, v, (w + v) / 2))
    torch.testing.assert_close(middle, (one + other) / 2, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_images_of_either_dtype(dtype):
    points = Empirical(normals(6, 1, 4, 4).to(dtype), torch.arange(6) % 3)
    truth = Marginal(GaussianPath(Linear()), points)
    x, y, t = normals(3, 1, 4, 4, seed=1).to(dtype), torch.tensor([2, 0, 1]), torch.tensor(0.4)
    got = guided(truth.velocity, y, 3.0)(x, t)
    assert got.shape == x.shape
    assert got.dtype == dtype
    torch.testing.assert_close(got, -2 * truth.velocity(x, t) + 3 * truth.velocity(x, t, y))


# What guidance samples: data given y are N(0, s²), all data N(0, S²).


def two_gaussians(path, s, S):
    """The velocity and the score, each by itself a line through 0: fast where an oracle is not."""

    def variance(t, y):
        return (path.schedule.alpha(t) * (S if y is None else s)) ** 2 + path.schedule.beta(t) ** 2

    def score(x, t, y):
        return -x / variance(t, y)

    def velocity(x, t, y):
        alpha, alpha_dot = path.schedule.alpha(t), path.schedule.alpha_dot(t)
        std = S if y is None else s
        growth = alpha * alpha_dot * std**2 + path.schedule.beta_squared_dot(t) / 2
        return growth / variance(t, y) * x

    return velocity, score


def guided_std(s, S, w):
    return s**w * S ** (1 - w)


def tilt_std(s, S, w):
    return (w / s**2 + (1 - w) / S**2) ** -0.5


ONE = torch.ones(1, 1, dtype=F64)
LABEL = torch.zeros(1, dtype=torch.long)


@paths
@pytest.mark.parametrize(
    ("s", "S", "w"), [(0.5, 1.0, 3.0), (0.8, 1.3, 1.0), (0.5, 1.2, 0.0), (1.4, 0.9, 2.0)]
)
def test_the_guided_flow_of_gaussians_ends_at_s_to_the_w(path, s, S, w):
    """Its map is linear, so where it takes x = 1 is its standard deviation, at every time."""
    velocity, _ = two_gaussians(path, s, S)
    times = time_grid(120).double()
    flow = simulate(ODE(guided(velocity, LABEL, w)), ONE, times, step=rk4_step)
    alpha, beta = path.schedule.alpha(times), path.schedule.beta(times)
    expected = guided_std(*((alpha * std) ** 2 + beta**2 for std in (s, S)), w).sqrt()
    torch.testing.assert_close(flow.states.flatten(), expected / expected[0], rtol=3e-6, atol=0)
    assert expected[0].item() == pytest.approx(1, abs=1e-4)  # some data at t = 0: 0.9999
    assert expected[-1].item() == pytest.approx(guided_std(s, S, w))


@given(s=st.floats(0.2, 2.0), ratio=st.floats(1.1, 4.0), w=st.floats(0.05, 6.0))
def test_the_guided_flow_is_narrower_than_the_tilt_for_w_above_1(s, ratio, w):
    """log is concave: inside [0, 1] its mean lies below, outside above."""
    got, tilt = guided_std(s, s * ratio, w), tilt_std(s, s * ratio, w)
    assert got == pytest.approx(tilt, rel=1e-9) or (got < tilt) == (w > 1)


def sde_variance(s, S, w, sigma, path=PATHS[0]):
    """Variance at t = 1 of the guided SDE: V' = 2cV + σ², where the drift is c_t x; by RK4."""
    u, score = (guided(field, LABEL, w) for field in two_gaussians(path, s, S))

    def rate(v, t):
        return 2 * (u(ONE, t) + sigma**2 / 2 * score(ONE, t)) * v + sigma**2

    return simulate(ODE(rate), ONE, time_grid(120).double(), step=rk4_step).final.item()


@pytest.mark.parametrize("sigma", [0.0, 0.3, 1.0, 2.0, 4.0])
def test_noise_on_the_way_changes_what_guidance_samples(sigma):
    """V' = (g²)'/g² V + σ² (1 - V/T²): Langevin dynamics of the tilted density at each time.

    With g the standard deviation of the guided flow and T that of the tilt, V / g² solves
    R' = σ² (1/g² - R/T²), R = 1 at the start, which an integral solves.
    """
    s, S, w = 0.5, 1.0, 3.0
    t = torch.linspace(0, 1, 20001, dtype=F64)
    s_t, S_t = (((t * std) ** 2 + (1 - t) ** 2).sqrt() for std in (s, S))
    g, tilt = guided_std(s_t, S_t, w), tilt_std(s_t, S_t, w)
    rate = sigma**2 / tilt**2
    pulled = torch.cat([torch.zeros(1, dtype=F64), torch.cumulative_trapezoid(rate, t)])
    memory = (pulled - pulled[-1]).exp()
    expected = g[-1] ** 2 * (memory[0] + torch.trapezoid(sigma**2 / g**2 * memory, t))
    assert sde_variance(s, S, w, sigma) == pytest.approx(expected.item(), rel=1e-4)


def test_more_noise_leads_from_the_guided_flow_to_the_tilt():
    s, S, w = 0.5, 1.0, 3.0
    stds = [math.sqrt(sde_variance(s, S, w, sigma)) for sigma in (0.0, 0.5, 1.0, 2.0, 4.0)]
    assert stds == sorted(stds)
    assert stds[0] == pytest.approx(guided_std(s, S, w), rel=1e-6)  # 0.125
    assert stds[-1] == pytest.approx(tilt_std(s, S, w), rel=1e-3)  # 0.316
    assert stds[-1] < tilt_std(s, S, w)
    for sigma in (0.0, 2.0):  # with the exact score of one law, Notes (25), σ changes nothing
        assert sde_variance(s, S, 1.0, sigma) == pytest.approx(s**2, rel=1e-6)
        assert sde_variance(s, S, 0.0, sigma) == pytest.approx(S**2, rel=1e-6)


def test_the_examples_of_the_module():
    """Heun's ODE and Euler–Maruyama's SDE, as its docstring writes them, on exact fields."""
    n, sigma, path = 4000, 2.0, PATHS[0]
    (model, _), noise = two_gaussians(path, 0.5, 1.0), normals(n, 1)
    velocity = guided(model, torch.zeros(n, dtype=torch.long), 2.0)
    final = simulate(ODE(velocity), noise, time_grid(12), step=heun_step).final
    assert final.std().item() == pytest.approx(0.25, rel=0.1)

    def drift(x, t):
        u = velocity(x, t)
        return u + sigma**2 / 2 * path.convert(u, x, t, given="velocity", wanted="score")

    sde = SDE(drift, lambda t: sigma)
    generator = torch.Generator().manual_seed(1)
    final = simulate(
        sde, noise, time_grid(200), step=euler_maruyama_step, generator=generator, record=1
    ).final
    expected = math.sqrt(sde_variance(0.5, 1.0, 2.0, sigma))
    assert expected > 0.3
    assert final.std().item() == pytest.approx(expected, rel=0.06)  # 4 standard errors and the bias


@pytest.mark.parametrize("w", [0.5, 3.0])
def test_two_classes_move_apart_and_gather_more_than_the_tilt(w):
    mixture = GaussianMixture(torch.tensor([[-1.0], [1.0]], dtype=F64), 0.25)
    truth = Marginal(GaussianPath(Linear()), mixture)
    quantiles = (torch.arange(500, dtype=F64) + 0.5) / 500
    start = math.sqrt(2) * torch.erfinv(2 * quantiles - 1)[:, None]
    y = torch.ones(500, dtype=torch.long)
    ode = ODE(guided(truth.velocity, y, w))
    final = simulate(ode, start, time_grid(50), step=rk4_step).final
    x = torch.linspace(-8, 8, 4001, dtype=F64)[:, None]
    log_tilt = (1 - w) * truth.log_prob(x, 1.0) + w * truth.log_prob(x, 1.0, y.new_ones(4001))
    tilt = log_tilt.softmax(0)
    mean = (tilt @ x).item()
    std = (tilt @ (x - mean).square()).sqrt().item()
    assert (final.mean().item() > mean + 0.2) == (w > 1)
    assert (final.std().item() < 0.9 * std) == (w > 1)


# Dropping labels.


@given(n=st.integers(1, 40), rate=st.floats(0, 1), seed=st.integers(0, 99))
def test_labels_below_the_rate_are_dropped(n, rate, seed):
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(10, (n,), generator=generator)
    uniform, before = torch.rand(n, generator=generator), y.clone()
    expected = [10 if u < rate else label for label, u in zip(y.tolist(), uniform, strict=True)]
    got = drop_labels(y, rate, 10, uniform)
    assert got.tolist() == expected
    assert got.dtype == y.dtype
    assert torch.equal(y, before)
    assert got.data_ptr() != y.data_ptr()


def test_rates_0_and_1_and_the_share_of_dropped_labels():
    y = torch.arange(10_000) % 10
    uniform = torch.rand(10_000, generator=torch.Generator().manual_seed(0))
    assert torch.equal(drop_labels(y, 0.0, 10, uniform), y)
    assert (drop_labels(y, 1.0, 10, uniform) == 10).all()
    dropped = drop_labels(y, 0.1, 10, uniform) == 10
    assert dropped.double().mean().item() == pytest.approx(0.1, abs=5 * 0.003)
    assert y[dropped].bincount(minlength=10).min() > 0  # of every class some
    assert drop_labels(y.int(), 0.1, 10, uniform.double()).dtype == torch.int32


# Bad input.

Y = torch.tensor([0, 1, 2])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([0, 1], 0.1, 10, torch.rand(2)), "y is a list"),
        ((Y.double(), 0.1, 10, torch.rand(3)), "y is float64"),
        ((Y > 0, 0.1, 10, torch.rand(3)), "y is bool"),
        ((Y[:0], 0.1, 10, torch.rand(0)), r"y is int64 of shape \(0,\)"),
        ((Y[:, None], 0.1, 10, torch.rand(3, 1)), r"expected integers \(batch,\)"),
        ((Y, 1.1, 10, torch.rand(3)), r"rate is 1.1; expected a probability in \[0, 1\]"),
        ((Y, torch.rand(3), 0.1, 10), "rate is tensor"),
        ((Y, math.nan, 10, torch.rand(3)), "rate is nan"),
        ((Y, 0.1, -1, torch.rand(3)), "null_label is -1"),
        ((Y, 0.1, 10.0, torch.rand(3)), "null_label is 10.0"),
        ((Y, 0.1, 10, torch.rand(3, 1)), r"uniform has shape \(3, 1\); expected y's \(3,\)"),
        ((Y, 0.1, 10, Y), "uniform is torch.int64"),
        ((Y, 0.1, 10, torch.tensor([0.1, 0.2, 1.0])), "uniform runs from"),
        ((Y, 0.1, 10, torch.tensor([0.1, 0.2, math.nan])), "uniform runs from"),
    ],
)
def test_labels_that_cannot_be_dropped(arguments, words):
    with pytest.raises(ValueError, match=words):
        drop_labels(*arguments)


@pytest.mark.parametrize(
    ("y", "scale", "words"),
    [
        (3, 2.0, "y is a int"),
        (Y.float(), 2.0, "y is float32"),
        (Y[:, None], 2.0, "expected integers"),
        (Y, math.nan, "scale is nan"),
        (Y, math.inf, "scale is inf"),
    ],
)
def test_fields_that_cannot_be_guided(y, scale, words):
    with pytest.raises(ValueError, match=words):
        guided(lambda x, t, y: x, y, scale)


@pytest.mark.parametrize("scale", [0, 1, 2.0])
def test_a_wrong_batch_or_field_is_refused(scale):
    x, t = torch.zeros(3, 2), torch.tensor(0.5)
    with pytest.raises(ValueError, match="expected a batch of 3, as y"):
        guided(lambda x, t, y: x, Y, scale)(x[:1], t)
    with pytest.raises(ValueError, match=r"the field has shape \(3,\); expected x's, \(3, 2\)"):
        guided(lambda x, t, y: x.sum(-1), Y, scale)(x, t)
