"""What filling in a platform's form has come to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from course_lib.grading.export.scored import Scored
from course_lib.grading.export.sheet import Sheet
from course_lib.notebooks.course import CourseError

__all__ = ["Filled", "check_maximum", "localised", "number_in", "put"]


@dataclass
class Filled:
    """A form that is ready to be imported.

    Attributes:
        sheet: The form.
        where: The column that was filled, in words.
        written: How many scores are in it.
        replaced: How many of them stand where another score stood.
        left_out: A sentence for each score that is not in it.
        others: How many people of the template have no row among the scores.
        advice: What to do with the file, a sentence each.
    """

    sheet: Sheet
    where: str
    written: int = 0
    replaced: int = 0
    left_out: list[str] = field(default_factory=list)
    others: int = 0
    advice: list[str] = field(default_factory=list)


def put(filled: Filled, row: int, column: int, score: str) -> None:
    """Write a score into a cell of the form."""
    cells = filled.sheet.rows[row]
    cells += [""] * (column + 1 - len(cells))
    before = number_in(cells[column])
    filled.replaced += before is not None and before != number_in(score)
    filled.written += 1
    cells[column] = score


def number_in(text: str) -> float | None:
    """The number in a cell, with a decimal point or comma; None if it holds none."""
    text = text.strip()
    if not re.fullmatch(r"-?\d+([.,]\d+)?", text):
        return None
    return float(text.replace(",", "."))


def localised(score: str, like: str) -> str:
    """A score with the decimal comma of another cell, if that has one."""
    return score.replace(".", ",") if re.fullmatch(r"\s*-?\d+,\d+\s*", like) else score


def check_maximum(found: str, scores: Sequence[Scored], what: str) -> None:
    """Make sure that the platform counts the same points as the lab.

    Args:
        found: The platform's cell.
        scores: The lab's scores.
        what: The platform's assignment, in words.

    Raises:
        CourseError: If the two differ: nothing is rescaled in silence.
    """
    most = scores[0].max_score
    if any(each.max_score != most for each in scores):
        raise CourseError("The table of scores has more than one max_score: grade the lab anew.")
    if number_in(found) != most:
        raise CourseError(
            f"{what} is out of {found.strip() or 'nothing'}, and the scores are out of {most:g}: "
            f"set its points to {most:g}, and export it again."
        )
