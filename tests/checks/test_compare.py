import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.checks.compare import agree, difference, numbers
from course_lib.checks.plain import Array, to_plain

X = torch.arange(6, dtype=torch.float64).reshape(2, 3)


def fault(expected, got, rtol=1e-6, parts=()):
    return difference(to_plain(expected), to_plain(got), rtol, parts)


@pytest.mark.parametrize(
    ("expected", "got", "name", "words"),
    [
        (X, X.T, "shape", "(2, 3), and yours is (3, 2)"),
        (X, X[0], "shape", "yours is (3,)"),
        (X[0], X[0][:, None] + X[0], "shape", "yours is (3, 3)"),
        (X, X.float(), "dtype", "float64, so the result should be too; yours is float32"),
        (X, X.long(), "dtype", "int64"),
        (X, X.numpy(), "type", "A tensor was expected, and a numpy array of shape (2, 3) came"),
        (X, X.tolist(), "type", "A tensor was expected, and a tuple or list came"),
        (X, 1.0, "type", "a number came"),
        (X, None, "type", "nothing came"),
        (X, X / 0, "not-finite", "6 of 6 numbers are NaN or infinite"),
        (X, X * math.inf, "not-finite", "6 of 6"),
        (X, X + 1e-4, "wrong", "differ"),
        (X.long(), X.long() + (X > 4), "wrong", "17% of the entries"),
        (X > 1, X > 2, "wrong", "17% of the entries"),
        (X[0, 0], True, "type", "True or False came"),
        (X[0, 1], 1.1, "wrong", "differ"),
        (0.5, True, "type", "A number was expected, and True or False came"),
        (1.0, True, "type", "A number was expected"),
        (0.5, torch.tensor(True), "type", "A number was expected"),
        (0.5, "0.5", "type", "a string came"),
        (0.5, X, "type", "a tensor of shape (2, 3) came"),
        (0.5, [0.5], "type", "a tuple or list came"),
        (0.5, math.nan, "not-finite", "nan"),
        (0.5, -math.inf, "not-finite", "-inf"),
        (0.5, 2**900, "wrong", "not right"),
        (0.5, 0.51, "wrong", "0.51 is not right"),
        (True, 1, "type", "True or False was expected"),
        (True, False, "wrong", "False is not right"),
        ("a", "b", "wrong", "'b' is not right"),
        ("a", 1, "type", "A string was expected"),
        ((1, 2), (1, 2, 3), "length", "2 results were expected (result 1, result 2), and 3 came"),
        ((1, 2), 1, "type", "2 results were expected"),
        ((1, 2), torch.ones(2), "type", "2 results were expected"),
        ((X, 2), (X, 3), "wrong", "result 2: 3 is not right"),
        ({"a": 1}, {"b": 1}, "keys", "The keys a were expected, and b came"),
        ({"a": 1}, {}, "keys", "none came"),
        ({"a": 1}, 1, "type", "A dict was expected"),
        ({"a": X}, {"a": X.T}, "shape", "a: The shape"),
    ],
)  # fmt: skip
def test_a_difference_in_words(expected, got, name, words):
    found = fault(expected, got)
    assert found.name == name
    assert words in found.message
    assert not agree(to_plain(expected), to_plain(got), 1e-6)


def test_hints():
    assert "exchanged" in fault(X, X.T).detail
    assert "[:, None]" in fault(torch.ones(4, 1), torch.ones(4, 4)).detail
    assert "[:, None]" in fault(torch.ones(3), torch.ones(3, 3)).detail
    assert "mean" in fault(X.mean(), X.mean(dim=1)).detail
    assert "dtype=x.dtype" in fault(X, X.float()).detail
    assert "Largest difference 0.1" in fault(X, X + 0.1).detail


def test_the_parts_are_called_by_name():
    found = fault((X, 0.5), (X, 0.6), parts=("the mean", "the deviation"))
    assert found.message == "the deviation: 0.6 is not right."
    assert (
        "(the mean, the deviation)"
        in fault((X, 0.5), X, parts=("the mean", "the deviation")).message
    )


def test_devices_differ():
    got = Array(X.numpy(), "tensor", "cuda")
    found = difference(to_plain(X), got, 1e-6)
    assert found.name == "device"
    assert "on cpu, and is on cuda" in found.message


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (0.5, torch.tensor(0.5)),
        (0.5, torch.tensor([0.5])),
        (0.5, np.float32(0.5)),
        (0.5, torch.tensor(0.5, dtype=torch.float64)),
        (2.0, 2),
        (2, 2.0),
        (torch.tensor(0.5), 0.5),
        (torch.tensor(2.0), 2),
        ((1, X), [1, X]),
        (0.0, 0.0),
        (X, X * (1 + 5e-7)),
        (torch.tensor([1.0, math.nan]), torch.tensor([1.0, math.nan])),
        (None, None),
        (torch.empty(0), torch.empty(0)),
    ],
)
def test_these_agree(expected, got):
    assert fault(expected, got) is None


def test_infinities_must_be_in_the_same_places():
    expected = torch.tensor([1.0, math.nan])
    assert fault(expected, torch.tensor([1.0, 2.0])).name == "not-finite"
    assert fault(expected, torch.tensor([math.nan, 1.0])).name == "not-finite"


@given(st.floats(1e-3, 1e6), st.floats(1e-8, 1e-2), st.floats(-3, 3))
def test_the_tolerance_is_relative_to_the_largest_number(scale, rtol, error):
    expected = scale * torch.tensor([1.0, -0.3, 0.0], dtype=torch.float64)
    got = expected + torch.tensor([0.0, 0.0, error * rtol * scale], dtype=torch.float64)
    if abs(abs(error) - 1) > 1e-3:
        assert (fault(expected, got, rtol) is None) == (abs(error) < 1)


def test_all_numbers_in_one_row():
    value = to_plain({"a": X, "b": [1, 2.5, "word", True], "c": None})
    assert numbers(value).tolist() == [0, 1, 2, 3, 4, 5, 1, 2.5]
    assert numbers("word") is None
    assert numbers(to_plain(X > 1)) is None
