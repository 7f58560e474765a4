"""What part of the data a figure shows when some of it explodes: the calm part, and a note."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from course_lib.plots.arrays import Array, short

__all__ = ["LARGEST", "beyond", "bulk_limits", "clip_to_view", "escape_note", "path_limits"]

LARGEST = 1e100  # beyond this, sums and axis ticks overflow


def path_limits(panels: Sequence[Array]) -> tuple[float, float]:
    """Limits for paths (n, batch) of several panels on one axis.

    All finite values fit, unless a panel spans 25 times more than the calmest one or 1,000 times
    more than its own first quarter: it explodes, and the limits follow the calm ones.
    """
    wholes = [_finite(values) for values in panels]
    starts = [_finite(values[: max(2, len(values) // 4)]) for values in panels]
    calm, start = _smallest_span(wholes), _smallest_span(starts)
    if calm <= 1000 * start:
        return _calm_limits(wholes, calm, wholes)
    return _calm_limits(wholes, start, wholes + starts)


def bulk_limits(samples: Sequence[Array]) -> tuple[float, float]:
    """Limits for samples (n,) of several panels on one axis.

    All finite values fit, unless a few lie very far from the rest of their panel, or a panel
    spans 25 times more than the calmest one.
    """
    wholes = [_without_outliers(_finite(values)) for values in samples]
    return _calm_limits(wholes, _smallest_span(wholes), wholes)


def clip_to_view(values: Array, limits: tuple[float, float]) -> Array:
    """Values far outside the view moved to just outside it; NaN stays NaN and is not drawn."""
    margin = 10 * (limits[1] - limits[0])
    return np.clip(values, limits[0] - margin, limits[1] + margin)


def escape_note(values: Array, outside: Array, what: str) -> str:
    """A sentence on the items (last axis) that are not drawn in full, or ''.

    `values` and `outside` (finite, but not in view) have shape (..., items).
    """
    items = values.shape[-1]
    gone = int(outside.reshape(-1, items).any(axis=0).sum())
    broken = int((~np.isfinite(values)).reshape(-1, items).any(axis=0).sum())
    notes = []
    if gone:
        largest = short(float(np.abs(values[outside]).max()))
        notes.append(f"{gone} of {items} {what} leave the frame (largest |x| = {largest})")
    if broken:
        notes.append(f"{broken} of {items} {what} become NaN or infinite")
    return ", ".join(notes)


def beyond(values: Array, limits: tuple[float, float]) -> Array:
    """Where values are finite but out of view."""
    return np.isfinite(values) & ((values < limits[0]) | (values > limits[1]))


def _finite(values: Array) -> Array:
    return np.clip(values[np.isfinite(values)], -LARGEST, LARGEST)


def _smallest_span(pieces: Sequence[Array]) -> float:
    """What counts as calm; at least 1, the size of the course's states, so that a flow that
    has contracted to a point does not make everything else look like an explosion."""
    return max(1.0, min((float(np.ptp(v)) for v in pieces if v.size), default=1.0))


def _calm_limits(
    wholes: Sequence[Array], calm: float, candidates: Sequence[Array]
) -> tuple[float, float]:
    """Limits of all wholes if none spans 25 x calm, else of the candidates below 10 x calm."""
    wholes = [v for v in wholes if v.size]
    if all(np.ptp(v) <= 25 * calm for v in wholes):
        return _widen(wholes, 0.05)
    return _widen([v for v in candidates if v.size and np.ptp(v) <= 10 * calm], 0.5)


def _without_outliers(values: Array) -> Array:
    if not values.size:
        return values
    low, high = np.quantile(values, [0.01, 0.99])
    reach = 5 * (high - low)
    if np.ptp(values) <= 4 * reach:
        return values
    return values[(values >= low - reach) & (values <= high + reach)]


def _widen(pieces: Sequence[Array], share: float) -> tuple[float, float]:
    pooled = np.concatenate([*pieces, np.empty(0)])
    if not pooled.size:
        return -1.0, 1.0
    low, high = float(pooled.min()), float(pooled.max())
    margin = share * (high - low) or 0.5 * max(1.0, abs(low))
    return low - margin, high + margin
