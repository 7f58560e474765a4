"""Compare an answer with what was expected, and say in words how they differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from course_lib.checks.outcome import Fault
from course_lib.checks.plain import Array

__all__ = ["agree", "difference", "kind_of", "numbers"]

_WORDS = {
    float: "a number",
    int: "a number",
    bool: "True or False",
    str: "a string",
    list: "a tuple or list",
    dict: "a dict",
}


def agree(expected: Any, got: Any, rtol: float) -> bool:
    """Whether two plain values agree, kinds and dtypes included."""
    return difference(expected, got, rtol) is None


def difference(expected: Any, got: Any, rtol: float, parts: Sequence[str] = ()) -> Fault | None:
    """The first difference between two plain values, or None.

    Args:
        expected: Plain data from a check's answer.
        got: Plain data from a student.
        rtol: Largest allowed error relative to the largest expected number.
        parts: Names of the items, if `expected` is a list.
    """
    if isinstance(expected, list):
        return _sequence_difference(expected, got, rtol, parts)
    if isinstance(expected, dict):
        if not isinstance(got, dict):
            return Fault("type", f"A dict was expected, and {kind_of(got)} came.")
        if expected.keys() != got.keys():
            wanted, came = ", ".join(map(str, expected)), ", ".join(map(str, got)) or "none"
            return Fault("keys", f"The keys {wanted} were expected, and {came} came.")
        pairs = ((str(k), expected[k], got[k]) for k in expected)
        return _first(pairs, rtol)
    if isinstance(expected, Array):
        return _array_difference(expected, got, rtol)
    if isinstance(expected, bool | str) or expected is None:
        if type(got) is not type(expected):
            return Fault(
                "type", f"{_capital(kind_of(expected))} was expected, and {kind_of(got)} came."
            )
        return None if got == expected else Fault("wrong", f"{got!r} is not right.")
    return _number_difference(expected, got, rtol)


def _sequence_difference(
    expected: list[Any], got: Any, rtol: float, parts: Sequence[str]
) -> Fault | None:
    names = list(parts) or [f"result {i + 1}" for i in range(len(expected))]
    if not isinstance(got, list):
        return Fault(
            "type",
            f"{len(expected)} results were expected ({', '.join(names)}), and {kind_of(got)} came.",
        )
    if len(got) != len(expected):
        return Fault(
            "length",
            f"{len(expected)} results were expected ({', '.join(names)}), and {len(got)} came.",
        )
    return _first(zip(names, expected, got, strict=True), rtol)


def _first(pairs: Any, rtol: float) -> Fault | None:
    for name, expected, got in pairs:
        fault = difference(expected, got, rtol)
        if fault is not None:
            return Fault(fault.name, f"{name}: {fault.message}", fault.detail)
    return None


def _number_difference(expected: float, got: Any, rtol: float) -> Fault | None:
    if isinstance(got, Array) and got.values.size == 1:
        got = got.values.reshape(()).item()
    if isinstance(got, bool) or not isinstance(got, int | float):
        return Fault("type", f"A number was expected, and {kind_of(got)} came.")
    got = float(got)
    if not np.isfinite(got):
        return Fault("not-finite", f"The result is {got}.")
    if abs(got - expected) <= rtol * max(abs(expected), 1e-12):
        return None
    return Fault("wrong", f"{got:.6g} is not right.")


def _array_difference(expected: Array, got: Any, rtol: float) -> Fault | None:
    if isinstance(got, int | float) and not isinstance(got, bool) and expected.values.shape == ():
        number = np.asarray(float(got)).astype(expected.values.dtype)
        got = Array(number, expected.kind, expected.device)
    if not isinstance(got, Array) or got.kind != expected.kind:
        return Fault("type", f"A {expected.kind} was expected, and {kind_of(got)} came.")
    if got.values.shape != expected.values.shape:
        return Fault(
            "shape",
            f"The shape should be {_shape(expected)}, and yours is {_shape(got)}.",
            _broadcast_hint(expected.values.shape, got.values.shape),
        )
    if got.device != expected.device:
        return Fault(
            "device", f"The result should be on {expected.device}, and is on {got.device}."
        )
    if (
        got.values.dtype.kind == "f"
        and not np.isfinite(got.values).all()
        and np.isfinite(expected.values).all()
    ):
        count = int((~np.isfinite(got.values)).sum())
        return Fault(
            "not-finite",
            f"{count} of {got.values.size} numbers are NaN or infinite.",
            "Is something divided by 0, or an exponential too large?",
        )
    if got.dtype != expected.dtype:
        return Fault(
            "dtype",
            f"The inputs are {expected.dtype}, so the result should be too; yours is {got.dtype}.",
            "Give new tensors the dtype of an argument: zeros_like(x), zeros(…, dtype=x.dtype).",
        )
    if expected.values.dtype.kind not in "f":
        if np.array_equal(expected.values, got.values):
            return None
        share = float(np.mean(expected.values != got.values))
        return Fault("wrong", f"{share:.0%} of the entries differ from the right answer.")
    finite = np.isfinite(expected.values)
    if not np.array_equal(finite, np.isfinite(got.values)):
        return Fault("not-finite", "Numbers are finite where they should not be, or the reverse.")
    scale = max(float(np.abs(expected.values[finite]).max(initial=0.0)), 1e-12)
    error = np.abs(expected.values[finite] - got.values[finite])
    if float(error.max(initial=0.0)) <= rtol * scale:
        return None
    return Fault(
        "wrong",
        "The numbers differ from the right answer.",
        f"Largest difference {error.max():.3g}, where the answer's largest number is {scale:.3g}.",
    )


def _shape(array: Array) -> str:
    return str(tuple(array.values.shape))


def _broadcast_hint(expected: tuple[int, ...], got: tuple[int, ...]) -> str:
    if expected == ():
        return "One number is wanted: is the mean (or the sum) over the batch missing?"
    if len(expected) == len(got) and sorted(expected) == sorted(got):
        return "Two axes seem to be exchanged."
    if len(got) == len(expected) + 1 or (len(expected) == 2 and len(got) == 2 and got[0] == got[1]):
        return (
            "Did a tensor of shape (n,) meet one of shape (n, 1)? Give it an axis with [:, None]."
        )
    return ""


def kind_of(value: Any) -> str:
    """What a plain value is, in words: `a tensor of shape (64, 2)`."""
    if isinstance(value, Array):
        return f"a {value.kind} of shape {_shape(value)}"
    if value is None:
        return "nothing"
    return _WORDS.get(type(value), f"a {type(value).__name__}")


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def numbers(value: Any) -> np.ndarray | None:
    """All numbers of a plain value in one flat array, None if there are none."""
    if isinstance(value, Array):
        return value.values.astype(float).ravel() if value.values.dtype.kind in "fiu" else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return np.array([float(value)])
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    found = [n for n in map(numbers, items) if n is not None]
    return np.concatenate(found) if found else None
