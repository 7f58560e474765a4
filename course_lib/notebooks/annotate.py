"""nbgrader's metadata, written from the checks: no points or ids are typed into a notebook.

A cell that calls `check(lab1.EulerStep, …)` is a graded, locked cell: its id is the check's name
and its points are the check's. A cell with a solution belongs to the next check.
"""

from __future__ import annotations

import ast

from nbformat import NotebookNode

from course_lib.checks import Check, checks_of, labs_with_checks
from course_lib.notebooks.course import CourseError

__all__ = ["BEGIN_SOLUTION", "END_SOLUTION", "annotate", "check_in"]

BEGIN_SOLUTION, END_SOLUTION = "### BEGIN SOLUTION", "### END SOLUTION"


def annotate(notebook: NotebookNode, lab: str) -> None:
    """Give each cell of a lab's notebook its nbgrader metadata and a lasting id, in place.

    Raises:
        CourseError: If a solution has no check after it, a check is used twice, or a check
            is called that the lab's module does not have.
    """
    known = _checks(lab)
    waiting: list[NotebookNode] = []
    used: set[str] = set()
    for number, cell in enumerate(notebook.cells):
        cell.metadata.pop("nbgrader", None)
        cell["id"] = f"{lab}-{number:03d}"
        if cell.cell_type != "code":
            continue
        cell.outputs, cell.execution_count = [], None
        if BEGIN_SOLUTION in cell.source:
            waiting.append(cell)
        called = check_in(cell.source, lab)
        if called is None:
            continue
        check = known.get(called)
        if check is None:
            raise CourseError(
                f"{lab} calls the check {called}, which course_lib.checks.{lab} lacks."
            )
        if called in used:
            raise CourseError(f"{lab} calls the check {called} twice; each exercise has its own.")
        used.add(called)
        for i, answer in enumerate(waiting):
            suffix = "" if i == 0 else f"-{i + 1}"
            answer.metadata["nbgrader"] = _metadata(f"{check.name}-answer{suffix}", solution=True)
        cell.metadata["nbgrader"] = _metadata(check.name, points=check.points)
        waiting = []
    if waiting:
        line = waiting[0].source.splitlines()[0]
        raise CourseError(f"{lab}: the answer cell that begins {line!r} has no check after it.")


def check_in(source: str, lab: str) -> str | None:
    """The class name of the check that a cell calls, as in `check(lab1.EulerStep, euler_step)`."""
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return None
    for statement in statements:
        match statement:
            case ast.Expr(ast.Call(ast.Name("check"), [ast.Attribute(ast.Name(module), name), *_])):
                if module == lab:
                    return name
    return None


def _checks(lab: str) -> dict[str, Check]:
    if lab not in labs_with_checks():
        return {}
    return {cls.__name__: cls() for cls in checks_of(lab).values()}


def _metadata(
    grade_id: str, solution: bool = False, points: float | None = None
) -> dict[str, object]:
    metadata: dict[str, object] = {
        "grade": points is not None,
        "grade_id": grade_id,
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
    return metadata if points is None else {**metadata, "points": points}
