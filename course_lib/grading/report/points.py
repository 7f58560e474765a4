"""Everybody's points: from the gradebook, which knows what was set by hand, else from the table."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.api import (
    Assignment,
    BaseCell,
    Grade,
    Gradebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.coursedir import CourseDirectory

from course_lib.notebooks.build import load_config
from course_lib.notebooks.course import Course

__all__ = ["Points", "TableRow", "from_gradebook", "from_table"]


@dataclass(frozen=True)
class Points:
    """One student's points.

    Attributes:
        total: The sum.
        checks: The points of each check.
        by_hand: Whether somebody set some of them by hand.
    """

    total: float
    checks: Mapping[str, float] = field(default_factory=dict)
    by_hand: bool = False


@dataclass(frozen=True)
class TableRow:
    """One student's row in the table of scores; `points` is None without a grade."""

    status: str
    reason: str
    points: Points | None


def from_gradebook(course: Course, lab: str) -> dict[str, Points] | None:
    """The points of all who have a grade, by student; None if there is no gradebook.

    Raises:
        Exception: If there is one and it cannot be read.
    """
    directory = CourseDirectory(config=load_config(course), assignment_id=lab)
    file = directory.db_url.removeprefix("sqlite:///")
    if file != directory.db_url and not (Path(file).is_file() and Path(file).stat().st_size):
        return None
    with Gradebook(directory.db_url, directory.course_id) as gradebook:
        rows = (
            gradebook.db.query(
                Student.id, BaseCell.name, Grade.auto_score, Grade.manual_score, Grade.extra_credit
            )
            .select_from(Grade)
            .join(BaseCell, Grade.cell_id == BaseCell.id)
            .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
            .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .join(Student, SubmittedAssignment.student_id == Student.id)
            .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
            .filter(Assignment.name == lab, Assignment.course_id == directory.course_id)
            .all()
        )
    return _by_student([tuple(row) for row in rows])


def _by_student(rows: list[tuple]) -> dict[str, Points]:
    """As `Book.score` does it: somebody with an unscored check has no grade."""
    checks: dict[str, dict[str, float]] = {}
    by_hand: set[str] = set()
    unscored: set[str] = set()
    for student, check, auto, manual, extra in rows:
        if auto is None and manual is None:
            unscored.add(student)
            continue
        checks.setdefault(student, {})[check] = (auto if manual is None else manual) + (extra or 0)
        if manual is not None or extra:
            by_hand.add(student)
    return {
        student: Points(sum(each.values()), each, student in by_hand)
        for student, each in checks.items()
        if student not in unscored
    }


def from_table(path: Path, checks: Mapping[str, float]) -> dict[str, TableRow]:
    """Read `grades/<lab>.csv`, by student; empty if there is none.

    Args:
        path: The table.
        checks: The points of each check, by name: the columns to read.

    Raises:
        ValueError: If it is there and cannot be read.
    """
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            return {_id(row): _row(row, checks) for row in csv.DictReader(file) if _id(row)}
    except (OSError, csv.Error) as error:
        raise ValueError(f"{path.name} cannot be read: {error}") from None


def _id(row: Mapping[str, str | None]) -> str:
    name = row.get("student") or ""
    return name[1:] if name[:1] == "'" and name[1:2] in "=+-@" else name


def _row(row: Mapping[str, str | None], checks: Mapping[str, float]) -> TableRow:
    total = _number(row.get("score"))
    each = {check: value for check in checks if (value := _number(row.get(check))) is not None}
    points = None if total is None else Points(total, each)
    return TableRow(row.get("status") or "", row.get("reason") or "", points)


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and 0 <= value <= 1e6 else None
