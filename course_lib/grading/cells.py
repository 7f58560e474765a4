"""What nbgrader says of a cell, told without nbgrader, whose import takes a second a process."""

from __future__ import annotations

from nbformat import NotebookNode

__all__ = ["is_grade"]


def is_grade(cell: NotebookNode) -> bool:
    """Whether points are given for the cell."""
    return bool(cell.metadata.get("nbgrader", {}).get("grade", False))
