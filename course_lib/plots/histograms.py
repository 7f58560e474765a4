"""Normalised histograms: bar height = share of the samples in the bar / its width."""

from __future__ import annotations

from collections.abc import Mapping
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


@house_style
def histogram(
    samples: Tensor | Mapping[str, Tensor],
    density: Any = None,
    *,
    bins: int = 40,
    title: str | None = None,
    xlabel: str = "$x$",
) -> Figure:
    """1-D histograms against the exact density; a dict gives panels on shared axes.

    Args:
        samples: shape (n,) or (n, 1).
        density: a function x (m,) -> p(x) (m,), a 1-D distribution with `log_prob`, or a dict
            of these, by the samples' labels.
        bins: number of bars over the common range.

    Raises:
        ValueError: samples of another shape, a density of the wrong shape or unknown label.
    """
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}")
    series = {
        label: _flat(entry, f"samples {label!r}" if label else "samples")
        for label, entry in by_label(samples, "samples").items()
    }
    exact = for_labels(density, "density", list(series))
    limits = bulk_limits(list(series.values()))
    edges = np.linspace(*limits, bins + 1)
    x = np.linspace(*limits, 401)
    fig, axes = new_panels(len(series), title=title)
    for ax, (label, values) in zip(axes, series.items(), strict=True):
        heights = finite_density(values, edges)
        ax.stairs(heights, edges, fill=True, color=SIMULATED, alpha=0.35)
        ax.stairs(heights, edges, color=SIMULATED, linewidth=1.0)
        if label in exact:
            ax.plot(x, _evaluate(exact[label], x), **EXACT_LINE)
        ax.set_xlim(*limits)
        ax.set_ylim(bottom=0)
        title_panel(ax, label, escape_note(values, beyond(values, limits), "samples"))
    label_outer(axes, xlabel, "probability density")
    handles: list[Any] = [
        Patch(facecolor=SIMULATED, alpha=0.5, edgecolor=SIMULATED, label="samples")
    ]
    if exact:
        handles.append(Line2D([], [], **EXACT_LINE, label="exact density"))
    legend_below(fig, handles)
    return fig


def finite_density(values: Array, edges: Array) -> Array:
    """Bar heights; samples outside the bars count in the total, so the heights stay honest."""
    finite = values[np.isfinite(values)]
    return np.histogram(finite, edges)[0] / (len(values) * np.diff(edges))


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
