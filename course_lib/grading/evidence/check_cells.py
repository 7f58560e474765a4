"""Check cells that are not as they were released. They are graded as released all the same."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from course_lib.grading.evidence.cells import Cell, parsed
from course_lib.grading.evidence.item import Evidence, shown
from course_lib.grading.evidence.released import Released, squeezed

__all__ = ["check_cells"]

MOST_LINES = 5


def check_cells(student: str, cells: list[Cell], lab: Released) -> Iterator[Evidence]:
    """Check cells that were changed, deleted or doubled; white space and comments say nothing."""
    texts = {squeezed(cell.source) for cell in cells}
    for name, original in lab.checks.items():
        copies = [cell for cell in cells if cell.name == name]
        if not copies and squeezed(original) not in texts:
            yield Evidence((student,), name, "check-cell", "The check cell is gone.")
        changed = [cell for cell in copies if not _same(cell, original)]
        if changed:
            lines = [
                f"cell {cell.number}, line {number}: {shown(text)}"
                for cell in changed
                for number, text in enumerate(cell.source.splitlines(), 1)
                if squeezed(text) and squeezed(text) not in squeezed(original)
            ]
            sentence = "The check cell was changed; it is graded as it was released."
            yield Evidence((student,), name, "check-cell", sentence, tuple(lines[:MOST_LINES]))
        if len(copies) > 1:
            places = tuple(f"cell {cell.number}" for cell in copies[:MOST_LINES])
            sentence = f"The check cell is there {len(copies)} times."
            yield Evidence((student,), name, "check-cell", sentence, places)


def _same(cell: Cell, original: str) -> bool:
    if squeezed(cell.source) == squeezed(original):
        return True
    expected = parsed(original)[0]
    if cell.tree is None or cell.special or expected is None or len(cell.source) > 10_000:
        return False
    try:
        return ast.dump(cell.tree) == ast.dump(expected)
    except RecursionError:
        return False
