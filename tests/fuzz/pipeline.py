"""The way of a hand-in until it runs: collect, then prepare. Nothing is run."""

import logging
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from course_lib.grading.collect import collect
from course_lib.grading.session import Session
from course_lib.grading.work import Job
from course_lib.notebooks.course import Course

__all__ = ["Outcome", "through"]


class Outcome(NamedTuple):
    """What became of a file.

    Attributes:
        job: What a worker would run, None if nothing.
        reason: Why nothing.
        seconds: Of the processor, that it took to prepare.
    """

    job: Job | None
    reason: str
    seconds: float


class _NoBook:
    """A gradebook in which nobody has a grade."""

    max_score = 4.0
    checks: dict[str, float] = {}

    def know(self, student: str) -> None: ...

    def forget(self, student: str, handins: Path) -> None: ...


def session_for(course: Path) -> Session:
    from course_lib.grading.options import Options

    book: Any = _NoBook()
    return Session(Course(course), "lab1", course, book, Options(), logging.getLogger("fuzz"))


def through(course: Path, home: Path, files: Iterable[tuple[str, bytes]]) -> dict[str, Outcome]:
    """Put each file into a folder of its own, and take them as far as a worker."""
    for name, content in files:
        (home / "in" / name).mkdir(parents=True)
        (home / "in" / name / "lab1.ipynb").write_bytes(content)
    (home / "scratch").mkdir()
    session = session_for(course)
    outcomes = {}
    for handin in collect(home / "in", "lab1", home / "scratch", ["lab1", "lab2"]).handins:
        rows: dict[str, Any] = {}
        started = time.process_time()
        prepared = list(session.jobs([handin], rows))
        seconds = time.process_time() - started
        job = prepared[0].job if prepared else None
        reason = rows[handin.student].reason if rows else ""
        outcomes[handin.student] = Outcome(job, reason, seconds)
    return outcomes
