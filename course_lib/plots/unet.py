"""The U-Net of Lab 3 on one page: its layers, the shape that leaves each, and what it is told."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch, Rectangle

from course_lib.plots.style import END, EXACT, GUIDE, SIMULATED, START, house_style, new_panels

__all__ = ["unet_diagram"]

# In inches from the lower left corner.
SIZE = WIDE, HIGH = 10.5, 5.7
DOWN, UP = 1.65, 8.85  # the middles of the two sides of the U
FLOORS = {"28 × 28": (4.85, HIGH), "14 × 14": (2.5, 4.85), "7 × 7": (0.75, 2.5)}
BOX = 1.6, 0.36  # width and height
RADIUS = 0.15
TOLD, PLAIN = "#D6E8F5", "#FFFFFF"
Place = tuple[float, float]


@house_style
def unet_diagram() -> Figure:
    """The layers as a U, from the image to the velocity; channels × height × width beside each.

    Layers that are told the condition c are blue. Colours only repeat what words and places say.
    """
    fig, (ax,) = new_panels(1, single=SIZE, square=True)
    fig.set_layout_engine("none")
    ax.set_position((0.0, 0.0, 1.0, 1.0))
    ax.set_xlim(0, WIDE)
    ax.set_ylim(0.7, HIGH + 0.05)
    fig.set_size_inches(WIDE, HIGH - 0.65)
    ax.set_axis_off()
    for i, (name, (low, high)) in enumerate(FLOORS.items()):
        shade = ("#FAFAFA", "#F1F1F1", "#E8E8E8")[i]
        ax.add_patch(Rectangle((0.05, low), WIDE - 0.1, high - low - 0.05, facecolor=shade))
        _write(ax, (0.15, high - 0.12), name, color="#555555", ha="left", va="top")
    _way_down(ax)
    _coarse_level(ax)
    _way_up(ax)
    _condition(ax)
    ax.set_label(
        "the U-Net: on the way down an image of 28 × 28 becomes 32 channels of 14 × 14, which are "
        "also kept as the skip, then 64 of 7 × 7; on the way up the skip is joined to what comes "
        "up; all residual blocks are told the condition c, made of time and label, and the "
        "label's sketch is added at 7 × 7"
    )
    return fig


def _way_down(ax: Axes) -> None:
    places = [(DOWN, y) for y in (5.25, 4.45, 3.68, 2.9)]
    _layer(ax, places[0], "image x", "1 × 28 × 28", "right")
    _layer(ax, places[1], "pixel_unshuffle", "4 × 14 × 14", "right")
    _layer(ax, places[2], "stem", "32 × 14 × 14", "right")
    _layer(ax, places[3], "fine_down", "", "right", told="left")
    for above, below in zip(places, [*places[1:], (DOWN, 1.65)], strict=True):
        _arrow(ax, _edge(above, "below"), _edge(below, "above"))
    start, end = _edge(places[3], "right"), _edge((UP, 2.9), "left")
    _arrow(ax, start, end, color=END, linewidth=2.6)
    _write(ax, (4.6, 3.0), "skip: 32 × 14 × 14", color=END, va="bottom", weight="bold")


def _coarse_level(ax: Axes) -> None:
    y, plus, first, second = 1.65, (3.1, 1.65), 4.5, 6.5
    _layer(ax, (DOWN, y), "down", "64 × 7 × 7", "below")
    _layer(ax, (first, y), "coarse[0]", "64 × 7 × 7", "below", told="above")
    _layer(ax, (second, y), "coarse[1]", "64 × 7 × 7", "below", told="above")
    _layer(ax, (UP, y), "up", "32 × 14 × 14", "below")
    _plus(ax, plus)
    _write(ax, (plus[0], 0.95), "sketch of y", color="#007A5A", va="center", weight="bold")
    _arrow(ax, (plus[0], 1.07), (plus[0], y - RADIUS), color=START)
    _arrow(ax, _edge((DOWN, y), "right"), (plus[0] - RADIUS, y))
    _arrow(ax, (plus[0] + RADIUS, y), _edge((first, y), "left"))
    _arrow(ax, _edge((first, y), "right"), _edge((second, y), "left"))
    _arrow(ax, _edge((second, y), "right"), _edge((UP, y), "left"))


def _way_up(ax: Axes) -> None:
    places = [(UP, y) for y in (2.9, 3.44, 3.98, 4.52, 5.25)]
    _layer(ax, places[0], "joined", "64 × 14 × 14", "")
    _write(ax, (UP - 0.88, 3.0), "64 × 14 × 14", ha="right", va="bottom")
    _layer(ax, places[1], "merge", "32 × 14 × 14", "left")
    _layer(ax, places[2], "fine_up", "32 × 14 × 14", "left", told="right")
    _layer(ax, places[3], "norm, silu, head", "4 × 14 × 14", "left")
    _layer(ax, places[4], "pixel_shuffle", "velocity: 1 × 28 × 28", "left")
    for below, above in zip([(UP, 1.65), *places], places, strict=False):
        _arrow(ax, _edge(below, "above"), _edge(above, "below"))


def _condition(ax: Axes) -> None:
    """How t and y become c."""
    high, low, plus = 4.2, 3.55, (6.2, 3.875)
    _write(ax, (3.65, high), "$t$", va="center", size=12)
    _write(ax, (3.65, low), "$y$", va="center", size=12)
    _layer(ax, (4.55, high), "time_features", width=1.3)
    _layer(ax, (5.62, high), "time", width=0.6)
    _layer(ax, (4.55, low), "label", width=1.3)
    _arrow(ax, (3.75, high), (3.9, high))
    _arrow(ax, (5.2, high), (5.32, high))
    _arrow(ax, (3.75, low), (3.9, low))
    _arrow(ax, (5.92, high), (plus[0] - 0.1, plus[1] + 0.12))
    _arrow(ax, (5.2, low), (plus[0] - 0.12, plus[1] - 0.1))
    _plus(ax, plus)
    _arrow(ax, (plus[0] + RADIUS, plus[1]), (6.5, plus[1]))
    _token(ax, (6.65, plus[1]))


def _layer(
    ax: Axes,
    place: Place,
    name: str,
    shape: str = "",
    side: str = "",
    *,
    told: str = "",
    width: float = BOX[0],
) -> None:
    """A box with a name, the shape beside it, and the condition that comes from a side."""
    x, y = place
    ax.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - BOX[1] / 2),
            width,
            BOX[1],
            boxstyle="round,pad=0,rounding_size=0.08",
            facecolor=TOLD if told else PLAIN,
            edgecolor=SIMULATED if told else GUIDE,
            linewidth=1.4,
        )
    )
    _write(ax, place, name, va="center", family="DejaVu Sans Mono", gid="layer")
    if side:
        horizontal = {"left": "right", "right": "left"}.get(side, "center")
        vertical = "top" if side == "below" else "center"
        _write(ax, _edge(place, side, 0.08), shape, ha=horizontal, va=vertical)
    if told:
        start = _edge(place, told, 0.42)
        _arrow(ax, start, _edge(place, told), color=SIMULATED)
        _token(ax, start)


def _edge(place: Place, side: str, beyond: float = 0.0) -> Place:
    """The middle of a side of a box, or a point that far beyond it."""
    right = {"left": -1, "right": 1}.get(side, 0)
    above = {"below": -1, "above": 1}.get(side, 0)
    x, y = place
    return x + right * (BOX[0] / 2 + beyond), y + above * (BOX[1] / 2 + beyond)


def _arrow(
    ax: Axes, start: Place, end: Place, *, color: str = EXACT, linewidth: float = 1.5
) -> None:
    look = dict(arrowstyle="-|>", color=color, linewidth=linewidth, shrinkA=0, shrinkB=0)
    ax.annotate("", end, start, arrowprops=look)


def _plus(ax: Axes, place: Place) -> None:
    ax.add_patch(Circle(place, RADIUS, facecolor=PLAIN, edgecolor=EXACT, linewidth=1.4, zorder=3))
    _write(ax, place, "+", va="center", size=13, zorder=4)


def _token(ax: Axes, place: Place) -> None:
    """The condition: a blue disc with the letter c."""
    ax.add_patch(Circle(place, RADIUS, facecolor=SIMULATED, edgecolor="none", zorder=3))
    _write(ax, place, "$c$", va="center", size=12, color="white", zorder=4)


def _write(ax: Axes, place: Place, text: str, *, ha: str = "center", size: float = 10, **look):
    ax.text(*place, text, ha=ha, fontsize=size, **look)
