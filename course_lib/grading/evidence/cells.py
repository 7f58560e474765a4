"""A hand-in's code cells, read as text: parsed where that is safe, never run."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from course_lib.grading.answers import check_of, grade_id, source_of
from course_lib.grading.evidence.item import shown
from course_lib.grading.evidence.released import Released, squeezed

__all__ = ["Cell", "check_of", "parsed", "read_cells"]

MAX_CELL = 100_000  # characters
MAX_NOTEBOOK = 1_000_000
MAX_CELLS = 5_000
# What IPython understands and Python does not: magics, shell lines, help, forced calls.
_SPECIAL = re.compile(r"[%!?/,;].*|.*[^#\s]\s*\?{1,2}")  # of a line without the spaces around it
_CAUGHT = re.compile(r"^(?P<before>[\w.,\s]+=)\s*(?P<special>[%!].*)$")
_PYTHON_INSIDE = re.compile(r"^\s*%%(time|timeit|capture|prun|debug|python3?|py)\b.*$")
_OTHER_INSIDE = re.compile(r"^\s*%%\w")


@dataclass(frozen=True)
class Cell:
    """A code cell.

    Attributes:
        number: Its place in the notebook, from 1.
        name: Its grade_id, empty if it has none.
        source: Its text.
        edited: Whether the text is a student's: not one of the released cells.
        tree: The text as Python, None where it is none.
        special: Lines that IPython alone understands.
        unread: Why it was not read, empty if it was.
    """

    number: int
    name: str
    source: str
    edited: bool
    tree: ast.Module | None = field(default=None, compare=False)
    special: tuple[str, ...] = ()
    unread: str = ""

    @property
    def check(self) -> str:
        """The check whose answer this cell is, empty if it is no answer cell."""
        return check_of(self.name)

    def line(self, node: ast.AST) -> str:
        """Where a piece of code stands, and the line itself."""
        number = getattr(node, "lineno", 0)
        lines = self.source.splitlines()
        text = lines[number - 1] if 0 < number <= len(lines) else ""
        return f"cell {self.number}, line {number}: {shown(text)}"


def read_cells(notebook: Any, lab: Released) -> list[Cell]:
    """The code cells of a hand-in, in order; whatever is malformed is passed over.

    Args:
        notebook: The hand-in as nbformat or as `json` reads it.
        lab: What the lab gave its students.
    """
    cells = notebook.get("cells") if isinstance(notebook, Mapping) else None
    found: list[Cell] = []
    budget = MAX_NOTEBOOK
    for number, cell in enumerate(cells if isinstance(cells, list) else [], 1):
        if not isinstance(cell, Mapping) or cell.get("cell_type") != "code":
            continue
        source, name = source_of(cell), grade_id(cell)
        edited = squeezed(source) not in lab.texts
        unread = ""
        if edited and (len(source) > min(MAX_CELL, budget) or number > MAX_CELLS):
            unread = f"it has {len(source):,} characters"
            found.append(Cell(number, name, source[:MAX_CELL], edited, unread=unread))
            continue
        budget -= len(source) if edited else 0
        tree, special, unread = parsed(source)
        found.append(Cell(number, name, source, edited, tree, special, unread))
    return found


def parsed(source: str) -> tuple[ast.Module | None, tuple[str, ...], str]:
    """A cell's text as Python.

    Returns:
        The tree, None for text that is not Python; the lines that IPython alone understands; and
        why it was not read where it is too deeply nested.
    """
    try:
        return _parse(source), (), ""
    except _TooDeep as error:
        return None, (), str(error)
    except SyntaxError:
        pass
    lines, special = source.splitlines(), []
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if lines and _OTHER_INSIDE.match(lines[first]) and not _PYTHON_INSIDE.match(lines[first]):
        return None, tuple(lines), ""
    for i, line in enumerate(lines):
        caught = _CAUGHT.match(line)
        if caught:
            lines[i], text = f"{caught['before']} None", caught["special"]
        elif _SPECIAL.fullmatch(line.strip()):
            indent = line[: len(line) - len(line.lstrip())]
            lines[i], text = f"{indent}pass", line
        else:
            continue
        special.append(text.strip())
    try:
        return _parse("\n".join(lines)), tuple(special), ""
    except _TooDeep as error:
        return None, tuple(special), str(error)
    except SyntaxError:
        return None, tuple(special) or tuple(source.splitlines()), ""


class _TooDeep(Exception):
    """Text whose nesting the parser does not take."""


def _parse(source: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a stranger's invalid escapes
        try:
            return ast.parse(source)
        except (RecursionError, MemoryError):
            raise _TooDeep("it is nested too deeply") from None
        except SyntaxError:
            raise
        except ValueError as error:  # null bytes, lone surrogates
            raise SyntaxError(str(error)) from None
