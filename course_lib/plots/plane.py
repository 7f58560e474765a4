"""Points in the plane: arrows of a velocity field, the image of a density, particles over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from torch import Tensor

from course_lib.plots.arrays import Array, array, box, grid, like_samples, times_and_states
from course_lib.plots.frame import bulk_limits, escape_note
from course_lib.plots.style import (
    ARROW,
    DENSITY,
    END,
    EXACT,
    EXACT_LINE,
    SIMULATED,
    START,
    house_style,
    label_outer,
    legend_below,
    new_panels,
    title_panel,
)

if TYPE_CHECKING:
    from course_lib.distributions import Density
    from course_lib.simulate import Trajectory

__all__ = ["density", "snapshots", "vector_field"]

Box = tuple[float, float, float, float]
MOST_POINTS = 4000
MOST_PATHS = 100


@house_style
def vector_field(
    velocity: Callable[[Tensor, Tensor], Tensor],
    trajectory: Trajectory | None = None,
    *,
    exact: Trajectory | None = None,
    t: float = 0.0,
    extent: float | Sequence[float] = 2.0,
    title: str | None = None,
) -> Figure:
    """Arrows of velocity(x, t) at one time, with a trajectory's paths over them.

    Args:
        velocity: (x of shape (n, 2), t of shape ()) -> (n, 2).
        trajectory: times (n,) and states (n, batch, 2); start and end of each path are marked.
        exact: the true paths, drawn dashed.
        t: the time at which the arrows are drawn.
        extent: half width of the plane shown, or (x_min, x_max, y_min, y_max).

    Raises:
        ValueError: states or velocity not in the plane, an extent that is no box.
    """
    edges = box(extent)
    states = None if trajectory is None else _plane_states(trajectory)[1]
    like = None if trajectory is None else trajectory.states
    x, y, points = grid(edges, 19, like)
    time = torch.tensor(float(t), dtype=points.dtype, device=points.device)
    arrows = _vectors(velocity(points, time), len(points), "velocity(x, t)")

    fig, (ax,) = new_panels(1, single=(5.8, 5.6), square=True)
    note = _draw_arrows(ax, x, y, arrows, ARROW)
    handles: list[Any] = [_arrow_key(ARROW, f"velocity at $t$ = {t:g}")]
    if exact is not None:
        truth = _plane_states(exact)[1][:, :MOST_PATHS]
        ax.plot(*truth.transpose(2, 0, 1), **EXACT_LINE)
        handles.append(Line2D([], [], **EXACT_LINE, label="exact"))
    if states is not None:
        note = ", ".join(filter(None, [note, _draw_orbits(ax, states, edges)]))
        handles += [
            Line2D([], [], color=SIMULATED, label=_paths_label(states.shape[1])),
            Line2D([], [], **_dot(START, "o"), label="start"),
            Line2D([], [], **_dot(END, "s"), label="end"),
        ]
    _finish_plane([ax], edges)
    title_panel(ax, title or "", note)
    legend_below(fig, handles)
    return fig


@house_style
def density(
    distribution: Density,
    *,
    extent: float | Sequence[float] | None = None,
    samples: Tensor | None = None,
    score: bool = False,
    title: str | None = None,
) -> Figure:
    """A 2-D density as a grey image, with samples and the arrows of its score over it.

    Args:
        distribution: of dimension 2, with `log_prob`; with `score` where arrows are asked for.
        extent: half width, or (x_min, x_max, y_min, y_max); None fits the distribution.
        samples: shape (n, 2), drawn as points (at most 4,000 of them).
        score: draw the arrows of the score ∇ log p(x).

    Raises:
        ValueError: another dimension, samples of another shape, no density or score to draw.
    """
    _check_density(distribution)
    if score and not hasattr(distribution, "score"):
        raise ValueError(f"score=True, but {type(distribution).__name__} has no score")
    points = None if samples is None else array(samples, "samples", ndim=2)
    if points is not None and points.shape[1] != 2:
        raise ValueError(f"samples must have shape (n, 2), got {points.shape}")
    edges = box(extent) if extent is not None else _fit(distribution, points)

    fig, (ax,) = new_panels(1, single=(5.8, 5.6), square=True)
    _draw_image(ax, _image(distribution, edges), edges)
    handles: list[Any] = [_density_key()]
    note = ""
    if score:
        x, y, where = grid(edges, 17, like_samples(distribution))
        arrows = _vectors(distribution.score(where), len(where), "score(x)")
        note = _draw_arrows(ax, x, y, arrows, EXACT)
        handles.append(_arrow_key(EXACT, "score $\\nabla \\log p$"))
    if points is not None:
        note = ", ".join(filter(None, [note, _draw_points(ax, points, edges, "samples")]))
        handles.append(Line2D([], [], **_dot(SIMULATED, "o"), label="samples"))
    _finish_plane([ax], edges)
    title_panel(ax, title or "", note)
    legend_below(fig, handles)
    return fig


@house_style
def snapshots(
    trajectory: Trajectory,
    target: Density | None = None,
    *,
    at: int | Sequence[float] = 5,
    extent: float | Sequence[float] | None = None,
    title: str | None = None,
) -> Figure:
    """Particles at several times over the target density: the top row of Notes Fig. 8.

    Args:
        trajectory: times (n,) and states (n, batch, 2).
        target: of dimension 2, with `log_prob`.
        at: how many panels, evenly spaced in the recorded times, or the times themselves
            (the nearest recorded time is shown).
        extent: half width, or (x_min, x_max, y_min, y_max); None fits target and first states.

    Raises:
        ValueError: states not in the plane, a time outside the trajectory, no density to draw.
    """
    times, states = _plane_states(trajectory)
    chosen = _chosen(times, at)
    if target is not None:
        _check_density(target)
    edges = box(extent) if extent is not None else _fit(target, states[0], states[-1])
    fig, axes = new_panels(len(chosen), title=title, single=(5.2, 5.2), square=True)
    image = None if target is None else _image(target, edges)
    for ax, i in zip(axes, chosen, strict=True):
        if image is not None:
            _draw_image(ax, image, edges)
        note = _draw_points(ax, states[i], edges, "particles")
        title_panel(ax, f"$t$ = {times[i]:.3g}", note)
    _finish_plane(axes, edges)
    handles: list[Any] = [Line2D([], [], **_dot(SIMULATED, "o"), label="simulated particles")]
    if target is not None:
        handles.insert(0, _density_key("target density"))
    legend_below(fig, handles)
    return fig


def _plane_states(trajectory: Trajectory) -> tuple[Array, Array]:
    times, states = times_and_states(trajectory)
    if states.shape[2] != 2:
        raise ValueError(f"trajectory.states must have shape (n, batch, 2), got {states.shape}")
    return times, states


def _check_density(distribution: Any) -> None:
    if not hasattr(distribution, "log_prob"):
        raise ValueError(
            f"expected a distribution with log_prob, got {type(distribution).__name__}"
        )
    if getattr(distribution, "dim", 2) != 2:
        raise ValueError(f"expected a distribution in the plane, got dimension {distribution.dim}")


def _chosen(times: Array, at: int | Sequence[float]) -> list[int]:
    if isinstance(at, int):
        if at < 1:
            raise ValueError(f"at must be at least 1 panel, got {at}")
        wanted = np.linspace(times[0], times[-1], at) if at > 1 else times[-1:]
    else:
        wanted = np.atleast_1d(array(at, "at"))
        slack = 1e-6 * max(1.0, float(np.ptp(times)))
        if not ((wanted >= times.min() - slack) & (wanted <= times.max() + slack)).all():
            raise ValueError(f"at must lie in [{times.min():g}, {times.max():g}], got {at}")
    nearest = [int(np.abs(times - t).argmin()) for t in wanted]
    return list(dict.fromkeys(nearest))  # few recorded times: each once


def _vectors(value: object, count: int, name: str) -> Array:
    vectors = array(value, name)
    if vectors.shape != (count, 2):
        raise ValueError(f"{name} must have the shape of x, ({count}, 2), got {vectors.shape}")
    return vectors


def _fit(distribution: Any, *clouds: Array | None) -> Box:
    """A square that holds what the distribution and the first cloud of points reach."""
    if distribution is not None and hasattr(distribution, "sample"):
        drawn = distribution.sample(2000, torch.Generator().manual_seed(0))
        clouds = (array(drawn, "samples"), *clouds[:1])
    pieces = [cloud for cloud in clouds if cloud is not None]
    if not pieces:
        return -3.0, 3.0, -3.0, 3.0
    sides = [bulk_limits([cloud[:, k] for cloud in pieces]) for k in range(2)]
    half = 0.525 * max(high - low for low, high in sides)
    (x, y) = (0.5 * (low + high) for low, high in sides)
    return x - half, x + half, y - half, y + half


def _image(distribution: Any, edges: Box) -> Array:
    """The density on a grid (200, 200), relative to its peak."""
    _, _, points = grid(edges, 200, like_samples(distribution))
    log_prob = array(distribution.log_prob(points), "log_prob(x)").reshape(-1)
    if log_prob.size != len(points):
        raise ValueError(
            f"log_prob(x) must have shape ({len(points)},), got {log_prob.size} entries"
        )
    return np.exp(log_prob - np.nanmax(log_prob, initial=-1e300)).reshape(200, 200)


def _draw_image(ax: Axes, image: Array, edges: Box) -> None:
    # A power below 1 keeps the small modes visible beside the large ones.
    norm = PowerNorm(0.6, vmin=0, vmax=1)
    ax.imshow(image, extent=edges, origin="lower", cmap=DENSITY, norm=norm, aspect="equal")


def _draw_arrows(ax: Axes, x: Array, y: Array, arrows: Array, color: str) -> str:
    """Arrows as long as the vectors are; the longest ones span the gap between two arrows."""
    finite = np.asarray(np.isfinite(arrows).all(axis=1))
    shown = np.clip(np.where(finite[:, None], arrows, 0.0), -1e100, 1e100)
    speed = np.hypot(*shown.T)
    longest = np.quantile(speed[finite], 0.95) if finite.any() else 0.0
    if longest > 0:
        shown = shown / np.maximum(speed, longest)[:, None] * 0.95 * (x[1] - x[0])
        mesh_x, mesh_y = np.meshgrid(x, y)
        ax.quiver(
            mesh_x.ravel()[finite],
            mesh_y.ravel()[finite],
            *shown[finite].T,
            color=color,
            angles="xy",
            scale_units="xy",
            scale=1,
            pivot="mid",
            width=0.0035,
            headwidth=4.5,
            headlength=5,
            minlength=0.1,
        )
    lost = len(arrows) - int(finite.sum())
    return f"{lost} of {len(arrows)} arrows are NaN or infinite" if lost else ""


def _draw_orbits(ax: Axes, states: Array, edges: Box) -> str:
    low, high = np.array(edges[::2]), np.array(edges[1::2])
    margin = 10 * (high - low)
    drawn = np.clip(states[:, :MOST_PATHS], low - margin, high + margin)
    many = drawn.shape[1] > 25
    ax.add_collection(
        LineCollection(
            list(drawn.transpose(1, 0, 2)),
            colors=SIMULATED,
            linewidths=0.8 if many else 1.5,
            alpha=0.5 if many else 0.9,
        ),
        autolim=False,
    )
    size = 3.0 if many else 6.0
    ax.plot(*drawn[0].T, **_dot(START, "o", size), zorder=3)
    ax.plot(*drawn[-1].T, **_dot(END, "s", size), zorder=3)
    return _escapes(states, edges, "paths")


def _draw_points(ax: Axes, points: Array, edges: Box, what: str) -> str:
    drawn = points[:MOST_POINTS]
    size, alpha = (2.4, 0.35) if len(drawn) > 1000 else (3.2, 0.55)
    inside = np.isfinite(drawn).all(axis=1) & ~_outside(drawn, edges)
    ax.plot(
        *drawn[inside].T,
        linestyle="",
        marker="o",
        markersize=size,
        markeredgewidth=0,
        color=SIMULATED,
        alpha=alpha,
    )
    return _escapes(points[None], edges, what)


def _outside(points: Array, edges: Box) -> Array:
    """Where points (..., 2) are finite but not in the box."""
    low, high = np.array(edges[::2]), np.array(edges[1::2])
    beyond = ((points < low) | (points > high)).any(axis=-1)
    return np.asarray(np.isfinite(points).all(axis=-1) & beyond)


def _escapes(states: Array, edges: Box, what: str) -> str:
    return escape_note(np.abs(states).max(axis=-1), _outside(states, edges), what)


def _finish_plane(axes: list[Axes], edges: Box) -> None:
    for ax in axes:
        ax.set_xlim(edges[0], edges[1])
        ax.set_ylim(edges[2], edges[3])
        ax.set_aspect("equal")
    label_outer(axes, "$x_1$", "$x_2$")


def _paths_label(batch: int) -> str:
    return "paths" if batch <= MOST_PATHS else f"paths ({MOST_PATHS} of {batch})"


def _dot(color: str, marker: str, size: float = 6.0) -> dict[str, Any]:
    return {
        "linestyle": "",
        "marker": marker,
        "color": color,
        "markersize": size,
        "markeredgecolor": "white",
        "markeredgewidth": 0.6,
    }


def _arrow_key(color: str, label: str) -> Line2D:
    return Line2D([], [], linestyle="", marker=r"$\rightarrow$", markersize=14, color=color,
                  label=label)  # fmt: skip


def _density_key(label: str = "density") -> Patch:
    return Patch(facecolor="#B5B5B5", label=label)
