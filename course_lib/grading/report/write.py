"""From what was graded to the instructor's page."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import nbformat

from course_lib.checks import Check, find_check
from course_lib.grading.answers import read_answers, title_of
from course_lib.grading.gradebook import graded_cells
from course_lib.grading.page import escape, number, page, write_page
from course_lib.grading.report.about_faults import faults_part
from course_lib.grading.report.about_points import lost_part, scores_part
from course_lib.grading.report.about_students import look_part, table_part
from course_lib.grading.report.students import ClassRecord, read_class
from course_lib.grading.report.tallies import misconceptions, other_faults, points_lost
from course_lib.notebooks.build import labs_in
from course_lib.notebooks.course import Course, CourseError

if TYPE_CHECKING:
    from course_lib.grading.evidence import Evidence

__all__ = ["report"]

_PARTS = {
    "scores": "Scores",
    "lost": "Points lost",
    "misconceptions": "Misconceptions",
    "look": "Need a person",
    "students": "All students",
}


def report(course: Course, lab: str, evidence: Sequence[Evidence] = ()) -> Path:
    """Write `grades/<lab>.html`: what the class did in a lab.

    Args:
        course: Where the hand-ins were graded.
        lab: The lab's name.
        evidence: What may be worth looking at in several hand-ins at once.

    Returns:
        The page's path.

    Raises:
        CourseError: If there is no such lab, nothing of it was graded, or the page cannot be
            written.
    """
    if lab not in labs_in(course):
        raise CourseError(f"There is no lab {lab!r}. There are: {', '.join(labs_in(course))}.")
    points = graded_cells(course, lab)
    checks = {name: find_check(lab, name) for name in points}
    whole = read_class(course, lab, points)
    if not whole.entries:
        raise CourseError(f"Nothing of {lab} was graded yet; `course grade` does it.")
    title = title_of(nbformat.read(course.solutions / lab / f"{lab}.ipynb", 4).cells, lab)
    body = _body(course, lab, title, whole, checks, points, evidence)
    path = course.root / "grades" / f"{lab}.html"
    try:
        write_page(path, page(f"{title}: the class", body))
    except OSError as error:
        raise CourseError(f"{path} cannot be written: {error.strerror}.") from None
    return path


def _body(
    course: Course,
    lab: str,
    title: str,
    whole: ClassRecord,
    checks: dict[str, Check],
    points: dict[str, float],
    evidence: Sequence[Evidence],
) -> str:
    entries, max_score = whole.entries, sum(points.values())
    scores = [entry.score for entry in entries if entry.score is not None]
    found = misconceptions(entries, checks)
    facts = {
        "Students": str(len(entries)),
        "With a score": str(len(scores)),
        "Points in the lab": number(max_score),
        "Need a person": str(sum(entry.look for entry in entries)),
    }

    @functools.cache
    def answers(student: str) -> dict[str, str]:
        return read_answers(course.root / "autograded" / student / lab / f"{lab}.ipynb")

    def feedback(student: str) -> str | None:
        if Path(student).name != student:  # no folder has such a name
            return None
        file = Path("feedback", student, lab, f"{lab}.html")
        there = (course.root / file).is_file()
        return quote(f"../{file.as_posix()}", errors="replace") if there else None

    return "\n".join(
        [
            f"<h1>{escape(title)}</h1>",
            f'<p class="quiet">The class, as of {datetime.now():%d %B %Y, %H:%M}</p>',
            '<dl class="facts">',
            *(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts.items()),
            "</dl>",
            *(f'<p class="note">{escape(problem)}.</p>' for problem in whole.problems),
            '<nav aria-label="Parts of this page">',
            *(f'<a href="#{anchor}">{words}</a>' for anchor, words in _PARTS.items()),
            "</nav>",
            scores_part(entries, max_score),
            lost_part(points_lost(entries, points), checks),
            faults_part(
                found,
                other_faults(entries, checks),
                checks,
                lambda student, check: answers(student).get(check, ""),
                read_answers(course.solutions / lab / f"{lab}.ipynb"),
            ),
            look_part(entries, evidence, checks),
            table_part(entries, max_score, len(checks), feedback),
        ]
    )
