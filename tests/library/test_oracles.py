import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.oracles import brownian_covariance, euler_maruyama_ou_variance


@given(
    st.floats(0.1, 3.0), st.floats(0.0, 2.0), st.floats(0.01, 2.0), st.integers(0, 50),
    st.floats(0.0, 5.0),
)  # fmt: skip
def test_variance_after_n_steps_is_the_recursion(theta, sigma, h, n_steps, initial):
    variance = initial
    for _ in range(n_steps):
        variance = (1 - theta * h) ** 2 * variance + sigma**2 * h
    got = euler_maruyama_ou_variance(theta, sigma, h, n_steps, initial)
    assert got == pytest.approx(variance, rel=1e-9, abs=1e-12)


@given(st.floats(0.1, 3.0), st.floats(0.0, 2.0), st.floats(0.01, 0.6))
def test_stationary_variance_is_the_fixed_point(theta, sigma, h):
    v = euler_maruyama_ou_variance(theta, sigma, h)
    assert (1 - theta * h) ** 2 * v + sigma**2 * h == pytest.approx(v, rel=1e-12)


def test_variance_at_the_edges():
    assert euler_maruyama_ou_variance(1.0, 1.0, 1.0, 5) == 1.0  # θh = 1 forgets everything
    assert euler_maruyama_ou_variance(1.0, 1.0, 2.0, 5, 3.0) == 13.0  # θh = 2 adds up
    assert euler_maruyama_ou_variance(1.0, 1.0, 3.0, 10_000) == math.inf
    assert euler_maruyama_ou_variance(1.0, 0.0, 3.0, 10_000) == 0.0
    assert euler_maruyama_ou_variance(0.5, 1.0, 1e-9) == pytest.approx(1.0)
    for h in (2.0, 2.5):
        with pytest.raises(ValueError, match="expected below 2"):
            euler_maruyama_ou_variance(1.0, 1.0, h)


@pytest.mark.parametrize(
    "arguments",
    [(0.0, 1.0, 0.1), (1.0, -1.0, 0.1), (1.0, 1.0, 0.0), (math.nan, 1.0, 0.1), (1.0, 1.0, 0.1, -1)],
)
def test_bad_parameters_are_refused(arguments):
    with pytest.raises(ValueError, match="is"):
        euler_maruyama_ou_variance(*arguments)


def test_brownian_covariance_is_the_smaller_time():
    times = torch.tensor([0.0, 0.5, 2.0], dtype=torch.float64)
    expected = [[0.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.0, 0.5, 2.0]]
    assert brownian_covariance(times).tolist() == expected
    for bad in ([[1.0]], [-1.0], [math.nan], []):
        with pytest.raises(ValueError, match="times"):
            brownian_covariance(bad)
