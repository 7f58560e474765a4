"""The loss of a training run against its step: each batch thin, the running mean thick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from course_lib.plots.arrays import Array, array, by_label, short
from course_lib.plots.frame import LARGEST, clip_to_view
from course_lib.plots.style import (
    EXACT_LINE,
    PALETTE,
    house_style,
    legend_below,
    new_panels,
    title_panel,
)

__all__ = ["running_mean", "training"]

MANY = 100  # losses: more are noise about a running mean


@house_style
def training(
    history: Any | Mapping[str, Any], *, floor: float | None = None, title: str | None = None
) -> Figure:
    """Loss against step, framed for its plateau; several runs in one panel from a dict.

    Args:
        history: with `steps` (n,), `losses` (n,) and `seconds` (the last one is the whole
            run's), as `fit` returns it; or {label: history}.
        floor: what no model's expected loss can pass under, drawn dashed.

    The axis is logarithmic where losses fall by a factor of 30 after the first tenth. Higher
    losses at the start, NaN and infinity are left out, and the figure says so.

    Raises:
        ValueError: no history, another number of losses than steps, a floor that is no number.
    """
    runs = {
        label: _run(entry, f"history {label!r}" if label else "history")
        for label, entry in by_label(history, "history").items()
    }
    bottom = None if floor is None else float(array(floor, "floor", ndim=0))
    if bottom is not None and not np.isfinite(bottom):
        raise ValueError(f"floor must be finite, got {floor}")
    losses = [loss for _, loss, _ in runs.values()]
    log = _spans_decades(losses)
    limits = _limits(losses, bottom, log)
    notes = _notes(np.concatenate(losses), limits[1], log)

    fig, (ax,) = new_panels(1, single=(7.0, 4.2))
    handles: list[Any] = []
    for i, (label, (steps, loss, time)) in enumerate(runs.items()):
        color = PALETTE[i % len(PALETTE)]
        thick = loss
        if len(loss) >= MANY:
            thick = running_mean(loss, len(loss) // 40)
            raw = ax.plot(
                steps,
                clip_to_view(loss, limits),
                color=color,
                linewidth=0.6,
                alpha=0.35,
                zorder=1.8,
                label="each step",
            )
            handles += raw if len(runs) == 1 else []
        name = label or ("loss" if thick is loss else "running mean")
        handles += ax.plot(
            steps,
            clip_to_view(thick, limits),
            color=color,
            linewidth=2.2,
            zorder=2.5,
            marker="o" if len(loss) < 20 else "",
            label=f"{name}; {time} in all",
        )
    if bottom is not None and log and bottom <= 0:
        notes.append(f"the floor {short(bottom)} has no place on a logarithmic axis")
    elif bottom is not None:
        label = f"floor {short(bottom)} (of the mean)"
        handles.append(ax.axhline(bottom, **EXACT_LINE, zorder=3, label=label))
    if log:
        ax.set_yscale("log")
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
    ax.margins(x=0.01)
    ax.set_ylim(limits)
    ax.set_xlabel("step")
    ax.set_ylabel("loss")
    title_panel(ax, title or "", ", ".join(notes))
    legend_below(fig, handles)
    return fig


def running_mean(values: Array, window: int) -> Array:
    """The mean of those of the `window` values round each one that are numbers; NaN stays NaN."""
    known, ones = np.isfinite(values), np.ones(window)
    # No difference of cumulative sums: after one huge loss, that would be rounding noise.
    total = np.convolve(np.where(known, np.clip(values, -LARGEST, LARGEST), 0.0), ones, "same")
    count = np.convolve(known, ones, "same")
    return np.where(known, total / np.maximum(count, 1.0), np.nan)


def _run(history: Any, name: str) -> tuple[Array, Array, str]:
    """Steps (n,), losses (n,) and how long the run took, in words."""
    if missing := [part for part in ("steps", "losses", "seconds") if not hasattr(history, part)]:
        raise ValueError(f"{name} must have .steps, .losses and .seconds, but has no {missing[0]}")
    steps = array(history.steps, f"{name}.steps", ndim=1)
    if not np.isfinite(steps).all():
        raise ValueError(f"{name}.steps must be finite, got NaN or infinity")
    losses = array(history.losses, f"{name}.losses", ndim=1, size=len(steps))
    seconds = float(array(history.seconds, f"{name}.seconds").reshape(-1)[-1])
    return steps, losses, f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def _settled(losses: Sequence[Array], start: float = 0.1) -> list[Array]:
    """The numbers among the losses of each run, without its start."""
    tails = [loss[int(start * len(loss)) :] for loss in losses]
    return [np.clip(tail, -LARGEST, LARGEST)[np.isfinite(tail)] for tail in tails]


def _spans_decades(losses: Sequence[Array]) -> bool:
    tails = [tail for tail in _settled(losses) if tail.size]
    low = min((np.quantile(tail, 0.005) for tail in tails), default=0.0)
    return bool(low > 0 and max(np.quantile(tail, 0.995) for tail in tails) > 30 * low)


def _limits(losses: Sequence[Array], floor: float | None, log: bool) -> tuple[float, float]:
    """What holds the floor and all but the most extreme of the settled losses."""
    # A logarithmic axis has room for the start.
    tails = [loss[loss > 0] for loss in _settled(losses, 0)] if log else _settled(losses)
    ends = [end for tail in tails if tail.size for end in np.quantile(tail, [0.005, 0.995])]
    ends += [floor] if floor is not None and (floor > 0 or not log) else []
    if not ends:
        return 0.0, 1.0
    low, high = float(min(ends)), float(max(ends))
    if log:
        return low / (high / low) ** 0.06, high * (high / low) ** 0.12
    margin = high - low or 0.5 * abs(high) or 1.0
    return low - 0.08 * margin, high + 0.15 * margin


def _notes(losses: Array, high: float, log: bool) -> list[str]:
    known = losses[np.isfinite(losses)]
    above = int((known > high).sum())
    lost = losses.size - (int((known > 0).sum()) if log else known.size)
    notes = []
    if above:
        notes.append(
            f"{above} of {losses.size} losses lie above the frame (largest = {short(known.max())})"
        )
    if lost:
        what = "NaN, infinite or without a logarithm" if log else "NaN or infinite"
        notes.append(f"{lost} of {losses.size} losses are {what}")
    return notes
