"""What a widget shows, as data: panels of layers, frames in time, and words.

A `Scene` is computed once, by the mathematics; the engine in `engine/` draws it, plays it and
scrubs through it without asking again. Its arrays travel as unsigned integers: a float array takes
two bytes a number, spread over its range, which a screen cannot tell from the original.

An array with a first axis "frames" changes in time; one without is drawn in every frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike

__all__ = [
    "Arrows",
    "Bars",
    "Fill",
    "Handle",
    "Image",
    "Lines",
    "Links",
    "Marks",
    "Panel",
    "Points",
    "Readout",
    "Scene",
    "Tiles",
    "packed",
]

ABSENT = 65535  # the code of a NaN or an infinity
COLORS = (
    "exact",
    "simulated",
    "start",
    "end",
    "yours",
    "guide",
    "warning",
)  # or a class: "0" … "5"


@dataclass(frozen=True)
class Layer:
    """Something drawn in a panel. `only` names a toggle of the explorer that shows and hides it."""

    kind: ClassVar[str]
    ndim: ClassVar[dict[str, int]] = {}  # axes of each array without frames
    only: str | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class Points(Layer):
    """Particles.

    Attributes:
        xy: shape ([frames,] n, 2).
        color: one of `COLORS`.
        classes: whole numbers 0 to 5 (n,), each with its own colour; None for `color`.
        size: diameter in pixels of a screen 1000 wide.
        alpha: opacity, 0 to 1.
    """

    kind = "points"
    ndim = {"xy": 2, "classes": 1}
    xy: ArrayLike
    color: str = "simulated"
    classes: ArrayLike | None = None
    size: float = 4.0
    alpha: float = 0.7


@dataclass(frozen=True)
class Lines(Layer):
    """Curves and paths.

    Attributes:
        xy: shape ([frames,] lines, points, 2).
        color: one of `COLORS`.
        classes: as for `Points`, one a line.
        dashed: whether the line is broken, as an exact answer is.
        width: in pixels of a screen 1000 wide.
        alpha: opacity, 0 to 1.
        growing: whether a static line is drawn only up to the present frame: its points are the
            frames.
    """

    kind = "lines"
    ndim = {"xy": 3, "classes": 1}
    xy: ArrayLike
    color: str = "simulated"
    classes: ArrayLike | None = None
    dashed: bool = False
    width: float = 2.0
    alpha: float = 1.0
    growing: bool = False


@dataclass(frozen=True)
class Fill(Layer):
    """The area between a curve and zero: `xy` ([frames,] points, 2)."""

    kind = "fill"
    ndim = {"xy": 2}
    xy: ArrayLike
    color: str = "guide"
    alpha: float = 0.25


@dataclass(frozen=True)
class Bars(Layer):
    """A histogram: `heights` ([frames,] n) between `edges` (n + 1,). `sideways` on the y axis."""

    kind = "bars"
    ndim = {"heights": 1, "edges": 1}
    heights: ArrayLike
    edges: ArrayLike
    color: str = "simulated"
    alpha: float = 0.55
    sideways: bool = False


@dataclass(frozen=True)
class Image(Layer):
    """Values on a grid that fills the panel.

    Attributes:
        values: shape ([frames,] rows, columns); the first row is the lowest.
        extent: (left, right, bottom, top); None for the panel's whole range.
        colors: "density" (the higher the darker, 0 is the background) or "signed" (blue below 0,
            orange above).
        each: whether each frame has a scale of its own.
    """

    kind = "image"
    ndim = {"values": 2}
    values: ArrayLike
    extent: tuple[float, float, float, float] | None = None
    colors: str = "density"
    each: bool = False


@dataclass(frozen=True)
class Arrows(Layer):
    """Arrows of length `scale` × `by`, in the panel's units, from `at`; both ([frames,] n, 2)."""

    kind = "arrows"
    ndim = {"at": 2, "by": 2}
    at: ArrayLike
    by: ArrayLike
    color: str = "guide"
    scale: float = 1.0
    width: float = 1.6
    alpha: float = 0.9


@dataclass(frozen=True)
class Links(Layer):
    """Lines from one point `at` ([frames,] 2) to others `to` ([frames,] n, 2), as thick as their
    `weights` ([frames,] n), 0 to 1."""

    kind = "links"
    ndim = {"at": 1, "to": 2, "weights": 1}
    at: ArrayLike
    to: ArrayLike
    weights: ArrayLike
    color: str = "end"


@dataclass(frozen=True)
class Marks(Layer):
    """Crosses at `xy` ([frames,] n, 2), with a word beside each."""

    kind = "marks"
    ndim = {"xy": 2}
    xy: ArrayLike
    texts: Sequence[str] = ()
    color: str = "exact"
    size: float = 12.0


@dataclass(frozen=True)
class Handle(Layer):
    """A point that can be dragged; where it is let go becomes the value `name` of the explorer."""

    kind = "handle"
    name: str
    at: tuple[float, float]
    label: str


@dataclass(frozen=True)
class Tiles(Layer):
    """A grid of grey images, which fills a panel without axes.

    Attributes:
        values: shape ([frames,] n, rows, columns), black to white over [-1, 1]; they travel in 255
            levels of grey.
        columns: images beside one another.
        captions: a word under each; or for each frame a list of them.
        flagged: whether the caption is a warning, one a tile; or for each frame a list of them.
    """

    kind = "tiles"
    ndim = {"values": 3}
    values: ArrayLike
    columns: int
    captions: Sequence[str] | Sequence[Sequence[str]] = ()
    flagged: Sequence[bool] | Sequence[Sequence[bool]] = ()


@dataclass(frozen=True)
class Panel:
    """A pair of axes, or a grid of images.

    Attributes:
        layers: drawn one over another.
        title: above it.
        x, y: ranges of the axes; None for a panel of `Tiles`.
        xlabel, ylabel: of the axes.
        equal: whether a unit is as long on both axes.
        whole: whether y counts things, so that only whole numbers stand there.
        span: its share of the width of its row.
        row: 0 is the uppermost.
        draw: name of the value that a drawing in this panel becomes: a list of points.
        describe: what a reader who cannot see it should know.
    """

    layers: Sequence[Layer]
    title: str = ""
    x: tuple[float, float] | None = None
    y: tuple[float, float] | None = None
    xlabel: str = ""
    ylabel: str = ""
    equal: bool = False
    whole: bool = False
    span: float = 1.0
    row: int = 0
    draw: str | None = None
    describe: str = ""


@dataclass(frozen=True)
class Readout:
    """A number under the figure, one for all frames or one for each (frames,); or a word."""

    label: str
    value: ArrayLike | str
    digits: int = 3
    unit: str = ""
    color: str = ""


@dataclass(frozen=True)
class Scene:
    """Everything a widget shows.

    Attributes:
        panels: of the figure.
        times: what the clock says in each frame, shape (frames,); None for a still picture.
        clock: the clock's name, "t" or "step".
        legend: (color, "line", "dashed", "dot" or "area", words) each.
        readouts: under the figure.
        note: a sentence under the figure.
        error: what is wrong with a reader's own function, above the figure; the rest is shown.
        seconds: how long one run through the frames takes.
        smooth: whether points glide between frames.
        start: frame shown at first, negative from the end.
        idle: names of controls that have no effect now, and are greyed out.
    """

    panels: Sequence[Panel]
    times: ArrayLike | None = None
    clock: str = "t"
    legend: Sequence[tuple[str, str, str]] = ()
    readouts: Sequence[Readout] = ()
    note: str = ""
    error: str = ""
    seconds: float = 6.0
    smooth: bool = True
    start: int = 0
    idle: Sequence[str] = ()


def packed(scene: Scene) -> tuple[dict[str, Any], list[bytes]]:
    """What travels: the scene as JSON, in which an array is {"at", "shape", "type", ...}, and the
    bytes of the arrays.

    Raises:
        ValueError: an array whose shape does not fit its layer or the number of frames.
    """
    frames = 1 if scene.times is None else len(np.asarray(scene.times))
    arrays: list[bytes] = []
    panels = []
    for number, panel in enumerate(scene.panels):
        entry = {f.name: getattr(panel, f.name) for f in fields(panel) if f.name != "layers"}
        where = panel.title or f"panel {number + 1}"
        entry["layers"] = [_layer(layer, frames, arrays, where) for layer in panel.layers]
        panels.append(entry)
    readouts = []
    for readout in scene.readouts:
        value: Any = readout.value
        if not isinstance(value, str):
            value = [_number(v) for v in np.atleast_1d(_plain(value)).tolist()]
            if len(value) not in {1, frames}:
                raise ValueError(f"{readout.label} has {len(value)} values; expected 1 or {frames}")
        readouts.append({**vars(readout), "value": value})
    times = None if scene.times is None else _plain(scene.times).tolist()
    rest = {"panels": panels, "readouts": readouts, "times": times, "frames": frames}
    return {**vars(scene), **rest, "legend": [list(item) for item in scene.legend]}, arrays


def _layer(layer: Layer, frames: int, arrays: list[bytes], where: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"kind": layer.kind}
    for f in fields(layer):
        value = getattr(layer, f.name)
        if f.name not in layer.ndim or value is None:
            entry[f.name] = value
            continue
        array, ndim = _plain(value), layer.ndim[f.name]
        moving = array.ndim == ndim + 1
        if array.ndim != ndim and not (moving and len(array) == frames):
            expected = f"{ndim} axes, or {frames} frames of them"
            raise ValueError(
                f"{where}: {f.name} of {layer.kind} has shape {array.shape}; expected {expected}"
            )
        encoded = _grey if isinstance(layer, Tiles) else _encoded
        entry[f.name] = {"moving": moving, **encoded(array, arrays)}
    return entry


def _grey(array: np.ndarray, arrays: list[bytes]) -> dict[str, Any]:
    """A byte a pixel: 0 to 254 over [-1, 1], 255 for what is no number."""
    codes = np.rint(127 * (np.nan_to_num(array, nan=0.0).clip(-1, 1) + 1))
    arrays.append(np.where(np.isfinite(array), codes, 255).astype(np.uint8).tobytes())
    shape = list(array.shape)
    return {"at": len(arrays) - 1, "shape": shape, "type": "grey", "low": -1.0, "step": 1 / 127}


def _encoded(array: np.ndarray, arrays: list[bytes]) -> dict[str, Any]:
    """Whole numbers below 256 take a byte, all others two, over the range of the finite ones."""
    entry: dict[str, Any] = {"at": len(arrays), "shape": list(array.shape)}
    if array.dtype.kind in "biu" and (array.size == 0 or 0 <= array.min() <= array.max() < 256):
        arrays.append(np.ascontiguousarray(array, dtype=np.uint8).tobytes())
        return {**entry, "type": "u1", "low": 0.0, "step": 1.0}
    values = np.ascontiguousarray(array, dtype=np.float32)
    finite = np.isfinite(values)
    every = bool(finite.all())
    real = values if every else values[finite]
    low, high = (float(real.min()), float(real.max())) if real.size else (0.0, 0.0)
    step = (high - low) / (ABSENT - 1) or 1.0
    codes = np.rint((values if every else np.where(finite, values, low)) * (1 / step) - low / step)
    codes = codes.clip(0, ABSENT - 1).astype("<u2")
    if not every:
        codes[~finite] = ABSENT
    arrays.append(codes.tobytes())
    return {**entry, "type": "u2", "low": low, "step": step}


def _plain(value: Any) -> np.ndarray:
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


def _number(value: float) -> float | None:
    """A number of JSON, which has no NaN."""
    return float(value) if np.isfinite(value) else None
