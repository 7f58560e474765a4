"""One run of `course grade` over the hand-ins of a lab: who is graded, kept, refused, not reached.

Only this process writes, one student after another. Of each, the record comes last (see `record`),
so that a run that is ended at any moment, by whatever, is finished by the next.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from logging import Logger
from pathlib import Path

import nbformat
from nbgrader.utils import is_solution
from sqlalchemy.exc import OperationalError
from tqdm import tqdm

from course_lib.checks.registry import files_of
from course_lib.grading import scores
from course_lib.grading.batch import Pool, grade_all
from course_lib.grading.collect import EXCHANGE_FILES, NOTHING, Handin, store
from course_lib.grading.evidence import of_one
from course_lib.grading.feedback import feedback_page
from course_lib.grading.gradebook import Book
from course_lib.grading.judge import SUSPECT
from course_lib.grading.options import Options
from course_lib.grading.page import write_page
from course_lib.grading.read_record import read_record
from course_lib.grading.record import (
    Record,
    atomically,
    forget_record,
    key_of,
    write_record,
)
from course_lib.grading.restore import known_cells, restore
from course_lib.grading.scores import Row
from course_lib.grading.work import Graded, Job
from course_lib.notebooks.course import Course

__all__ = ["Session"]


class Halted(Exception):
    """Something for which the run must stop: nothing can be written any more."""


@dataclass(frozen=True)
class _Prepared:
    """A hand-in that is ready to run, its key, its untouched answer cells, what is odd in it."""

    handin: Handin
    job: Job
    key: str
    unanswered: tuple[str, ...]
    signs: tuple[str, ...]


class Session:
    """One run over the hand-ins of one lab."""

    def __init__(
        self, course: Course, lab: str, submitted: Path, book: Book, options: Options, log: Logger
    ):
        self.course, self.lab, self.submitted, self.book = course, lab, submitted, book
        self.options, self.log = options, log
        path = course.solutions / lab / f"{lab}.ipynb"
        self.source = path.read_bytes()
        self.originals = known_cells(nbformat.reads(self.source.decode(), as_version=4).cells)
        self.released = _answers_of(course.labs / lab / f"{lab}.ipynb")
        self.halted = ""  # why the run could not go on

    def run(self, handins: list[Handin], pool: Pool) -> tuple[list[Row], bool]:
        """A row for each hand-in, and whether Ctrl-C ended the run."""
        rows: dict[str, Row] = {}
        bar = tqdm(
            total=len(handins),
            desc=f"Grading {self.lab}",
            unit="hand-in",
            leave=False,
            disable=None,
        )
        interrupted = False
        prepared: dict[str, _Prepared] = {}

        def jobs() -> Iterator[Job]:  # prepared while others run
            for ready in self.jobs(handins, rows):
                prepared[ready.job.student] = ready
                yield replace(ready.job, parent=pool.parent)

        with bar:
            try:
                for graded in grade_all(jobs(), pool.make, pool.workers):
                    rows[graded.student] = self.finish(prepared.pop(graded.student), graded)
                    bar.set_postfix_str(graded.student)
                    bar.update(len(rows) - bar.n)
            except KeyboardInterrupt:
                self.log.warning("interrupted")
                interrupted = True
            except Halted as error:
                self.log.exception("the run was stopped")
                self.halted = str(error)
        for handin in handins:
            if handin.student not in rows:
                rows[handin.student] = self.not_reached(handin.student)
        return list(rows.values()), interrupted

    def jobs(self, handins: list[Handin], rows: dict[str, Row]) -> Iterator[_Prepared]:
        """What has to run, one by one; those of whom there is nothing to run get their rows."""
        for handin in handins:
            try:
                if handin.notebook is None:
                    status = scores.EMPTY if handin.reason == NOTHING else scores.NOT_GRADED
                    reason = "" if handin.reason == NOTHING else handin.reason
                    rows[handin.student] = self.without_grade(handin.student, status, reason)
                    continue
                prepared = self.prepare(handin)
                kept = None if self.options.again else self.kept(prepared)
                if kept is not None:
                    rows[handin.student] = kept
                    continue
            except Halted:
                raise
            except OperationalError as error:  # the gradebook's fault, and nobody's hand-in's
                raise Halted(_what_stopped(error)) from error
            except Exception as error:
                self.log.exception("%s could not be read", handin.student)
                rows[handin.student] = self.failed(handin.student, error)
                continue
            yield prepared

    def prepare(self, handin: Handin) -> _Prepared:
        """A hand-in as a job: its cells restored, its files beside it."""
        assert handin.notebook is not None
        raw = handin.notebook.read_bytes()
        limits = files_of(self.lab)
        files = {
            n: p.read_bytes() for n, p in handin.files.items() if p.stat().st_size <= limits[n]
        }
        notebook = nbformat.reads(raw.decode("utf-8"), as_version=4)
        found = of_one(self.lab, handin.student, notebook, self.course)
        # a check cell that is edited or gone is put right, and is in the report
        odd = [e for e in found if e.kind != "check-cell"]
        signs = tuple(dict.fromkeys(f"{e.check}: {e.sentence}".removeprefix(": ") for e in odd))
        restored = restore(notebook, self.originals)
        answers = {
            c.metadata.nbgrader["grade_id"]: c.source for c in restored.cells if is_solution(c)
        }
        unanswered = [n for n, text in self.released.items() if answers.get(n, text) == text]
        key = key_of(raw, files, self.source, repr((self.options.limits, self.options.isolation)))
        job = Job(
            self.lab, handin.student, nbformat.writes(restored), files,
            self.options.limits, self.options.isolation,
        )  # fmt: skip
        return _Prepared(handin, job, key, tuple(unanswered), signs)

    def kept(self, prepared: _Prepared) -> Row | None:
        """The row of a hand-in that is as it was when it was graded, if its grade still stands."""
        student = prepared.job.student
        record = read_record(self.folder("autograded", student))
        if record is None or record.key != prepared.key:
            return None
        if self.book.auto_points(student) != record.points:
            return None
        try:
            notebook = (self.folder("autograded", student) / f"{self.lab}.ipynb").read_text("utf-8")
            row = self.row(prepared, record)
            self.write_page(row, record, notebook)  # with what was set or written by hand since
        except (OSError, ValueError):
            return None
        return row

    def finish(self, prepared: _Prepared, graded: Graded) -> Row:
        """Write down what became of a hand-in: gradebook, notebook, feedback page, and record."""
        student, handin = graded.student, prepared.handin
        self.log.info("--- %s: %.1f s, %s", student, graded.seconds, graded.failure or "judged")
        if graded.hopeless:
            raise Halted(graded.failure)
        if graded.failure:
            return self.without_grade(student, scores.NOT_GRADED, graded.failure)
        folder = self.folder("autograded", student)
        record = Record(
            self.lab, student, graded.seed, graded.stop, graded.timed_out,
            key=prepared.key, verdicts=graded.verdicts,
        )  # fmt: skip
        try:
            if record.points.keys() != self.book.checks.keys():
                raise RuntimeError("not every check has a score")
            forget_record(folder)  # from here on until the last line nothing is believed
            store(self.course, self.lab, handin)
            write_notebook(folder, self.lab, graded.notebook, self.folder("submitted", student))
            self.book.enter(student, record.points, prepared.unanswered)
            row = self.row(prepared, record)
            self.write_page(row, record, graded.notebook)
            write_record(
                folder, replace(record, status=row.status, reasons=row.reasons, look=row.look)
            )
        except (OSError, OperationalError) as error:
            raise Halted(_what_stopped(error)) from error
        except Exception as error:
            self.log.exception("%s could not be graded", student)
            return self.failed(student, error)
        return row

    def write_page(self, row: Row, record: Record, notebook: str) -> None:
        assert row.score is not None
        notes = [record.stopped] if record.stopped else []
        comments = self.book.comments(row.student)
        text = feedback_page(
            self.lab, row.student, nbformat.reads(notebook, as_version=4),
            record.verdicts, row.score, row.max_score, notes, comments,
        )  # fmt: skip
        write_page(self.page(row.student), text)
        folders = (self.folder(step, row.student) for step in ("submitted", "feedback"))
        copy_exchange_files(*folders)

    def folder(self, step: str, student: str) -> Path:
        return self.course.root / step / student / self.lab

    def page(self, student: str) -> Path:
        return self.folder("feedback", student) / f"{self.lab}.html"

    def row(self, prepared: _Prepared, record: Record) -> Row:
        """The row of a hand-in that went through."""
        handin, student = prepared.handin, record.student
        score = self.book.score(student)
        if score is None or score.checks.keys() != self.book.checks.keys():
            raise RuntimeError("not every check has a score")
        faults = {v.check: v.fault or "partly right" for v in record.verdicts if not v.passed}
        reasons = [record.stopped] if record.stopped else []
        if record.timed_out:
            cells = f"{record.timed_out} cell{'s' * (record.timed_out > 1)}"
            reasons.append(f"{cells} stopped after {self.options.limits.cell:g} s")
        suspect = [v.check for v in record.verdicts if v.fault in SUSPECT]
        if suspect:
            reasons.append(f"look at {', '.join(suspect)}")
        reasons += [sign.removesuffix(".") for sign in prepared.signs[:3]]
        if len(prepared.signs) > 3:
            reasons.append(
                f"{len(prepared.signs) - 3} more of the kind: see `course report {self.lab}`"
            )
        if score.by_hand:
            reasons.append("some points were set by hand")
        if handin.rivals:
            reasons.append(f"graded {handin.name}; also there: {', '.join(handin.rivals)}")
        reasons += [*handin.doubts, *handin.notes]
        count = len(handin.left_out) - len(handin.rivals)
        if count:
            reasons.append(f"{count} other file{'s' * (count > 1)} left out")
        return Row(
            student,
            scores.CUT_SHORT if record.stopped else scores.GRADED,
            score.total,
            self.book.max_score,
            score.checks,
            faults,
            tuple(reasons),
            bool(suspect or prepared.signs or handin.rivals or handin.doubts),
        )

    def failed(self, student: str, error: Exception) -> Row:
        """The row of a hand-in at which the grader itself failed."""
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        return self.without_grade(student, scores.NOT_GRADED, f"the grader failed: {first}")

    def without_grade(self, student: str, status: str, reason: str) -> Row:
        """The row of somebody without a grade; one of an earlier run is removed, and said so."""
        reasons = [reason] if reason else []
        try:
            self.book.know(student)
            earlier = self.book.forget(student, self.submitted)
        except OperationalError as error:
            raise Halted(_what_stopped(error)) from error
        except Exception as error:
            self.log.exception("the earlier grade of %s could not be removed", student)
            reasons.append(f"an earlier grade may still stand: {error}")
            return Row(
                student, status, None, self.book.max_score, reasons=tuple(reasons), look=True
            )
        if earlier is not None:
            self.log.warning("the earlier grade of %s, %g, was removed", student, earlier.total)
            by_hand = ", with points set by hand," if earlier.by_hand else ""
            reasons.append(f"the earlier grade of {earlier.total:g}{by_hand} was removed")
        look = earlier is not None
        return Row(student, status, None, self.book.max_score, reasons=tuple(reasons), look=look)

    def not_reached(self, student: str) -> Row:
        """The row of somebody whose hand-in still waits."""
        reasons: tuple[str, ...] = ()
        if not self.halted:  # else the gradebook may not answer, and each question takes seconds
            with contextlib.suppress(OperationalError):
                earlier = self.book.score(student)
                if earlier:
                    reasons = (f"the gradebook still has {earlier.total:g} from before",)
        return Row(student, scores.NOT_REACHED, None, self.book.max_score, reasons=reasons)

    def absent(self, roster: list[str], present: set[str]) -> list[Row]:
        """Rows for those who are known, to the roster or the gradebook, and have no hand-in.

        None of them if the gradebook does not answer: then the run was stopped, and says so.
        """
        try:
            return self._absent(roster, present)
        except OperationalError as error:
            self.log.exception("the gradebook cannot be read")
            self.halted = self.halted or _what_stopped(error)
            return []

    def _absent(self, roster: list[str], present: set[str]) -> list[Row]:
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
                        reasons=(reason,),
                    )
                )
        return rows


def _answers_of(path: Path) -> dict[str, str]:
    """The answer cells of a notebook, by their grade_id."""
    cells = nbformat.read(path, as_version=4).cells
    return {cell.metadata.nbgrader["grade_id"]: cell.source for cell in cells if is_solution(cell)}


def write_notebook(folder: Path, lab: str, notebook: str, submitted: Path) -> None:
    """Write the graded notebook for formgrader, and the time of handing in if it is known."""
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():  # what an earlier run left
        if path.name not in (f"{lab}.ipynb", "verdicts.json"):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    with atomically(folder / f"{lab}.ipynb") as file:
        file.write(notebook)
    copy_exchange_files(submitted, folder)


def copy_exchange_files(submitted: Path, folder: Path) -> None:
    """Copy what nbgrader's exchange added to a hand-in: it wants it back beside the feedback."""
    for name in EXCHANGE_FILES:
        path = submitted / name
        if path.is_file() and not path.is_symlink():
            shutil.copyfile(path, folder / name)


def _what_stopped(error: Exception) -> str:
    if isinstance(error, OperationalError):
        return f"the gradebook cannot be written: {error.orig}"
    if isinstance(error, OSError):
        return f"{error.filename or 'the course folder'} cannot be written: {error.strerror}"
    return str(error)
