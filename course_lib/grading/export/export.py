"""Write a lab's scores in the form that a learning platform imports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from course_lib.grading.export import canvas, moodle
from course_lib.grading.export.form import Filled
from course_lib.grading.export.scored import Scored, read_scores
from course_lib.grading.export.sheet import read_sheet, write_sheet
from course_lib.notebooks.course import Course, CourseError

__all__ = ["PLATFORMS", "export"]

PLATFORMS = {"canvas": "Canvas", "moodle": "Moodle"}
NAMED = 10


def export(
    course: Course,
    lab: str,
    platform: str,
    template: Path | None = None,
    output: Path | None = None,
    column: str = "",
    say: Callable[[str], None] = print,
) -> Path:
    """Write the scores of `grades/<lab>.csv` for a learning platform, and say what became of each.

    A student without a score gets none: what the template holds there stays.

    Args:
        course: Where the scores lie.
        lab: The lab's name.
        platform: `canvas` or `moodle`.
        template: The platform's own file: Canvas's exported gradebook, or the offline grading
            worksheet of Moodle's assignment. Its byte order mark, encoding, delimiter, rows and
            columns are kept.
        output: Where to write; the default is `grades/<lab>-<platform>.csv`.
        column: The assignment's title or number in Canvas, if the lab's name does not tell.
        say: Takes the lines for the terminal.

    Returns:
        The path of the file.

    Raises:
        CourseError: If there are no scores, the template is not the platform's, the platform
            counts other points than the lab, nobody is found, or the file cannot be written.
    """
    if platform not in PLATFORMS:
        known = " or ".join(PLATFORMS)
        raise CourseError(f"A platform was expected, {known}, and {platform!r} came.")
    scores = read_scores(course.root / "grades" / f"{lab}.csv")
    target = output or course.root / "grades" / f"{lab}-{platform}.csv"
    if template is None:
        filled = canvas.blank(scores, lab) if platform == "canvas" else moodle.blank(scores, lab)
    else:
        _check_target(target, template)
        sheet = read_sheet(template)
        if platform == "canvas":
            filled = canvas.fill(sheet, template, scores, lab, column)
        else:
            filled = moodle.fill(sheet, template, scores)
    if not filled.written:
        raise CourseError(_nothing(filled, scores, template))
    write_sheet(target, filled.sheet)
    for line in _report(filled, scores, f"{lab} for {PLATFORMS[platform]}"):
        say(line)
    say(f"Written: {target}")
    return target


def _check_target(target: Path, template: Path) -> None:
    if target.exists() and template.exists() and target.samefile(template):
        raise CourseError(f"{target} is the template itself; name another file.")


def _nothing(filled: Filled, scores: Sequence[Scored], template: Path | None) -> str:
    if not any(each.score for each in scores):
        return "Nobody has a score, so nothing was written."
    where = template or "the file"
    first = f" First of all, {filled.left_out[0]}." if filled.left_out else ""
    return f"No score fits into {where}, so nothing was written.{first}"


def _report(filled: Filled, scores: Sequence[Scored], title: str) -> list[str]:
    with_score = sum(bool(each.score) for each in scores)
    without = [each.student for each in scores if not each.score]
    lines = [f"{title}: {filled.written} of {with_score} scores, in {filled.where}."]
    if filled.replaced:
        lines.append(f"{filled.replaced} of them replace another score that was there.")
    if without:
        lines.append(f"{len(without)} without a score, so without a grade here: {_some(without)}.")
    if filled.left_out:
        lines.append(f"Left out, {len(filled.left_out)}:")
        lines += [f"  {sentence}." for sentence in filled.left_out]
    if filled.others:
        lines.append(f"{filled.others} others in the template stay as they were.")
    return lines + filled.advice


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
