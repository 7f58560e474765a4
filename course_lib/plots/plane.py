"""The plane at one time: arrows of a velocity field with paths, a density with samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from torch import Tensor

from course_lib.plots.arrays import array, box, grid, like_samples
from course_lib.plots.canvas import (
    MOST_PATHS,
    arrow_key,
    check_density,
    density_image,
    density_key,
    dot,
    draw_arrows,
    draw_image,
    draw_orbits,
    draw_points,
    finish_plane,
    fit_box,
    plane_states,
    vectors,
)
from course_lib.plots.style import (
    ARROW,
    END,
    EXACT,
    EXACT_LINE,
    SIMULATED,
    START,
    house_style,
    legend_below,
    new_panels,
    title_panel,
)

if TYPE_CHECKING:
    from course_lib.distributions import Density
    from course_lib.simulate import Trajectory

__all__ = ["density", "vector_field"]


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
    states = None if trajectory is None else plane_states(trajectory)[1]
    like = None if trajectory is None else trajectory.states
    x, y, points = grid(edges, 19, like)
    time = torch.tensor(float(t), dtype=points.dtype, device=points.device)
    arrows = vectors(velocity(points, time), len(points), "velocity(x, t)")

    fig, (ax,) = new_panels(1, single=(5.8, 5.6), square=True)
    note = draw_arrows(ax, x, y, arrows, ARROW)
    handles: list[Any] = [arrow_key(ARROW, f"velocity at $t$ = {t:g}")]
    if exact is not None:
        truth = plane_states(exact)[1][:, :MOST_PATHS]
        ax.plot(*truth.transpose(2, 0, 1), **EXACT_LINE)
        handles.append(Line2D([], [], **EXACT_LINE, label="exact"))
    if states is not None:
        note = ", ".join(filter(None, [note, draw_orbits(ax, states, edges)]))
        handles += [
            Line2D([], [], color=SIMULATED, label=_paths_label(states.shape[1])),
            Line2D([], [], **dot(START, "o"), label="start"),
            Line2D([], [], **dot(END, "s"), label="end"),
        ]
    finish_plane([ax], edges)
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
    check_density(distribution)
    if score and not hasattr(distribution, "score"):
        raise ValueError(f"score=True, but {type(distribution).__name__} has no score")
    points = None if samples is None else array(samples, "samples", ndim=2)
    if points is not None and points.shape[1] != 2:
        raise ValueError(f"samples must have shape (n, 2), got {points.shape}")
    edges = box(extent) if extent is not None else fit_box(distribution, points)

    fig, (ax,) = new_panels(1, single=(5.8, 5.6), square=True)
    draw_image(ax, density_image(distribution, edges), edges)
    handles: list[Any] = [density_key()]
    note = ""
    if score:
        x, y, where = grid(edges, 17, like_samples(distribution))
        arrows = vectors(distribution.score(where), len(where), "score(x)")
        note = draw_arrows(ax, x, y, arrows, EXACT)
        handles.append(arrow_key(EXACT, "score $\\nabla \\log p$"))
    if points is not None:
        note = ", ".join(filter(None, [note, draw_points(ax, points, edges, "samples")]))
        handles.append(Line2D([], [], **dot(SIMULATED, "o"), label="samples"))
    finish_plane([ax], edges)
    title_panel(ax, title or "", note)
    legend_below(fig, handles)
    return fig


def _paths_label(batch: int) -> str:
    return "paths" if batch <= MOST_PATHS else f"paths ({MOST_PATHS} of {batch})"
