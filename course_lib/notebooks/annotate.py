"""nbgrader's metadata, written from the checks: no points or ids are typed into a notebook.

A cell that calls `check(lab1.EulerStep, …)` is a graded, locked cell: its id is the check's name
and its points are the check's. A cell with a solution belongs to the next check.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from course_lib.checks import Check, checks_of, labs_with_checks
from course_lib.notebooks.course import CourseError

__all__ = ["BEGIN_SOLUTION", "END_SOLUTION", "annotate", "check_in"]

BEGIN_SOLUTION, END_SOLUTION = "### BEGIN SOLUTION", "### END SOLUTION"


def annotate(notebook: NotebookNode, lab: str) -> None:
    """Give each cell of a lab's notebook its nbgrader metadata and a lasting id, in place.

    Raises:
        CourseError: If the lab is not well formed: code that does not parse, a solution mark
            that is misspelled or alone, a solution without a check or a check without a
            solution before it, a check that is unknown, used twice or given an unknown name.
    """
    known = _checks(lab)
    waiting: list[NotebookNode] = []
    used: set[str] = set()
    defined: set[str] = set()
    for number, cell in enumerate(notebook.cells):
        cell.metadata.pop("nbgrader", None)
        cell["id"] = f"{lab}-{number:03d}"
        if cell.cell_type != "code":
            continue
        cell.outputs, cell.execution_count = [], None
        tree = _parsed(cell.source, lab)
        if _has_solution(cell.source, lab):
            waiting.append(cell)
        defined |= _names(tree)
        called = check_in(cell.source, lab)
        if called is None:
            continue
        check = known.get(called)
        if check is None:
            raise CourseError(
                f"{lab} calls the check {called}, which course_lib/checks/{lab} does not list."
            )
        if called in used:
            raise CourseError(f"{lab} calls the check {called} twice; each exercise has its own.")
        if not waiting:
            raise CourseError(
                f"{lab}: no answer cell stands before the check {called}. "
                f"Put the answer between {BEGIN_SOLUTION} and {END_SOLUTION}."
            )
        for name in _arguments(tree) - defined:
            raise CourseError(f"{lab} hands {name} to the check {called}, and defines no {name}.")
        used.add(called)
        for i, answer in enumerate(waiting):
            suffix = "" if i == 0 else f"-{i + 1}"
            answer.metadata["nbgrader"] = _metadata(f"{check.name}-answer{suffix}", solution=True)
        cell.metadata["nbgrader"] = _metadata(check.name, points=check.points)
        waiting = []
    if waiting:
        raise CourseError(f"{lab}: {_cell(waiting[0].source)} has no check after it.")


def _cell(source: str) -> str:
    return f"the cell that begins {source.splitlines()[0]!r}"


def _parsed(source: str, lab: str) -> ast.Module:
    try:
        return ast.parse(TransformerManager().transform_cell(source))
    except SyntaxError as error:
        raise CourseError(f"{lab}: {_cell(source)} is not Python: {error.msg}.") from None


def _has_solution(source: str, lab: str) -> bool:
    """Whether a cell has solutions; raises CourseError for marks that would leave one in."""
    marks = []
    for line in source.splitlines():
        if re.search(r"#\s*(begin|end)\s*solution", line, re.IGNORECASE):
            if line.strip() not in (BEGIN_SOLUTION, END_SOLUTION):
                raise CourseError(
                    f"{lab}: {line.strip()!r} should read {BEGIN_SOLUTION} or {END_SOLUTION}."
                )
            marks.append(line.strip())
    if marks != [BEGIN_SOLUTION, END_SOLUTION] * (len(marks) // 2):
        raise CourseError(
            f"{lab}: {_cell(source)} should have {BEGIN_SOLUTION} and {END_SOLUTION} in pairs."
        )
    return bool(marks)


def _names(tree: ast.Module) -> set[str]:
    """All names to which a cell gives a value."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).split(".")[0])
    return names


def _arguments(tree: ast.Module) -> set[str]:
    """The names that a cell's check is given."""
    calls = [
        s.value for s in tree.body if isinstance(s, ast.Expr) and isinstance(s.value, ast.Call)
    ]
    return {a.id for call in calls for a in call.args if isinstance(a, ast.Name)}


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
    """The lab's checks by class name; what is wrong with its module is one sentence."""
    module = f"course_lib/checks/{lab}"
    try:
        if lab not in labs_with_checks():
            raise CourseError(f"There is no {module}.py; docs/writing-a-lab.md says what it holds.")
        checks = {cls.__name__: cls() for cls in checks_of(lab).values()}
    except SyntaxError as error:
        file = Path(error.filename or module).name
        raise CourseError(f"{module}: {file}, line {error.lineno}: {error.msg}.") from None
    except (ImportError, AttributeError, NameError) as error:
        raise CourseError(f"{module} cannot be used: {error}.") from None
    for name, check in checks.items():
        own = type(check)
        if own.answer is Check.answer and own.judge is Check.judge:
            raise CourseError(f"{module}: {name} has neither an answer nor a judge.")
        if not isinstance(check.points, int | float) or check.points <= 0:
            raise CourseError(f"{module}: the points of {name} are {check.points!r}.")
    return checks


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
