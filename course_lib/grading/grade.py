"""`course grade`: find the hand-ins, have them graded, say what happened to each."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from traitlets.config import Config

from course_lib.grading import scores
from course_lib.grading.batch import Pool, open_pool
from course_lib.grading.collect import Collected, collect, number_of
from course_lib.grading.gradebook import Book, graded_cells
from course_lib.grading.names import read_roster
from course_lib.grading.options import Options
from course_lib.grading.quiet import quiet
from course_lib.grading.sandbox.bubblewrap import missing
from course_lib.grading.scores import Row, line, write_scores
from course_lib.grading.session import Session
from course_lib.grading.text import printable
from course_lib.notebooks.build import build, labs_in, load_config
from course_lib.notebooks.course import Course, CourseError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["grade"]

FOLDERS = ("submitted", "autograded", "feedback", "grades")
INTERRUPTED = 130


def grade(
    course: Course,
    lab: str,
    submitted: Path,
    roster: Path | None = None,
    options: Options | None = None,
    say: Callable[[str], None] = print,
    pool: Pool | None = None,
) -> int:
    """Grade a folder of hand-ins, and say what happened to each student.

    Hand-ins that have not changed since they were graded keep their grade and are not run again.

    Args:
        course: Where the lab's source is, and where gradebook, feedback and scores go.
        lab: The lab's name.
        submitted: The folder of hand-ins, or a zip of it; see `collect`.
        roster: A file with everybody's id.
        options: How to grade; see `Options`.
        say: Takes the lines for the terminal.
        pool: Where hand-ins are graded, if that has been opened already.

    Returns:
        The exit code: 0 if every hand-in was graded, 1 if somebody should look at one or the run
        was stopped, 130 after Ctrl-C.

    Raises:
        CourseError: If nothing can be graded at all; then nothing was changed.
    """
    options = options or Options()
    if options.limits.cell < 1:
        cell = f"{options.limits.cell:g}"
        raise CourseError(f"A timeout of at least 1 second was expected, and {cell} came.")
    if options.workers < 1:
        raise CourseError(f"At least 1 worker was expected, and {options.workers} came.")
    if lab not in labs_in(course):
        raise CourseError(f"There is no lab {lab!r}. There are: {', '.join(labs_in(course))}.")
    _check_place(course, submitted)
    _check_environment()
    _check_sandbox(options)
    with (
        _opened(pool, options) as pool,
        tempfile.TemporaryDirectory() as scratch,
    ):
        _check_built(course, lab)
        checks, config = graded_cells(course, lab), _config(course)
        expected = read_roster(roster) if roster else []
        collected = collect(
            submitted, lab, Path(scratch), labs_in(course), partial(number_of, course, lab)
        )
        _check_roster(roster, expected, [handin.student for handin in collected.handins])
        _check_writable(course, lab)
        grades = course.root / "grades"
        grades.mkdir(exist_ok=True)
        with _alone(grades / f".{lab}.lock"), quiet(grades / f"{lab}.log") as log:
            book = Book(course, config, lab, checks, log)
            session = Session(course, lab, submitted, book, options, log)
            rows, interrupted = session.run(collected.handins, pool)
            rows += session.absent(expected, {row.student for row in rows})
        rows.sort(key=lambda row: row.student)
        table = grades / f"{lab}.csv"
        try:
            write_scores(table, rows, book.checks)
        except OSError as error:
            raise CourseError(
                f"The grades are in the gradebook, but {table} cannot be written: {error.strerror}."
            ) from None
    _report(rows, collected, course, lab, interrupted, session.halted, say)
    if interrupted:
        return INTERRUPTED
    look = any(row.needs_a_look for row in rows)
    return int(bool(collected.refused or session.halted or look))


def _opened(pool: Pool | None, options: Options) -> contextlib.AbstractContextManager[Pool]:
    if pool is not None:
        return contextlib.nullcontext(pool)
    return open_pool(options.workers, options.isolation, options.scheduler)


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Refuse to grade a lab twice at the same time.

    Raises:
        CourseError: If another `course grade` is at it.
    """
    if fcntl is None:
        yield
        return
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            name = lock.name.split(".")[1]
            raise CourseError(f"Another `course grade {name}` is running in this course.") from None
        yield


def _config(course: Course) -> Config:
    """The course's configuration of nbgrader."""
    try:
        return load_config(course)
    except Exception as error:
        raise CourseError(f"{course.config_file} cannot be used: {error}.") from None


def _check_place(course: Course, submitted: Path) -> None:
    """Refuse to take the course's own folders for students'.

    Raises:
        CourseError: If the hand-ins should lie in one of them.
    """
    place, root = submitted.resolve(), course.root.resolve()
    own = [root / name for name in ("labs", "solutions", "autograded", "feedback", "course_lib")]
    if place == root or any(place.is_relative_to(folder) for folder in own):
        raise CourseError(
            f"{submitted} is a part of the course itself; "
            "a folder or a zip of hand-ins was expected."
        )


def _check_roster(path: Path | None, expected: list[str], students: list[str]) -> None:
    """Refuse a roster that is about other people, or none: everybody on it would be missing.

    Raises:
        CourseError: If nobody who handed in is on it.
    """
    if path is not None and not set(expected) & set(students):
        raise CourseError(
            f"Nobody who handed in is on the roster {path}. It begins with "
            f"{', '.join(expected[:3])}; ids as the hand-ins have them were expected, one a line: "
            f"{', '.join(students[:3])}."
        )


def _check_sandbox(options: Options) -> None:
    """Refuse to run strangers' programs without protection, unless told so.

    Raises:
        CourseError: If there is no sandbox here; says how to get it.
    """
    if options.isolation == "none" or options.scheduler:  # a cluster's workers see for themselves
        return
    why = missing()
    if why:
        raise CourseError(
            "Hand-ins are programs, and here they would run with all your rights: "
            f"{why}. To grade without protection all the same, say --no-sandbox."
        )


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
        with tempfile.TemporaryFile(dir=course.root):  # it has no name that a kill could leave
            pass
        for name in FOLDERS:
            folder = course.root / name
            if folder.is_dir():
                with tempfile.TemporaryFile(dir=folder):
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
    halted: str,
    say: Callable[[str], None],
) -> None:
    width = max((len(row.student) for row in rows), default=0)
    for row in rows:
        say(line(row, width))
    say("")
    for refused in collected.refused:
        say(printable(f"Look: {refused}."))
    if collected.passed_over:
        say(printable(f"Passed over: {', '.join(collected.passed_over)}."))
    if halted:
        say(f"Stopped: {halted}. Mend that and run the command again; nothing is lost.")
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
