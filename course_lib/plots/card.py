"""The small picture on a failed check's card: what came against what was expected."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from course_lib.plots.arrays import Array, array
from course_lib.plots.style import EXACT_LINE, SIMULATED, house_style, new_panels, title_panel

__all__ = ["answer_against_expected"]

MOST_POINTS = 500


@house_style
def answer_against_expected(expected: object, got: object) -> Figure:
    """Each number of an answer against the right one: all on the diagonal means right.

    Args:
        expected: numbers of any shape.
        got: numbers of the same shape. Of more than 500, evenly spaced ones are drawn.

    NaN, infinite and very large values are drawn at the edge of the frame or left out, and the
    figure says so.

    Raises:
        ValueError: shapes that differ, nothing to draw, or something that is not real numbers.
    """
    right, answer = array(expected, "expected"), array(got, "got")
    if right.shape != answer.shape:
        raise ValueError(f"got has shape {answer.shape}, expected {right.shape}")
    right, answer = right.ravel(), answer.ravel()
    if right.size > MOST_POINTS:
        keep = np.linspace(0, right.size - 1, MOST_POINTS).astype(int)
        right, answer = right[keep], answer[keep]
    finite = np.isfinite(right) & np.isfinite(answer)
    lost = right.size - int(finite.sum())
    right, answer = right[finite], answer[finite]

    power = _power_of_ten(right)
    right, answer = right / 10.0**power, np.clip(answer / 10.0**power, -1e100, 1e100)
    low, high = _limits(right, answer)
    shown = np.clip(answer, low, high)
    edge = shown != answer

    fig, (ax,) = new_panels(1, single=(3.2, 2.6))
    ax.plot([low, high], [low, high], **EXACT_LINE)
    ax.annotate("right", (high, high), ha="right", va="bottom", fontsize=10, xytext=(-4, 3),
                textcoords="offset points", annotation_clip=False)  # fmt: skip
    ax.plot(right[~edge], shown[~edge], "o", color=SIMULATED, markersize=4, alpha=0.6, mew=0)
    ax.plot(right[edge], shown[edge], "^", color=SIMULATED, markersize=6, clip_on=False)
    ax.set_xlim(low, high)
    ax.set_ylim(low, high)
    ax.locator_params(nbins=4)
    unit = f" (in 1e{power})" if power else ""
    ax.set_xlabel(f"expected{unit}")
    ax.set_ylabel(f"your answer{unit}")
    notes = [f"{lost} NaN or infinite"] if lost else []
    if edge.any():
        notes.append(f"{int(edge.sum())} beyond the frame")
    title_panel(ax, "", ", ".join(notes), align="left")
    return fig


def _power_of_ten(values: Array) -> int:
    """0 for numbers of ordinary size, else the exponent that makes them so."""
    largest = float(np.abs(values).max(initial=0.0))
    power = int(np.floor(np.log10(largest))) if largest > 0 else 0
    return max(power, -300) if not -3 <= power <= 4 else 0


def _limits(right: Array, answer: Array) -> tuple[float, float]:
    """Both axes alike; an answer more than ten times too large does not squash the rest."""
    if not right.size:
        return -1.0, 1.0
    low, high = float(right.min()), float(right.max())
    reach = max(high - low, abs(low), abs(high)) or 1.0
    near = answer[np.abs(answer) <= 10 * reach]
    low, high = min(low, near.min(initial=low)), max(high, near.max(initial=high))
    margin = 0.08 * (high - low) or 0.5 * (abs(high) or 1.0)
    return low - margin, high + margin
