"""Answers that no check hands over: forged outcomes, with arrays that lie."""

import base64
import io
import math
import random
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["BIG", "array", "forged_outcome", "header", "odd_array", "odd_value"]

NAN, INF = math.nan, math.inf
SHAPES: list[tuple[int, ...]] = [
    (), (0,), (1,), (2,), (7,), (64,), (1000,), (0, 2), (1, 2), (2, 0), (64, 2), (1000, 2),
    (999, 2), (2000, 2), (64, 1), (2, 64), (64, 64), (5, 1000, 2), (6, 400, 2), (3, 0, 2),
    (256, 157), (32, 4),
    (200, 1, 28, 28), (20, 1, 28, 28), (1, 1, 28, 28), (4, 1, 28, 28), (200, 784), (1,) * 32,
]  # fmt: skip
DTYPES = ["f8", "f4", "f2", "i8", "i4", "u1", "u8", "b1", ">f8", ">i4"]
# 64 MiB and a little less, in every number of axes
BIG: list[tuple[tuple[int, ...], str]] = [
    ((2**26,), "u1"), ((2**26,), "b1"), ((2**23,), "f8"), ((2**22, 2), "f8"), ((2**23, 2), "f4"),
    ((2, 2**22), "f8"), ((2896, 2896), "f8"), ((2**25, 2), "u1"), ((2**25, 2), "b1"),
    ((2**24, 2), "f2"), ((32, 2**17, 2), "f8"), ((2**22, 1, 2), "f8"), ((10_699, 1, 28, 28), "f8"),
    ((200, 1, 28, 28), "f8"), ((2**20, 1, 8, 8), "u1"), ((1, 2**25, 2), "u1"), ((2**23, 1), "f8"),
]  # fmt: skip
HEADERS = [
    "{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 4), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-2, -4), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (8.0,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (True,), }",
    "{'descr': '<f8', 'fortran_order': 2, 'shape': (8,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': 8, }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 10**30), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 1000000000000000000000), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': " + f"({'1, ' * 64}), }}",
    "{'descr': '|O', 'fortran_order': False, 'shape': (8,), }",
    "{'descr': '<c16', 'fortran_order': False, 'shape': (4,), }",
    "{'descr': '<f16', 'fortran_order': False, 'shape': (4,), }",
    "{'descr': '<U16', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '|S64', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '|V64', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '<M8[s]', 'fortran_order': False, 'shape': (8,), }",
    "{'descr': [('a', '<f8'), ('b', '<i4', (2,))], 'fortran_order': False, 'shape': (4,), }",
    "{'descr': ('<f8', (2,)), 'fortran_order': False, 'shape': (4,), }",
    "{'descr': '|f0', 'fortran_order': False, 'shape': (8,), }",
    "{'descr': '<f8', 'shape': (8,), }",
    "{'descr': __import__('os').getpid(), 'fortran_order': False, 'shape': (8,), }",
    "[" * 5000 + "]" * 5000, "-" * 60_000, "", "()", "{", "{'a': " * 90 + "1" + "}" * 90, "\0",
]  # fmt: skip


def array(values: np.ndarray, kind: Any = "tensor", device: Any = "cpu") -> dict[str, Any]:
    """An array as a kernel sends it."""
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    return {"array": base64.b64encode(buffer.getvalue()).decode(), "kind": kind, "device": device}


def header(text: str, data: bytes = b"\0" * 64, version: bytes = b"\x01\x00") -> dict[str, Any]:
    """An array whose header says what one likes."""
    raw = text.encode("latin-1", "replace")
    raw = b"\x93NUMPY" + version + struct.pack("<H", len(raw) % 65536) + raw + data
    return {"array": base64.b64encode(raw).decode(), "kind": "tensor", "device": "cpu"}


def odd_array(draw: random.Random) -> Any:
    """An array of some shape and dtype, or something that is none."""
    how = draw.random()
    if how < 0.15:
        version = draw.choice([b"\x01\x00", b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\xff\xff"])
        return header(draw.choice(HEADERS), b"\0" * draw.choice([0, 8, 63, 64, 65]), version)
    if how < 0.25:
        good = array(np.zeros((3, 2)))
        good[draw.choice(list(good))] = draw.choice([None, 1, "", "====", "ä", "x" * 1000, [], {}])
        return good
    shape, dtype = draw.choice(SHAPES), draw.choice(DTYPES)
    make = np.random.default_rng(draw.randrange(2**32))
    fill = draw.choice(["normal", "normal", "zeros", "huge", "nan", "inf", "some"])
    values = make.normal(size=shape) if fill == "normal" else np.zeros(shape)
    if fill in ("nan", "inf", "huge"):
        values = np.full(shape, {"nan": NAN, "inf": INF, "huge": 1e308}[fill])
    if fill == "some" and values.size:
        values.flat[0] = draw.choice([NAN, INF, -INF, 1e308, -1.0, 11.0])
    with np.errstate(all="ignore"):
        values = values.astype(dtype)
    if draw.random() < 0.2:
        values = np.asfortranarray(values)
    return array(values, draw.choice(["tensor", "tensor", "tensor", "numpy array", "", "x" * 99]),
                 draw.choice(["cpu", "cpu", "cpu", "cuda", "meta", ""]))  # fmt: skip


def odd_value(draw: random.Random, depth: int = 0) -> Any:
    """Anything that JSON can hold, and what `encode` writes for arrays, numbers and dicts."""
    how = draw.random()
    if how < 0.45:
        return odd_array(draw)
    if how < 0.65 and depth < 3:
        return [odd_value(draw, depth + 1) for _ in range(draw.choice([0, 1, 2, 2, 3, 4, 5, 6, 9]))]
    if how < 0.7 and depth < 3:
        return {"dict": {str(i): odd_value(draw, depth + 1) for i in range(draw.randrange(3))}}
    return draw.choice(
        [
            None,
            True,
            False,
            0,
            1,
            2,
            -1,
            3.5,
            1e308,
            10**300,
            2**999,
            10**400,
            -(10**400),
            "",
            "a",
            "b",
            "c",
            "d",
            "e",
            "x" * 100000,
            "�",
            "\x00",
            NAN,
            INF,
            {"float": "nan"},
            {"float": "inf"},
            {"float": []},
            {"float": "x"},
            {"dict": []},
            {"dict": {"a": 1}},
            {},
            [],
            {"array": 1},
            [[[[[[[[[1]]]]]]]]],
            [1] * 100000,
            {"a": {"b": {}}},
            [None] * 6,
            [[2, 1, 28, 28]] * 8,
        ]
    )


def forged_outcome(draw: random.Random, name: str) -> Any:
    """An outcome of the check of that name, or what pretends to be one."""
    outcome: dict[str, Any] = {
        "check": name, "output": odd_value(draw), "fault": None, "failings": [], "hints": [],
    }  # fmt: skip
    change: Callable[[], None] = draw.choice([
        lambda: None, lambda: None, lambda: None, lambda: None, lambda: None, lambda: None,
        lambda: outcome.pop(draw.choice(list(outcome))) and None,
        lambda: outcome.update({draw.choice(list(outcome)): odd_value(draw)}),
        lambda: outcome.update(fault=draw.choice([["a", "b", "c"], ["a"], "abc", 1, [1, 2, 3]])),
        lambda: outcome.update(failings=[["no-gradient", "x", ""]] * draw.choice([1, 100_000])),
        lambda: outcome.update(hints=draw.choice([[["h", "m", "d"]], {"a": 1}, "abc", [[]], None])),
        lambda: outcome.update(check=draw.choice(["other", "", 1, None, "x" * 10_000])),
    ])  # fmt: skip
    change()
    return outcome if draw.random() < 0.95 else odd_value(draw)
