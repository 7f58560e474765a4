"""A figure as bytes and as a sentence: for a page, a verdict's card, a reader who cannot see it."""

from __future__ import annotations

import io
import re

from matplotlib.figure import Figure

__all__ = ["alt_text", "png"]


def png(fig: Figure) -> bytes:
    """The figure as a PNG file's bytes, cut as a notebook cuts it."""
    buffer = io.BytesIO()
    fig.savefig(
        buffer,
        format="png",
        dpi=fig.dpi,
        bbox_inches="tight",
        pad_inches=0.1,
        metadata={"Software": None},
    )
    return buffer.getvalue()


def alt_text(fig: Figure) -> str:
    """One sentence on what the figure shows, from its titles, axis labels, legend and warnings."""
    axes = [ax for ax in fig.axes if ax.get_label() != "<colorbar>"]
    described = _unique(ax.get_label() for ax in axes)
    panels = _unique(ax.get_title() for ax in axes)
    horizontal = _unique(ax.get_xlabel() for ax in axes)
    vertical = _unique(ax.get_ylabel() for ax in axes)
    shown = _unique(text.get_text() for legend in fig.legends for text in legend.get_texts())
    notes = _unique(text.get_text() for ax in axes for text in ax.texts if text.get_gid() == "note")
    title = _plain(fig.get_suptitle())
    if len(panels) == 1 and not title:
        title = panels.pop()
    parts = [
        f"Figure: {title}" if title else "Figure",
        *described,
        f"{len(axes)} panels ({'; '.join(panels)})" if len(panels) > 1 else "".join(panels),
        f"{' and '.join(vertical)} against {' and '.join(horizontal)}"
        if vertical and horizontal
        else " and ".join(vertical + horizontal),
        f"showing {', '.join(shown)}" if shown else "",
        *notes,
    ]
    return "; ".join(part for part in parts if part) + "."


def _unique(texts: object) -> list[str]:
    return list(dict.fromkeys(filter(None, map(_plain, texts))))  # type: ignore[call-overload]


def _plain(text: str) -> str:
    """Text without the marks of a formula: $\\sigma_t$ becomes sigma_t."""
    return " ".join(re.sub(r"[${}\\]", "", text).split())
