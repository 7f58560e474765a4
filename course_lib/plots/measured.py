"""Numbers measured by the reader beside the exact ones: curves, orders, covariances, shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.plots.arrays import Array, array, by_label
from course_lib.plots.style import (
    EXACT,
    EXACT_LINE,
    GUIDE,
    MARKERS,
    PALETTE,
    house_style,
    legend_below,
    new_panels,
    title_panel,
)

__all__ = ["convergence", "covariance", "curves", "mode_weights"]

Numbers = Tensor | Array | Sequence[float]


@house_style
def convergence(
    step_sizes: Numbers, errors: Mapping[str, Numbers], *, title: str | None = None
) -> Figure:
    """Error against step size on logarithmic axes; a method of order p is a line of slope p.

    Args:
        step_sizes: the steps h (n,), all > 0.
        errors: {method: errors (n,)}; the legend gives the slope measured by least squares.

    Errors that are zero, NaN or infinite have no place on the axes: they are left out, and
    the figure says so.

    Raises:
        ValueError: step sizes not positive, another number of errors, an empty dict.
    """
    h = array(step_sizes, "step_sizes", ndim=1)
    if not (np.isfinite(h).all() and (h > 0).all()):
        raise ValueError(f"step_sizes must be > 0 and finite, got {h.tolist()}")
    series = _series(errors, "errors", len(h))
    fig, (ax,) = new_panels(1, single=(6.6, 4.6))
    handles, ends, lost = [], [], 0
    for i, (label, error) in enumerate(series.items()):
        good = np.isfinite(error) & (error > 0) & (error < 1e100)
        lost += int((~good).sum())
        slope, level = _log_fit(h[good], error[good])
        measured = f"slope {slope:.2f}" if np.isfinite(slope) else "slope not measurable"
        color = PALETTE[i % len(PALETTE)]
        (line,) = ax.plot(
            h[good], error[good], color=color, marker=MARKERS[i % len(MARKERS)], linewidth=1.2,
            label=f"{label}: {measured}",
        )  # fmt: skip
        handles.append(line)
        if np.isfinite(slope):
            ends.append((slope, level + slope * np.log(h.max())))
    ax.set_xscale("log")
    ax.set_yscale("log")
    if ends and len(np.unique(h)) > 1:
        span = np.array([h.min(), h.max()])
        for order, dashes in ((1, (0, (1, 2))), (2, (0, (4, 2, 1, 2)))):
            # Above the line that it should be compared with, so that it hides none.
            top = min(ends, key=lambda end: abs(end[0] - order))[1] + np.log(2.5)
            guide = np.exp(top) * (span / span[1]) ** order
            handles += ax.plot(
                span, guide, color=GUIDE, linestyle=dashes, label=f"guide: slope {order}"
            )
    ticks = _spread(np.unique(h))
    ax.set_xticks(ticks, [f"{tick:.3g}" for tick in ticks])
    ax.set_xticks([], minor=True)
    ax.set_xlabel("step size $h$")
    ax.set_ylabel("error")
    title_panel(ax, title or "", _lost_note(lost, "zero, NaN or infinite"))
    legend_below(fig, handles)
    return fig


@house_style
def covariance(
    estimated: Tensor, exact: Tensor, times: Tensor, *, title: str | None = None
) -> Figure:
    """Estimated and exact covariance on one colour scale, and their difference on its own.

    Args:
        estimated: Cov(X_s, X_t) from samples, shape (n, n).
        exact: the true one, shape (n, n), such as min(s, t) for Brownian motion.
        times: the n times of rows and columns, increasing.

    Raises:
        ValueError: shapes that disagree, times that are not increasing.
    """
    t = array(times, "times", ndim=1)
    n = len(t)
    if not np.isfinite(t).all() or n < 2 or not (np.diff(t) > 0).all():
        raise ValueError(f"times must be at least two increasing numbers, got {t.tolist()}")
    matrices = {"estimated": array(estimated, "estimated"), "exact": array(exact, "exact")}
    for name, matrix in matrices.items():
        if matrix.shape != (n, n):
            raise ValueError(f"{name} must have shape ({n}, {n}) for {n} times, got {matrix.shape}")
    usable = {name: _tame(matrix) for name, matrix in matrices.items()}
    reference = usable["exact"] if np.isfinite(usable["exact"]).any() else usable["estimated"]
    low, high = min(0.0, _extreme(np.nanmin, reference)), _extreme(np.nanmax, reference)
    high = high if high > low else low + 1.0
    difference = usable["estimated"] - usable["exact"]
    bound = min(_extreme(np.nanmax, np.abs(difference)), 10 * (high - low)) or 1.0

    fig, axes = new_panels(3, title=title, square=True)
    cells = np.concatenate([[t[0]], 0.5 * (t[1:] + t[:-1]), [t[-1]]])
    images = [*usable.items(), ("estimated − exact", difference)]
    for i, (ax, (name, matrix)) in enumerate(zip(axes, images, strict=True)):
        scale: dict[str, Any] = (
            {"cmap": "cividis", "vmin": low, "vmax": high}
            if i < 2
            else {"cmap": "PuOr_r", "vmin": -bound, "vmax": bound}
        )
        mesh = ax.pcolormesh(cells, cells, np.ma.masked_invalid(matrix), **scale)
        ax.set_facecolor("#D9D9D9")
        ax.set_aspect("equal")
        ax.set_xlabel("time $t$")
        lost = int((~np.isfinite(matrix)).sum())
        title_panel(ax, name, _lost_note(lost, "NaN or infinite"))
        if i:
            bar = fig.colorbar(
                mesh,
                ax=axes[:2] if i == 1 else ax,
                shrink=0.72,
                pad=0.02,
                extend=_extend(matrix, scale),
            )
            bar.outline.set_visible(False)  # type: ignore[operator]
    axes[0].set_ylabel("time $s$")
    return fig


@house_style
def curves(
    x: Numbers,
    y: Mapping[str, Numbers],
    *,
    xlabel: str,
    ylabel: str,
    logx: bool = False,
    logy: bool = False,
    exact: Sequence[str] = (),
    joined: bool = False,
    marks: Mapping[str, float] | None = None,
    title: str | None = None,
) -> Figure:
    """Measured values as markers, exact ones as a dark dashed line.

    Args:
        x: shape (n,).
        y: {label: values (n,)}.
        exact: the labels of the entries that are exact.
        joined: join measured values by a line, with at most a dozen markers on it.
        marks: {label: x} vertical lines, such as {"θh = 2": 2.0}.

    Values that are NaN, infinite, or not positive on a logarithmic axis are left out, and the
    figure says so.

    Raises:
        ValueError: lengths that disagree, a label in `exact` that is not in `y`.
    """
    horizontal = array(x, "x", ndim=1)
    series = _series(y, "y", len(horizontal))
    known = [exact] if isinstance(exact, str) else [str(label) for label in exact]
    if unknown := sorted(set(known) - set(series)):
        raise ValueError(f"exact names {unknown}, expected some of {list(series)}")
    order = np.argsort(horizontal, kind="stable")
    fig, (ax,) = new_panels(1, single=(7.0, 4.4))
    handles: list[Any] = []
    lost, colors = 0, cycle(PALETTE)
    # One further on with each round of colours: no two curves look alike.
    markers = cycle(MARKERS[(i + i // len(PALETTE)) % len(MARKERS)] for i in range(36))
    every = -(-len(order) // 12) if joined else 1
    dashes = iter([EXACT_LINE["linestyle"], ":", "-.", "-"] * len(series))
    for i, (label, values) in enumerate(series.items()):
        good = np.isfinite(horizontal) & (np.abs(horizontal) < 1e100)
        good &= np.isfinite(values) & (np.abs(values) < 1e100)
        good &= (horizontal > 0) | (not logx)
        good &= (values > 0) | (not logy)
        lost += int((~good).sum())
        # Not a number: a line has a gap there, and does not run on to the next value.
        place, height = (np.where(good, v, np.nan)[order] for v in (horizontal, values))
        look: dict[str, Any] = (
            EXACT_LINE | {"linestyle": next(dashes), "zorder": 4 if joined else 2}
            if label in known
            else {"color": next(colors), "marker": next(markers), "zorder": 3}
            | {"linestyle": "-" if joined else "", "markevery": (i * every // len(series), every)}
        )
        handles += ax.plot(place, height, label=label, **look)
    if logx:
        ax.set_xscale("log")
    if logy:
        ax.set_yscale("log")
    for label, mark in by_label(marks or {"": None}, "marks").items():
        if label:
            position = float(array(mark, f"marks[{label!r}]", ndim=0))
            if not np.isfinite(position) or (logx and position <= 0):
                raise ValueError(f"marks[{label!r}] must be a place on the x axis, got {mark}")
            ax.axvline(position, color=GUIDE, linewidth=1.2, zorder=1)
            ax.annotate(
                label, (position, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 4),
                textcoords="offset points", ha="center", va="bottom", fontsize=10,
                color="#555555", annotation_clip=False, gid="mark",
            )  # fmt: skip
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    note = _lost_note(
        lost, "NaN, infinite or without a logarithm" if logx or logy else "NaN or infinite"
    )
    title_panel(ax, title or "", note, lift=15 if marks else 0)
    legend_below(fig, handles)
    return fig


@house_style
def mode_weights(
    true_weights: Numbers, measured: Mapping[str, Numbers], *, title: str | None = None
) -> Figure:
    """The share of samples in each mode, beside the true weight.

    Args:
        true_weights: shape (k,).
        measured: {label: shares (k,)}.

    Raises:
        ValueError: another number of modes, an empty dict.
    """
    truth = array(true_weights, "true_weights", ndim=1)
    series = {"true weight": truth} | _series(measured, "measured", len(truth))
    modes, bars = len(truth), len(series)
    width = 0.84 / bars
    crowded = modes * bars > 16
    fig, (ax,) = new_panels(1, single=(float(np.clip(0.5 * modes * bars, 7.0, 10.5)), 4.0))
    top = max(_extreme(np.nanmax, _tame(values)) for values in series.values())
    handles = []
    for i, (label, values) in enumerate(series.items()):
        color = EXACT if i == 0 else PALETTE[(i - 1) % len(PALETTE)]
        heights = np.nan_to_num(_tame(values))
        container = ax.bar(
            np.arange(modes) + (i - (bars - 1) / 2) * width, heights, 0.92 * width,
            color=color, alpha=0.85, label=label,
        )  # fmt: skip
        handles.append(container)
        texts = [f"{value:.2f}" if np.isfinite(value) else "NaN" for value in values]
        ax.bar_label(container, texts, padding=2, fontsize=9.5, rotation=90 if crowded else 0)
    ax.set_ylim(0, (top if top > 0 else 1.0) * (1.22 if crowded else 1.1))
    ax.set_xticks(range(modes), [f"mode {k}" for k in range(modes)])
    ax.grid(False, axis="x")
    ax.set_ylabel("share of samples")
    title_panel(ax, title or "")
    legend_below(fig, handles)
    return fig


def _series(values: Mapping[str, Numbers], name: str, size: int) -> dict[str, Array]:
    if not isinstance(values, Mapping):
        raise ValueError(f"{name} must be a dict {{label: numbers}}, got {type(values).__name__}")
    return {
        label: array(entry, f"{name}[{label!r}]", ndim=1, size=size)
        for label, entry in by_label(values, name).items()
    }


def _log_fit(h: Array, error: Array) -> tuple[float, float]:
    """Slope and level of log error = level + slope · log h; NaN from fewer than two step sizes."""
    if len(np.unique(h)) < 2:
        return np.nan, np.nan
    slope, level = np.polyfit(np.log(h), np.log(error), 1)
    return float(slope), float(level)


def _tame(values: Array) -> Array:
    """NaN for infinity, and no value so large that sums overflow."""
    return np.clip(np.where(np.isfinite(values), values, np.nan), -1e100, 1e100)


def _extreme(pick: Any, values: Array) -> float:
    return float(pick(values)) if np.isfinite(values).any() else 0.0


def _extend(matrix: Array, scale: dict[str, Any]) -> str:
    below = _extreme(np.nanmin, matrix) < scale["vmin"]
    above = _extreme(np.nanmax, matrix) > scale["vmax"]
    return {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[below, above]


def _spread(values: Array) -> list[float]:
    """Those of some increasing numbers > 0 that are far enough apart on a logarithmic axis."""
    gap = np.log(values[-1] / values[0]) / 9
    kept = [values[-1]]
    for value in values[-2::-1]:
        if np.log(kept[-1] / value) > gap:
            kept.append(value)
    return kept


def _lost_note(count: int, what: str) -> str:
    return f"{count} left out: {what}" if count else ""
