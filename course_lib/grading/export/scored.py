"""Read `grades/<lab>.csv`, the table that `course grade` writes."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import NamedTuple

from course_lib.notebooks.course import CourseError

__all__ = ["Scored", "read_scores"]

COLUMNS = ("student", "status", "score", "max_score")


class Scored(NamedTuple):
    """A student's score.

    Attributes:
        student: The student's id, as `course grade` has it.
        score: The points as the table writes them, such as `34.5`; empty for no grade.
        max_score: What a perfect hand-in earns.
        status: What became of the hand-in: `graded`, `missing`, …
    """

    student: str
    score: str
    max_score: float
    status: str


def read_scores(path: Path) -> list[Scored]:
    """The scores in a table, in its order.

    Raises:
        CourseError: If it cannot be read, is not such a table, or names nobody.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            rows, columns = list(table), table.fieldnames or []
    except FileNotFoundError:
        raise CourseError(f"{path} does not exist: grade the lab first.") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CourseError(f"{path} cannot be read: {error}.") from None
    lacking = [name for name in COLUMNS if name not in columns]
    if lacking:
        raise CourseError(f"{path} is not a table of scores: it has no column {lacking[0]!r}.")
    scores = [_scored(path, number, row) for number, row in enumerate(rows, 2)]
    names = [each.student for each in scores]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise CourseError(f"{path} has two rows for {twice!r}.")
    if not scores:
        raise CourseError(f"{path} has no rows.")
    return scores


def _scored(path: Path, number: int, row: dict[str, str | None]) -> Scored:
    student, status, score, most = ((row[name] or "").strip() for name in COLUMNS)
    if student[:1] == "'" and student[1:2] in ("=", "+", "-", "@"):  # as `course grade` guards it
        student = student[1:]
    if not student:
        raise CourseError(f"{path}, line {number}: the student has no name.")
    for text in (most, *([score] if score else [])):
        try:
            points = float(text)
        except ValueError:
            points = math.nan
        if not (math.isfinite(points) and points >= 0):
            raise CourseError(f"{path}, line {number}: points were expected, and {text!r} came.")
    return Scored(student, score, float(most), status)
