import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.noise import categorical, normal, uniform
from course_lib.shapes import as_floats, check_count, check_number, check_points, expand_time


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_time_broadcasts_against_points_and_images(shape):
    x = torch.randn(shape)
    t = torch.arange(shape[0]) + 1.0
    scaled = expand_time(t, x) * x
    for i in range(shape[0]):
        assert torch.equal(scaled[i], t[i] * x[i])
    assert (expand_time(torch.tensor(2.0), x) * x).shape == x.shape
    assert expand_time(0.5, x.double()).dtype == torch.float64


def test_expanded_time_is_a_view():
    t = torch.rand(3)
    assert expand_time(t, torch.ones(3, 1, 4, 4)).data_ptr() == t.data_ptr()


@pytest.mark.parametrize("t", [torch.rand(2), torch.rand(3, 1), torch.rand(1), "now"])
def test_misshapen_time_is_refused(t):
    with pytest.raises(ValueError, match=r"expected .*\(batch,\)"):
        expand_time(t, torch.ones(3, 2))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.ones(4, 3), r"shape \(4, 3\); expected \(\.\.\., 2\)"),
        (torch.ones(()), r"expected \(\.\.\., 2\)"),
        (torch.ones(0, 2), "at least one point"),
        (torch.ones(4, 2, dtype=torch.long), "floating-point"),
        ([[1.0, 2.0]], "list"),
    ],
)
def test_bad_points_are_refused(x, message):
    with pytest.raises(ValueError, match=message):
        check_points(x, 2)


def test_number_checks_name_what_came():
    assert check_count("n", 3) == 3
    assert check_number("h", 2) == 2.0
    for bad in (0, -1, 2.0, True, "3"):
        with pytest.raises(ValueError, match="n is"):
            check_count("n", bad)
    with pytest.raises(ValueError, match="h is nan"):
        check_number("h", float("nan"))
    with pytest.raises(ValueError, match="positive"):
        check_number("h", 0.0, positive=True)
    with pytest.raises(ValueError, match=r"expected 1\.0 or more"):
        check_number("h", 0.5, least=1.0)


def test_as_floats_keeps_float64_and_refuses_nan():
    assert as_floats("m", [1, 2]).dtype == torch.float32
    assert as_floats("m", torch.ones(2, dtype=torch.float64)).dtype == torch.float64
    with pytest.raises(ValueError, match="m has NaN"):
        as_floats("m", [1.0, float("nan")])


def test_draws_follow_the_generator_and_the_tensor():
    like = torch.empty((), dtype=torch.float64)
    for draw in (normal, uniform):
        first = draw((5, 2), like, torch.Generator().manual_seed(1))
        again = draw((5, 2), like, torch.Generator().manual_seed(1))
        assert first.dtype == torch.float64
        assert torch.equal(first, again)
    labels = categorical(torch.tensor([0.0, 1.0]), 7)
    assert labels.tolist() == [1] * 7
