"""One entry a student, put together from the record, the gradebook and the table of scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from course_lib.checks import Verdict
from course_lib.grading import scores
from course_lib.grading.judge import SUSPECT
from course_lib.grading.read_record import Damaged, load_record
from course_lib.grading.record import Record
from course_lib.grading.report.points import Points, TableRow, from_gradebook, from_table
from course_lib.notebooks.course import Course

__all__ = ["DAMAGED", "ClassRecord", "Entry", "read_class"]

DAMAGED = "damaged record"


@dataclass(frozen=True)
class Entry:
    """What is known of one student.

    Attributes:
        student: The student's id.
        status: As in the table of scores, or `damaged record`.
        score: The points, None without a grade.
        earned: The points of each check.
        verdicts: What was said of each check.
        reasons: What a person should know, a sentence each.
        look: Whether somebody should look at the hand-in.
        by_hand: Whether somebody set points by hand.
    """

    student: str
    status: str
    score: float | None = None
    earned: Mapping[str, float] = field(default_factory=dict)
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    look: bool = False
    by_hand: bool = False


@dataclass(frozen=True)
class ClassRecord:
    """What is known of a class.

    Attributes:
        entries: One a student, by id.
        problems: What could not be read, a sentence each.
    """

    entries: tuple[Entry, ...]
    problems: tuple[str, ...] = ()


def read_class(course: Course, lab: str, checks: Mapping[str, float]) -> ClassRecord:
    """Read all that was graded in a lab.

    Args:
        course: Where `autograded/`, `grades/` and the gradebook lie.
        lab: The lab's name.
        checks: The points of each check, by name.
    """
    problems: list[str] = []
    try:
        book = from_gradebook(course, lab)
    except Exception as error:
        book = None
        kind = type(error).__name__
        problems.append(f"The gradebook cannot be read ({kind}); points set by hand may be missing")
    try:
        table = from_table(course.root / "grades" / f"{lab}.csv", checks)
    except ValueError as error:
        table = {}
        problems.append(str(error))
    paths = {
        path.parent.parent.name: path
        for path in (course.root / "autograded").glob(f"*/{lab}/verdicts.json")
    }
    entries = []
    for student in sorted({*paths, *table, *(book or {})}):
        record, damaged = Record(lab, student), ""
        if student in paths:
            try:
                record = load_record(paths[student])
            except Damaged as error:
                damaged = str(error)
        row = table.get(student)
        if book is not None:
            points = book.get(student)
        else:
            points = row.points if row else _from_record(record)
        entries.append(_entry(record, damaged, row, points, checks, student))
    return ClassRecord(tuple(entries), tuple(problems))


def _from_record(record: Record) -> Points | None:
    each = record.points
    return Points(sum(each.values()), each) if each else None


def _entry(
    record: Record,
    damaged: str,
    row: TableRow | None,
    points: Points | None,
    checks: Mapping[str, float],
    student: str,
) -> Entry:
    verdicts = {v.check: v for v in record.verdicts if v.check in checks}
    suspect = [name for name, verdict in verdicts.items() if verdict.fault in SUSPECT]
    status = DAMAGED if damaged else _status(record, row)
    reasons = record.reasons
    if not reasons:
        told = (row.reason if row else "") or record.stopped
        reasons = (told,) if told else ()
    if damaged:
        reasons = (f"the record of this hand-in is damaged: {damaged}", *reasons)
    look = record.look or bool(suspect or damaged)
    earned = points.checks if points else {}
    return Entry(
        student=student,
        status=status,
        score=points.total if points else None,
        earned={name: value for name, value in earned.items() if name in checks},
        verdicts=verdicts,
        reasons=reasons,
        look=look or status in scores.NEEDS_A_LOOK,
        by_hand=bool(points and points.by_hand),
    )


def _status(record: Record, row: TableRow | None) -> str:
    """The record's word, unless the table is about a run that the record knows nothing of."""
    if row and row.status in (scores.KEPT, scores.NOT_REACHED):
        return row.status
    graded = scores.CUT_SHORT if record.stopped else scores.GRADED if record.verdicts else ""
    return record.status or (row.status if row else "") or graded or "no record"
