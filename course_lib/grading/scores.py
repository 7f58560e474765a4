"""The table of scores: a row a student, a column a check. An empty score is no grade, not 0."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from course_lib.grading.record import atomically
from course_lib.grading.text import printable

__all__ = ["NEEDS_A_LOOK", "Row", "line", "write_scores"]

# Status of a row. Those that somebody should look at make `course grade` exit with 1.
GRADED = "graded"
CUT_SHORT = "cut short"  # ran up to a point; what came before counts
NOT_GRADED = "not graded"
NOT_REACHED = "not reached"
EMPTY = "nothing handed in"
MISSING = "missing"
KEPT = "kept from before"
IN_WORDS = {"no-outcome": "not run", "not-written": "not answered"}
NEEDS_A_LOOK = (CUT_SHORT, NOT_GRADED, NOT_REACHED)


@dataclass(frozen=True)
class Row:
    """What happened to one student.

    Attributes:
        student: The student's id.
        status: `graded`, `cut short`, `not graded`, `not reached`, `nothing handed in`,
            `missing`, or `kept from before` (a grade of an earlier run, no hand-in in this one).
        score: The points, None without a grade.
        max_score: The points of the whole lab.
        checks: The points of each check.
        faults: For each check that did not earn all its points, the fault's name.
        reasons: What a person should know, a sentence each.
        look: Whether somebody should look at it, whatever the status.
    """

    student: str
    status: str
    score: float | None = None
    max_score: float = 0
    checks: Mapping[str, float] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    look: bool = False

    @property
    def reason(self) -> str:
        """All reasons in one line."""
        return "; ".join(reason for reason in self.reasons if reason)

    @property
    def needs_a_look(self) -> bool:
        """Whether somebody should look at it."""
        return self.look or self.status in NEEDS_A_LOOK


def write_scores(path: Path, rows: Iterable[Row], checks: Iterable[str]) -> None:
    """Write the rows as a CSV; the file is either the old one or the whole new one.

    Args:
        path: The file.
        rows: One a student.
        checks: The names of the checks, in the order of the columns.
    """
    checks = list(checks)
    with atomically(path) as file:
        table = csv.writer(file)
        table.writerow(["student", "status", "score", "max_score", *checks, "reason"])
        for row in rows:
            each = [_number(row.checks.get(check)) for check in checks]
            head = [_safe(row.student), row.status, _number(row.score), _number(row.max_score)]
            table.writerow([*head, *each, _safe(row.reason)])


def line(row: Row, width: int) -> str:
    """One student in one line of the terminal: `ada        34.5 / 40   graded`."""
    points = "—" if row.score is None else f"{row.score:g} / {row.max_score:g}"
    words = row.status
    if row.reason:
        words += f": {row.reason}"
    if row.faults:
        counts = Counter(row.faults.values()).most_common()
        named = [_fault(name, count) for name, count in counts[:4]]
        more = f", {len(counts) - 4} more" if len(counts) > 4 else ""
        count = f"{len(row.faults)} check{'s' * (len(row.faults) > 1)}"
        words += f"; {count} not right ({', '.join(named)}{more})"
    return printable(f"{row.student:<{width}}  {points:>11}   {words}")


def _fault(name: str, count: int) -> str:
    if name in IN_WORDS:
        return f"{count} {IN_WORDS[name]}"
    return f"{name} ×{count}" if count > 1 else name


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _safe(text: str) -> str:
    """No spreadsheet takes a name or a reason for a formula."""
    text = printable(" ".join(text.split()))
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
