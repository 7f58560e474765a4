import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.distributions import GaussianMixture
from course_lib.metrics import convergence_order, mode_weights, total_variation


@given(st.floats(0.5, 5.0), st.floats(1e-3, 1e3))
def test_order_of_a_power_law_is_its_exponent(order, constant):
    sizes = [0.1, 0.05, 0.01]
    assert convergence_order(sizes, [constant * h**order for h in sizes]) == pytest.approx(order)


@pytest.mark.parametrize(
    ("sizes", "errors", "message"),
    [
        ([0.1, 0.2], [1.0], "expected .n,. twice"),
        ([0.1, 0.2], [1.0, 0.0], "positive"),
        ([0.1, 0.1], [1.0, 2.0], "two different"),
        ([0.1, 0.2], [1.0, float("nan")], "errors has NaN"),
    ],
)
def test_no_order_without_data(sizes, errors, message):
    with pytest.raises(ValueError, match=message):
        convergence_order(sizes, errors)


def test_mode_weights_count_the_nearest_mode():
    ring = GaussianMixture.ring(modes=4)
    samples = ring.means[[0, 0, 0, 2]] * 1.1
    assert mode_weights(samples, ring).tolist() == [0.75, 0.0, 0.25, 0.0]
    with pytest.raises(ValueError, match="at least one point"):
        mode_weights(torch.ones(0, 2), ring)


@given(st.lists(st.floats(0.01, 1.0), min_size=2, max_size=6), st.randoms())
def test_total_variation_is_the_largest_difference_of_an_event(values, random):
    p = torch.tensor(values, dtype=torch.float64)
    q = torch.tensor(random.sample(values, len(values)), dtype=torch.float64)
    p, q = p / p.sum(), q / q.sum()
    largest = (p - q).clamp(min=0).sum().item()
    assert total_variation(p, q) == pytest.approx(largest, abs=1e-12)
    assert total_variation(p, p) == 0.0


@pytest.mark.parametrize(
    ("p", "q", "message"),
    [
        ([0.5, 0.5], [1.0], "twice"),
        ([0.5, 0.6], [0.5, 0.5], "p is .* sum to 1"),
        ([0.5, 0.5], [1.5, -0.5], "q is"),
        ([0.5, float("nan")], [0.5, 0.5], "p has NaN"),
    ],
)
def test_only_probabilities_have_a_total_variation(p, q, message):
    with pytest.raises(ValueError, match=message):
        total_variation(p, q)
