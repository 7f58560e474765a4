"""Rows of small grey images on one canvas: -1 is paper, 1 is ink, a thin gap between two."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_lib.plots.arrays import Array, array
from course_lib.plots.style import EXACT, WARNING, new_panels, title_panel, wrap

__all__ = ["MOST_IMAGES", "Row", "draw_mosaic", "grey_images", "lost_note"]

MOST_IMAGES = 400
# All in screen pixels: gaps between images and between groups of rows, lines of text under an
# image and over a column, a letter of a row's name, the most for a figure and for one image.
GAP, BREAK = 3, 12
CAPTION, HEAD, LETTER = 15, 16, 8
WIDTH, HEIGHT, CELL = 1020, 780, 112
LETTERS = 18  # in a line of a row's name
WARNING_RGB = np.array([int(WARNING[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.uint8)


@dataclass
class Row:
    """Images (n, h, w) side by side, with what is written beside and under them."""

    images: Array
    name: str = ""
    captions: Sequence[str] = ()
    wrong: Sequence[bool] = field(default=())
    new_group: bool = False


def grey_images(x: object, name: str, most: int = MOST_IMAGES) -> tuple[Array, int]:
    """The first images of x (n, 1, h, w) or (n, h, w) as (<= most, h, w), and the number n.

    Raises:
        ValueError: another shape, whole numbers (grey values from 0 to 255), nothing to draw.
    """
    shape = tuple(getattr(x, "shape", ()))
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[1] != 1):
        raise ValueError(
            f"{name} must have shape (n, 1, h, w) or (n, h, w), got {shape or type(x).__name__}"
        )
    dtype = str(x.dtype)  # type: ignore[attr-defined]
    if "int" in dtype:
        raise ValueError(
            f"{name} must be numbers from -1 (paper) to 1 (ink), got {dtype}: "
            "grey values g from 0 to 255 are g / 127.5 - 1"
        )
    values = array(x[:most], name)  # type: ignore[index]
    return values.reshape(-1, *shape[-2:]), shape[0]


def lost_note(images: Array, what: str = "images") -> str:
    """A sentence on the images (n, h, w) with pixels that are no numbers, or ''."""
    broken = int((~np.isfinite(images)).any(axis=(1, 2)).sum())
    return f"{broken} of {len(images)} {what} have pixels that are NaN or infinite" * (broken > 0)


def draw_mosaic(
    rows: Sequence[Row],
    *,
    description: str,
    heads: Sequence[str] = (),
    title: str | None = None,
    note: str = "",
) -> Figure:
    """A finished figure of some rows; `heads` stand over the columns, `description` is for those
    who cannot see it. Pixels that are no numbers have the colour of a warning."""
    names = [wrap(row.name, LETTERS) for row in rows]
    beside = LETTER * max(len(line) for name in names for line in name.split("\n"))
    below = (CAPTION + GAP) * any(row.captions for row in rows)
    breaks = BREAK * sum(row.new_group for row in rows)
    height, width = rows[0].images.shape[1:]
    columns = max(len(row.images) for row in rows)
    zoom, stretch = _sizes(
        ((WIDTH - beside - GAP) / columns - GAP) / width,
        ((HEIGHT - breaks - GAP) / len(rows) - GAP - below) / height,
        CELL / max(height, width),
    )
    below = math.ceil(below / stretch)
    height, width = zoom * height, zoom * width
    down = len(rows) * (height + GAP + below) + GAP + breaks
    across = columns * (width + GAP) + GAP

    canvas = np.full((down, across, 3), 255, dtype=np.uint8)
    fig, (ax,) = new_panels(1, square=True)
    fig.set_layout_engine("none")
    fig.set_size_inches(stretch * across / fig.dpi, stretch * down / fig.dpi)
    ax.set_position((0.0, 0.0, 1.0, 1.0))
    top, middles = GAP, []
    for row in rows:
        top += BREAK * row.new_group
        middles.append(top + height / 2)
        for j, image in enumerate(row.images):
            left = GAP + j * (width + GAP)
            if row.wrong and row.wrong[j]:
                frame = np.s_[top - GAP : top + height + GAP, left - GAP : left + width + GAP]
                canvas[frame] = WARNING_RGB
            canvas[top : top + height, left : left + width] = _shades(image, zoom)
            if row.captions:
                _caption(ax, left + width / 2, top + height + GAP, row, j)
        top += height + GAP + below
    smooth = "nearest" if stretch == 1 else "antialiased"
    ax.imshow(canvas, extent=(0, across, down, 0), interpolation=smooth)
    ax.spines[:].set_visible(False)
    ax.set_xticks([])
    ax.set_yticks(middles, names)
    ax.tick_params(length=0, pad=6, labelsize=11)
    for j, head in enumerate(heads):
        ax.annotate(
            head, (GAP + j * (width + GAP) + width / 2, 1.0), xytext=(0, 3),
            xycoords=("data", "axes fraction"), textcoords="offset points",
            ha="center", va="bottom", fontsize=10, annotation_clip=False, gid="mark",
        )  # fmt: skip
    ax.set_label(description)
    title_panel(ax, title or "", note, lift=HEAD if heads else 0)
    _shrink_wrap(fig, ax)
    return fig


def _sizes(wide: float, high: float, cell: float) -> tuple[int, float]:
    """How often each pixel is repeated on the canvas, and how far the canvas is stretched.

    Enlarged images are repeated a whole number of times, so that they and their gaps are sharp.
    Only width makes images smaller than they are: many rows make the figure higher.
    """
    scale = min(wide, max(1.0, high), max(1.0, cell))
    return (math.floor(scale), 1.0) if scale >= 2 else (1, max(scale, 0.1))


def _shades(image: Array, zoom: int) -> Array:
    """Colours (zoom h, zoom w, 3) of an image in [-1, 1]."""
    image = image.repeat(zoom, axis=0).repeat(zoom, axis=1)
    finite = np.isfinite(image)
    ink = np.clip(np.where(finite, image, 0.0), -1.0, 1.0)
    grey = np.round(127.5 * (1.0 + ink)).astype(np.uint8)
    return np.where(finite[..., None], grey[..., None], WARNING_RGB)


def _caption(ax: Axes, x: float, y: float, row: Row, j: int) -> None:
    wrong = bool(row.wrong) and row.wrong[j]
    ax.annotate(
        f"✗ {row.captions[j]}" if wrong else row.captions[j], (x, y), xytext=(0, -1),
        textcoords="offset points", ha="center", va="top", fontsize=9,
        color=WARNING if wrong else EXACT, weight="bold" if wrong else "normal", gid="caption",
    )  # fmt: skip


def _shrink_wrap(fig: Figure, ax: Axes) -> None:
    """The figure as large as the images, at their size, and the text round them."""
    width, height = fig.get_size_inches()
    box = fig.get_tightbbox()
    beyond = (-box.x0, box.x1 - width, -box.y0, box.y1 - height)
    # In whole screen pixels, so that no pixel of an image falls between two of them.
    left, right, bottom, top = (math.ceil(max(0.0, x) * fig.dpi) / fig.dpi for x in beyond)
    whole = (left + width + right, bottom + height + top)
    fig.set_size_inches(*whole)
    ax.set_position((left / whole[0], bottom / whole[1], width / whole[0], height / whole[1]))
