"""The answer cells of a notebook, by the check that they answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from course_lib.grading.read_record import Damaged, read_json

__all__ = [
    "answer_cells",
    "check_of",
    "comments_of",
    "grade_id",
    "read_answers",
    "source_of",
    "title_of",
]

MAX_NOTEBOOK = 64 * 2**20
_ANSWER = re.compile(r"(?P<check>.+)-answer(-\d+)?")


def answer_cells(cells: Iterable[Any]) -> dict[str, list[Mapping[str, Any]]]:
    """The cells `<check>-answer`, `<check>-answer-2`, … by check, in the notebook's order.

    Args:
        cells: Cells as nbformat or as `json` reads them; whatever is not a cell is passed over.
    """
    found: dict[str, list[Mapping[str, Any]]] = {}
    for cell in cells:
        if check := check_of(grade_id(cell)):
            found.setdefault(check, []).append(cell)
    return found


def check_of(name: str) -> str:
    """The check that a cell of this grade_id answers, empty if it is no answer."""
    match = _ANSWER.fullmatch(name)
    return match["check"] if match else ""


def comments_of(cells: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """What was written about each exercise, by the name of its check.

    Args:
        cells: The grade_id and the comment of each cell, an answer's or a check's, in their order.
    """
    found: dict[str, list[str]] = {}
    for name, comment in cells:
        if comment:
            found.setdefault(check_of(name) or name, []).append(comment)
    return {check: "\n".join(comments) for check, comments in found.items()}


def read_answers(path: Path) -> dict[str, str]:
    """The code of each answer, by the name of its check; empty if the notebook cannot be read."""
    try:
        cells = read_json(path, MAX_NOTEBOOK).get("cells")
    except Damaged:
        return {}
    found = answer_cells(cells if isinstance(cells, list) else [])
    return {check: "\n\n".join(map(source_of, cells)) for check, cells in found.items()}


def grade_id(cell: Any) -> str:
    """The name under which nbgrader knows a cell, empty if it does not."""
    for key in ("metadata", "nbgrader", "grade_id"):
        cell = cell.get(key) if isinstance(cell, Mapping) else None
    return cell if isinstance(cell, str) else ""


def source_of(cell: Any) -> str:
    """A cell's text, which a file may hold as one string or as lines."""
    source = cell.get("source", "") if isinstance(cell, Mapping) else ""
    if isinstance(source, list):
        return "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""


def title_of(cells: Iterable[Any], default: str) -> str:
    """The notebook's first heading, at most 120 characters of it."""
    for cell in cells:
        if isinstance(cell, Mapping) and cell.get("cell_type") == "markdown":
            match = re.match(r"#\s+(.+)", source_of(cell))
            if match:
                return match[1].strip()[:120]
    return default
