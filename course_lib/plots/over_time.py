"""One coordinate of a trajectory against time: X_t for many draws, panels side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from torch import Tensor

from course_lib.plots.arrays import Array, array, by_label, for_labels, path_arrays
from course_lib.plots.frame import beyond, clip_to_view, escape_note, path_limits
from course_lib.plots.histograms import finite_density
from course_lib.plots.style import (
    EXACT,
    EXACT_LINE,
    SIMULATED,
    house_style,
    label_outer,
    legend_below,
    new_panels,
    title_panel,
)

if TYPE_CHECKING:
    from course_lib.simulate import Trajectory

__all__ = ["collapse", "paths"]

Band = Callable[[Tensor], tuple[Tensor, Tensor]]
MOST_FAINT = 150


@house_style
def paths(
    trajectory: Trajectory | Mapping[str, Trajectory],
    *,
    band: Band | Mapping[str, Band] | None = None,
    coordinate: int = 0,
    most: int = 12,
    title: str | None = None,
    xlabel: str = "time $t$",
) -> Figure:
    """Paths against time: `most` of them strongly, the rest faintly; one panel for each label.

    Args:
        trajectory: times (n,) and states (n, batch, d); a dict gives panels on shared axes.
        band: times (n,) -> (mean, std), each () or (n,); drawn as the exact mean ± 2 std.
            A dict gives each labelled panel its own.
        coordinate: which of the d coordinates to draw.

    A simulation that explodes is cut where it leaves the frame, and the panel says so.

    Raises:
        ValueError: states of another shape, fewer than two times, a band for an unknown label.
    """
    series = _series(trajectory, coordinate, most)
    bands = for_labels(band, "band", list(series))
    fig, axes = new_panels(len(series), title=title)
    exact = {
        label: _mean_and_std(draw, by_label(trajectory, "trajectory")[label].times)
        for label, draw in bands.items()
    }
    limits = path_limits(
        [values for _, values in series.values()]
        + [np.stack([mean - 2 * std, mean + 2 * std]) for mean, std in exact.values()]
    )
    for ax, (label, (times, values)) in zip(axes, series.items(), strict=True):
        note = _draw_paths(ax, times, values, limits, most)
        title_panel(ax, label, note)
        if label in exact:
            mean, std = (clip_to_view(part, (-1e6, 1e6)) for part in exact[label])
            ax.plot(times, mean, **EXACT_LINE)
            for side in (-2, 2):
                ax.plot(times, mean + side * std, **EXACT_LINE | {"linewidth": 1.1})
            ax.fill_between(times, mean - 2 * std, mean + 2 * std, color=EXACT, alpha=0.1, lw=0)
    label_outer(axes, xlabel, _name(coordinate, trajectory))
    handles: list[Any] = [Line2D([], [], color=SIMULATED, label="simulated paths")]
    if exact:
        handles += [
            Line2D([], [], **EXACT_LINE, label="exact mean"),
            Patch(
                facecolor="#E9E9E9", edgecolor=EXACT, linestyle=(0, (4, 2)), label="exact ± 2 std"
            ),
        ]
    legend_below(fig, handles)
    return fig


@house_style
def collapse(
    trajectories: Mapping[str, Trajectory],
    *,
    coordinate: int = 0,
    most: int = 12,
    title: str | None = None,
    xlabel: str = "time $t$",
) -> Figure:
    """A row of panels of paths, each with the histogram of its final states at its side.

    All panels share both axes, so pictures that agree in distribution look alike.

    Args:
        trajectories: {label: times (n,) and states (n, batch, d)}.

    Raises:
        ValueError: states of another shape, fewer than two times, an empty dict.
    """
    series = _series(trajectories, coordinate, most)
    fig, axes = new_panels(len(series), title=title, most_columns=3)
    limits = path_limits([values for _, values in series.values()])
    bins = np.linspace(*limits, 41)
    heights = {label: finite_density(values[-1], bins) for label, (_, values) in series.items()}
    tallest = max(float(height.max()) for height in heights.values()) or 1.0
    for ax, (label, (times, values)) in zip(axes, series.items(), strict=True):
        note = _draw_paths(ax, times, values, limits, most)
        title_panel(ax, label, note)
        side = ax.inset_axes((1.02, 0.0, 0.22, 1.0), sharey=ax)
        side.stairs(
            heights[label], bins, orientation="horizontal", fill=True, color=SIMULATED, alpha=0.55
        )
        side.set_xlim(0, 1.05 * tallest)
        side.tick_params(labelleft=False, left=False, labelbottom=False, bottom=False)
        side.spines[["left", "bottom"]].set_color("#C0C0C0")
        final = values[-1][np.isfinite(values[-1])]
        spread = _spread(final) if final.size == values.shape[1] else "none"
        side.set_title(f"std {spread}", fontsize=10, pad=4)
    label_outer(axes, xlabel, _name(coordinate, trajectories))
    legend_below(
        fig,
        [
            Line2D([], [], color=SIMULATED, label="simulated paths"),
            Patch(color=SIMULATED, alpha=0.55, label="histogram of the final states"),
        ],
    )
    return fig


def _series(trajectory: Any, coordinate: int, most: int) -> dict[str, tuple[Array, Array]]:
    if most < 1:
        raise ValueError(f"most must be at least 1 path, got {most}")
    entries = by_label(trajectory, "trajectory")
    return {
        label: path_arrays(entry, coordinate, f"trajectory {label!r}" if label else "trajectory")
        for label, entry in entries.items()
    }


def _mean_and_std(band: Band, times: Tensor) -> tuple[Array, Array]:
    if not callable(band):
        raise ValueError(f"band must be a function times -> (mean, std), got {type(band).__name__}")
    result = band(torch.as_tensor(times))
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise ValueError(f"band must return (mean, std), got {type(result).__name__}")
    mean, std = array(result[0], "band's mean"), array(result[1], "band's std")
    try:
        shape = (len(times),)
        return np.broadcast_to(mean, shape).copy(), np.broadcast_to(std, shape).copy()
    except ValueError as error:
        raise ValueError(
            f"band must return mean and std of shape {shape} (one for each time), "
            f"got {mean.shape} and {std.shape}"
        ) from error


def _draw_paths(
    ax: Axes, times: Array, values: Array, limits: tuple[float, float], most: int
) -> str:
    """Draw paths (n, batch) within the limits; the note says which ones do not fit."""
    drawn = clip_to_view(values, limits)
    batch = values.shape[1]
    strong = np.linspace(0, batch - 1, min(most, batch)).astype(int)
    faint = np.linspace(0, batch - 1, min(MOST_FAINT, batch)).astype(int)
    for chosen, width, alpha in ((np.setdiff1d(faint, strong), 0.6, 0.12), (strong, 0.9, 0.8)):
        segments = [np.column_stack([times, drawn[:, i]]) for i in chosen]
        ax.add_collection(
            LineCollection(segments, colors=SIMULATED, linewidths=width, alpha=alpha),
            autolim=False,
        )
    ax.update_datalim([(times[0], limits[0]), (times[-1], limits[1])])
    ax.margins(x=0)
    ax.autoscale_view(scaley=False)
    ax.set_ylim(*limits)
    return escape_note(values, beyond(values, limits), "paths")


def _spread(values: Array) -> str:
    with np.errstate(over="ignore", invalid="ignore"):
        std = values.std()
    return f"{std:.2f}" if std < 100 else f"{std:.1e}"


def _name(coordinate: int, trajectory: Any) -> str:
    """X_t, or the coordinate's name where there is more than one."""
    first = next(iter(by_label(trajectory, "trajectory").values()))
    several = first.states.shape[2] > 1
    return f"coordinate {coordinate} of $X_t$" if several else "$X_t$"
