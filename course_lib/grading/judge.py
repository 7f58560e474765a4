"""The second step: points, given in the grader's own process from what the kernel brought home.

Each graded cell's outputs are replaced by what a notebook would have shown, in the form from
which nbgrader reads a score: nothing special for all points, a number for some, an error for none.
"""

from __future__ import annotations

import re

from nbformat import NotebookNode
from nbformat.v4 import new_output

from course_lib import plots
from course_lib.checks import Check, CheckFailed, Outcome, Verdict, find_check, judge
from course_lib.checks.judge import expected_and_got
from course_lib.checks.notebook import bundle
from course_lib.checks.plain import NotPlain
from course_lib.checks.rng import derive_seed
from course_lib.grading.cells import is_grade
from course_lib.grading.execute import Run
from course_lib.grading.kernel import TIMED_OUT, CellRun

__all__ = ["SUSPECT", "judge_cell", "judge_notebook"]

NO_OUTCOME = "no-outcome"
SUSPECT = ("several-outcomes", "malformed-outcome", "other-check", "not-judged")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def judge_notebook(notebook: NotebookNode, lab: str, run: Run) -> list[Verdict]:
    """Put into every cell what it gave, and into every graded cell the card of its verdict.

    Args:
        notebook: The notebook that ran; its outputs are written.
        lab: The lab's name.
        run: How it ran.

    Returns:
        A verdict for each graded cell, in the notebook's order.
    """
    verdicts = []
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        ran = run.cells.get(index, CellRun())
        cell.outputs, cell.execution_count = list(ran.outputs), None
        if is_grade(cell):
            check = find_check(lab, cell.metadata.nbgrader["grade_id"])
            verdict, picture = judge_cell(check, ran, index, run)
            cell.outputs = _outputs(verdict, picture)
            verdicts.append(verdict)
    return verdicts


def judge_cell(check: Check, ran: CellRun, index: int, run: Run) -> tuple[Verdict, bytes | None]:
    """The verdict on one graded cell, and the picture for its card.

    Args:
        check: The check that the cell's grade_id names.
        ran: What the cell gave.
        index: Its place in the notebook.
        run: How the notebook ran.
    """
    seed = derive_seed(run.seed, check.name)
    if not ran.outcomes:
        return _nothing(check, NO_OUTCOME, *_why_none(ran, index, run), seed), None
    if len(ran.outcomes) > 1:
        message = f"This check handed over {len(ran.outcomes)} answers, and one was expected."
        return _nothing(check, "several-outcomes", message, "", seed), None
    try:
        outcome = Outcome.from_json(ran.outcomes[0])
    except NotPlain as error:
        message = "What this check handed over cannot be read."
        return _nothing(check, "malformed-outcome", message, str(error), seed), None
    try:
        verdict = judge(check, outcome, seed)
    except Exception as error:  # a stranger's data met a check that did not foresee it
        message, detail = "This answer could not be judged.", f"{type(error).__name__}: {error}"
        return _nothing(check, "not-judged", message, detail[:500], seed), None
    return verdict, None if verdict.passed else _picture(check, outcome, seed)


def _nothing(check: Check, fault: str, message: str, detail: str, seed: int) -> Verdict:
    return Verdict(check.name, check.title, 0, check.points, fault, message, detail, seed)


def _why_none(ran: CellRun, index: int, run: Run) -> tuple[str, str]:
    if run.stopped_at is not None and index >= run.stopped_at:
        when = "in this check" if index == run.stopped_at else "before this check"
        where = f"It happened in cell {run.stopped_at + 1}: {run.cell}"
        return f"Not run: {run.why} {when}.", where
    errors = [output for output in ran.outputs if output.output_type == "error"]
    if not errors:
        return "This check handed over no answer.", ""
    last = errors[-1]
    if last.ename == TIMED_OUT:
        return f"The check did not finish: {last.evalue}.", ""
    text = _COLOUR.sub("", f"{last.ename}: {last.evalue}")[:500]
    detail = "Does the cell with your answer run, and has the name not been changed?"
    return f"The check could not run. {text}.", detail if last.ename == "NameError" else ""


def _picture(check: Check, outcome: Outcome, seed: int) -> bytes | None:
    try:
        pair = expected_and_got(check, outcome, seed)
        return plots.png(plots.answer_against_expected(*pair)) if pair else None
    except Exception:  # a card without its picture is still a card
        return None


def _outputs(verdict: Verdict, picture: bytes | None) -> list[NotebookNode]:
    # formgrader shows it sanitised, a style sheet as text
    card = new_output("display_data", bundle(verdict, picture, styled=False))
    if verdict.passed:
        return [card]
    if verdict.points:
        score = {"text/plain": repr(float(verdict.points))}
        return [card, new_output("execute_result", score, execution_count=None)]
    failed = CheckFailed(verdict)
    error = {"ename": "CheckFailed", "evalue": str(failed)}
    return [card, new_output("error", **error, traceback=failed._render_traceback_())]
