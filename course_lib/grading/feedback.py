"""A student's feedback page: their code, the card of every check, what the instructor wrote.

It stands in the place of nbgrader's own, which shows the source of hidden tests and fetches
MathJax from another host.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nbformat import NotebookNode

from course_lib.checks import Verdict
from course_lib.checks.card import card
from course_lib.grading.answers import answer_cells, grade_id, source_of, title_of
from course_lib.grading.highlight import code_block
from course_lib.grading.outputs import card_picture, outputs
from course_lib.grading.page import escape, number, page, table

__all__ = ["feedback_page"]

_STATES = {
    "right": ("✓", "right"),
    "part": ("◐", "partly right"),
    "wrong": ("✗", "not yet"),
    "open": ("○", "no answer"),
}


def feedback_page(
    lab: str,
    student: str,
    notebook: NotebookNode,
    verdicts: Sequence[Verdict],
    score: float,
    max_score: float,
    notes: Sequence[str] = (),
    comments: Mapping[str, str] = {},
) -> str:
    """One student's page, as HTML.

    Args:
        lab: The lab's name.
        student: Whose page it is.
        notebook: The executed and judged hand-in.
        verdicts: What was said of each check, in the lab's order.
        score: The points in the gradebook, those set by hand included.
        max_score: What a perfect hand-in earns.
        notes: What the student should know of the hand-in as a whole, a sentence each.
        comments: What the instructor wrote about an exercise, by the name of its check.
    """
    answers = answer_cells(notebook.cells)
    checks = {grade_id(cell): cell for cell in notebook.cells}
    style = ""
    sections = []
    for i, verdict in enumerate(verdicts, 1):
        style, shown = _card(verdict, card_picture(checks.get(verdict.check)))
        cells = answers.get(verdict.check, [])
        sections.append(_exercise(i, verdict, cells, shown, comments.get(verdict.check, "")))
    title = title_of(notebook.cells, lab)
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="quiet">Feedback for {escape(student, 120)}</p>',
        _total(verdicts, score, max_score),
        *(f'<p class="note">{escape(note)}</p>' for note in notes),
        _summary(verdicts),
        '<h2 id="exercises">The exercises</h2>',
        *sections,
    ]
    return page(f"{title}: feedback for {student}", "\n".join(body), style)


def _total(verdicts: Sequence[Verdict], score: float, max_score: float) -> str:
    right = sum(verdict.passed for verdict in verdicts)
    facts = (
        '<dl class="facts">'
        f"<div><dt>Points</dt><dd>{number(score)} of {number(max_score)}</dd></div>"
        f"<div><dt>Exercises right</dt><dd>{right} of {len(verdicts)}</dd></div></dl>"
    )
    if abs(sum(verdict.points for verdict in verdicts) - score) > 0.005:
        facts += (
            '<p class="quiet">The total contains points that were set by hand. '
            "The points of each exercise below are those of its check.</p>"
        )
    return facts


def _summary(verdicts: Sequence[Verdict]) -> str:
    rows = []
    for i, verdict in enumerate(verdicts, 1):
        state = _state(verdict)
        sign, words = _STATES[state]
        rows.append(
            f'<tr><td class="n">{i}</td>'
            f'<th scope="row"><a href="#exercise-{i}">{escape(verdict.title)}</a></th>'
            f'<td class="{state}"><span aria-hidden="true">{sign}</span> {words}</td>'
            f'<td class="n">{number(verdict.points)} / {number(verdict.max_points)}</td></tr>'
        )
    columns = {"No.": "n", "Exercise": "", "Result": "", "Points": "n"}
    return f'<h2 id="summary">Summary</h2>\n{table(columns, "".join(rows))}'


def _exercise(
    i: int, verdict: Verdict, cells: list[Mapping[str, Any]], shown: str, comment: str
) -> str:
    state = _state(verdict)
    sources = [source for cell in cells if (source := source_of(cell)).strip()]
    code = "".join(map(code_block, sources)) or '<p class="quiet">There is no answer cell.</p>'
    printed = "" if state == "open" else outputs(cells)
    if state == "open":
        code = f"<details><summary>Your cell</summary>{code}</details>"
    points, title = escape(verdict.score), escape(verdict.title)
    parts = [
        f'<section id="exercise-{i}">',
        f'<h3><span class="points">{points}</span>{i} · {title}</h3>',
        code,
        f'<p class="label">It printed or drew</p>{printed}' if printed else "",
        shown,
    ]
    if comment.strip():
        words = escape(comment.strip(), 10_000)
        parts.append(f'<div class="comment"><b>From your instructor</b><p>{words}</p></div>')
    return "\n".join([*filter(None, parts), "</section>"])


def _state(verdict: Verdict) -> str:
    if verdict.passed:
        return "right"
    if verdict.points > 0:
        return "part"
    return "open" if verdict.fault == "not-written" else "wrong"


def _card(verdict: Verdict, picture: bytes | None) -> tuple[str, str]:
    """The card's style, which a page needs once, and the card itself.

    On a page that does not change, nothing is announced: the roles are taken off.
    """
    style, _, shown = card(verdict, picture).partition("</style>")
    for role in (' role="status"', ' role="alert"'):
        shown = shown.replace(role, "", 1)
    return style.removeprefix("<style>"), shown
