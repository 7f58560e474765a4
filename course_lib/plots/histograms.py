"""Normalised histograms: bar height = share of the samples in the bar / its width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from torch import Tensor

from course_lib.plots.arrays import Array, array, by_label, for_labels, like_samples
from course_lib.plots.frame import beyond, bulk_limits, escape_note
from course_lib.plots.style import (
    EXACT_LINE,
    SIMULATED,
    house_style,
    label_outer,
    legend_below,
    new_panels,
    title_panel,
)

__all__ = ["finite_density", "histogram"]

DASHES = (EXACT_LINE["linestyle"], ":", "-.", "-")


@house_style
def histogram(
    samples: Tensor | Mapping[str, Tensor],
    density: Any = None,
    *,
    bins: int = 40,
    extent: Sequence[float] | None = None,
    title: str | None = None,
    xlabel: str = "$x$",
) -> Figure:
    """1-D histograms against the exact density; a dict gives panels on shared axes.

    Args:
        samples: shape (n,) or (n, 1).
        density: a function x (m,) -> p(x) (m,), a 1-D distribution with `log_prob`, or a dict
            of these, by the samples' labels. In place of one density, {name: density} draws
            several, each with its own dashes.
        bins: number of bars over the common range.
        extent: (low, high), the range shown; None fits the samples.

    Raises:
        ValueError: samples of another shape, a density of the wrong shape or unknown label, an
            extent that is no range.
    """
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}")
    series = {
        label: _flat(entry, f"samples {label!r}" if label else "samples")
        for label, entry in by_label(samples, "samples").items()
    }
    if isinstance(density, Mapping) and not isinstance(samples, Mapping):
        density = {"": density}
    exact = {
        label: by_label(entry, "density")
        for label, entry in for_labels(density, "density", list(series)).items()
    }
    names = list(dict.fromkeys(name for entry in exact.values() for name in entry))
    looks = {name: EXACT_LINE | {"linestyle": dash} for name, dash in zip(names, cycle(DASHES))}
    limits = bulk_limits(list(series.values())) if extent is None else _range(extent)
    edges = np.linspace(*limits, bins + 1)
    x = np.linspace(*limits, 401)
    fig, axes = new_panels(len(series), title=title)
    for ax, (label, values) in zip(axes, series.items(), strict=True):
        heights = finite_density(values, edges)
        ax.stairs(heights, edges, fill=True, color=SIMULATED, alpha=0.35)
        ax.stairs(heights, edges, color=SIMULATED, linewidth=1.0)
        for name, curve in exact.get(label, {}).items():
            ax.plot(x, _evaluate(curve, x), **looks[name])
        ax.set_xlim(*limits)
        title_panel(ax, label, escape_note(values, beyond(values, limits), "samples"))
    axes[0].set_ylim(bottom=0)  # after all are drawn: it ends the fitting of their common axis
    label_outer(axes, xlabel, "probability density")
    handles: list[Any] = [
        Patch(facecolor=SIMULATED, alpha=0.5, edgecolor=SIMULATED, label="samples")
    ]
    handles += [Line2D([], [], **looks[name], label=name or "exact density") for name in names]
    legend_below(fig, handles)
    return fig


def finite_density(values: Array, edges: Array) -> Array:
    """Bar heights; samples outside the bars count in the total, so the heights stay honest."""
    finite = values[np.isfinite(values)]
    return np.histogram(finite, edges)[0] / (len(values) * np.diff(edges))


def _range(extent: Sequence[float]) -> tuple[float, float]:
    limits = array(extent, "extent")
    if limits.shape != (2,) or not np.isfinite(limits).all() or limits[0] >= limits[1]:
        raise ValueError(f"extent must be (low, high) with low < high, got {extent}")
    return float(limits[0]), float(limits[1])


def _flat(samples: object, name: str) -> Array:
    values = array(samples, name)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise ValueError(f"{name} must have shape (n,) or (n, 1), got {values.shape}")
    return values


def _evaluate(density: Any, x: Array) -> Array:
    if hasattr(density, "log_prob"):
        if getattr(density, "dim", 1) != 1:
            raise ValueError(f"density must be of dimension 1, got {density.dim}")
        points = torch.as_tensor(x[:, None]).to(like_samples(density))
        values = np.exp(array(density.log_prob(points), "density.log_prob(x)").reshape(-1))
    elif callable(density):
        values = array(density(torch.as_tensor(x, dtype=torch.get_default_dtype())), "density(x)")
    else:
        raise ValueError(
            "density must be a function x -> p(x) or a distribution with log_prob, "
            f"got {type(density).__name__}"
        )
    if values.shape != x.shape:
        raise ValueError(f"density(x) must have shape {x.shape} like x, got {values.shape}")
    return values
