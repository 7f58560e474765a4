"""The answer cells of a notebook, by the check that they answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["answer_cells", "grade_id", "source_of", "title_of"]

_ANSWER = re.compile(r"(?P<check>.+)-answer(-\d+)?")


def answer_cells(cells: Iterable[Any]) -> dict[str, list[Mapping[str, Any]]]:
    """The cells `<check>-answer`, `<check>-answer-2`, … by check, in the notebook's order.

    Args:
        cells: Cells as nbformat or as `json` reads them; whatever is not a cell is passed over.
    """
    found: dict[str, list[Mapping[str, Any]]] = {}
    for cell in cells:
        match = _ANSWER.fullmatch(grade_id(cell))
        if match:
            found.setdefault(match["check"], []).append(cell)
    return found


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
