"""`course grade`: every hand-in in turn, whatever becomes of the one before."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from logging import Logger
from pathlib import Path

from tqdm import tqdm
from traitlets.config import Config

from course_lib.grading import scores
from course_lib.grading.autograde import AutogradeHandin, autograde, feedback
from course_lib.grading.collect import NOTHING, Collected, Handin, collect, store
from course_lib.grading.gradebook import Book, Score, graded_cells
from course_lib.grading.judge import SUSPECT
from course_lib.grading.names import read_roster
from course_lib.grading.quiet import quiet
from course_lib.grading.scores import Row, line, write_scores
from course_lib.notebooks.build import build, labs_in, load_config
from course_lib.notebooks.course import Course, CourseError

__all__ = ["grade"]

FOLDERS = ("submitted", "autograded", "feedback", "grades")
INTERRUPTED = 130


def grade(
    course: Course,
    lab: str,
    submitted: Path,
    roster: Path | None = None,
    timeout: int = 60,
    say: Callable[[str], None] = print,
) -> int:
    """Grade a folder of hand-ins, and say what happened to each student.

    Args:
        course: Where the lab's source is, and where gradebook, feedback and scores go.
        lab: The lab's name.
        submitted: The folder of hand-ins, or a zip of it; see `collect`.
        roster: A file with everybody's id.
        timeout: Seconds that one cell may run.
        say: Takes the lines for the terminal.

    Returns:
        The exit code: 0 if every hand-in was graded, 1 if somebody should look at one,
        130 after Ctrl-C.

    Raises:
        CourseError: If nothing can be graded at all; then nothing was changed.
    """
    if timeout < 1:
        raise CourseError(f"A timeout of at least 1 second was expected, and {timeout} came.")
    if lab not in labs_in(course):
        raise CourseError(f"There is no lab {lab!r}. There are: {', '.join(labs_in(course))}.")
    _check_environment()
    _check_built(course, lab)
    checks, config = graded_cells(course, lab), _config(course, lab, timeout)
    expected = read_roster(roster) if roster else []
    with tempfile.TemporaryDirectory() as scratch:
        collected = collect(submitted, lab, Path(scratch), labs_in(course))
        _check_writable(course, lab)
        grades = course.root / "grades"
        grades.mkdir(exist_ok=True)
        with quiet(grades / f"{lab}.log") as log:
            book = Book(course, config, lab, checks, log)
            session = _Session(course, lab, submitted, config, book, log)
            rows, interrupted = session.run(collected.handins)
            rows += session.absent(expected, {row.student for row in rows})
        rows.sort(key=lambda row: row.student)
        table = grades / f"{lab}.csv"
        try:
            write_scores(table, rows, book.checks)
        except OSError as error:
            raise CourseError(
                f"The grades are in the gradebook, but {table} cannot be written: {error.strerror}."
            ) from None
    _report(rows, collected, course, lab, interrupted, say)
    if interrupted:
        return INTERRUPTED
    return int(bool(collected.refused) or any(row.needs_a_look for row in rows))


class _Session:
    """One run over the hand-ins of one lab."""

    def __init__(
        self, course: Course, lab: str, submitted: Path, config: Config, book: Book, log: Logger
    ):
        self.course, self.lab, self.submitted = course, lab, submitted
        self.config, self.book, self.log = config, book, log
        self.before: Score | None = None  # what the student being graded had until now

    def run(self, handins: list[Handin]) -> tuple[list[Row], bool]:
        """A row for each hand-in, and whether Ctrl-C ended the run."""
        rows: list[Row] = []
        bar = tqdm(handins, desc=f"Grading {self.lab}", unit="hand-in", leave=False, disable=None)
        with bar:
            for handin in bar:
                bar.set_postfix_str(handin.student)
                try:
                    rows.append(self.one(handin))
                except KeyboardInterrupt:
                    self.log.warning("interrupted while grading %s", handin.student)
                    rows.append(self.interrupted(handin.student))
                    rows += [self.not_reached(rest.student) for rest in handins[len(rows) :]]
                    return rows, True
        return rows, False

    def one(self, handin: Handin) -> Row:
        """Grade one hand-in; whatever goes wrong becomes a reason."""
        student = handin.student
        self.log.info("--- %s", student)
        self.before = None
        try:
            self.before = self.book.score(student)
            self.book.know(student)
            if handin.notebook is None:
                status = scores.EMPTY if handin.reason == NOTHING else scores.NOT_GRADED
                reason = "" if handin.reason == NOTHING else handin.reason
                return self.without_grade(student, status, reason)
            store(self.course, self.lab, handin)
            graded = autograde(self.config, self.lab, student, self.log)
            row = self.graded(student, graded, handin)
        except Exception as error:
            self.log.exception("%s could not be graded", student)
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            return self.without_grade(student, scores.NOT_GRADED, f"the grader failed: {first}")
        try:
            feedback(self.config, self.lab, student, self.log)
        except Exception as error:
            self.log.exception("no feedback page for %s", student)
            reason = f"{row.reason}; " * bool(row.reason) + f"no feedback page: {error}"
            row = replace(row, reason=reason, look=True)
        return row

    def graded(self, student: str, graded: AutogradeHandin, handin: Handin) -> Row:
        """The row of a hand-in that went through."""
        score = self.book.score(student)
        if score is None or score.checks.keys() != self.book.checks.keys():
            raise RuntimeError("not every check has a score")
        faults = {v.check: v.fault or "partly right" for v in graded.verdicts if not v.passed}
        reasons = [graded.run.stop] if graded.run.stop else []
        if graded.run.timed_out:
            cells = f"{graded.run.timed_out} cell{'s' * (graded.run.timed_out > 1)}"
            reasons.append(f"{cells} stopped after {self.config.ExecuteHandin.timeout} s")
        suspect = [v.check for v in graded.verdicts if v.fault in SUSPECT]
        if suspect:
            reasons.append(f"look at {', '.join(suspect)}")
        if score.by_hand:
            reasons.append("some points were set by hand")
        if handin.rivals:
            reasons.append(f"graded {handin.name}; also there: {', '.join(handin.rivals)}")
        reasons += [*handin.doubts, *handin.notes]
        count = len(handin.left_out) - len(handin.rivals)
        if count:
            reasons.append(f"{count} other file{'s' * (count > 1)} left out")
        status = scores.CUT_SHORT if graded.run.stop else scores.GRADED
        return Row(
            student,
            status,
            score.total,
            self.book.max_score,
            score.checks,
            faults,
            "; ".join(reasons),
            bool(suspect or handin.rivals or handin.doubts),
        )

    def without_grade(self, student: str, status: str, reason: str) -> Row:
        """The row of somebody without a grade; one of an earlier run is removed, and said so."""
        try:
            earlier = self.book.forget(student, self.submitted)
        except Exception as error:
            self.log.exception("the earlier grade of %s could not be removed", student)
            reason = f"{reason}; an earlier grade may still stand: {error}".removeprefix("; ")
            return Row(student, status, None, self.book.max_score, reason=reason, look=True)
        if earlier is not None:
            self.log.warning("the earlier grade of %s, %g, was removed", student, earlier.total)
            removed = f"the earlier grade of {earlier.total:g} was removed"
            reason = f"{reason}; {removed}" if reason else removed
        return Row(student, status, None, self.book.max_score, reason=reason)

    def interrupted(self, student: str) -> Row:
        """The row of the one at whom Ctrl-C came: an earlier grade stays if it is still whole."""
        if self.before is not None and self.book.score(student) == self.before:
            return self.not_reached(student)
        return self.without_grade(student, scores.NOT_REACHED, "interrupted")

    def not_reached(self, student: str) -> Row:
        """The row of somebody whose hand-in still waits."""
        earlier = self.book.score(student)
        reason = f"the gradebook still has {earlier.total:g} from before" if earlier else ""
        return Row(student, scores.NOT_REACHED, None, self.book.max_score, reason=reason)

    def absent(self, roster: list[str], present: set[str]) -> list[Row]:
        """Rows for those who are known, to the roster or the gradebook, and have no hand-in."""
        rows = []
        for student in sorted({*roster, *self.book.students()} - present):
            score = self.book.score(student)
            if score is None:
                rows.append(Row(student, scores.MISSING, None, self.book.max_score))
            else:
                reason = "no hand-in in this run; the grade is an earlier run's"
                rows.append(
                    Row(
                        student,
                        scores.KEPT,
                        score.total,
                        self.book.max_score,
                        score.checks,
                        reason=reason,
                    )
                )
        return rows


def _config(course: Course, lab: str, timeout: int) -> Config:
    """The course's configuration of nbgrader, with what our own converters need."""
    try:
        config = load_config(course)
    except Exception as error:
        raise CourseError(f"{course.config_file} cannot be used: {error}.") from None
    config.ExecuteHandin.timeout = timeout
    config.RestoreChecks.source = str(course.solutions / lab / f"{lab}.ipynb")
    return config


def _check_built(course: Course, lab: str) -> None:
    """Refuse to grade with checks or points that are not the ones the lab was built with.

    Raises:
        CourseError: If `course build` has something to do in `solutions/`.
    """
    stale = [path for path in build(course, [lab], check=True).stale if "solutions" in path]
    if stale:
        raise CourseError(f"{stale[0]} is out of date; run `course build`, then grade.")


def _check_environment() -> None:
    for name in ("alembic", "IPython", "ipykernel", "matplotlib", "nbclient", "sqlalchemy"):
        if importlib.util.find_spec(name) is None:
            raise CourseError(
                f"The package {name} is missing, so nothing was graded; `make env` installs it."
            )


def _check_writable(course: Course, lab: str) -> None:
    """Find out before anything changes whether everything can be written.

    Raises:
        CourseError: If not.
    """
    try:
        with tempfile.NamedTemporaryFile(dir=course.root, prefix=".course-"):
            pass
        for name in FOLDERS:
            folder = course.root / name
            if folder.is_dir():
                with tempfile.NamedTemporaryFile(dir=folder, prefix=".course-"):
                    pass
            elif folder.exists():
                raise CourseError(f"{folder} should be a folder, and is a file.")
        for path in (course.root / "gradebook.db", course.root / "grades" / f"{lab}.csv"):
            if path.exists() and not (path.is_file() and os.access(path, os.W_OK)):
                raise CourseError(f"{path} cannot be written.")
        _check_gradebook(course.root / "gradebook.db")
    except OSError as error:
        raise CourseError(
            f"The course folder {course.root} cannot be written: {error.strerror}."
        ) from None


def _check_gradebook(path: Path) -> None:
    if not path.exists():
        return
    try:
        with contextlib.closing(sqlite3.connect(path)) as database:
            (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:  # locked, say: nothing is wrong with the file
        raise CourseError(f"{path} cannot be opened: {error}.") from None
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found != "ok":
        found = " ".join(found.split())
        raise CourseError(f"{path} cannot be read ({found}); move it away to begin a new one.")


def _report(
    rows: list[Row],
    collected: Collected,
    course: Course,
    lab: str,
    interrupted: bool,
    say: Callable[[str], None],
) -> None:
    width = max((len(row.student) for row in rows), default=0)
    for row in rows:
        say(line(row, width))
    say("")
    for refused in collected.refused:
        say(f"Look: {refused}.")
    if collected.passed_over:
        say(f"Passed over: {', '.join(collected.passed_over)}.")
    say(_summary(rows, interrupted))
    say(f"Scores: {course.root / 'grades' / f'{lab}.csv'}")
    say(f"Feedback: {course.root / 'feedback'}   Log: {course.root / 'grades' / f'{lab}.log'}")


def _summary(rows: list[Row], interrupted: bool) -> str:
    """`3 hand-ins: 2 graded, 1 empty. 1 to look at: ada. Not in this run: 2 missing.`"""
    counts = Counter(row.status for row in rows)
    here = (scores.GRADED, scores.CUT_SHORT, scores.NOT_GRADED, scores.NOT_REACHED, scores.EMPTY)
    handins = sum(counts[status] for status in here)
    words = f"{handins} hand-in{'s' * (handins != 1)}: {_counted(counts, here)}."
    if interrupted:
        words = f"Interrupted. {words} What is graded stays graded."
    look = [row.student for row in rows if row.needs_a_look]
    if look:
        words += f" {len(look)} to look at: {', '.join(look)}."
    absent = _counted(counts, (scores.KEPT, scores.MISSING))
    return f"{words} Not in this run: {absent}." if absent else words


def _counted(counts: Counter[str], statuses: tuple[str, ...]) -> str:
    words = {scores.EMPTY: "empty"}
    return ", ".join(f"{counts[s]} {words.get(s, s)}" for s in statuses if counts[s])
