"""What the grader asks of nbgrader's gradebook: enter a lab, read a score, forget a grade."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Collection, Iterator, Mapping
from logging import Logger
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbgrader.api import Gradebook, InvalidEntry, MissingEntry
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import AssignLatePenalties
from nbgrader.utils import rmtree
from sqlalchemy.exc import OperationalError
from traitlets.config import Config

from course_lib.checks import checks_of
from course_lib.grading.answers import comments_of
from course_lib.notebooks.course import Course, CourseError

__all__ = ["Book", "Score", "graded_cells"]


class Score(NamedTuple):
    """A student's points for a lab as the gradebook has them, points set by hand included."""

    total: float
    checks: dict[str, float]
    by_hand: bool


class Book:
    """The gradebook of a course, for one lab.

    Attributes:
        checks: The points of each check, by name, in the order of the lab.
    """

    def __init__(
        self, course: Course, config: Config, lab: str, checks: dict[str, float], log: Logger
    ):
        self.course, self.lab, self.checks, self.log = course, lab, checks, log
        self.config = config
        self.directory = CourseDirectory(config=config, assignment_id=lab, log=log)
        self.url, self.course_id = self.directory.db_url, self.directory.course_id
        self._enter(config)

    @contextlib.contextmanager
    def _open(self) -> Iterator[Gradebook]:
        try:
            with Gradebook(self.url, self.course_id) as gradebook:
                yield gradebook
        except InvalidEntry as error:  # so nbgrader calls whatever the database refuses
            if isinstance(error.__context__, OperationalError):
                raise error.__context__ from None
            raise

    def _enter(self, config: Config) -> None:
        """Enter the lab's cells, through nbgrader's own generate_assignment; labs/ stays as it is.

        Raises:
            CourseError: If nbgrader refuses, as when exercises were added after grading began.
        """
        with tempfile.TemporaryDirectory() as scratch:
            elsewhere = Config(config)
            elsewhere.CourseDirectory = Config(config.CourseDirectory)
            elsewhere.CourseDirectory.release_directory = scratch
            directory = CourseDirectory(config=elsewhere, assignment_id=self.lab, log=self.log)
            try:
                GenerateAssignment(
                    coursedir=directory, config=elsewhere, force=True, log=self.log
                ).start()
            except Exception as error:
                self.log.exception("generate_assignment failed")
                raise CourseError(
                    f"nbgrader could not enter {self.lab} into the gradebook: "
                    f"{str(error).strip() or type(error).__name__}"
                ) from error

    @property
    def max_score(self) -> float:
        """What a perfect hand-in earns."""
        return sum(self.checks.values())

    def students(self) -> list[str]:
        """Everybody the gradebook knows."""
        with self._open() as gradebook:
            return sorted(student.id for student in gradebook.students)

    def know(self, student: str) -> None:
        """Make sure that the gradebook knows a student."""
        with self._open() as gradebook:
            gradebook.update_or_create_student(student)

    def score(self, student: str) -> Score | None:
        """A student's score for the lab, None without a grade."""
        with self._open() as gradebook:
            try:
                submission = gradebook.find_submission(self.lab, student)
            except MissingEntry:
                return None
            grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
            if not grades or any(g.auto_score is None and g.manual_score is None for g in grades):
                return None
            by_hand = any(g.manual_score is not None or g.extra_credit for g in grades)
            return Score(float(submission.score), {g.name: float(g.score) for g in grades}, by_hand)

    def auto_points(self, student: str) -> dict[str, float]:
        """The points that the grader gave, by check; empty without a grade."""
        with self._open() as gradebook:
            try:
                submission = gradebook.find_submission(self.lab, student)
            except MissingEntry:
                return {}
            grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
            return {g.name: float(g.auto_score) for g in grades if g.auto_score is not None}

    def comments(self, student: str) -> dict[str, str]:
        """What an instructor wrote about each exercise, by the name of its check."""
        with self._open() as gradebook:
            try:
                submission = gradebook.find_submission(self.lab, student)
            except MissingEntry:
                return {}
            comments = [c for notebook in submission.notebooks for c in notebook.comments]
            return comments_of((comment.name, comment.manual_comment) for comment in comments)

    def enter(self, student: str, points: Mapping[str, float], unanswered: Collection[str]) -> None:
        """Enter a student's points for the lab, all at once; points set by hand stay as they are.

        As nbgrader's own SaveAutoGrades does: points beside a hand-set score ask for a look, and
        an answer cell that nobody touched gets the comment "No response.".

        Args:
            student: Whose; made known if need be.
            points: The points of each check.
            unanswered: The grade_ids of answer cells that are as they were released.
        """
        folder = self.course.root / "submitted" / student / self.lab
        handed_in = self.directory.get_existing_timestamp(str(folder))
        known = {"timestamp": handed_in} if handed_in else {}
        with self._open() as gradebook:
            gradebook.update_or_create_student(student)
            submission = gradebook.update_or_create_submission(self.lab, student, **known)
            (notebook,) = (n for n in submission.notebooks if n.name == self.lab)
            for grade in notebook.grades:
                grade.auto_score = points[grade.name]
                grade.needs_manual_grade = grade.manual_score is not None
            for comment in notebook.comments:
                comment.auto_comment = "No response." if comment.name in unanswered else None
            gradebook.db.commit()
            late = submission.total_seconds_late > 0 or notebook.late_submission_penalty is not None
        if late:
            about = {"notebook": self.lab, "assignment": self.lab, "student": student}
            resources = {"nbgrader": {**about, "db_url": self.url}}
            empty = nbformat.v4.new_notebook()
            AssignLatePenalties(config=self.config, log=self.log).preprocess(empty, resources)

    def forget(self, student: str, handins: Path | None = None) -> Score | None:
        """Remove a student's grade for the lab, with its files; returns the score that it had.

        Args:
            student: Whose.
            handins: The folder that is being graded; what lies in it is never removed.
        """
        earlier = self.score(student)
        with self._open() as gradebook, contextlib.suppress(MissingEntry):
            submission = gradebook.find_submission(self.lab, student)
            for notebook in submission.notebooks:  # nbgrader's own way takes several transactions
                for item in (*notebook.grades, *notebook.comments, notebook):
                    gradebook.db.delete(item)
            gradebook.db.delete(submission)
            gradebook.db.commit()
        for step in ("submitted", "autograded", "feedback"):
            folder = self.course.root / step / student / self.lab
            original = handins is not None and folder.resolve().is_relative_to(handins.resolve())
            if folder.is_dir() and not original:
                rmtree(str(folder))
        return earlier


def graded_cells(course: Course, lab: str) -> dict[str, float]:
    """The lab's checks and their points, as its source notebook has them.

    Raises:
        CourseError: If its notebook cannot be read or does not fit its checks.
    """
    path = course.solutions / lab / f"{lab}.ipynb"
    try:
        cells = nbformat.read(path, as_version=4).cells
        graded = [c.metadata.nbgrader for c in cells if c.metadata.get("nbgrader", {}).get("grade")]
        points = {str(meta["grade_id"]): float(meta["points"]) for meta in graded}
        known_checks = checks_of(lab)
    except Exception as error:
        raise CourseError(f"{path} cannot be graded by: {error}") from None
    unknown = [name for name in points if name not in known_checks]
    if unknown or not points:
        what = f"the graded cell {unknown[0]!r} has no check" if unknown else "no cell is graded"
        raise CourseError(f"{path}: {what}. `course build` writes it anew.")
    return points
