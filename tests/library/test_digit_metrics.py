import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.datasets import MNIST
from course_lib.metrics import class_accuracy, digit_features, digit_quality, frechet_distance


def draws(n, d, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def exactly(mean, std, n=200):
    """A sample whose mean is `mean` and whose covariance is diag(std²), both exactly."""
    x = draws(n, len(mean))
    x = x - x.mean(0)
    root = torch.linalg.cholesky(x.mT @ x / (n - 1))
    white = torch.linalg.solve_triangular(root, x.mT, upper=False).mT
    return torch.tensor(mean) + white * torch.tensor(std)


def test_frechet_distance_of_diagonal_gaussians():
    """|m₁ - m₂|² + Σ (s₁ - s₂)², in closed form."""
    a, b = exactly([0.0, 1.0, -2.0], [1.0, 0.5, 3.0]), exactly([1.0, 1.0, 0.0], [2.0, 0.0, 1.0])
    expected = (1 + 0 + 4) + (1 + 0.25 + 4)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_of_gaussians_that_do_not_commute():
    """In two dimensions tr (A^½ B A^½)^½ = √(tr AB + 2 √(det A det B))."""
    a, b = draws(50, 2) @ draws(2, 2, 1), draws(60, 2, 2) @ draws(2, 2, 3) + 1
    cov_a, cov_b = a.mT.cov(), b.mT.cov()
    overlap = ((cov_a @ cov_b).trace() + 2 * (cov_a.det() * cov_b.det()).sqrt()).sqrt()
    gap = (a.mean(0) - b.mean(0)).square().sum()
    expected = gap + cov_a.trace() + cov_b.trace() - 2 * overlap
    assert frechet_distance(a, b) == pytest.approx(expected.item(), rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), d=st.integers(1, 6), n=st.integers(2, 20))
def test_frechet_distance_is_a_distance(seed, d, n):
    a, b = draws(n, d, seed), 2 * draws(n + 3, d, seed + 1) + 0.3
    there, back = frechet_distance(a, b), frechet_distance(b, a)
    assert there == pytest.approx(back, rel=1e-6, abs=1e-9)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    turn = torch.linalg.qr(draws(d, d, seed + 2))[0]
    moved = frechet_distance(a @ turn + 5, b @ turn + 5)
    assert moved == pytest.approx(there, rel=1e-6, abs=1e-9)
    assert frechet_distance(3 * a, 3 * b) == pytest.approx(9 * there, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (torch.zeros(1, 2), torch.zeros(3, 2), "a is .* two rows or more"),
        (torch.zeros(3, 2), torch.zeros(3), "b is .* expected features"),
        (torch.zeros(3, 2), torch.zeros(3, 4), "a has 2 features and b 4"),
        (torch.full((3, 2), torch.nan), torch.zeros(3, 2), "a has NaN"),
        ([[1.0]], torch.zeros(3, 2), "a is list"),
    ],
)
def test_frechet_distance_refuses_bad_input(a, b, words):
    with pytest.raises(ValueError, match=words):
        frechet_distance(a, b)


def test_real_digits_are_judged_to_be_good():
    images, labels = MNIST("test").first(500)
    quality = digit_quality(images, labels)
    assert quality.accuracy >= 0.99
    assert quality.accuracy == class_accuracy(images, labels)
    assert 0.05 < quality.halves < 0.3
    assert quality.frechet < 2
    assert 0 < quality.real < 2
    line = str(quality)
    assert line.startswith(f"accuracy {quality.accuracy:.1%}, Fréchet distance")
    assert "\n" not in line


def test_real_is_the_distance_of_as_many_training_digits():
    images, labels = MNIST().first(300)
    quality = digit_quality(images, labels)
    assert quality.real == quality.frechet
    assert quality.real > digit_quality(*MNIST().first(600)).real


def test_noise_and_wrong_labels_are_judged_to_be_bad():
    images, labels = MNIST("test").first(300)
    noise = torch.randn(300, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    assert digit_quality(noise, labels).frechet > 50
    assert class_accuracy(images, (labels + 1) % 10) < 0.02


def test_one_digit_again_and_again_is_far_from_all_digits():
    image, label = MNIST("test").first(1)
    quality = digit_quality(image.expand(100, -1, -1, -1), label.expand(100))
    assert quality.accuracy == 1
    assert quality.frechet > 20


def test_what_is_brighter_than_ink_counts_as_ink():
    images = MNIST("test").first(20)[0]
    bold = torch.where(images > 0.9, 7.0, images.clamp(max=0.9))
    torch.testing.assert_close(digit_features(bold), digit_features(bold.clamp(max=1)))


def test_images_keep_their_gradients_to_themselves():
    images = MNIST("test").first(2)[0].requires_grad_()
    assert not digit_features(images).requires_grad


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (torch.zeros(2, 28, 28), torch.zeros(2).long(), r"expected \(n, 1, 28, 28\)"),
        (torch.zeros(0, 1, 28, 28), torch.zeros(0).long(), "not empty"),
        (torch.zeros(2, 1, 28, 28), torch.zeros(2), "expected whole numbers"),
        (torch.zeros(2, 1, 28, 28), torch.zeros(3).long(), "2 images and 3 labels"),
        (torch.zeros(2, 1, 28, 28), torch.tensor([1, 10]), "expected 0 to 9"),
        (torch.full((2, 1, 28, 28), torch.nan), torch.zeros(2).long(), "NaN"),
    ],
)
def test_refuses_bad_digits(images, labels, words):
    for judge in (class_accuracy, digit_quality):
        with pytest.raises(ValueError, match=words):
            judge(images, labels)


def test_a_single_image_has_an_accuracy_but_no_distance():
    image, label = MNIST("test").first(1)
    assert class_accuracy(image, label) == 1
    with pytest.raises(ValueError, match="n is 1; expected a whole number, 2 or more"):
        digit_quality(image, label)
