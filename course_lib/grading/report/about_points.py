"""The report's first two parts: the distribution of scores, and where points were lost."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from course_lib.checks import Check
from course_lib.grading.page import amount, escape, number, table
from course_lib.grading.report.charts import histogram, meter
from course_lib.grading.report.students import Entry
from course_lib.grading.report.tallies import Lost

__all__ = ["lost_part", "scores_part"]


def scores_part(entries: Sequence[Entry], max_score: float) -> str:
    """The histogram, with the median and who is not in it."""
    scores = [entry.score for entry in entries if entry.score is not None]
    without = len(entries) - len(scores)
    if not scores:
        shown = "<p>Nobody has a score yet.</p>"
    else:
        median = statistics.median(scores)
        shown = (
            f"<p>{amount(len(scores), 'student')}, median {number(median)} of "
            f"{number(max_score)} points, from {number(min(scores))} to {number(max(scores))}.</p>"
            f"{histogram(scores, max_score, median)}"
        )
    if without:
        shown += (
            f'<p class="quiet">Without a score, and so not in the picture: {without}. '
            "The table at the end says why.</p>"
        )
    return f'<h2 id="scores">Scores</h2>\n{shown}'


def lost_part(lost: Sequence[Lost], checks: Mapping[str, Check]) -> str:
    """A bar an exercise, the most costly first."""
    if not lost:
        return '<h2 id="lost">Points lost</h2>\n<p>No exercise has a score yet.</p>'
    rows = "".join(
        f'<tr><th scope="row">{escape(checks[one.check].title)}</th>'
        f'<td class="n">{number(checks[one.check].points)}</td>'
        f'<td class="n">{meter(one.share)} {one.share:.0%}</td>'
        f'<td class="n">{one.full}</td><td class="n">{one.part}</td><td class="n">{one.none}</td>'
        f'<td class="n">{one.blank}</td></tr>'
        for one in lost
    )
    columns = {"Exercise": "", **dict.fromkeys(("Points", "Lost", "All", "Some", "None"), "n")}
    return (
        '<h2 id="lost">Points lost</h2>\n'
        "<p>Lost: the share of all the points that an exercise could give the class. Then how many "
        "students earned all, some or none. Of those with none, the blank ones wrote nothing.</p>\n"
        f"{table({**columns, 'Blank': 'n'}, rows, kind='counts')}"
    )
