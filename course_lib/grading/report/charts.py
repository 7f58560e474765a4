"""Two charts as inline SVG, coloured by the page's CSS."""

from __future__ import annotations

import math
from collections.abc import Sequence

from course_lib.grading.page import amount, escape, number

__all__ = ["histogram", "meter"]

WIDTH, HEIGHT = 720, 260
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 34, 46
STEPS = (0.25, 0.5, 1, 2, 2.5, 4, 5, 10, 20, 25, 50, 100)


def histogram(scores: Sequence[float], most: float, median: float) -> str:
    """How many students have how many points.

    Args:
        scores: At least one, each at least 0.
        most: What a perfect hand-in earns; the axis goes further if somebody has more.
        median: Drawn as a dashed line.
    """
    top = max(most, *scores, 0.25)
    width = next((step for step in STEPS if top / step <= 14), top / 12)
    bins = max(math.ceil(top / width - 1e-9), 1)
    counts = [0] * bins
    for score in scores:
        counts[min(int(score / width), bins - 1)] += 1
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 10**9) if max(counts) / s <= 6)
    tallest = step * math.ceil(max(counts) / step)

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * value / (bins * width)

    def y(count: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * count / tallest

    parts = []
    for count in range(0, tallest + 1, step):
        level = f"{y(count):.1f}"
        line = f'<line class="rule" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{level}" y2="{level}"/>'
        parts.append(f"{line}{_text(LEFT - 8, y(count) + 4, str(count), 'end')}")
    for i, count in enumerate(counts):
        low, high = x(i * width), x((i + 1) * width)
        if count:
            words = f"{number(i * width)} to {number((i + 1) * width)} points: "
            parts.append(
                f'<rect class="bar" x="{low + 1.5:.1f}" y="{y(count):.1f}" '
                f'width="{high - low - 3:.1f}" height="{y(0) - y(count):.1f}">'
                f"<title>{words}{amount(count, 'student')}</title></rect>"
            )
    ticks = range(0, bins + 1, 1 if bins <= 14 else 2)
    parts += [_text(x(i * width), HEIGHT - BOTTOM + 18, number(i * width)) for i in ticks]
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, "points"))
    parts.append(_text(4, 14, "students", "start"))
    place = f"{x(median):.1f}"
    ends = f'x1="{place}" x2="{place}" y1="{TOP - 8}" y2="{HEIGHT - BOTTOM}"'
    parts.append(f'<line class="halo" {ends}/><line class="median" {ends}/>')
    side = "end" if x(median) > WIDTH / 2 else "start"
    shift = -6 if side == "end" else 6
    parts.append(_text(x(median) + shift, TOP - 12, f"median {number(median)}", side, ""))
    label = (
        f"Histogram of the scores of {amount(len(scores), 'student')}: "
        f"median {number(median)} of {number(most)} points, "
        f"lowest {number(min(scores))}, highest {number(max(scores))}."
    )
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def meter(share: float) -> str:
    """A horizontal bar, filled from 0 to 1; the number itself stands beside it as text."""
    width = 100 * min(max(share, 0.0), 1.0)
    return (
        '<svg class="meter" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="10"/>'
        f'<rect class="bar" width="{width:.1f}" height="10"/></svg>'
    )


def _text(x: float, y: float, words: str, anchor: str = "middle", kind: str = "quiet") -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{escape(words)}</text>"
    )
