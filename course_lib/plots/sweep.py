"""What a guidance scale w changes: several measures against w, each on a scale of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator
from torch import Tensor

from course_lib.plots.arrays import Array, array, by_label
from course_lib.plots.style import (
    END,
    EXACT_LINE,
    GUIDE,
    SIMULATED,
    house_style,
    legend_below,
    new_panels,
    title_panel,
)

__all__ = ["sweep"]

Numbers = Tensor | Array | Sequence[float]
STAR: dict[str, Any] = {
    "linestyle": "",
    "marker": "*",
    "markersize": 15,
    "color": END,
    "markeredgecolor": "white",
}


@house_style
def sweep(
    scales: Numbers,
    measures: Mapping[str, Numbers],
    *,
    real: Mapping[str, float] | None = None,
    mark: bool = True,
    xlabel: str = "guidance scale $w$",
    title: str | None = None,
) -> Figure:
    """Measures of samples against the guidance scale, one panel each.

    An axis is logarithmic where the largest value exceeds 1 and is over 8 times the least.

    Args:
        scales: the scales w tried, shape (n,).
        measures: {name: values (n,)}; small Fréchet distances are good.
        real: {name: what real data have}, drawn as a dark dashed line.
        mark: whether to mark the least Fréchet distance, and its scale in all panels.

    Values that are NaN or infinite are left out, and the figure says so.

    Raises:
        ValueError: lengths that disagree, no measure, scales that are not finite, a name in `real`
            that is no measure.
    """
    w = array(scales, "scales", ndim=1)
    if not np.isfinite(w).all():
        raise ValueError(f"scales must be finite, got {w.tolist()}")
    if not isinstance(measures, Mapping):
        raise ValueError(f"measures must be a dict, got {type(measures).__name__}")
    series = {
        name: array(values, f"measures[{name!r}]", ndim=1, size=len(w))
        for name, values in by_label(measures, "measures").items()
    }
    levels = {name: float(array(v, f"real[{name!r}]", ndim=0)) for name, v in (real or {}).items()}
    levels = {name: level for name, level in levels.items() if abs(level) < 1e100}
    if unknown := sorted(set(real or {}) - set(series)):
        raise ValueError(f"real has entries for {unknown}, expected some of {list(series)}")
    order = np.argsort(w, kind="stable")
    usable = {name: np.where(np.abs(v) < 1e100, v, np.nan) for name, v in series.items()}
    frechet = next((name for name in usable if name.startswith("Fréchet")), None)
    known = mark and frechet is not None and np.isfinite(usable[frechet]).any()
    best = int(np.nanargmin(usable[frechet])) if frechet is not None and known else None

    fig, axes = new_panels(len(series), title=title, most_columns=3, share=False)
    for ax, (name, values) in zip(axes, usable.items(), strict=True):
        if name in levels:
            ax.axhline(levels[name], **EXACT_LINE, zorder=2)
        ax.plot(w[order], values[order], "o-", color=SIMULATED, zorder=3)
        if best is not None:
            ax.axvline(w[best], color=GUIDE, linewidth=1.2, linestyle=":", zorder=1)
            if name == frechet:
                ax.plot(w[best], values[best], zorder=4, **STAR)
        ax.margins(0.07, 0.14)
        if np.nanmax(values, initial=0.0) > 1:  # not a share, such as the accuracy
            _log_if_wide(ax, values)
        ax.set_xlabel(xlabel)
        lost = int(np.isnan(values).sum())
        title_panel(ax, name, f"{lost} left out: NaN or infinite" if lost else "")
    handles = []
    if best is not None and frechet is not None:
        least = f"least {frechet}: {usable[frechet][best]:.3g} at $w$ = {w[best]:g}"
        handles.append(Line2D([], [], label=least, **STAR))
    if levels:
        handles.append(Line2D([], [], **EXACT_LINE, label="real data"))
    legend_below(fig, handles)
    return fig


def _log_if_wide(ax: Axes, values: Array) -> None:
    """A logarithmic axis where the worst value would hide the differences of the good ones."""
    low, high = np.nanmin(values, initial=np.inf), np.nanmax(values, initial=0.0)
    if 0 < 8 * low < high:
        ax.set_yscale("log")
        subs = (1.0, 2.0, 5.0) if high < 200 * low else (1.0,)
        ax.yaxis.set_major_locator(LogLocator(subs=subs))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_locator(NullLocator())
