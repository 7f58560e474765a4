"""What in a whole class's hand-ins a person should look at."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_lib.grading.evidence.among import among
from course_lib.grading.evidence.item import Evidence
from course_lib.grading.evidence.one import of_one
from course_lib.notebooks.course import Course

__all__ = ["of_class"]


def of_class(course: Course, lab: str) -> list[Evidence]:
    """What there is to look at in all hand-ins of a lab that lie in `submitted/`.

    Raises:
        CourseError: If the lab cannot be read.
    """
    notebooks = dict(_handed_in(course.root / "submitted", lab))
    found = [e for student, nb in notebooks.items() for e in of_one(lab, student, nb, course)]
    return found + among(lab, notebooks, course)


def _handed_in(folder: Path, lab: str) -> list[tuple[str, NotebookNode]]:
    read = []
    for path in sorted(folder.glob(f"*/{lab}/{lab}.ipynb")):
        try:
            read.append((path.parents[1].name, nbformat.read(path, as_version=4)))
        except Exception:  # nbformat lets many kinds through; such a hand-in has no grade either
            continue
    return read
