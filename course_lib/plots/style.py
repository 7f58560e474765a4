"""House style: Okabe and Ito's colours, which colour-blind readers can tell apart.

One colour means one thing in every figure: dark and dashed is exact, blue is simulated.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

__all__ = [
    "ARROW",
    "DENSITY",
    "END",
    "EXACT",
    "EXACT_LINE",
    "GUIDE",
    "MARKERS",
    "PALETTE",
    "SIMULATED",
    "START",
    "WARNING",
    "house_style",
    "label_outer",
    "legend_below",
    "name_rows",
    "new_panels",
    "title_panel",
    "wrap",
]

EXACT = "#222222"
SIMULATED = "#0072B2"
START = "#009E73"
END = "#D55E00"
WARNING = "#B04A00"
GUIDE = "#8A8A8A"
ARROW = "#7A7A7A"
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P")
EXACT_LINE: dict[str, Any] = {"color": EXACT, "linestyle": (0, (5, 2)), "linewidth": 1.8}
# Stops at a mid grey, so that blue points stay visible on the highest peak.
DENSITY = LinearSegmentedColormap.from_list("exact density", ["#FFFFFF", "#DCDCDC", "#A0A0A0"])

# As a decorator: the settings hold inside the function and the caller's come back after it.
house_style = mpl.rc_context(
    {
        "figure.dpi": 100,
        "figure.facecolor": "white",
        "axes.facecolor": "white",
        "axes.edgecolor": "#666666",
        "axes.labelcolor": EXACT,
        "axes.titlesize": 12,
        "axes.titleweight": "normal",
        "axes.titlecolor": EXACT,
        "axes.labelsize": 11,
        "axes.grid": False,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.formatter.limits": (-4, 5),
        "axes.formatter.useoffset": False,
        "grid.color": "#E4E4E4",
        "grid.linewidth": 0.8,
        "grid.linestyle": "-",
        "figure.titlesize": 13,
        "figure.titleweight": "normal",
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib: the same on every machine
        "font.size": 11,
        "legend.fontsize": 10.5,
        "legend.frameon": False,
        "lines.linewidth": 1.6,
        "lines.markersize": 6,
        "mathtext.fontset": "dejavusans",
        "text.color": EXACT,
        "text.usetex": False,
        "xtick.color": "#444444",
        "ytick.color": "#444444",
        "xtick.labelcolor": EXACT,
        "ytick.labelcolor": EXACT,
        "xtick.labelsize": 10,
        "ytick.labelsize": 10,
    }
)

NOTEBOOK_WIDTH = 10.5  # inches: at 100 dpi a notebook shows it unscaled


def new_panels(
    count: int,
    *,
    title: str | None = None,
    single: tuple[float, float] = (7.0, 4.0),
    most_columns: int = 5,
    share: bool = True,
    square: bool = False,
    table: bool = False,
) -> tuple[Figure, list[Axes]]:
    """`count` panels side by side (wrapped after `most_columns`), each with shared axes.

    `single` is the size in inches of a figure of one panel; several share the notebook's width.
    `square` is for panels with equal axes and an image: as high as wide, and without a grid.
    `table` is for square panels with titles above the first row alone.
    """
    rows = -(-count // most_columns)
    columns = -(-count // rows)
    width = single[0] if count == 1 else min(NOTEBOOK_WIDTH, 5.0 * columns)
    height = single[1]
    if count > 1:
        row_height = width / columns + 0.5 if square else {2: 3.5, 3: 3.3}.get(columns, 2.8)
        height = rows * row_height + (0.7 if title else 0.4)  # room for title and legend
    if table and rows > 1:
        width = min(NOTEBOOK_WIDTH, 4.0 * columns)
        height = rows * (width - 0.7) / columns + (1.4 if title else 1.1)
    fig, cells = plt.subplots(
        rows,
        columns,
        figsize=(width, height),
        sharex=share,
        sharey=share,
        squeeze=False,
        layout="constrained",
    )
    plt.close(fig)  # off pyplot's list: a notebook shows the returned figure, and only once
    axes = list(cells.flat)
    for ax in axes[count:]:
        ax.remove()
    for i, ax in enumerate(axes[:count]):
        ax.tick_params(labelbottom=not share or i + columns >= count)
        ax.grid(not square)
    if title:
        fig.suptitle(title)
    return fig, axes[:count]


def label_outer(axes: Sequence[Axes], xlabel: str, ylabel: str) -> None:
    """Name the axes where their numbers stand: under the lowest panels, left of the first."""
    for i, ax in enumerate(axes):
        columns = _columns(ax)
        if i + columns >= len(axes):
            ax.set_xlabel(xlabel)
        if i % columns == 0:
            ax.set_ylabel(ylabel)


def name_rows(axes: Sequence[Axes], names: Sequence[str]) -> None:
    """Write the name of each row of a table of panels at its left, beside the axis' own."""
    figure = axes[0].get_figure(root=True)
    assert figure is not None
    inches = figure.get_size_inches()[1] / len(names)
    for name, ax in zip(names, axes[:: _columns(axes[0])], strict=True):
        ax.set_ylabel(f"{wrap(name, int(inches * 9))}\n{ax.get_ylabel()}".strip())


def title_panel(
    ax: Axes, title: str = "", note: str = "", *, lift: int = 0, align: str = "center"
) -> None:
    """Write a panel's title, wrapped to its width, with a warning in small print under it.

    `lift` leaves that many points free above the axes for other text.
    """
    figure = ax.get_figure(root=True)
    assert figure is not None
    inches = figure.get_size_inches()[0] / _columns(ax)
    note = wrap(note, int(inches * 11))
    ax.set_title(wrap(title, int(inches * 9)), pad=8 + lift + 13 * len(note.splitlines()))
    if note:
        ax.annotate(
            note,
            ({"center": 0.5, "left": 0.0}[align], 1.0),
            xytext=(0, 5 + lift),
            xycoords="axes fraction",
            textcoords="offset points",
            ha=align,
            va="bottom",
            fontsize=9.5,
            color=WARNING,
            annotation_clip=False,
            gid="note",
        )


def legend_below(fig: Figure, handles: Sequence[Any], labels: Sequence[str] | None = None) -> None:
    """One legend for the whole figure, under the panels, where it covers no data.

    Called last: the figure grows by what the legend and the panels' titles need.
    """
    _make_room(fig)
    labels = [str(handle.get_label()) for handle in handles] if labels is None else list(labels)
    if not labels:
        return
    lengths = [_visible_length(label) + 7 for label in labels]
    characters = fig.get_size_inches()[0] * 11.5
    columns = len(labels) if sum(lengths) <= characters else int(characters // max(lengths))
    rows = -(-len(labels) // max(1, columns))
    fig.legend(handles, labels, loc="outside lower center", ncols=-(-len(labels) // rows))
    _grow(fig, 0.24 * (rows - 1))


def _make_room(fig: Figure) -> None:
    """Titles and notes of several lines make the figure higher, not its panels smaller."""
    lines: dict[int, int] = {}
    for ax in fig.axes:
        spec = ax.get_subplotspec()
        if spec is not None:
            notes = [text.get_text() for text in ax.texts if text.get_gid() == "note"]
            count = ax.get_title().count("\n") + sum(note.count("\n") + 1 for note in notes)
            lines[spec.rowspan.start] = max(count, lines.get(spec.rowspan.start, 0))
    _grow(fig, 0.19 * sum(lines.values()))


def _grow(fig: Figure, inches: float) -> None:
    width, height = fig.get_size_inches()
    fig.set_size_inches(width, height + inches)


def _columns(ax: Axes) -> int:
    spec = ax.get_subplotspec()
    assert spec is not None
    return int(spec.get_gridspec().ncols)


def _visible_length(text: str) -> int:
    """How many characters a reader sees: a formula is shorter than its source."""
    return len(re.sub(r"[${}^_]", "", re.sub(r"\\[a-zA-Z]+", "x", text)))


def wrap(text: str, width: int) -> str:
    """Break lines at spaces, never inside a formula."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in re.findall(r"(?:\$[^$]*\$|\S)+", paragraph):
            if line and _visible_length(f"{line} {word}") > width:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}" if line else word
        lines.append(line)
    return "\n".join(lines)
