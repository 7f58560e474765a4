"""Do to a notebook what an editor, a merge or a curious student does: with whole cells."""

import copy
import random
from collections.abc import Callable
from typing import Any

__all__ = ["CELL_CHANGES"]

Cells = list[dict[str, Any]]

CODE = [
    "", " ", "\n" * 5000, "\0", "\x1b[31m", "\ud83d", "# \udc00", "\u202egnp.txt", "\ufeff1",
    "%%bash\nrm -rf /", "%%html\n<script>alert(1)</script>", "!ls", "%run other.py", "?print",
    "%%javascript\nx", "%%cython", "%", "!", "??", "x = !ls", "get_ipython().magic('reset -f')",
    "def", "((((", "x = '", "'''", "\\", "\t\tx\n  y", "await x", "return 1", "yield", "import *",
    "from __future__ import braces", "print(1", "0" * 5000, "9" * 5000, "1_" * 2000, "a" * 100_000,
    "(" * 300, "(" * 100_000, "[" * 90 + "]" * 90, "-" * 50_000 + "1", "not " * 20_000 + "x",
    "x" + ".y" * 20_000, "x" + "[0]" * 20_000, "1" + "+1" * 20_000, "f(" * 80 + ")" * 80,
    "lambda: " * 5000 + "0", "if x:\n " * 90 + "pass", "x = " * 20_000 + "1", "a\n" * 10_000,
    "f'{" * 60 + "x" + "}'" * 60, "@x\n" * 5000 + "def f(): pass", "é = 1", "# " + "é" * 50_000,
    " " * 50_000, "x y\n" + " " * 50_000 + "a b", "x y\n" + "? " * 25_000, "= " * 25_000 + "%",
    "x y\n" + "a " * 25_000 + "= %", "%" + "\t" * 50_000 + "?x",
    "check(lab1.EulerStep, euler_step)",
    "from course_lib.checks import check, lab1\ncheck(lab1.EulerStep, lambda *a: 0)", "del check",
]  # fmt: skip
IDS = ["", "a", "a" * 65, "ä", "../x", "<b>", "\0", "\ud800", "a b", "-", 0, None, [], {"a": 1}]
TYPES = ["code", "markdown", "raw", "heading", "html", "Code", "", None, 1, [], "code\0"]
MILLION = ["x = 1\n" * 170_000, "x" * 1_000_000, "'" + "y" * 1_000_000 + "'", "# é\n" * 250_000]


def _shuffle(draw: random.Random, cells: Cells) -> None:
    draw.shuffle(cells)


def _reverse(_: random.Random, cells: Cells) -> None:
    cells.reverse()


def _delete(draw: random.Random, cells: Cells) -> None:
    for _ in range(draw.choice([1, 2, len(cells) // 2, len(cells) - 1])):
        del cells[draw.randrange(len(cells))]


def _duplicate(draw: random.Random, cells: Cells) -> None:
    for _ in range(draw.choice([1, 2, 10])):
        cells.insert(draw.randrange(len(cells)), copy.deepcopy(draw.choice(cells)))


def _twice(draw: random.Random, cells: Cells) -> None:
    """The whole notebook again, as after a bad merge."""
    cells += copy.deepcopy(draw.choice([cells, cells[::-1]]))


def _move(draw: random.Random, cells: Cells) -> None:
    for _ in range(draw.choice([1, 3, 10])):
        cells.insert(draw.randrange(len(cells)), cells.pop(draw.randrange(len(cells))))


def _swap(draw: random.Random, cells: Cells) -> None:
    key = draw.choice(["metadata", "source", "cell_type", "id"])
    for _ in range(draw.choice([1, 3, 20])):
        one, other = draw.choice(cells), draw.choice(cells)
        one[key], other[key] = other.get(key), one.get(key)


def _other_names(draw: random.Random, cells: Cells) -> None:
    known = [c for c in cells if "nbgrader" in c["metadata"]]
    names = [c["metadata"]["nbgrader"]["grade_id"] for c in known]
    names += [
        "",
        "x",
        "mixture-score",
        "euler-step-answer-2",
        "cell-1",
        "-answer",
        "\ud800",
        "a" * 999,
    ]
    for _ in range(draw.choice([1, 2, len(known)])):
        draw.choice(known)["metadata"]["nbgrader"]["grade_id"] = draw.choice(names)


def _one_name(draw: random.Random, cells: Cells) -> None:
    """All cells under one name."""
    known = copy.deepcopy(draw.choice([c for c in cells if "nbgrader" in c["metadata"]]))
    for cell in cells:
        cell["metadata"] = copy.deepcopy(known["metadata"])


def _no_names(draw: random.Random, cells: Cells) -> None:
    share = draw.choice([0.1, 0.5, 1.0])
    for cell in cells:
        if draw.random() < share:
            cell["metadata"] = {}


def _types(draw: random.Random, cells: Cells) -> None:
    kind = draw.choice(TYPES)
    for cell in cells if draw.random() < 0.3 else draw.sample(cells, 3):
        cell["cell_type"] = kind


def _ids(draw: random.Random, cells: Cells) -> None:
    for cell in cells:
        cell["id"] = draw.choice(IDS)


def _code(draw: random.Random, cells: Cells) -> None:
    for _ in range(draw.choice([1, 1, 3])):
        draw.choice([c for c in cells if c["cell_type"] == "code"])["source"] = draw.choice(CODE)


def _more_code(draw: random.Random, cells: Cells) -> None:
    cell = draw.choice([c for c in cells if c["cell_type"] == "code"])
    cell["source"] = "".join(cell["source"]) + "\n" + draw.choice(CODE)


def _many(draw: random.Random, cells: Cells) -> None:
    code = draw.choice(["1", "", draw.choice(CODE)[:2000]])
    more = [
        {"cell_type": "code", "source": code, "metadata": {}, "outputs": [], "execution_count": 1}
        for _ in range(1000)
    ]
    place = draw.randrange(len(cells))
    cells[place:place] = more


def _million(draw: random.Random, cells: Cells) -> None:
    draw.choice(cells)["source"] = draw.choice(MILLION)


def _outputs(draw: random.Random, cells: Cells) -> None:
    odd = [
        {"output_type": "stream", "name": "stdout", "text": "x" * 100_000},
        {"output_type": "display_data", "data": {"text/html": "<script>"}, "metadata": {}},
        {"output_type": "display_data", "data": {"image/png": "none"}, "metadata": {"a": [1]}},
        {"output_type": "error", "ename": 1, "evalue": None, "traceback": "x"},
        {"output_type": "execute_result", "data": {"text/plain": "1"}},
        {"output_type": "x"}, {}, 1, None, "x",
    ]  # fmt: skip
    for cell in cells:
        cell["outputs"] = draw.choice([odd, draw.choice(odd), [draw.choice(odd)]])
        cell["execution_count"] = draw.choice([None, 1, -1, "1", [], 10**30])


def _extras(draw: random.Random, cells: Cells) -> None:
    extras: dict[str, list[Any]] = {
        "attachments": [{}, {"a.png": {"image/png": "AAAA"}}, {"a": 1}, [], None, "x"],
        "tags": [["a"], ["a", "a"], ["hide,input"], [1], "a", {"a": 1}, [["a"]], ["\ud800"]],
        "collapsed": [True, "x"], "deletable": [False, 1], "metadata": [{"tags": ["raises"]}],
    }  # fmt: skip
    for cell in cells:
        key = draw.choice(list(extras))
        holder = cell if key in ("attachments", "metadata") else cell["metadata"]
        if key != "metadata" or draw.random() < 0.1:
            holder[key] = copy.deepcopy(draw.choice(extras[key]))


CELL_CHANGES: list[Callable[[random.Random, Cells], None]] = [
    _shuffle, _shuffle, _reverse, _delete, _delete, _duplicate, _twice, _move, _swap, _swap, _swap,
    _other_names, _other_names, _one_name, _no_names, _types, _types, _ids, _code, _code, _code,
    _more_code, _more_code, _many, _million, _outputs, _extras, _extras,
]  # fmt: skip
