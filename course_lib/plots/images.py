"""Images as a reader compares them: a grid, a row for each setting, the way from noise to data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.plots.arrays import by_label, chosen_times, times_and_states
from course_lib.plots.mosaic import MOST_IMAGES, Row, draw_mosaic, grey_images, lost_note
from course_lib.plots.style import house_style

if TYPE_CHECKING:
    from course_lib.simulate import Trajectory

__all__ = ["image_path", "image_rows", "images"]

Labels = Tensor | Sequence[Any]


@house_style
def images(
    x: Tensor,
    *,
    columns: int = 10,
    labels: Labels | None = None,
    expected: Labels | None = None,
    title: str | None = None,
) -> Figure:
    """A grid of grey images, filled row by row.

    Args:
        x: values from -1 (black) to 1 (white), those beyond are clipped; shape (n, 1, h, w) or
            (n, h, w). At most 400 are drawn.
        columns: images in a row.
        labels: n captions, such as the digits that a judge reads.
        expected: n right captions: those that differ are marked by a colour, a frame and ✗.

    Raises:
        ValueError: images of another shape or in whole numbers, another number of labels.
    """
    shown, count = grey_images(x, "x")
    if columns < 1:
        raise ValueError(f"columns must be at least 1, got {columns}")
    captions = _captions(labels, "labels", count)
    right = _captions(expected, "expected", count)
    if right and not captions:
        raise ValueError("expected is given without labels: there is nothing to compare it with")
    wrong = [a != b for a, b in zip(captions, right, strict=True)] if right else []
    rows = [
        Row(shown[piece], captions=captions[piece], wrong=wrong[piece])
        for piece in _pieces(len(shown), columns)
    ]
    notes = [_first_note(len(shown), count), lost_note(shown)]
    if any(wrong):
        notes.insert(0, f"✗ {sum(wrong)} of {count} are not what was expected")
    return draw_mosaic(
        rows,
        description=f"{_counted(len(shown))} in rows of {columns}",
        title=title,
        note=_joined(notes),
    )


@house_style
def image_rows(
    rows: Mapping[str, Tensor], *, columns: int = 10, title: str | None = None
) -> Figure:
    """Images row by row, each with its name at the left: one row an entry, or several.

    Args:
        rows: {name: images}, as for `images`; all of one height and width.
        columns: images in a row; an entry of more fills several rows.

    Raises:
        ValueError: no entry, images of another shape or in whole numbers.
    """
    if not isinstance(rows, Mapping):
        raise ValueError(f"rows must be a dict {{name: images}}, got {type(rows).__name__}")
    if columns < 1:
        raise ValueError(f"columns must be at least 1, got {columns}")
    entries = by_label(rows, "rows")
    drawn: list[Row] = []
    notes = []
    for name, entry in entries.items():
        what = f"rows[{name!r}]"
        shown, count = grey_images(entry, what, max(columns, MOST_IMAGES // len(entries)))
        if drawn and shown.shape[1:] != drawn[0].images.shape[1:]:
            raise ValueError(
                f"{what} must hold images of shape {drawn[0].images.shape[1:]} like the first "
                f"entry, got {shown.shape[1:]}"
            )
        pieces = _pieces(len(shown), columns)
        middle = (len(pieces) - 1) // 2
        for i, piece in enumerate(pieces):
            new = bool(drawn) and i == 0
            drawn.append(Row(shown[piece], name=name if i == middle else "", new_group=new))
        notes += [
            f"{name}: {note}" for note in (_first_note(len(shown), count), lost_note(shown)) if note
        ]
    return draw_mosaic(
        drawn, description=f"rows of images: {', '.join(entries)}", title=title, note=_joined(notes)
    )


@house_style
def image_path(
    trajectory: Trajectory,
    *,
    n: int = 6,
    at: int | Sequence[float] = 9,
    title: str | None = None,
) -> Figure:
    """The way of some images from noise to data: a row for each image, a column for each time.

    Args:
        trajectory: times (steps,) and states (steps, batch, 1, h, w), as for `images`.
        n: how many images, the first of the batch.
        at: how many times, evenly spaced in the recorded ones, or the times themselves (the
            nearest recorded time is shown).

    Raises:
        ValueError: states of another shape, n below 1, a time outside the trajectory.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1 image, got {n}")
    times, states = times_and_states(trajectory, each="batch, 1, h, w")
    chosen = chosen_times(times, at)
    picked = states[chosen, :n]
    flat, _ = grey_images(picked.reshape(-1, *states.shape[2:]), "trajectory.states", picked.size)
    shown = flat.reshape(*picked.shape[:2], *flat.shape[1:])
    heads = [_head(times[i], len(chosen)) for i in chosen]
    return draw_mosaic(
        [Row(path) for path in shown.swapaxes(0, 1)],
        description=f"{_counted(shown.shape[1])}, a row each, at times {', '.join(heads)}",
        heads=heads,
        title=title,
        note=lost_note(flat),
    )


def _captions(labels: Labels | None, name: str, count: int) -> list[str]:
    if labels is None:
        return []
    plain = labels.tolist() if hasattr(labels, "tolist") else list(labels)
    if not isinstance(plain, list) or len(plain) != count:
        raise ValueError(
            f"{name} must be {count} captions, one for each image, got "
            f"{tuple(getattr(labels, 'shape', (np.size(plain),)))}"
        )
    return [f"{label:g}" if isinstance(label, float) else str(label) for label in plain]


def _head(t: float, columns: int) -> str:
    """t = 0.125, or 0.12 where there is no room for more."""
    return f"$t$ = {t:.3g}" if columns <= 14 else f"{t:.2f}".rstrip("0").rstrip(".")


def _pieces(count: int, columns: int) -> list[slice]:
    return [slice(i, min(i + columns, count)) for i in range(0, count, columns)]


def _counted(count: int) -> str:
    return f"{count} image{'s' * (count != 1)}"


def _first_note(shown: int, count: int) -> str:
    return f"the first {shown} of {count} images" if shown < count else ""


def _joined(notes: Sequence[str]) -> str:
    return ", ".join(filter(None, notes))
