"""The report's third part: which misconceptions the class has. No student is named in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby

from course_lib.checks import Check, Choice
from course_lib.grading.highlight import code_block
from course_lib.grading.page import amount, escape, number, table
from course_lib.grading.report.examples import choose
from course_lib.grading.report.faults import COMMON
from course_lib.grading.report.tallies import Misconception, Other

__all__ = ["Source", "faults_part"]

Source = Callable[[str, str], str]
FIRST = 8
LINES = 24
BESIDE = 54  # characters to a line, for two examples to stand side by side


def faults_part(
    found: Sequence[Misconception],
    others: Sequence[Other],
    checks: Mapping[str, Check],
    source: Source,
    solutions: Mapping[str, str],
) -> str:
    """The most frequent first, then exercise by exercise with examples, then all other faults.

    Args:
        found: By exercise.
        others: The faults that are no misconceptions.
        checks: The lab's checks by name, in its order.
        source: Gives the code of a student's answer to a check, empty if there is none.
        solutions: The solution's code by check: it is no example of a mistake.
    """
    parts = ['<h2 id="misconceptions">Misconceptions</h2>']
    if found:
        parts += [
            "<p>Mistakes that a check knows by name, with the sentence that every student who "
            "made it has read. The examples are the shortest answers that differ; comments and "
            "docstrings are taken out. The solution itself is none of them: where it stands, an "
            "earlier answer is at fault.</p>",
            _most_frequent(found, checks),
        ]
        for name, group in groupby(found, key=lambda one: one.check):
            parts.append(_exercise(checks[name], list(group), source, solutions.get(name, "")))
    else:
        parts.append("<p>No check has recognised a mistake.</p>")
    return "\n".join([*parts, _others(others, checks)])


def _most_frequent(found: Sequence[Misconception], checks: Mapping[str, Check]) -> str:
    first = sorted(found, key=lambda one: -len(one.students))[:FIRST]
    rows = "".join(
        f'<tr><td class="n">{len(one.students)}</td>'
        f'<th scope="row"><a href="#{_anchor(one.check)}">{_short(checks[one.check])}</a></th>'
        f"<td>{escape(one.sentence, 400)}</td></tr>"
        for one in first
    )
    columns = {"Students": "n", "Exercise": "", "What they read": ""}
    return table(columns, rows, "The most frequent")


def _exercise(check: Check, found: Sequence[Misconception], source: Source, solution: str) -> str:
    points = f"{number(check.points)} point{'' if check.points == 1 else 's'}"
    head = f'<h3 id="{_anchor(check.name)}">{escape(check.title)} <span class="quiet">· {points}'
    return "\n".join(
        [f"{head}</span></h3>", *(_one(check, each, source, solution) for each in found)]
    )


def _one(check: Check, one: Misconception, source: Source, solution: str) -> str:
    codes: list[str] = []
    if not isinstance(check, Choice):  # the letter is in the fault's name already
        codes = choose(((s, source(s, one.check)) for s in one.students), solution)
    figures = "".join(
        f"<figure><figcaption>Example{f' {i}' * (len(codes) > 1)}</figcaption>"
        f"{code_block(code, LINES)}</figure>"
        for i, code in enumerate(codes, 1)
    )
    widest = max((len(line) for code in codes for line in code.split("\n")), default=0)
    kind = "examples" if widest <= BESIDE else "examples stacked"
    examples = f'<div class="{kind}">{figures}</div>' if figures else ""
    count = f"{len(one.students)} of {one.judged}"
    return (
        f'<div class="fault"><p><span class="count">{count}</span> '
        f"<code>{escape(one.fault, 60)}</code></p>"
        f"<p>{escape(one.sentence, 600)}</p>{examples}</div>"
    )


def _others(others: Iterable[Other], checks: Mapping[str, Check]) -> str:
    rows = "".join(
        f'<tr><td class="n">{other.count}</td><th scope="row"><code>{escape(other.fault)}</code>'
        f"</th><td>{escape(COMMON[other.fault])}</td><td>{_where(other, checks)}</td></tr>"
        for other in others
    )
    if not rows:
        return ""
    columns = {"Answers": "n", "Fault": "", "What it means": "", "Where": ""}
    caption = (
        "What any exercise may say. Where many answers are <code>wrong</code>, the check may lack "
        "a mistake that this class makes."
    )
    return f'<h3 id="others">Other faults</h3>\n{table(columns, rows, caption)}'


def _where(other: Other, checks: Mapping[str, Check]) -> str:
    most = sorted(other.checks.items(), key=lambda item: -item[1])
    words = [f"{_short(checks[name])} ({count})" for name, count in most[:5]]
    more = len(most) - 5
    if more > 0:
        words.append(f"and {amount(more, 'more exercise')}")
    return ", ".join(words)


def _short(check: Check) -> str:
    """The title without its source: `Euler step` of `Euler step: Notes (4)`."""
    return escape(check.title.split(": Notes")[0])


def _anchor(check: str) -> str:
    return f"of-{escape(check)}"
