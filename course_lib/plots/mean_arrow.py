"""The marginal velocity at one place, u(x) = Σ_i r_i(x) u(x | z_i): a mean of arrows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from torch import Tensor

from course_lib.plots.arrays import Array, array, box, short
from course_lib.plots.canvas import arrow_key, dot, finish_plane, fit_box
from course_lib.plots.style import (
    END,
    EXACT,
    GUIDE,
    SIMULATED,
    house_style,
    legend_below,
    new_panels,
    title_panel,
)

__all__ = ["marginal_arrow"]


@house_style
def marginal_arrow(
    x: Tensor,
    points: Tensor,
    weights: Tensor,
    arrows: Tensor,
    *,
    times: Sequence[float] | Tensor | None = None,
    extent: float | Sequence[float] | None = None,
    title: str | None = None,
) -> Figure:
    """One particle, the arrow that each data point asks for, and their weighted mean in bold.

    The more weight, the larger the data point and the stronger its arrow. Each panel scales its
    arrows so that the longest is as long as the way to the farthest data point; for the linear
    path each arrow then ends at its data point.

    Args:
        x: the particle (2,), or one for each panel (m, 2).
        points: the data (n, 2), the same in every panel.
        weights: their posterior weights at x, (n,) for one panel or (m, n) for m panels.
        arrows: the conditional velocities at x, (n, 2) or (m, n, 2).
        times: the panels' times () or (m,), for their titles.
        extent: half width, or (x_min, x_max, y_min, y_max); None fits particles and data.

    Raises:
        ValueError: shapes that do not fit together, weights below 0 or whose sum is not 1.
    """
    data = array(points, "points", ndim=2)
    if data.shape[1] != 2:
        raise ValueError(f"points must have shape (n, 2), got {data.shape}")
    shares = np.atleast_2d(array(weights, "weights"))
    panels, count = len(shares), len(data)
    if shares.shape != (panels, count):
        raise ValueError(
            f"weights must have shape ({count},) or (panels, {count}), one for each of the points, "
            f"got {shares.shape}"
        )
    if (shares < 0).any() or (abs(shares.sum(axis=1) - 1) > 1e-2).any():
        raise ValueError(
            "weights must be at least 0 and sum to 1 in each panel, "
            f"got sums {shares.sum(axis=1).round(3).tolist()} and lowest {shares.min():.3g}"
        )
    particles = _for_panels(x, "x", (panels, 2))
    velocities = _for_panels(arrows, "arrows", (panels, count, 2))
    moments = None if times is None else _for_panels(times, "times", (panels,))
    scales = np.array([_scale(u, data - x) for u, x in zip(velocities, particles, strict=True)])
    tips = particles[:, None] + scales[:, None, None] * velocities
    reached = np.concatenate([data, particles, tips.reshape(-1, 2)])
    edges = box(extent) if extent is not None else fit_box(reached)

    fig, axes = new_panels(panels, title=title, single=(5.8, 5.6), square=True)
    sizes = np.nan_to_num(shares / max(float(np.nanmax(shares)), 1e-12))
    for k, ax in enumerate(axes):
        note = _draw_panel(ax, particles[k], data, shares[k], velocities[k], sizes[k], scales[k])
        head = "" if moments is None else f"$t$ = {moments[k]:.3g}\n"
        title_panel(ax, f"{head}arrows × {short(scales[k])}", note)
    finish_plane(axes, edges)
    legend_below(
        fig,
        [
            Line2D([], [], **dot(GUIDE, "o", 10), label="data (area: posterior weight)"),
            Line2D([], [], **dot(EXACT, "o", 8), label="particle"),
            arrow_key(SIMULATED, "conditional velocities"),
            arrow_key(END, "their weighted mean"),
        ],
    )
    return fig


def _for_panels(value: Any, name: str, shape: tuple[int, ...]) -> Array:
    """An array of this shape, or of that without its first axis: the same in every panel."""
    values = array(value, name)
    if values.shape not in {shape, shape[1:]}:
        raise ValueError(f"{name} must have shape {shape[1:]} or {shape}, got {values.shape}")
    return np.broadcast_to(values, shape)


def _scale(velocities: Array, ways: Array) -> float:
    """What makes the longest of some velocities (n, 2) as long as the longest way (n, 2)."""
    known = np.isfinite(velocities).all(axis=1) & np.isfinite(ways).all(axis=1)
    longest = float(np.hypot(*velocities[known].T).max(initial=0.0))
    reach = float(np.hypot(*ways[known].T).max(initial=0.0))
    return reach / longest if reach > 0 and longest > 0 else 1.0


def _draw_panel(
    ax: Axes, x: Array, data: Array, shares: Array, velocities: Array, sizes: Array, scale: float
) -> str:
    """Draw one panel; returns what to note. `sizes` are the shares relative to the largest."""
    known = np.isfinite(velocities).all(axis=1) & np.isfinite(shares)
    look: dict[str, Any] = {"angles": "xy", "scale_units": "xy", "scale": 1 / scale}
    ax.scatter(data[:, 0], data[:, 1], s=10 + 320 * sizes, color=GUIDE, linewidths=0, alpha=0.5)
    colors = [to_rgba(SIMULATED, 0.08 + 0.87 * size**0.5) for size in sizes[known]]
    tails = np.broadcast_to(x, data.shape)[known]
    ax.quiver(*tails.T, *velocities[known].T, color=colors, width=0.005, headwidth=4.5, **look)
    mean = shares @ velocities
    if np.isfinite(mean).all():
        ax.quiver(*x, *mean, color=END, width=0.014, zorder=3, **look)
    ax.plot(*x, **dot(EXACT, "o", 7), zorder=4)
    lost = len(data) - int(known.sum())
    return f"no mean: {lost} of {len(data)} arrows or weights are NaN or infinite" if lost else ""
