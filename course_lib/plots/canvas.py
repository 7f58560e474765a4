"""What figures of the plane are made of: a box, the grey image of a density, arrows, particles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import PowerNorm
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from course_lib.plots.arrays import Array, array, grid, like_samples, times_and_states
from course_lib.plots.frame import bulk_limits, escape_note
from course_lib.plots.style import DENSITY, END, SIMULATED, START, label_outer

if TYPE_CHECKING:
    from course_lib.simulate import Trajectory

__all__ = [
    "MOST_PATHS",
    "Box",
    "arrow_key",
    "arrow_length",
    "check_density",
    "density_image",
    "density_key",
    "dot",
    "draw_arrows",
    "draw_image",
    "draw_orbits",
    "draw_points",
    "finish_plane",
    "fit_box",
    "plane_states",
    "vectors",
]

Box = tuple[float, float, float, float]
MOST_POINTS = 4000
MOST_PATHS = 100


def plane_states(trajectory: Trajectory) -> tuple[Array, Array]:
    """The times (n,) and states (n, batch, 2) of a trajectory, or ValueError."""
    times, states = times_and_states(trajectory)
    if states.shape[2] != 2:
        raise ValueError(f"trajectory.states must have shape (n, batch, 2), got {states.shape}")
    return times, states


def check_density(distribution: Any) -> None:
    """ValueError unless it has a density in the plane."""
    if not hasattr(distribution, "log_prob"):
        raise ValueError(
            f"expected a distribution with log_prob, got {type(distribution).__name__}"
        )
    if getattr(distribution, "dim", 2) != 2:
        raise ValueError(f"expected a distribution in the plane, got dimension {distribution.dim}")


def vectors(value: object, count: int, name: str) -> Array:
    """An array (count, 2), or ValueError."""
    result = array(value, name)
    if result.shape != (count, 2):
        raise ValueError(f"{name} must have the shape of x, ({count}, 2), got {result.shape}")
    return result


def fit_box(*reached: Any) -> Box:
    """A square that holds what some distributions and clouds of points (n, 2) reach."""
    clouds = [cloud for thing in reached if (cloud := _reach(thing)) is not None]
    if not clouds:
        return -3.0, 3.0, -3.0, 3.0
    sides = [bulk_limits([cloud[:, k] for cloud in clouds]) for k in range(2)]
    half = 0.525 * max(high - low for low, high in sides)
    (x, y) = (0.5 * (low + high) for low, high in sides)
    return x - half, x + half, y - half, y + half


def _reach(thing: Any) -> Array | None:
    if isinstance(thing, np.ndarray):
        return thing
    if not hasattr(thing, "sample"):
        return None
    return array(thing.sample(2000, torch.Generator().manual_seed(0)), "samples")


def density_image(distribution: Any, edges: Box, count: int = 200) -> Array:
    """The density on a grid (count, count), relative to its peak."""
    _, _, points = grid(edges, count, like_samples(distribution))
    # In pieces: a mixture of a thousand points would otherwise need gigabytes.
    pieces = [distribution.log_prob(piece) for piece in points.split(4096)]
    log_prob = np.concatenate([array(piece, "log_prob(x)").reshape(-1) for piece in pieces])
    if log_prob.size != len(points):
        raise ValueError(
            f"log_prob(x) must have shape ({len(points)},), got {log_prob.size} entries"
        )
    return np.exp(log_prob - np.nanmax(log_prob, initial=-1e300)).reshape(count, count)


def draw_image(ax: Axes, image: Array, edges: Box) -> None:
    """A relative density in grey."""
    # A power below 1 keeps the small modes visible beside the large ones.
    norm = PowerNorm(0.6, vmin=0, vmax=1)
    ax.imshow(image, extent=edges, origin="lower", cmap=DENSITY, norm=norm, aspect="equal")


def arrow_length(arrows: Array) -> float:
    """How long the long ones of some arrows (n, 2) are: 19 of 20 are shorter."""
    finite = arrows[np.isfinite(arrows).all(axis=1)]
    return (
        float(np.quantile(np.hypot(*np.clip(finite.T, -1e100, 1e100)), 0.95))
        if len(finite)
        else 0.0
    )


def draw_arrows(
    ax: Axes,
    x: Array,
    y: Array,
    arrows: Array,
    color: str,
    *,
    longest: float | None = None,
    strong: Array | None = None,
) -> str:
    """Arrows (n, 2) on the grid of x and y; returns a note on those that are no numbers.

    Those of length `longest` (None: of `arrow_length`) span the gap between two; longer ones are
    drawn as long as that. Arrows that are not `strong` (n,) are faint.
    """
    finite = np.asarray(np.isfinite(arrows).all(axis=1))
    shown = np.clip(np.where(finite[:, None], arrows, 0.0), -1e100, 1e100)
    longest = arrow_length(arrows) if longest is None else longest
    if longest > 0 and finite.any():
        speed = np.hypot(*shown.T)
        shown = shown / np.maximum(speed, longest)[:, None] * 0.95 * (x[1] - x[0])
        mesh_x, mesh_y = np.meshgrid(x, y)
        opacity = 1.0 if strong is None else np.where(strong, 1.0, 0.2)[finite]
        ax.quiver(
            mesh_x.ravel()[finite],
            mesh_y.ravel()[finite],
            *shown[finite].T,
            color=color,
            alpha=opacity,
            angles="xy",
            scale_units="xy",
            scale=1,
            pivot="mid",
            width=0.066 / len(x),
            headwidth=4.5,
            headlength=5,
            minlength=0.1,
        )
    lost = len(arrows) - int(finite.sum())
    return f"{lost} of {len(arrows)} arrows are NaN or infinite" if lost else ""


def draw_orbits(ax: Axes, states: Array, edges: Box) -> str:
    """Paths (n, batch, 2) from their marked start to their marked end; returns what to note."""
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
    ax.plot(*drawn[0].T, **dot(START, "o", size), zorder=3)
    ax.plot(*drawn[-1].T, **dot(END, "s", size), zorder=3)
    return _escapes(states, edges, "paths")


def draw_points(ax: Axes, points: Array, edges: Box, what: str) -> str:
    """Particles (n, 2) inside the box; returns a note on the others."""
    drawn = points[:MOST_POINTS]
    figure = ax.get_figure(root=True)
    assert figure is not None
    side = 72 * ax.get_position().width * figure.get_size_inches()[0]
    size = float(np.clip(0.42 * side / len(drawn) ** 0.5, 1.4, 3.2))
    alpha = 0.35 if len(drawn) > 1000 else 0.55
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


def finish_plane(axes: list[Axes], edges: Box) -> None:
    """The same box in every panel, with equal axes and their names."""
    for ax in axes:
        ax.set_xlim(edges[0], edges[1])
        ax.set_ylim(edges[2], edges[3])
        ax.set_aspect("equal")
    label_outer(axes, "$x_1$", "$x_2$")


def dot(color: str, marker: str, size: float = 6.0) -> dict[str, Any]:
    """The look of a particle that stands out."""
    return {
        "linestyle": "",
        "marker": marker,
        "color": color,
        "markersize": size,
        "markeredgecolor": "white",
        "markeredgewidth": 0.6,
    }


def arrow_key(color: str, label: str) -> Line2D:
    """An arrow for the legend."""
    return Line2D([], [], linestyle="", marker=r"$\rightarrow$", markersize=14, color=color,
                  label=label)  # fmt: skip


def density_key(label: str = "density") -> Patch:
    """A grey patch for the legend."""
    return Patch(facecolor="#B5B5B5", label=label)
