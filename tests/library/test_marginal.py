import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.distributions import Circles, Density, Empirical, Gaussian, GaussianMixture
from course_lib.oracles import Marginal
from course_lib.paths import (
    Cosine,
    GaussianPath,
    Linear,
    LinearPath,
    SquareRoot,
    VariancePreserving,
)

F64 = torch.float64
PATHS = [GaussianPath(s) for s in (Linear(), SquareRoot(), Cosine(), VariancePreserving())]
FIELDS = ["denoiser", "score", "noise", "velocity"]
METHODS = [*FIELDS, "log_prob", "responsibilities", "posterior_variance"]
TIMES = torch.tensor([0.0, 0.1, 0.35, 0.6, 0.85, 0.97], dtype=F64)

paths = pytest.mark.parametrize("path", PATHS, ids=[type(p.schedule).__name__ for p in PATHS])


def normals(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


def random_mixture(k=3, d=2, seed=0):
    root = normals(k, d, d, seed=seed)
    covariances = root @ root.mT / 4 + 0.05 * torch.eye(d, dtype=F64)
    return GaussianMixture(
        2 * normals(k, d, seed=seed + 1), covariances, torch.arange(1.0, k + 1, dtype=F64)
    )


def random_points(n=5, *shape, seed=0, labels=None):
    return Empirical(normals(n, *(shape or (2,)), seed=seed), labels)


def exact_log_prob(path, mixture, x, t):
    """log Σ w_k N(x; α m_k, α² C_k + β² I) by torch's own multivariate normal; x (..., d)."""
    alpha, beta = path.schedule.alpha(t), path.schedule.beta(t)
    matrices = alpha**2 * mixture.covariances + beta**2 * torch.eye(mixture.dim, dtype=F64)
    normal = torch.distributions.MultivariateNormal(alpha * mixture.means, matrices)
    return (normal.log_prob(x.unsqueeze(-2)) + mixture.weights.log()).logsumexp(-1)


def by_time(x, function):
    """`function(x_i, t_i)` for a batch of points, one for each of TIMES."""
    return torch.stack([function(point, t) for point, t in zip(x, TIMES, strict=True)])


# Mixtures.


@paths
@settings(max_examples=10)
@given(seed=st.integers(0, 1000), k=st.integers(1, 4), d=st.integers(1, 4))
def test_log_prob_and_score_of_a_mixture(path, seed, k, d):
    mixture = random_mixture(k, d, seed)
    truth, x = Marginal(path, mixture), normals(len(TIMES), d, seed=seed)
    x.requires_grad_()
    expected = by_time(x, lambda x, t: exact_log_prob(path, mixture, x, t))
    torch.testing.assert_close(truth.log_prob(x, TIMES), expected, rtol=1e-9, atol=1e-9)
    slope = torch.autograd.grad(expected.sum(), x)[0]
    torch.testing.assert_close(truth.score(x, TIMES), slope, rtol=1e-8, atol=1e-8)
    own = torch.autograd.grad(truth.log_prob(x, TIMES).sum(), x)[0]
    torch.testing.assert_close(own, slope, rtol=1e-8, atol=1e-8)


@paths
def test_a_line_by_quadrature(path):
    """Everything straight from its definition: integrals over z of what p(z|x) weighs."""
    mixture = GaussianMixture(
        torch.tensor([[-1.5], [0.4], [1.0]], dtype=F64), [0.3, 0.05, 0.6], [0.5, 0.2, 0.3]
    )
    truth, x = Marginal(path, mixture), torch.linspace(-2, 2, len(TIMES), dtype=F64)[:, None]
    # The trapezoid rule is exact to rounding for smooth functions that vanish at both ends.
    z, step = torch.linspace(-8, 8, 16_001, dtype=F64), 16 / 16_000
    schedule = path.schedule
    alpha, beta, alpha_dot, beta_dot = (v[:, None] for v in schedule(TIMES))
    likelihood = torch.distributions.Normal(alpha * z, beta).log_prob(x)
    joint = (likelihood + mixture.log_prob(z[:, None])).exp() * step  # (t, z)
    density = joint.sum(-1)
    posterior = joint / density[:, None]
    noise = (x - alpha * z) / beta
    expected = {
        "log_prob": density.log(),
        "denoiser": (posterior * z).sum(-1, keepdim=True),
        "noise": (posterior * noise).sum(-1, keepdim=True),
        "score": (posterior * -noise / beta).sum(-1, keepdim=True),
        "velocity": (posterior * (alpha_dot * z + beta_dot * noise)).sum(-1, keepdim=True),
    }
    centred = z - expected["denoiser"]
    expected["posterior_variance"] = (posterior * centred.square()).sum(-1)
    parts = [
        (likelihood + normal.log_prob(z[:, None]) + w.log()).exp().sum(-1) * step / density
        for w, m, c in zip(mixture.weights, mixture.means, mixture.covariances, strict=True)
        for normal in [Gaussian(m, c)]
    ]
    expected["responsibilities"] = torch.stack(parts, dim=-1)
    for name, value in expected.items():
        torch.testing.assert_close(getattr(truth, name)(x, TIMES), value, rtol=1e-9, atol=1e-10)


@paths
def test_correlated_gaussian_by_conditioning(path):
    """E[z|x] and Cov(z|x) of jointly Gaussian z and x, with the inverse as it stands."""
    gaussian = Gaussian(normals(3, seed=1), random_mixture(1, 3).covariances[0])
    truth, x = Marginal(path, gaussian), normals(len(TIMES), 3)
    for i, t in enumerate(TIMES):
        alpha, beta = path.schedule.alpha(t), path.schedule.beta(t)
        c, eye = gaussian.covariance, torch.eye(3, dtype=F64)
        gain = alpha * c @ (alpha**2 * c + beta**2 * eye).inverse()
        mean = gaussian.mean + gain @ (x[i] - alpha * gaussian.mean)
        variance = (c - alpha * gain @ c).trace()
        torch.testing.assert_close(truth.denoiser(x[i : i + 1], t)[0], mean)
        torch.testing.assert_close(truth.posterior_variance(x[i : i + 1], t)[0], variance)
        torch.testing.assert_close(
            truth.noise(x[i : i + 1], t)[0], (x[i] - alpha * mean) / beta, atol=1e-9, rtol=1e-9
        )


@paths
def test_a_gaussian_is_a_mixture_of_one(path):
    gaussian = Gaussian(torch.tensor([1.0, -2.0], dtype=F64), [[2.0, 0.6], [0.6, 0.5]])
    mixture = GaussianMixture(gaussian.mean[None], gaussian.covariance[None])
    one, other, x = Marginal(path, gaussian), Marginal(path, mixture), normals(len(TIMES), 2)
    for name in METHODS:
        assert torch.equal(getattr(one, name)(x, TIMES), getattr(other, name)(x, TIMES))
    assert one.labels.tolist() == [0]


@paths
def test_a_mixture_at_both_ends_of_time(path):
    mixture = random_mixture(4, 3)
    truth, x = Marginal(path, mixture), normals(10, 3)
    assert all(getattr(truth, name)(x, end).isfinite().all() for name in METHODS for end in (0, 1))
    # The data end is the data, to rounding, and what was noise is forgotten.
    torch.testing.assert_close(truth.log_prob(x, 1.0), mixture.log_prob(x))
    torch.testing.assert_close(truth.score(x, 1.0), mixture.score(x))
    torch.testing.assert_close(truth.responsibilities(x, 1.0), mixture.responsibilities(x))
    torch.testing.assert_close(truth.denoiser(x, 1.0), x)
    assert (truth.noise(x, 1.0) == 0).all()
    assert truth.posterior_variance(x, 1.0).max() < 1e-20
    near = 1 - 2.0**-40
    torch.testing.assert_close(
        truth.velocity(x, 1.0), truth.velocity(x, near), rtol=1e-6, atol=1e-6
    )
    if path.schedule.alpha(0.0) == 0:
        mean = mixture.weights @ mixture.means
        torch.testing.assert_close(truth.score(x, 0.0), -x)
        torch.testing.assert_close(truth.noise(x, 0.0), x)
        torch.testing.assert_close(truth.denoiser(x, 0.0), mean.expand(10, 3))
        torch.testing.assert_close(truth.responsibilities(x, 0.0)[0], mixture.weights)
        start = path.schedule(torch.zeros((), dtype=F64))
        torch.testing.assert_close(
            truth.velocity(x, 0.0), start.alpha_dot * mean + start.beta_dot * x
        )


# Finite data.


@paths
@pytest.mark.parametrize("offset", [0.0, 50.0])
def test_finite_data_by_plain_sums(path, offset):
    points = normals(7, 3) + offset
    truth, x = Marginal(path, Empirical(points)), normals(len(TIMES), 3, seed=1)
    x = path.schedule.alpha(TIMES)[:, None] * offset + x
    for i, t in enumerate(TIMES):
        alpha, beta, alpha_dot, beta_dot = path.schedule(t)
        noise = (x[i] - alpha * points) / beta  # (7, 3)
        logs = torch.distributions.Normal(0, 1).log_prob(noise).sum(-1) - 3 * beta.log()
        r = logs.softmax(0)
        mean = r @ points
        expected = {
            "log_prob": logs.logsumexp(0) - math.log(7),
            "responsibilities": r,
            "denoiser": mean,
            "noise": r @ noise,
            "score": -(r @ noise) / beta,
            "velocity": r @ (alpha_dot * points + beta_dot * noise),
            "posterior_variance": r @ (points - mean).square().sum(-1),
        }
        for name, value in expected.items():
            got = getattr(truth, name)(x[i : i + 1], t)[0]
            torch.testing.assert_close(got, value, rtol=1e-9, atol=1e-8)


@paths
def test_finite_data_are_narrow_gaussians(path):
    points, x = normals(6, 2), normals(len(TIMES), 2, seed=1)
    narrow = Marginal(path, GaussianMixture(points, 1e-14))
    for name in METHODS:
        finite = getattr(Marginal(path, Empirical(points)), name)(x, TIMES)
        torch.testing.assert_close(finite, getattr(narrow, name)(x, TIMES), rtol=1e-8, atol=1e-9)


@paths
def test_images_are_points_in_another_shape(path):
    images, x = normals(6, 1, 3, 4), normals(len(TIMES), 1, 3, 4, seed=1)
    truth = Marginal(path, Empirical(images))
    flat = Marginal(path, Empirical(images.flatten(1)))
    for name in METHODS:
        got, expected = getattr(truth, name)(x, TIMES), getattr(flat, name)(x.flatten(1), TIMES)
        assert got.shape == (x.shape if name in FIELDS else expected.shape)
        assert torch.equal(got.reshape(expected.shape), expected)
    assert truth.sample(5, 0.5).shape == (5, 1, 3, 4)


@pytest.mark.parametrize("power", [7, 14, 20, 30])
def test_finite_data_close_to_the_end_of_time(power):
    """Two points as near each other as the noise is wide, in fractions that float64 has exactly."""
    beta = 2.0**-power
    t = 1 - beta
    points = torch.tensor([[3.0, 1.0], [3.0, 1.0 + 2 * beta], [-1.0, 4.0]], dtype=F64)
    noise = torch.tensor([0.5, 0.25], dtype=F64)
    other = noise - torch.tensor([0.0, 2 * t], dtype=F64)  # the same x, seen from the second point
    truth, x = Marginal(GaussianPath(Linear()), Empirical(points)), t * points[:1] + beta * noise
    logs = -torch.stack([noise, other]).square().sum(-1) / 2
    r = logs.softmax(0)
    expected = {
        "responsibilities": torch.cat([r, r.new_zeros(1)]),
        "noise": r[0] * noise + r[1] * other,
        "log_prob": logs.logsumexp(0) - math.log(3 * 2 * math.pi * beta**2),
        "posterior_variance": r[0] * r[1] * (2 * beta) ** 2,
    }
    for name, value in expected.items():
        got = getattr(truth, name)(x, t)[0]
        # What is left is the rounding of x and of the data mean, in units of beta.
        torch.testing.assert_close(got, value, rtol=4e-15 / beta, atol=0)


@pytest.mark.parametrize("t", [0.9, 0.999, 1 - 2.0**-20])
def test_float32_images_lose_nothing_that_x_has(t):
    images = torch.rand(40, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    noise = normals(40, 1, 28, 28).float()
    x = GaussianPath(Linear()).sample(images, t, noise)
    truth = Marginal(GaussianPath(Linear()), Empirical(images))
    exact = Marginal(GaussianPath(Linear()), Empirical(images.double()))
    for name in METHODS:
        got = getattr(truth, name)(x, t)
        assert got.dtype == torch.float32
        assert torch.equal(got, getattr(exact, name)(x.double(), t).float())
    assert torch.equal(truth.responsibilities(x, t), torch.eye(40))
    # By hand in float64, from the float32 x: the noise and its log density.
    eps = (x.double() - t * images.double()) / (1 - t)
    torch.testing.assert_close(truth.noise(x, t), eps.float(), rtol=1e-5, atol=1e-5)
    log_prob = torch.distributions.Normal(0, 1).log_prob(eps).flatten(1).sum(-1)
    expected = log_prob - 784 * math.log(1 - t) - math.log(40)
    torch.testing.assert_close(truth.log_prob(x, t), expected.float(), rtol=1e-6, atol=1e-3)


def test_finite_data_need_no_large_intermediates():
    """What autograd keeps for the way back is never as large as (batch, n, d)."""
    sizes = []

    def keep(tensor):
        sizes.append(tensor.numel())
        return tensor

    batch, n, d = 20, 50, 40
    truth, x = Marginal(PATHS[0], random_points(n, d)), normals(batch, d).requires_grad_()
    for name in METHODS:
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            getattr(truth, name)(x, 0.5)
    assert max(sizes) <= max(batch * n, n * d, batch * 8 * d)


@paths
def test_finite_data_have_no_law_at_the_end(path):
    truth, x = Marginal(path, random_points()), normals(3, 2)
    for t in (1.0, torch.ones(()), torch.tensor([0.5, 0.5, 1.0])):
        for name in METHODS:
            with pytest.raises(ValueError, match="t is 1, where finite data are points without"):
                getattr(truth, name)(x, t)
    with pytest.raises(ValueError, match="t is 1"):
        truth.at(1.0)
    assert all(getattr(truth, name)(x, 0.0).isfinite().all() for name in METHODS)


# The continuity equation.


def continuity_residual(log_prob, velocity, x, t):
    """∂ₜ log p + div u + u · ∇ log p: zero where u carries p along, Notes (24)."""
    x, t = x.clone().requires_grad_(), t.clone().requires_grad_()
    slope, rate = torch.autograd.grad(log_prob(x, t).sum(), (x, t))
    u = velocity(x, t)
    divergence = sum(
        torch.autograd.grad(u[:, i].sum(), x, retain_graph=True)[0][:, i] for i in range(x.shape[1])
    )
    return (rate + divergence + (u * slope).sum(-1)).detach()


@paths
@pytest.mark.parametrize(
    "data", [random_mixture(4, 3), random_points(6, 3)], ids=["mixture", "points"]
)
def test_continuity_equation(path, data):
    truth, x = Marginal(path, data), normals(len(TIMES), 3)
    terms = continuity_residual(truth.log_prob, lambda x, t: 0 * x, x, TIMES).abs().clamp(min=1)
    residual = continuity_residual(truth.log_prob, truth.velocity, x, TIMES) / terms
    assert residual.abs().max() < 1e-11
    altered = continuity_residual(
        truth.log_prob, lambda x, t: 1.01 * truth.velocity(x, t), x, TIMES
    )
    assert altered.abs().min() > 1e-4
    prior = continuity_residual(truth.log_prob, lambda x, t: truth.velocity(x, t) + 0.1, x, TIMES)
    assert (prior.abs() > 1e-3).all()


@pytest.mark.parametrize("data", [random_mixture(2, 2), random_points(3, 2)], ids=["m", "p"])
def test_gradients_by_x_and_t_are_those_of_finite_differences(data):
    truth, x = Marginal(PATHS[2], data), normals(3, 2).requires_grad_()
    t = torch.tensor([0.2, 0.5, 0.8], dtype=F64, requires_grad=True)
    for name in METHODS:
        assert torch.autograd.gradcheck(getattr(truth, name), (x, t))
    assert torch.autograd.gradgradcheck(truth.log_prob, (x, t))


# Labels.


@paths
@pytest.mark.parametrize("kind", ["mixture", "points", "images"])
def test_labels_leave_the_rest_of_the_data_out(path, kind):
    labels = torch.tensor([7, 3, 7, 7, 3])
    if kind == "mixture":
        data = random_mixture(5, 2)

        def part(label):
            keep = labels == label
            return GaussianMixture(data.means[keep], data.covariances[keep], data.weights[keep])
    else:
        data = random_points(5, *((1, 2, 2) if kind == "images" else (2,)))

        def part(label):
            return Empirical(data.points[labels == label])

    truth = Marginal(path, data, labels)
    x = normals(len(TIMES), *((1, 2, 2) if kind == "images" else (2,)))
    y = torch.tensor([7, 3, 3, 7, 3, 7])
    for name in METHODS:
        got = getattr(truth, name)(x, TIMES, y)
        for label in (3, 7):
            rows, alone = y == label, Marginal(path, part(label))
            expected = getattr(alone, name)(x[rows], TIMES[rows])
            mine = got[rows]
            if name == "responsibilities":
                assert (mine[:, labels != label] == 0).all()
                mine = mine[:, labels == label]
            torch.testing.assert_close(mine, expected, rtol=1e-9, atol=1e-9)


def test_default_labels():
    mixture, points = random_mixture(3), random_points(4, labels=[0, 5, 5, 1])
    assert Marginal(PATHS[0], mixture).labels.tolist() == [0, 1, 2]
    assert Marginal(PATHS[0], points).labels.tolist() == [0, 5, 5, 1]
    assert Marginal(PATHS[0], random_points()).labels is None
    assert Marginal(PATHS[0], points, [1, 2, 3, 4]).labels.tolist() == [1, 2, 3, 4]
    assert points.labels.tolist() == [0, 5, 5, 1]


def test_unknown_labels_are_refused():
    x, mixture = torch.zeros(3, 2), GaussianMixture(torch.eye(2), weights=[1.0, 0.0])
    truth = Marginal(PATHS[0], mixture)
    for bad in ([0, 0, 2], [0, 0, 1]):  # component 1 has no weight
        with pytest.raises(ValueError, match=r"y has .*; expected \[0\]"):
            truth.score(x, 0.5, torch.tensor(bad))
    for bad in (torch.zeros(3), torch.zeros(2, dtype=torch.long), torch.tensor(0)):
        with pytest.raises(ValueError, match=r"expected \(3,\) integers"):
            truth.score(x, 0.5, bad)
    with pytest.raises(ValueError, match="these data have no labels"):
        Marginal(PATHS[0], random_points()).score(x, 0.5, torch.zeros(3, dtype=torch.long))
    with pytest.raises(ValueError, match=r"y has \[4\]"):
        truth.sample(2, 0.5, y=torch.tensor([0, 4]))
    with pytest.raises(ValueError, match=r"expected \(2,\) integers"):
        truth.sample(2, 0.5, y=torch.tensor([0, 0, 0]))
    with pytest.raises(ValueError, match="y has"):
        truth.at(0.5, y=9)
    for bad in ([0], [0.0, 1.0]):
        with pytest.raises(ValueError, match=r"labels is .* expected \(2,\) integers"):
            Marginal(PATHS[0], mixture, bad)


# Times, dtypes, samples, densities.


@paths
@pytest.mark.parametrize("data", [random_mixture(), random_points()], ids=["mixture", "points"])
def test_one_time_or_one_for_each(path, data):
    truth, x = Marginal(path, data), normals(5, 2)
    t = torch.tensor(0.3, dtype=F64)
    for name in METHODS:
        each = getattr(truth, name)(x, t.expand(5))
        for once in (t, 0.3):
            torch.testing.assert_close(getattr(truth, name)(x, once), each, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("data_dtype", [torch.float32, F64])
@pytest.mark.parametrize("dtype", [torch.float32, F64])
@pytest.mark.parametrize("t_dtype", [torch.float32, F64])
def test_results_have_the_dtype_of_x(data_dtype, dtype, t_dtype):
    for data in (
        GaussianMixture.ring(dtype=data_dtype),
        Gaussian(torch.zeros(2, dtype=data_dtype)),
        Empirical(normals(5, 2).to(data_dtype)),
    ):
        truth = Marginal(PATHS[3], data)
        x, t = normals(3, 2).to(dtype), torch.full((3,), 0.25, dtype=t_dtype)
        for name in METHODS:
            result = getattr(truth, name)(x, t)
            assert result.dtype == dtype
            # What is computed does not depend on it: these x are the same numbers in both.
            other = getattr(truth, name)(x.double(), t).to(dtype)
            assert torch.equal(result, other)
        assert truth.sample(4, 0.5).dtype == data_dtype
        assert truth.at(0.5).means.dtype == data_dtype


@paths
def test_samples_have_the_moments_of_the_law(path):
    mixture, n = random_mixture(3, 2), 20_000
    truth = Marginal(path, mixture)
    x = truth.sample(n, 0.6, torch.Generator().manual_seed(0))
    # E[∇ log p] = 0 and E[-x · ∇ log p] = d, each to 5 of its own standard errors.
    score = truth.score(x, 0.6)
    for values, expected in ((score, 0.0), (-(x * score).sum(-1, keepdim=True), 2.0)):
        error = values.std(0) / math.sqrt(n)
        assert ((values.mean(0) - expected).abs() < 5 * error).all()
    alpha = path.schedule.alpha(0.6).item()
    mean = alpha * mixture.weights @ mixture.means
    assert ((x.mean(0) - mean).abs() < 5 * x.std(0) / math.sqrt(n)).all()
    assert torch.equal(x, truth.sample(n, 0.6, torch.Generator().manual_seed(0)))


def test_samples_with_a_time_and_a_label_each():
    data = Empirical([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]], [0, 1, 1])
    truth = Marginal(PATHS[0], data)
    y = torch.tensor([1, 0] * 500)
    x = truth.sample(1000, 1.0, torch.Generator().manual_seed(0), y)
    assert (x[1::2] == 0).all()
    assert (x[::2].sum(-1) == 10).all()
    right = (x[::2, 0] == 10).float().mean().item()
    assert abs(right - 0.5) < 5 * 0.5 / math.sqrt(500)
    t = torch.tensor([0.0, 1.0]).repeat(500)
    x = truth.sample(1000, t, torch.Generator().manual_seed(0))
    assert torch.isin(x[1::2], torch.tensor([0.0, 10.0])).all()
    assert (x[::2].std(0) - 1).abs().max() < 5 / math.sqrt(2 * 500)
    for method in (truth.sample, Marginal(PATHS[0], random_mixture()).sample):
        with pytest.raises(ValueError, match="n is 0"):
            method(0, 0.5)


@paths
def test_at_one_time_it_is_a_mixture(path):
    x, labels = normals(6, 2), [0, 1, 1]
    for data in (random_mixture(), random_points(3), Gaussian(normals(2), 0.3)):
        truth = Marginal(path, data, None if isinstance(data, Gaussian) else labels)
        for t in (0.0, 0.4, torch.tensor(0.9, dtype=F64)):
            density = truth.at(t)
            assert isinstance(density, Density)
            torch.testing.assert_close(density.log_prob(x), truth.log_prob(x, t))
            torch.testing.assert_close(density.score(x), truth.score(x, t))
            y = torch.zeros(6, dtype=torch.long)
            torch.testing.assert_close(truth.at(t, y=0).log_prob(x), truth.log_prob(x, t, y))
        with pytest.raises(ValueError, match="expected one number"):
            truth.at(torch.tensor([0.5]))
        with pytest.raises(ValueError, match="t runs from"):
            truth.at(-1.0)
    assert Marginal(path, random_points(3, 1, 2, 2)).at(0.5).dim == 4
    with pytest.raises(ValueError, match="300 points in 784 dimensions"):
        Marginal(path, random_points(300, 784)).at(0.5)


def test_far_away_nothing_overflows():
    for data in (random_mixture(), random_points()):
        truth, x = Marginal(PATHS[0], data), 1e6 * normals(4, 2)
        for t in (0.0, 0.5, 0.999):
            assert all(getattr(truth, name)(x, t).isfinite().all() for name in METHODS)


def test_bad_arguments_are_refused():
    truth = Marginal(PATHS[0], random_mixture())
    images = Marginal(PATHS[0], random_points(3, 1, 2, 2))
    for name in METHODS:
        method = getattr(truth, name)
        for x in (torch.ones(4, 3), torch.ones(2), torch.ones(4, 2, 1)):
            with pytest.raises(ValueError, match=r"expected \(batch, 2\)"):
                method(x, 0.5)
        with pytest.raises(ValueError, match=r"expected \(batch, 1, 2, 2\)"):
            getattr(images, name)(torch.ones(4, 4), 0.5)
        with pytest.raises(ValueError, match="not empty"):
            method(torch.ones(0, 2), 0.5)
        with pytest.raises(ValueError, match="floating-point"):
            method([[1.0, 2.0]], 0.5)
        for t in (-0.1, 1.1, math.nan, torch.tensor([0.0, 2.0])):
            with pytest.raises(ValueError, match="t runs from"):
                method(torch.ones(2, 2), t)
        with pytest.raises(ValueError, match=r"t has shape \(3,\)"):
            method(torch.ones(2, 2), torch.rand(3))
    with pytest.raises(ValueError, match="expected a GaussianPath"):
        Marginal(LinearPath(), random_mixture())
    with pytest.raises(ValueError, match="data is a Circles; expected Gaussian, GaussianMixture"):
        Marginal(PATHS[0], Circles())
