"""A page of HTML that stands alone: no script, nothing from another host, words stay words.

All that a hand-in brings goes through `escape`; the page's own policy forbids scripts besides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape as _escape
from importlib.resources import files
from pathlib import Path

from course_lib.grading.record import atomically

__all__ = ["amount", "escape", "number", "page", "table", "write_page"]

_STYLE = files("course_lib.grading").joinpath("page.css").read_text("utf-8")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
# Control characters, those that turn the reading direction, and halves of surrogate pairs.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def escape(value: object, longest: int = 2000) -> str:
    """Anything as text that can stand in HTML, between tags or in a quoted attribute.

    Args:
        value: What to show.
        longest: How many of its characters are shown; `…` stands for the rest.
    """
    text = str(value)
    return _escape(text if len(text) <= longest else f"{text[:longest]}…")


def number(value: float) -> str:
    """Points as people write them: `31.5`, `3`."""
    return f"{round(value, 2):g}"


def amount(count: int, noun: str) -> str:
    """`1 student`, `3 students`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def table(columns: Mapping[str, str], rows: str, caption: str = "", kind: str = "") -> str:
    """A table that scrolls by itself where it is wider than the page.

    Args:
        columns: The heads of the columns, each with its class: `n` for numbers, or none.
        rows: `<tr>` elements.
        caption: HTML that says what is in it.
        kind: The table's class.
    """
    heads = "".join(
        f'<th scope="col"{f" class={name!r}" * bool(name)}>{escape(words)}</th>'
        for words, name in columns.items()
    )
    return (
        f'<div class="wide"><table{f" class={kind!r}" * bool(kind)}>'
        f"{f'<caption>{caption}</caption>' * bool(caption)}"
        f"<thead><tr>{heads}</tr></thead>\n<tbody>{rows}</tbody></table></div>"
    )


def page(title: str, body: str, style: str = "") -> str:
    """A whole page, without characters that nobody sees or that turn the text around.

    Args:
        title: What the browser's tab says; is escaped here.
        body: HTML, escaped by whoever made it.
        style: More CSS; comes before the common one, which wins.
    """
    text = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title, 200)}</title>\n<style>\n{style}{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )
    return _UNSEEN.sub("\ufffd", text.replace("\r\n", "\n"))


def write_page(path: Path, text: str) -> None:
    """Write a page; the file is either the old one or the whole new one.

    Raises:
        OSError: If it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomically(path) as file:
        file.write(text)
