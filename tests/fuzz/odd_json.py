"""Damage a notebook as JSON: keys and values of other kinds, at any place."""

import copy
import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["JSON_CHANGES", "ODD_VALUES", "dumped"]


def raw(text: str) -> str:
    """A string that `dumped` replaces by this text, whatever it is."""
    return "\0" + text.encode().hex()


ODD_VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 2**31, 10**30, -(10**400), 1.5, float("nan"), float("inf"),
    float("-inf"), raw("9" * 5000), raw("1e999999"), raw("-0.0"), "", " ", "code", "markdown",
    "\0", "\ud800", "a\udfffb", "\u202e", "x" * 1000, [], {}, [[]], [{}], {"": {}}, [None],
    ["a", 1],
    ["a\n", "b\n"], [["a"]], {"text/plain": 1}, {"nbgrader": 1}, {"nbgrader": {"grade_id": []}},
]  # fmt: skip
KEYS = (
    "cells", "metadata", "source", "outputs", "id", "attachments", "cell_type", "execution_count",
    "nbformat", "nbformat_minor", "kernelspec", "language_info", "nbgrader", "grade_id", "points",
    "locked", "solution", "grade", "schema_version", "checksum", "tags", "worksheets", "name",
    "input", "level", "prompt_number", "signature", "orig_nbformat", "widgets", "__class__", "",
)  # fmt: skip


def dumped(data: Any) -> bytes:
    """As bytes; what is `raw` is put in as it is."""
    text = json.dumps(data)
    return re.sub(r'"\\u0000([0-9a-f]+)"', lambda m: bytes.fromhex(m[1]).decode(), text).encode()


def places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with every key or index."""
    stack = [data]
    while stack:
        holder = stack.pop()
        keys = holder if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            yield holder, key
            if isinstance(holder[key], dict | list):
                stack.append(holder[key])


def _place(draw: random.Random, data: Any) -> tuple[Any, Any]:
    """A place; those of a rare key are as likely as those of a common one."""
    found = list(places(data))
    names = sorted({str(key) for _, key in found if isinstance(key, str)})
    if names and draw.random() < 0.8:
        name = draw.choice(names)
        found = [(holder, key) for holder, key in found if key == name]
    return draw.choice(found)


def _retype(draw: random.Random, data: Any) -> Any:
    for _ in range(draw.choice([1, 1, 1, 2, 5, 40])):
        holder, key = _place(draw, data)  # there are five keys at the top in any case
        holder[key] = copy.deepcopy(draw.choice(ODD_VALUES))
    return data


def _retype_everywhere(draw: random.Random, data: Any) -> Any:
    name, value = draw.choice(KEYS), draw.choice(ODD_VALUES)
    for holder, key in list(places(data)):
        if key == name:
            holder[key] = copy.deepcopy(value)
    return data


def _delete(draw: random.Random, data: Any) -> Any:
    for _ in range(draw.choice([1, 1, 2, 10])):
        if data:
            holder, key = _place(draw, data)
            del holder[key]
    return data


def _delete_everywhere(draw: random.Random, data: Any) -> Any:
    name = draw.choice(KEYS)
    for holder, key in list(places(data)):
        if key == name:
            del holder[key]
    return data


def _add(draw: random.Random, data: Any) -> Any:
    for _ in range(draw.choice([1, 3, 30])):
        holder, _ = draw.choice(list(places(data)))
        value = copy.deepcopy(draw.choice(ODD_VALUES))
        if isinstance(holder, dict):
            holder[draw.choice(KEYS)] = value
        else:
            holder.insert(draw.randrange(len(holder) + 1), value)
    return data


def _double_key(draw: random.Random, data: Any) -> Any:
    """The same key twice, as JSON allows and no dict holds."""
    holder, key = _place(draw, data)
    if isinstance(holder, dict):
        value = json.dumps(draw.choice(ODD_VALUES))
        holder[raw(f"{json.dumps(key)}: {value}, {json.dumps(key)}")] = holder.pop(key)
    return data


def _move(draw: random.Random, data: Any) -> Any:
    (one, first), (other, second) = _place(draw, data), _place(draw, data)
    one[first], other[second] = copy.deepcopy(other[second]), copy.deepcopy(one[first])
    return data


def _nest(draw: random.Random, data: Any) -> Any:
    holder, key = _place(draw, data)
    depth = draw.choice([50, 200, 300, 400, 480, 700, 900, 960, 980, 990, 10_000, 100_000])
    left, right = draw.choice([("[", "]"), ('{"":', "}"), ('[{"a":', "}]")])
    holder[key] = raw(f"{left * depth}0{right * depth}")
    return data


def _list_sources(draw: random.Random, data: Any) -> Any:
    for cell in data["cells"]:
        lines = "".join(cell["source"]).splitlines(keepends=True)
        cell["source"] = draw.choice(
            ["".join(lines), lines, [*"".join(lines)], [[*lines]], [*lines, 1]]
        )
    return data


def _version(draw: random.Random, data: Any) -> Any:
    data["nbformat"] = draw.choice([2, 3, 4, 4, 4, 4, 5, -1, 0, 1, 40, 10**30, "4", 4.0, 4.5, None])
    data["nbformat_minor"] = draw.choice([*range(12), 99, -1, -(2**40), 10**30, "5", 4.5, None])
    return data


JSON_CHANGES: list[Callable[[random.Random, Any], Any]] = [
    _retype, _retype, _retype, _retype_everywhere, _retype_everywhere, _delete, _delete,
    _delete_everywhere, _add, _add, _double_key, _move, _nest, _list_sources, _version, _version,
]  # fmt: skip
