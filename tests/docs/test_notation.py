"""docs/notation.md: each conversion against exact truth, two normal modes on a line in float64.

The truth uses none of the conversions. Density, score and velocity come from autograd through the
distribution function (on a line, u = -∂_t F / p), the means of z and ε from quadrature.
"""

import inspect
import math
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch.autograd.functional import jacobian

from course_lib.distributions import GaussianMixture
from course_lib.oracles import Marginal
from course_lib.paths import Cosine, GaussianPath, Linear, VariancePreserving

PAGE = (Path(__file__).parents[2] / "docs/notation.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)

MEANS, STDS, WEIGHTS = torch.tensor(
    [[-1.5, 1.0], [0.5, 0.3], [0.3, 0.7]], dtype=torch.float64
).unbind()
X = torch.linspace(-2, 2, 9, dtype=torch.float64)
GRID = torch.linspace(-8, 8, 4001, dtype=torch.float64)


def numbers(*values):
    return [torch.tensor(value, dtype=torch.float64) for value in values]


def functions():
    """Every function of the page, from blocks that each ran alone."""
    for i, block in enumerate(BLOCKS):
        names: dict = {}
        exec(compile(block, f"docs/notation.md block {i}", "exec"), names)
        yield from ((k, v) for k, v in names.items() if inspect.isfunction(v))


page = SimpleNamespace(**dict(functions()))


def close(got, true, tolerance=1e-9):
    """Assert that two tensors, or tuples of them, agree (assert_close takes seconds to load)."""
    for a, b in [(got, true)] if isinstance(got, torch.Tensor) else zip(got, true, strict=True):
        assert a.shape == b.shape
        assert torch.allclose(a, b, rtol=tolerance, atol=tolerance), (a - b).abs().max()


def pdf(x, mean, std):
    return torch.exp(-(((x - mean) / std) ** 2) / 2) / (std * math.sqrt(2 * math.pi))


def slope(function, at):
    """Derivative of a function of one number, by autograd."""
    return jacobian(function, at, create_graph=False)


class Truth:
    """All there is to know of x = α(t) z + β(t) ε at the points X, on whatever clock α and β run.

    `alpha`, `beta`, `alpha_dot`, `beta_dot`, `density`, `score`, `velocity`, `data`, `noise`.
    """

    def __init__(self, alpha, beta, t):
        self.alpha, self.beta = alpha(t), beta(t)
        self.alpha_dot, self.beta_dot = slope(alpha, t), slope(beta, t)

        def cdf(x, t):
            spread = torch.hypot(alpha(t) * STDS, beta(t))
            return torch.special.ndtr((x[:, None] - alpha(t) * MEANS) / spread) @ WEIGHTS

        x = X.clone().requires_grad_()
        (density,) = torch.autograd.grad(cdf(x, t).sum(), x, create_graph=True)
        (self.score,) = torch.autograd.grad(density.log().sum(), x)
        self.density = density.detach()
        self.velocity = -jacobian(lambda t: cdf(X, t), t) / self.density

        prior = pdf(GRID[:, None], MEANS, STDS) @ WEIGHTS
        behind = (X[:, None] - self.alpha * GRID) / self.beta  # the ε that z needs
        joint = prior * pdf(X[:, None], self.alpha * GRID, self.beta)
        total = torch.trapezoid(joint, GRID)
        self.data = torch.trapezoid(joint * GRID, GRID) / total
        self.noise = torch.trapezoid(joint * behind, GRID) / total

    @property
    def schedule(self):
        return self.alpha, self.beta, self.alpha_dot, self.beta_dot


SCHEDULES = {
    "linear": (lambda t: t, lambda t: 1 - t),
    "cosine": (lambda t: torch.sin(math.pi / 2 * t), lambda t: torch.cos(math.pi / 2 * t)),
    "square root": (lambda t: t, lambda t: torch.sqrt(1 - t)),
}
CASES = [(name, t) for name in SCHEDULES for t in (0.3, 0.8)]


def on_both_clocks(name, t, T=1.0):
    """The truth on the course's clock and, at the same moment, on the diffusion clock."""
    alpha, beta = SCHEDULES[name]
    t, tau = numbers(t, T * (1 - t))
    ours = Truth(alpha, beta, t)
    return ours, Truth(lambda s: alpha(1 - s / T), lambda s: beta(1 - s / T), tau), t, tau


def test_every_function_of_the_page_is_tested_here():
    source = Path(__file__).read_text("utf-8")
    names = [name for name, _ in functions()]
    assert len(names) == len(set(names))
    assert set(names) == set(re.findall(r"page\.(\w+)", source))


def test_every_link_leads_to_a_heading():
    headings = {h.lower().replace(" ", "-") for h in re.findall(r"^## (.*)", PAGE, re.M)}
    assert set(re.findall(r"\]\(#([\w-]+)\)", PAGE)) < headings


@pytest.mark.parametrize("t", [0.3, 0.7])
def test_the_truth_agrees_with_the_library(t):
    (t,) = numbers(t)
    ours = Truth(*SCHEDULES["linear"], t)
    data = GaussianMixture(MEANS[:, None], STDS**2, WEIGHTS)
    exact, x = Marginal(GaussianPath(Linear()), data), X[:, None]
    close(ours.density.log(), exact.log_prob(x, t))
    close(ours.score[:, None], exact.score(x, t))
    close(ours.velocity[:, None], exact.velocity(x, t))
    close(ours.data[:, None], exact.denoiser(x, t))
    close(ours.noise[:, None], exact.noise(x, t))


@pytest.mark.parametrize("T", [1.0, 2.5])
@pytest.mark.parametrize(("name", "t"), CASES)
def test_clock(name, t, T):
    ours, theirs, t, tau = on_both_clocks(name, t, T)
    close(page.course_time(tau, T), t)
    close(theirs.density, ours.density)
    close(page.course_score(theirs.score, T), ours.score)
    close(page.course_velocity(theirs.velocity, T), ours.velocity)
    close(page.course_velocity(theirs.alpha_dot, T), ours.alpha_dot)
    # The noise rate g² of the forward SDE scales like the variance that it adds.
    _, g_squared = page.forward_sde(*ours.schedule)
    rate = slope(lambda s: SCHEDULES[name][1](1 - s / T) ** 2, tau)
    g = (rate - 2 * theirs.alpha_dot / theirs.alpha * theirs.beta**2).sqrt()
    close(page.course_diffusion(g, T), g_squared.sqrt())


def test_schedules():
    t = torch.linspace(0, 1, 11, dtype=torch.float64)
    for got, schedule in (
        (page.linear(t), Linear()),
        (page.trigonometric(t), Cosine()),
        (page.variance_preserving(t, page.integral_of_linear_rate), VariancePreserving()),
    ):
        close(got, (schedule.alpha(t), schedule.beta(t)))
    # The texts' own: Principles (cos τ, sin τ) with τ in [0, π/2], Intro (20), Intro (16).
    tau = math.pi / 2 * (1 - t)
    close(page.trigonometric(t), (torch.cos(tau), torch.sin(tau)))
    z, noise = torch.randn(2, 11, dtype=torch.float64)
    alpha, beta = page.optimal_transport(t, 0.1)
    close(alpha * z + beta * noise, t * z + (1 - (1 - 0.1) * t) * noise)
    close(page.variance_exploding(t, lambda s: 5 * s)[1], 5 * (1 - t))


@pytest.mark.parametrize("tau", [0.1, 0.6, 1.0])
def test_ve_and_vp_solve_their_sdes(tau):
    """Mean and variance given z: m' = f m and P' = 2 f P + g², Principles (4.3.3)."""
    (tau,) = numbers(tau)

    def check(path, f, g_squared):
        close(slope(lambda s: path(1 - s)[0], tau), f * path(1 - tau)[0])
        growth = slope(lambda s: path(1 - s)[1] ** 2, tau)
        close(growth, 2 * f * path(1 - tau)[1] ** 2 + g_squared)

    def sigma(s):
        return 0.01 * 500**s

    zero = 0 * tau
    check(lambda t: page.variance_exploding(t, sigma), zero, slope(lambda s: sigma(s) ** 2, tau))
    rate = slope(page.integral_of_linear_rate, tau)
    close(rate, 0.1 + tau * 19.9)
    check(lambda t: page.variance_preserving(t, page.integral_of_linear_rate), -rate / 2, rate)

    beta = 0.7 + zero  # Slides: dX = -βX dt + √(2β) dW

    def integral(s):
        return page.rate_from_slides(beta) * s

    check(lambda t: page.variance_preserving(t, integral), -beta, 2 * beta)


@pytest.mark.parametrize(("name", "t"), CASES)
def test_one_path_is_another_rescaled(name, t):
    ours, _, _, _ = on_both_clocks(name, t)
    for convert, target in ((page.to_linear, "linear"), (page.to_trigonometric, "cosine")):
        y, there = convert(X, ours.alpha, ours.beta)
        scale = X[0] / y[0]
        alpha, beta = SCHEDULES[target]
        close(scale * alpha(there), ours.alpha)
        close(scale * beta(there), ours.beta)
    assert page.to_linear(X, ours.alpha, ours.beta)[0].shape == X.shape
    assert page.to_trigonometric(X, ours.alpha, ours.beta)[0].shape == X.shape


def test_ddpm():
    steps = 20
    variances = page.step_variances(page.integral_of_linear_rate, steps)
    mean, variance, seen = torch.ones((), dtype=torch.float64), 0.0, []
    for step in variances:  # x_k = √(1-β_k) x_{k-1} + √β_k ε, from a known x_0
        mean, variance = (1 - step).sqrt() * mean, (1 - step) * variance + step
        seen.append(torch.stack([mean, variance.sqrt()]))
    chain = tuple(torch.stack(seen, dim=1))
    close(page.ddpm(variances), chain)
    close(page.ddpm_principles(variances.sqrt()), chain)
    # The chain meets the VP path of the course, at the course's times.
    t = page.ddpm_time(torch.arange(1, steps + 1, dtype=torch.float64), steps)
    close((VariancePreserving().alpha(t), VariancePreserving().beta(t)), chain)
    # Many steps: a step's variance is the rate times the step's length.
    many = page.step_variances(page.integral_of_linear_rate, 100_000)
    close(100_000 * many[[0, -1]], torch.tensor([0.1, 20.0], dtype=torch.float64), 1e-2)


@pytest.mark.parametrize(("name", "t"), CASES)
def test_forward_sde(name, t):
    ours, theirs, t, _ = on_both_clocks(name, t)
    f, g_squared = page.forward_sde(*ours.schedule)
    g = g_squared.sqrt()
    close(f, theirs.alpha_dot / theirs.alpha)  # m' = f m
    growth = 2 * theirs.beta * theirs.beta_dot
    close(growth, 2 * f * theirs.beta**2 + g_squared)  # P' = 2 f P + g²
    close(page.velocity_from_sde(X, theirs.score, f, g), ours.velocity)
    # Principles' λ, on the course's clock: g² = 2β² dλ/dt.
    alpha, beta = SCHEDULES[name]
    growth = slope(lambda s: page.half_log_snr(alpha(s), beta(s)), t)
    close(2 * ours.beta**2 * growth, g_squared)
    # The reversed SDE is one of the family, and the family is Notes (25).
    reversed_drift = page.drift_of_reversed_sde(X, theirs.score, f, g)
    close(page.drift(ours.velocity, ours.score, g), reversed_drift)
    for sigma in (0.0, 0.5, 2.0):
        got = page.drift_from_family(theirs.velocity, theirs.score, sigma)
        close(page.drift(ours.velocity, ours.score, sigma), got)


@pytest.mark.parametrize("sigma", [0.0, 0.5, 2.0])
def test_the_drift_keeps_the_marginals(sigma):
    """Fokker–Planck, Notes (30), integrated in x: ∂_t F = -drift p + ½σ² ∂_x p."""
    alpha, beta = SCHEDULES["cosine"]
    (t,) = numbers(0.6)
    ours = Truth(alpha, beta, t)
    components = pdf(X[:, None], ours.alpha * MEANS, torch.hypot(ours.alpha * STDS, ours.beta))
    centred = (X[:, None] - ours.alpha * MEANS) / ((ours.alpha * STDS) ** 2 + ours.beta**2)
    steepness = -(components * centred) @ WEIGHTS  # ∂_x p
    flow = -page.drift(ours.velocity, ours.score, sigma) * ours.density + sigma**2 / 2 * steepness

    def left_of(t):
        spread = torch.hypot(alpha(t) * STDS, beta(t))
        return torch.special.ndtr((X[:, None] - alpha(t) * MEANS) / spread) @ WEIGHTS

    close(flow, jacobian(left_of, t))


def test_schedule_from_sde():
    """From f and g of the VP diffusion back to its schedule; trapezoids err by the step squared."""
    tau = torch.linspace(0, 1, 20_001, dtype=torch.float64)
    rate = 0.1 + 19.9 * tau
    got = page.schedule_from_sde(-rate / 2, rate.sqrt(), tau)
    schedule = VariancePreserving()
    close(got, (schedule.alpha(1 - tau), schedule.beta(1 - tau)), 1e-5)


@pytest.mark.parametrize("clock", [0, 1])
@pytest.mark.parametrize(("name", "t"), CASES)
def test_predictions(name, t, clock):
    true = on_both_clocks(name, t)[clock]
    s, u, data, noise = true.score, true.velocity, true.data, true.noise
    alpha, beta, alpha_dot, beta_dot = true.schedule
    close(page.noise_from_score(s, beta), noise)
    close(page.score_from_noise(noise, beta), s)
    close(page.data_from_noise(noise, X, alpha, beta), data)
    close(page.noise_from_data(data, X, alpha, beta), noise)
    close(page.data_from_score(s, X, alpha, beta), data)
    close(page.velocity_from_both(data, noise, alpha_dot, beta_dot), u)
    close(page.velocity_from_score(s, X, *true.schedule), u)
    close(page.score_from_velocity(u, X, *true.schedule), s)
    close(page.data_from_velocity(u, X, *true.schedule), data)
    close(page.noise_from_velocity(u, X, *true.schedule), noise)


@pytest.mark.parametrize("t", [0.3, 0.5, 0.8])
def test_the_linear_path_on_both_clocks(t):
    ours, theirs, t, tau = on_both_clocks("linear", t)
    truth = ours.data, ours.noise, ours.score
    close(page.linear_course(X, ours.velocity, t), truth)
    close(page.linear_diffusion(X, theirs.velocity, tau), truth)
    if t != 0.5:  # the other clock's lines are wrong
        assert not torch.allclose(page.linear_course(X, ours.velocity, tau)[0], ours.data)


@pytest.mark.parametrize("T", [1.0, 2.5])
def test_flow_map(T):
    """One normal: Ψ_{s→t}(x) = α_t m + (C_t/C_s)^½ (x - α_s m), and the ODE has one solution."""
    mean, std = 0.7, 0.4

    def moments(t):
        return t * mean, torch.hypot(t * std, 1 - t)

    def flow_map(x, s, t):
        (centre_s, spread_s), (centre_t, spread_t) = (
            moments(1 - torch.as_tensor(r, dtype=torch.float64) / T) for r in (s, t)
        )
        return centre_t + spread_t / spread_s * (x - centre_s)

    (t,) = numbers(0.6)
    close(page.psi(flow_map, X, 0 * t, T), X)
    where = page.psi(flow_map, X, t, T)
    speed = jacobian(lambda t: page.psi(flow_map, X, t, T), t)
    centre, spread = moments(t)
    data = mean + t * std**2 / spread**2 * (where - centre)  # E[z | x] for normal data
    close(speed, (data - where) / (1 - t))


@pytest.mark.parametrize("clock", [0, 1])
@pytest.mark.parametrize(("name", "t"), CASES)
def test_loss_weights(name, t, clock):
    true = on_both_clocks(name, t)[clock]
    alpha, beta = true.alpha, true.beta
    wrong = torch.sin(5 * X)  # some model's error in the score; the other errors follow from it
    s = true.score + wrong
    close(wrong**2, page.score_per_noise(alpha, beta) * (-beta * s - true.noise) ** 2)
    data = (X + beta**2 * s) / alpha
    close(wrong**2, page.score_per_data(alpha, beta) * (data - true.data) ** 2)
    velocity = true.alpha_dot * data - true.beta_dot * beta * s
    weight = page.score_per_velocity(*true.schedule)
    close(wrong**2, weight * (velocity - true.velocity) ** 2)


def test_guidance():
    data = GaussianMixture(MEANS[:, None], STDS**2, WEIGHTS)  # the label is the component
    exact, x = Marginal(GaussianPath(Linear()), data), X[:, None]
    (t,) = numbers(0.4)
    y = torch.ones(9, dtype=torch.int64)
    omega = 2.0
    guided = (1 + omega) * exact.denoiser(x, t, y) - omega * exact.denoiser(x, t)
    w = page.guidance_scale(omega)
    close((guided - x) / (1 - t), (1 - w) * exact.velocity(x, t) + w * exact.velocity(x, t, y))
