"""Code that changes the machinery, reaches outside the notebook, or reads a check's answer."""

from __future__ import annotations

from collections.abc import Iterator

from course_lib.grading.evidence.cells import Cell
from course_lib.grading.evidence.deeds import deeds
from course_lib.grading.evidence.item import Evidence, shown
from course_lib.grading.evidence.names import Binding, Names, run_on, walk
from course_lib.grading.evidence.special_lines import special_lines
from course_lib.grading.evidence.words import Rule

__all__ = ["reaches"]

MOST_LINES = 5


def reaches(student: str, cells: list[Cell]) -> Iterator[Evidence]:
    """What a student's own code does to the machinery around it, one entry for each way."""
    names = _every_name(cells)
    grouped: dict[tuple[str, str, str, str], list[str]] = {}
    for cell in cells:
        if not cell.edited:
            continue
        for (kind, deed), what, line in [*_in_code(cell, names), *special_lines(cell)]:
            lines = grouped.setdefault((cell.check, kind, deed, what), [])
            if line not in lines:
                lines.append(line)
    for (check, kind, deed, what), lines in grouped.items():
        about = f" ({shown(what, 80)})" if what else ""
        sentence = f"The code {deed}{about}."
        yield Evidence((student,), check, kind, sentence, tuple(lines[:MOST_LINES]))


def _every_name(cells: list[Cell]) -> Names:
    """The notebook's names with all that they are ever bound to."""
    found: dict[str, list[Binding]] = {}
    for cell in cells:
        alone: dict[str, list[Binding]] = {}
        run_on(alone, cell)
        for name, each in alone.items():
            found.setdefault(name, []).extend(each)
    return Names(found)


def _in_code(cell: Cell, names: Names) -> Iterator[tuple[Rule, str, str]]:
    """What a cell's code does: the rule, what it is about, and the line."""
    for place in walk(cell.tree) if cell.tree else ():
        for rule, what in deeds(place, names):
            yield rule, what, cell.line(place.node)
