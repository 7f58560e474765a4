"""The plane at several times side by side: particles, or arrows, over the density p_t."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from torch import Tensor

from course_lib.plots.arrays import (
    Array,
    array,
    box,
    by_label,
    chosen_times,
    grid,
    like_samples,
    short,
)
from course_lib.plots.canvas import (
    Box,
    arrow_key,
    arrow_length,
    check_density,
    density_image,
    density_key,
    dot,
    draw_arrows,
    draw_image,
    draw_points,
    finish_plane,
    fit_box,
    plane_states,
    vectors,
)
from course_lib.plots.style import (
    EXACT,
    SIMULATED,
    house_style,
    legend_below,
    name_rows,
    new_panels,
    title_panel,
)

if TYPE_CHECKING:
    from course_lib.simulate import Trajectory

__all__ = ["fields", "snapshots"]

Field = Callable[[Tensor, Tensor], Tensor]
SMALL = 150  # cells a side of an image that is drawn anew for each time


@house_style
def snapshots(
    trajectory: Trajectory,
    target: Any = None,
    *,
    at: int | Sequence[float] = 5,
    extent: float | Sequence[float] | None = None,
    title: str | None = None,
) -> Figure:
    """Particles at several times over the density: the top row of Notes Fig. 8.

    Args:
        trajectory: times (n,) and states (n, batch, 2).
        target: a Density of dimension 2, the same in every panel; or something like a
            Marginal, whose `at(t)` is the Density of time t. A panel at a time where `at`
            raises ValueError (finite data at t = 1) has no density.
        at: how many panels, evenly spaced in the recorded times, or the times themselves
            (the nearest recorded time is shown).
        extent: half width, or (x_min, x_max, y_min, y_max); None fits densities and first states.

    Raises:
        ValueError: states not in the plane, a time outside the trajectory, no density to draw.
    """
    times, states = plane_states(trajectory)
    chosen = chosen_times(times, at)
    moving = hasattr(target, "at")
    densities = [_density_at(target, times[i]) for i in chosen]
    known = list({id(density): density for density in densities if density is not None}.values())
    clouds = states[[0]] if known else states[[0, -1]]
    edges = box(extent) if extent is not None else fit_box(*known, *clouds)
    images = {
        id(density): density_image(density, edges, SMALL if moving else 200) for density in known
    }

    fig, axes = new_panels(len(chosen), title=title, single=(5.2, 5.2), square=True)
    for ax, i, density in zip(axes, chosen, densities, strict=True):
        if density is not None:
            draw_image(ax, images[id(density)], edges)
        note = draw_points(ax, states[i], edges, "particles")
        title_panel(ax, f"$t$ = {times[i]:.3g}", note)
    finish_plane(axes, edges)
    handles: list[Any] = [Line2D([], [], **dot(SIMULATED, "o"), label="simulated particles")]
    if known:
        handles.insert(0, density_key("exact density $p_t$" if moving else "target density"))
    legend_below(fig, handles)
    return fig


@house_style
def fields(
    velocities: Mapping[str, Field] | Field,
    *,
    times: Sequence[float] | Tensor = (0.1, 0.5, 0.9),
    background: Any = None,
    exact: Sequence[str] = ("exact",),
    extent: float | Sequence[float] | None = None,
    title: str | None = None,
) -> Figure:
    """Velocity fields, or scores, at several times: a row for each field, a column for each time.

    All arrows of a column have one scale, so that its rows can be compared. Where p_t is below
    1 % of its peak, and no particle ever comes, arrows are faint and do not count for the scale.

    Args:
        velocities: {label: (x of shape (n, 2), t of shape ()) -> (n, 2)}, or one such function.
        times: of the columns.
        background: a Density of dimension 2, or something like a Marginal, whose `at(t)` is the
            Density of time t; drawn behind the arrows, but for times at which `at` raises
            ValueError.
        exact: the labels of exact fields, whose arrows are dark; the others are blue.
        extent: half width, or (x_min, x_max, y_min, y_max); None fits the background.

    Raises:
        ValueError: no field, times that are not finite, a field of another shape.
    """
    rows = by_label(velocities, "velocities")
    moments = array(times, "times").reshape(-1)
    if not np.isfinite(moments).all():
        raise ValueError(f"times must be finite, got {moments.tolist()}")
    for label, field in rows.items():
        if not callable(field):
            raise ValueError(f"velocities[{label!r}] must be a function of (x, t), got {field!r}")
    densities = [_density_at(background, t) for t in moments]
    edges = box(extent) if extent is not None else fit_box(*densities)

    one_time = len(moments) == 1  # then side by side
    fig, axes = new_panels(
        len(rows) * len(moments), title=title, single=(5.8, 5.6), square=True,
        most_columns=len(rows) if one_time else len(moments), table=True,
    )  # fmt: skip
    for j, (t, density) in enumerate(zip(moments, densities, strict=True)):
        column = axes[j :: len(moments)]
        notes = _draw_column(column, rows, t, density, edges, exact)
        for i, (ax, label, note) in enumerate(zip(column, rows, notes, strict=True)):
            heads = [label if one_time else "", f"$t$ = {t:.3g}" if one_time or i == 0 else ""]
            title_panel(ax, ", ".join(filter(None, heads)), note)
    finish_plane(axes, edges)
    if not one_time:
        name_rows(axes, list(rows))
    handles = []
    if any(density is not None for density in densities):
        faint = arrow_key("#C8C8C8", "where $p_t$ is below 1 % of its peak")
        handles = [density_key("exact density $p_t$"), faint]
    legend_below(fig, handles)
    return fig


def _draw_column(
    axes: Sequence[Axes],
    rows: Mapping[str, Field],
    t: float,
    density: Any,
    edges: Box,
    exact: Sequence[str],
) -> list[str]:
    """All fields at one time, with one scale; what to note on each."""
    like = None if density is None else like_samples(density)
    x, y, points = grid(edges, 15, like)
    time = torch.tensor(t, dtype=points.dtype, device=points.device)
    arrows = {
        label: vectors(field(points, time), len(points), f"{label or 'velocity'}(x, t)")
        for label, field in rows.items()
    }
    image = None if density is None else density_image(density, edges, SMALL)
    busy = _busy(density, points)
    longest = _common_length([field[busy] for field in arrows.values()])
    notes = []
    for ax, (label, field) in zip(axes, arrows.items(), strict=True):
        if image is not None:
            draw_image(ax, image, edges)
        color = EXACT if label in exact else SIMULATED
        lost = draw_arrows(ax, x, y, field, color, longest=longest, strong=busy)
        notes.append(", ".join(filter(None, [lost, _cut_note(field[busy], longest)])))
    return notes


def _density_at(target: Any, t: float) -> Any:
    """The density of time t in the plane; None where there is none."""
    if target is None:
        return None
    if hasattr(target, "at"):
        try:
            target = target.at(float(t))
        except ValueError:
            return None
    check_density(target)
    return target


def _busy(density: Any, points: Tensor) -> Array:
    """Where particles come: above 1 % of the peak, among points (n, 2); everywhere for None."""
    everywhere = np.ones(len(points), dtype=bool)
    if density is None:
        return everywhere
    log_prob = array(density.log_prob(points), "log_prob(x)")
    busy = np.asarray(log_prob > np.nanmax(log_prob) + np.log(0.01))
    return busy if busy.sum() >= 5 else everywhere  # a peak may fall between the points


def _common_length(fields: Sequence[Array]) -> float:
    """The longest of what is usual in several fields, but for one that explodes."""
    lengths = [length for length in map(arrow_length, fields) if length > 0]
    return max((length for length in lengths if length <= 25 * min(lengths)), default=0.0)


def _cut_note(arrows: Array, longest: float) -> str:
    usual = arrow_length(arrows)
    return (
        f"cut: arrows of length {short(usual)} drawn as {short(longest)}" if usual > longest else ""
    )
