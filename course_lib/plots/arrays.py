"""From tensors to plain arrays: the one place where plots look at what they were given."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from course_lib.simulate import Trajectory

__all__ = [
    "Array",
    "array",
    "box",
    "by_label",
    "chosen_times",
    "for_labels",
    "grid",
    "like_samples",
    "path_arrays",
    "short",
    "times_and_states",
]

Array = np.ndarray[Any, np.dtype[Any]]


def array(value: object, name: str, *, ndim: int | None = None, size: int | None = None) -> Array:
    """A float64 array of any real tensor, array, number or list of them.

    Raises ValueError if it is not numeric and real, is empty, or has not `ndim` axes
    or (along the first) `size` entries. NaN and infinity are let through.
    """
    try:
        result = _convert(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} must be real numbers, got {_describe(value)}") from error
    if result.size == 0:
        raise ValueError(f"{name} is empty (shape {result.shape}): there is nothing to draw")
    if ndim is not None and result.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes, got shape {result.shape}")
    if size is not None and result.shape[:1] != (size,):
        raise ValueError(f"{name} must have {size} entries, got shape {result.shape}")
    return result


def _convert(value: object) -> Array:
    if isinstance(value, Tensor):
        if value.is_complex():
            raise TypeError("complex")
        return value.detach().cpu().double().numpy()
    if isinstance(value, list | tuple):
        return np.array([_convert(item) for item in value], dtype=np.float64)
    plain = np.asarray(value)
    if plain.dtype.kind not in "biuf":
        raise TypeError(f"dtype {plain.dtype}")
    return plain.astype(np.float64)


def _describe(value: object) -> str:
    kind = type(value).__name__
    dtype = getattr(value, "dtype", None)
    return kind if dtype is None else f"{kind} of {dtype}"


def by_label(value: Any, name: str) -> dict[str, Any]:
    """A dict as it is, anything else as one entry without a label; ValueError if empty."""
    if not isinstance(value, Mapping):
        return {"": value}
    if not value:
        raise ValueError(f"{name} is an empty dict: expected at least one entry")
    return {str(label): entry for label, entry in value.items()}


def for_labels(value: Any, name: str, labels: list[str]) -> dict[str, Any]:
    """One value for each panel: the same for all, or given by label; none for None.

    Raises:
        ValueError: a label that no panel has.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        return dict.fromkeys(labels, value)
    given = by_label(value, name)
    if unknown := sorted(set(given) - set(labels)):
        raise ValueError(f"{name} has entries for {unknown}, expected some of {labels}")
    return given


def times_and_states(
    trajectory: Trajectory, name: str = "trajectory", each: str = "batch, d"
) -> tuple[Array, Array]:
    """The times (n,) and states (n, batch, d) of a trajectory, or ValueError.

    `each` names the axes of one state.
    """
    if not (hasattr(trajectory, "times") and hasattr(trajectory, "states")):
        raise ValueError(
            f"{name} must be a Trajectory (with .times and .states), got {_describe(trajectory)}"
        )
    times = array(trajectory.times, f"{name}.times", ndim=1)
    if not np.isfinite(times).all():
        raise ValueError(f"{name}.times must be finite, got NaN or infinity")
    states = array(trajectory.states, f"{name}.states")
    if states.ndim != each.count(",") + 2 or len(states) != len(times):
        raise ValueError(
            f"{name}.states must have shape ({len(times)}, {each}), one for each of its "
            f"{len(times)} times, got {states.shape}"
        )
    return times, states


def chosen_times(times: Array, at: int | Sequence[float]) -> list[int]:
    """The recorded times (their indices) nearest to those wanted, or to `at` evenly spaced ones."""
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


def path_arrays(trajectory: Trajectory, coordinate: int, name: str) -> tuple[Array, Array]:
    """The times (n,) and one coordinate (n, batch) of a trajectory of at least two times."""
    times, states = times_and_states(trajectory, name)
    if len(times) < 2:
        raise ValueError(f"{name} holds one time only: a path needs at least two")
    dim = states.shape[2]
    if not 0 <= coordinate < dim:
        raise ValueError(f"coordinate must be from 0 to {dim - 1}, got {coordinate}")
    return times, states[:, :, coordinate]


def box(extent: object) -> tuple[float, float, float, float]:
    """(x_min, x_max, y_min, y_max) of a half width or of those four numbers."""
    edges = array(extent, "extent")
    if edges.size == 1:
        half = float(edges.reshape(()))
        edges = np.array([-half, half, -half, half])
    if edges.shape != (4,) or not np.isfinite(edges).all() or not (edges[::2] < edges[1::2]).all():
        raise ValueError(
            f"extent must be a half width > 0 or (x_min, x_max, y_min, y_max), got {extent}"
        )
    x_min, x_max, y_min, y_max = map(float, edges)
    return x_min, x_max, y_min, y_max


def grid(
    edges: tuple[float, float, float, float], count: int, like: Tensor | None = None
) -> tuple[Array, Array, Tensor]:
    """Centres of count x count cells in a box: x (count,), y (count,), points (count², 2).

    The points have the dtype and device of `like`; the first axis of the grid is y.
    """
    x_min, x_max, y_min, y_max = edges
    middle = (np.arange(count) + 0.5) / count
    x, y = x_min + middle * (x_max - x_min), y_min + middle * (y_max - y_min)
    mesh = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    like = torch.empty(0) if like is None else like
    return x, y, torch.as_tensor(mesh, dtype=like.dtype, device=like.device)


def short(value: float) -> str:
    """A number as a reader wants it: 0.25, 1.2e+06."""
    return f"{value:.3g}" if math.isfinite(value) else "infinity"


def like_samples(distribution: Any) -> Tensor:
    """An empty tensor with the dtype and device on which a distribution works."""
    if not hasattr(distribution, "sample"):
        return torch.empty(0)
    return distribution.sample(1, torch.Generator().manual_seed(0)).detach()[:0]
