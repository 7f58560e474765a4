"""The report's last two parts: hand-ins that need a person, and everybody in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from course_lib.checks import Check
from course_lib.grading.page import amount, escape, number, table
from course_lib.grading.report.students import Entry

if TYPE_CHECKING:
    from course_lib.grading.evidence import Evidence

__all__ = ["look_part", "table_part"]

LINES = 40
REASONS = 20


def look_part(
    entries: Sequence[Entry], evidence: Sequence[Evidence], checks: Mapping[str, Check]
) -> str:
    """Who needs a person and why, and what may be worth a look in several hand-ins at once."""
    rows = "".join(
        f'<tr><th scope="row">{escape(entry.student, 120)}</th>'
        f"<td>{escape(entry.status, 60)}</td><td>{_reasons(entry)}</td></tr>"
        for entry in entries
        if entry.look
    )
    parts = ['<h2 id="look">Hand-ins that need a person</h2>']
    columns = {"Student": "", "Status": "", "Why": ""}
    parts.append(table(columns, rows) if rows else "<p>None.</p>")
    if evidence:
        parts.append(
            '<h3 id="evidence">Worth looking at</h3>\n<p>What a program noticed. It says what is '
            "alike or unusual, not why: people who learn together, or begin with the same hint, "
            "write alike too. Read the hand-ins, and ask, before you conclude anything. No score "
            "was changed by it.</p>"
        )
        parts += [_item(item, checks) for item in evidence]
    return "\n".join(parts)


def table_part(
    entries: Sequence[Entry],
    max_score: float,
    exercises: int,
    feedback: Callable[[str], str | None],
) -> str:
    """Every student, by id.

    Args:
        entries: The class.
        max_score: What a perfect hand-in earns.
        exercises: How many exercises the lab has.
        feedback: Gives the address of a student's feedback page, None if there is none.
    """
    rows = "".join(_row(entry, exercises, feedback(entry.student)) for entry in entries)
    columns = {"Student": "", "Status": "", "Score": "n", "Right": "n", "Notes": ""}
    caption = (
        f"{amount(len(entries), 'student')}; a perfect hand-in earns {number(max_score)} points. "
        "A dash is no score, not 0."
    )
    return f'<h2 id="students">All students</h2>\n{table(columns, rows, caption)}'


def _row(entry: Entry, exercises: int, address: str | None) -> str:
    name = escape(entry.student, 120)
    if address:
        name = f'<a href="{escape(address, 4000)}">{name}</a>'
    right = sum(verdict.passed for verdict in entry.verdicts.values())
    notes = list(entry.reasons[:REASONS])
    if entry.by_hand and not any("by hand" in reason for reason in notes):
        notes.append("some points were set by hand")
    return (
        f'<tr><th scope="row">{name}</th><td>{escape(entry.status, 60)}</td>'
        f'<td class="n">{"—" if entry.score is None else number(entry.score)}</td>'
        f'<td class="n">{f"{right} of {exercises}" if entry.verdicts else "—"}</td>'
        f"<td>{escape('; '.join(notes), 300)}</td></tr>"
    )


def _reasons(entry: Entry) -> str:
    reasons = entry.reasons[:REASONS] or ("no reason was noted",)
    if len(reasons) == 1:
        return escape(reasons[0], 600)
    return f"<ul>{''.join(f'<li>{escape(reason, 600)}</li>' for reason in reasons)}</ul>"


def _item(item: Evidence, checks: Mapping[str, Check]) -> str:
    named = [name.strip() for name in item.check.split(",") if name.strip()]
    titles = [checks[name].title if name in checks else name for name in named]
    where = ", ".join([*titles, item.kind])
    names = ", ".join(escape(student, 120) for student in item.students)
    lines = "\n".join(escape(line, 300) for line in item.lines[:LINES])
    more = len(item.lines) - LINES
    lines += f"\n… {amount(more, 'more line')}" if more > 0 else ""
    return (
        f'<div class="evidence"><p><b>{names}</b></p>'
        f'<p class="quiet">{escape(where, 400)}</p>'
        f"<p>{escape(item.sentence, 600)}</p>{f'<pre>{lines}</pre>' if lines else ''}</div>"
    )
