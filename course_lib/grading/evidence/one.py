"""What in one hand-in a person should look at."""

from __future__ import annotations

from typing import Any

from course_lib.checks.registry import checks_of
from course_lib.grading.evidence.cells import Cell, read_cells
from course_lib.grading.evidence.check_cells import check_cells
from course_lib.grading.evidence.forwards import forwards
from course_lib.grading.evidence.item import Evidence
from course_lib.grading.evidence.reaches import reaches
from course_lib.grading.evidence.released import released
from course_lib.notebooks.course import Course

__all__ = ["of_one"]


def of_one(lab: str, student: str, notebook: Any, course: Course | None = None) -> list[Evidence]:
    """Read one hand-in, without running it.

    Args:
        lab: The lab's name.
        student: Whose hand-in it is.
        notebook: The hand-in, as nbformat or as `json` reads it.
        course: Where the lab lies; the default is the course around the current folder.

    Returns:
        What was found, in the order of the lab; nothing for an honest hand-in.

    Raises:
        CourseError: If the lab cannot be read.
        ValueError: If the lab has no checks.
    """
    checks, given = checks_of(lab), released(lab, course)
    cells = read_cells(notebook, given)
    found = [_unread(student, cell) for cell in cells if cell.unread]
    found += forwards(student, cells, given, checks)
    found += reaches(student, cells)
    found += check_cells(student, cells, given)
    order = {name: place for place, name in enumerate(given.checks)}
    return sorted(found, key=lambda item: order.get(item.check, len(order)))


def _unread(student: str, cell: Cell) -> Evidence:
    sentence = f"Cell {cell.number} was not read: {cell.unread}."
    return Evidence((student,), cell.check, "not-read", sentence)
