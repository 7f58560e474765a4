import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.distributions import Density, Gaussian, GaussianMixture

F64 = torch.float64


def random_covariances(*shape, d, seed=0):
    root = torch.randn(*shape, d, d, generator=torch.Generator().manual_seed(seed), dtype=F64)
    return root @ root.mT + 0.3 * torch.eye(d, dtype=F64)


def random_mixture(k=4, d=3, seed=0):
    g = torch.Generator().manual_seed(seed)
    means = 3 * torch.randn(k, d, generator=g, dtype=F64)
    weights = torch.rand(k, generator=g, dtype=F64) + 0.1
    return GaussianMixture(means, random_covariances(k, d=d, seed=seed), weights)


def normal_log_prob(x, mean, covariance):
    """-½ (x - m)ᵀ C⁻¹ (x - m) - ½ log det 2πC, with the inverse and determinant as they stand."""
    centred = (x - mean).unsqueeze(-1)
    quadratic = (centred.mT @ covariance.inverse() @ centred)[..., 0, 0]
    return -(quadratic + torch.logdet(2 * math.pi * covariance)) / 2


@given(st.integers(1, 5), st.integers(0, 1000))
def test_gaussian_log_prob_and_score_are_exact(d, seed):
    g = torch.Generator().manual_seed(seed)
    mean, x = torch.randn(d, generator=g, dtype=F64), torch.randn(2, 3, d, generator=g, dtype=F64)
    gaussian = Gaussian(mean, random_covariances(d=d, seed=seed))
    truth = normal_log_prob(x, mean, gaussian.covariance)
    torch.testing.assert_close(gaussian.log_prob(x), truth, rtol=1e-9, atol=1e-9)
    by_autograd = Density.score(gaussian, x)
    torch.testing.assert_close(gaussian.score(x), by_autograd, rtol=1e-8, atol=1e-8)


def test_a_gaussian_takes_three_kinds_of_covariance():
    mean = torch.zeros(2, dtype=F64)
    assert torch.equal(Gaussian(mean, 4.0).covariance, 4 * torch.eye(2, dtype=F64))
    assert torch.equal(Gaussian(mean, [1.0, 4.0]).covariance.diagonal(), torch.tensor([1.0, 4.0]))
    x = torch.randn(5, 2, dtype=F64)
    same = Gaussian(mean, torch.diag(torch.tensor([1.0, 4.0])))
    torch.testing.assert_close(Gaussian(mean, [1.0, 4.0]).score(x), same.score(x))
    assert Gaussian([0, 0]).log_prob(torch.zeros(2)) == pytest.approx(-math.log(2 * math.pi))


def test_gaussian_samples_have_its_mean_and_covariance():
    gaussian = Gaussian([1.0, -2.0], [[2.0, 0.8], [0.8, 1.0]])
    x = gaussian.sample(40_000, torch.Generator().manual_seed(0))
    # Standard errors: sqrt(2/40000) = 0.007 for a mean, sqrt(2) * 2 / 200 = 0.014 for a variance.
    assert (x.mean(0) - gaussian.mean).abs().max() < 5 * 0.0071
    assert (x.T.cov() - gaussian.covariance).abs().max() < 5 * 0.0142


@pytest.mark.parametrize(
    ("mean", "covariance", "message"),
    [
        ([[0.0]], 1.0, r"mean has shape \(1, 1\)"),
        ([0.0, float("nan")], 1.0, "mean has NaN"),
        ([0.0, 0.0], [1.0, 1.0, 1.0], r"covariance has shape \(3,\)"),
        ([0.0, 0.0], -1.0, "positive definite"),
        ([0.0, 0.0], [[1.0, 2.0], [2.0, 1.0]], "positive definite"),
        ([0.0, 0.0], [[1.0, 0.5], [0.0, 1.0]], "symmetric"),
    ],
)
def test_bad_gaussians_are_refused(mean, covariance, message):
    with pytest.raises(ValueError, match=message):
        Gaussian(mean, covariance)


@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 1000))
def test_mixture_log_prob_and_score_are_exact(k, d, seed):
    mixture = random_mixture(k, d, seed)
    x = 4 * torch.randn(2, 5, d, generator=torch.Generator().manual_seed(seed + 1), dtype=F64)
    logs = normal_log_prob(x.unsqueeze(-2), mixture.means, mixture.covariances)
    truth = (logs + mixture.weights.log()).logsumexp(-1)
    torch.testing.assert_close(mixture.log_prob(x), truth, rtol=1e-8, atol=1e-8)
    by_autograd = Density.score(mixture, x)
    torch.testing.assert_close(mixture.score(x), by_autograd, rtol=1e-7, atol=1e-7)
    by_parts = super(GaussianMixture, mixture).score(x)
    torch.testing.assert_close(mixture.score(x), by_parts, rtol=1e-9, atol=1e-9)


def test_responsibilities_are_bayes_rule():
    mixture = random_mixture()
    x = mixture.sample(50, torch.Generator().manual_seed(0))
    joint = mixture.component_log_prob(x).exp() * mixture.weights
    expected = joint / joint.sum(-1, keepdim=True)
    torch.testing.assert_close(mixture.responsibilities(x), expected)


@pytest.mark.parametrize("dtype", [torch.float32, F64])
@pytest.mark.parametrize("distance", [1e3, 1e5, 1e8])
def test_score_far_away_is_that_of_the_widest_component(dtype, distance):
    means = torch.tensor([[4.0, 0.0], [-4.0, 0.0], [0.0, 4.0]], dtype=dtype)
    mixture = GaussianMixture(means, [0.25, 0.25, 1.0])
    x = distance * torch.tensor([[1.0, 0.0], [-0.6, 0.8], [0.0, -1.0]], dtype=dtype)
    expected = -(x - means[2])
    torch.testing.assert_close(mixture.score(x), expected, rtol=1e-6, atol=1e-3)
    assert mixture.log_prob(x).isfinite().all()
    torch.testing.assert_close(
        mixture.responsibilities(x), torch.tensor([[0.0, 0.0, 1.0]], dtype=dtype).expand(3, -1)
    )


def test_score_far_away_between_equal_components():
    mixture = GaussianMixture.ring(modes=5, radius=4.0, std=0.5, dtype=F64)
    x = torch.tensor([[1e3, 0.0], [-1e3, 0.0]], dtype=F64)
    # Opposite the first mode, two modes are equally near and their mean pulls.
    nearest = torch.stack([mixture.means[0], mixture.means[2:4].mean(0)])
    torch.testing.assert_close(mixture.score(x), -(x - nearest) / 0.25, rtol=1e-12, atol=1e-6)


def test_mixture_samples_have_its_weights_and_moments():
    mixture = GaussianMixture([[3.0, 0.0], [-3.0, 1.0]], [0.5, 2.0], weights=[3, 1])
    n = 40_000
    x, labels = mixture.sample_labelled(n, torch.Generator().manual_seed(0))
    assert torch.allclose(mixture.weights, torch.tensor([0.75, 0.25]))
    assert abs((labels == 0).double().mean() - 0.75) < 5 * math.sqrt(0.75 * 0.25 / n)
    for k, variance in enumerate([0.5, 2.0]):
        group = x[labels == k]
        error = math.sqrt(variance / len(group))
        assert (group.mean(0) - mixture.means[k]).abs().max() < 5 * error
        spread = 5 * variance * math.sqrt(2 / len(group))
        assert (group.T.cov() - variance * torch.eye(2)).abs().max() < spread
    assert torch.equal(x, mixture.sample(n, torch.Generator().manual_seed(0)))


def test_zero_weight_removes_a_component():
    one = GaussianMixture([[1.0, 0.0]], 1.0)
    two = GaussianMixture([[1.0, 0.0], [9.0, 9.0]], 1.0, weights=[1.0, 0.0])
    x = torch.tensor([[9.0, 9.0], [0.0, 0.0]])
    torch.testing.assert_close(two.score(x), one.score(x))
    torch.testing.assert_close(two.log_prob(x), one.log_prob(x))


def test_ring_and_nearest_mode():
    ring = GaussianMixture.ring(modes=5, radius=2.0, std=0.1, dtype=F64)
    torch.testing.assert_close(ring.means.norm(dim=-1), torch.full((5,), 2.0, dtype=F64))
    torch.testing.assert_close(ring.means.sum(0), torch.zeros(2, dtype=F64), atol=1e-12, rtol=0)
    torch.testing.assert_close(ring.covariances[3], 0.01 * torch.eye(2, dtype=F64))
    x = 1.3 * ring.means.reshape(5, 1, 2)
    assert ring.nearest_mode(x).tolist() == [[0], [1], [2], [3], [4]]
    assert ring.nearest_mode(ring.means[2]).item() == 2
    with pytest.raises(ValueError, match="std is 0"):
        GaussianMixture.ring(std=0.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(means=[0.0, 1.0]), r"means has shape \(2,\)"),
        (dict(means=[[0.0, float("inf")]]), "means has NaN or infinite"),
        (dict(means=[[0.0], [1.0]], covariances=[1.0, 1.0, 1.0]), r"covariances has shape \(3,\)"),
        (dict(means=[[0.0], [1.0]], covariances=[1.0, 0.0]), "positive"),
        (dict(means=[[0.0], [1.0]], weights=[1.0]), r"weights has shape \(1,\)"),
        (dict(means=[[0.0], [1.0]], weights=[2.0, -1.0]), "none negative"),
        (dict(means=[[0.0], [1.0]], weights=[0.0, 0.0]), "one positive"),
    ],
)
def test_bad_mixtures_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture(**arguments)


@pytest.mark.parametrize("density", [Gaussian([0.0, 0.0]), GaussianMixture.ring()])
def test_densities_refuse_bad_points_and_counts(density):
    for method in (density.log_prob, density.score):
        with pytest.raises(ValueError, match=r"expected \(\.\.\., 2\)"):
            method(torch.ones(4, 3))
        with pytest.raises(ValueError, match="at least one point"):
            method(torch.ones(0, 2))
        assert method(torch.ones(3, 2, dtype=F64)).dtype == F64
    for n in (0, -3, 1.5):
        with pytest.raises(ValueError, match="n is"):
            density.sample(n)
