"""The answers of a class, by exercise: what each student wrote, as text and as a form."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from course_lib.grading.answers import answer_cells, source_of
from course_lib.grading.evidence.cells import MAX_CELL, parsed
from course_lib.grading.evidence.normal import Form, form_of
from course_lib.grading.evidence.released import Released, squeezed

__all__ = ["Answer", "answers_of"]


@dataclass(frozen=True)
class Answer:
    """A student's answer to one exercise.

    Attributes:
        check: The exercise, by its check's name.
        source: The text of its answer cells.
        text: The same without blank lines and spaces at the ends of lines.
        form: What is left without names, docstrings and comments.
    """

    check: str
    source: str
    text: str
    form: Form


def answers_of(
    notebooks: Mapping[str, Any], given: Released, smallest: int
) -> dict[str, dict[str, Answer]]:
    """The answers that can be compared, by check and student, in the lab's order.

    Args:
        notebooks: The hand-ins by student.
        given: What the lab gave its students; an answer cell as released is no answer.
        smallest: How many nodes an answer's tree must have.
    """
    found: dict[str, dict[str, Answer]] = {check: {} for check in given.checks}
    known: dict[str, Answer | None] = {}
    for student, notebook in notebooks.items():
        cells = notebook.get("cells") if isinstance(notebook, Mapping) else None
        for check, group in answer_cells(cells if isinstance(cells, list) else []).items():
            if check not in found:
                continue
            sources = [source_of(cell) for cell in group]
            source = "\n".join(s for s in sources if squeezed(s) not in given.texts)
            key = f"{check}\n{source}"
            if key not in known:
                known[key] = _answer(check, source, smallest)
            answer = known[key]
            if answer is not None:
                found[check][student] = answer
    return {check: by_student for check, by_student in found.items() if by_student}


def _answer(check: str, source: str, smallest: int) -> Answer | None:
    if not 2 * smallest <= len(source) <= MAX_CELL:  # a node is at least two characters
        return None
    tree: ast.Module | None = parsed(source)[0]
    if tree is None:
        return None
    form = form_of(tree)
    text = "\n".join(line.rstrip() for line in source.splitlines() if line.strip())
    return Answer(check, source, text, form) if form.size >= smallest else None
