"""What a lab gives its students: the cells as released, and the solution's answers."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import nbformat

from course_lib.grading.answers import answer_cells, grade_id, source_of
from course_lib.notebooks.course import Course, CourseError, find_course

__all__ = ["Released", "released", "squeezed"]


@dataclass(frozen=True)
class Released:
    """A lab as its students got it.

    Attributes:
        texts: Every cell's source, squeezed, as released.
        words: All text of the lab, solutions included: what anyone may quote.
        checks: The source of each check cell, by the check's name, in the lab's order.
        handed_over: The names that each check cell hands to its check.
        solutions: The answer cells' sources in the solution, by the check's name.
        right_answers: The text of `right_answers.py`, empty where there is none.
    """

    texts: frozenset[str]
    words: str
    checks: dict[str, str]
    handed_over: dict[str, tuple[str, ...]]
    solutions: dict[str, list[str]]
    right_answers: str


def released(lab: str, course: Course | None = None) -> Released:
    """Read what a lab gives its students.

    Args:
        lab: The lab's name.
        course: The course; the default is the one around the current folder.

    Raises:
        CourseError: If the lab's notebook in `solutions/` cannot be read.
    """
    course = course or find_course()
    source = course.solutions / lab / f"{lab}.ipynb"
    if not source.is_file():
        raise CourseError(f"There is no lab {lab!r}: {source} does not exist.")
    built, right = course.labs / lab / f"{lab}.ipynb", source.with_name("right_answers.py")
    stamps = tuple(p.stat().st_mtime_ns if p.is_file() else 0 for p in (source, built, right))
    return _read(source, built, right, stamps)


def squeezed(text: str) -> str:
    """A text without its white space: what is compared where spacing says nothing."""
    return "".join(text.split())


@lru_cache(maxsize=8)
def _read(source: Path, built: Path, right: Path, stamps: tuple[int, ...]) -> Released:
    try:
        cells = nbformat.read(source, as_version=4).cells
        given = nbformat.read(built, as_version=4).cells if built.is_file() else []
        answers = right.read_text(encoding="utf-8") if right.is_file() else ""
    except Exception as error:  # nbformat raises many kinds
        raise CourseError(f"{source} cannot be read: {error}.") from None
    found = {name: [source_of(c) for c in group] for name, group in answer_cells(cells).items()}
    checks = {
        grade_id(c): source_of(c)
        for c in cells
        if isinstance(c.metadata.get("nbgrader"), dict) and c.metadata["nbgrader"].get("grade")
    }
    handed = {name: _handed_over(text) for name, text in checks.items()}
    kept = [c for c in cells if not any(c in group for group in answer_cells(cells).values())]
    texts = frozenset(squeezed(source_of(c)) for c in [*kept, *given])
    words = "\n".join(source_of(c) for c in [*cells, *given])
    return Released(texts, words, checks, handed, found, answers)


def _handed_over(source: str) -> tuple[str, ...]:
    """The names in `check(lab1.EulerStep, euler_step)` after the check itself."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "check"
        ):
            return tuple(
                n.id for arg in node.args[1:] for n in ast.walk(arg) if isinstance(n, ast.Name)
            )
    return ()
