"""The card that a check shows: one quiet line when all is right, else what is wrong and why."""

from __future__ import annotations

import base64
from html import escape
from importlib.resources import files

from course_lib.checks.verdict import Verdict

__all__ = ["card", "progress_card"]

_STYLE = f"<style>{files('course_lib.checks').joinpath('card.css').read_text('utf-8')}</style>"
_ALT = "Your numbers against the right ones; right answers lie on the diagonal."


def card(verdict: Verdict, picture: bytes | None = None, styled: bool = True) -> str:
    """The verdict as HTML.

    Args:
        verdict: What to show.
        picture: A small PNG, expected against got.
        styled: Whether the style sheet is in front; where HTML is sanitised it would be read out.
    """
    style = _STYLE if styled else ""
    head = f"{escape(verdict.title)} · {escape(verdict.score)}"
    message, detail = escape(verdict.message), escape(verdict.detail)
    if verdict.passed:
        body = f'<span class="sign" aria-label="right">✓</span> {head}'
        if message:
            body += f' <div class="message">{message}</div>'
        return f'{style}<div role="status" class="course-check right">{body}</div>'
    sign = "Partly right" if verdict.points else "Not yet"
    words = (
        f'<div class="head"><span class="sign">{sign}</span> · {head}</div>'
        f'<div class="message">{message}</div>'
        + (f'<div class="detail">{detail}</div>' if detail else "")
    )
    image = ""
    if picture:
        data = base64.b64encode(picture).decode("ascii")
        image = f'<img alt="{_ALT}" src="data:image/png;base64,{data}">'
    return (
        f'{style}<div role="alert" class="course-check wrong">'
        f'<div class="words">{words}</div>{image}</div>'
    )


def progress_card(rows: list[tuple[str, Verdict | None, float]]) -> str:
    """The state of a lab as HTML.

    Args:
        rows: For each check its title, its last verdict (None if it has not run) and its points.
    """
    total = sum(points for *_, points in rows)
    earned = sum(v.points for _, v, _ in rows if v is not None)
    passed = sum(v is not None and v.passed for _, v, _ in rows)
    width = 100 * earned / total if total else 0
    return (
        f'{_STYLE}<div class="course-check progress"><div class="totals">'
        f"<b>{earned:g} of {total:g} points</b>"
        f"<span>{passed} of {len(rows)} checks passed</span></div>"
        f'<div class="track" role="progressbar" aria-valuemin="0" aria-valuemax="{total:g}"'
        f' aria-valuenow="{earned:g}"><div class="done" style="width: {width:.1f}%"></div></div>'
        f'<div role="list">{"".join(_row(*row) for row in rows)}</div></div>'
    )


def _row(title: str, verdict: Verdict | None, points: float) -> str:
    if verdict is None or verdict.fault == "not-written":
        sign, state, words, earned = "○", "open", "not tried yet", ""
    elif verdict.passed:
        sign, state, words, earned = "✓", "right", "right", f"{verdict.points:g} / "
    else:
        sign, state, words, earned = "✗", "wrong", "not right yet", f"{verdict.points:g} / "
    return (
        f'<div class="row" role="listitem">'
        f'<span class="state {state}" role="img" title="{words}" aria-label="{words}">{sign}</span>'
        f'<span class="title">{escape(title)}</span>'
        f'<span class="points">{earned}{points:g}</span></div>'
    )
