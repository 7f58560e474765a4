"""What a student's cell printed, drew or raised, as harmless HTML: words, and PNG pictures."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any

from course_lib.checks.verdict import VERDICT_MIME
from course_lib.grading.page import escape

__all__ = ["card_picture", "outputs"]

MAX_PICTURE = 200_000
MAX_PICTURES = 2
MAX_WORDS = 2000
_PNG = b"\x89PNG\r\n\x1a\n"
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_IN_CARD = re.compile(r'src="data:image/png;base64,([A-Za-z0-9+/=]+)"')


def outputs(cells: Iterable[Mapping[str, Any]]) -> str:
    """The outputs of an exercise's answer cells.

    HTML, SVG, JavaScript and widgets are left out; at most two pictures of 200 kB each are shown,
    and 2,000 characters of text.
    """
    words: list[str] = []
    pictures: list[str] = []
    for output in (o for cell in cells for o in _list(cell.get("outputs"))):
        if not isinstance(output, Mapping):
            continue
        picture = _png(_data(output).get("image/png"))
        if picture is None:
            words.append(_words(output))
        elif len(pictures) < MAX_PICTURES:
            data = base64.b64encode(picture).decode("ascii")
            alt = "A figure that this cell drew"
            pictures.append(f'<p><img alt="{alt}" src="data:image/png;base64,{data}"></p>')
    text = "\n".join(filter(None, words)).strip("\n")
    shown = f'<pre class="output">{escape(text, MAX_WORDS)}</pre>' if text.strip() else ""
    return shown + "".join(pictures)


def card_picture(cell: Any) -> bytes | None:
    """The small picture in the card that the judge put into a check's cell, None without one."""
    for output in _list(cell.get("outputs")) if isinstance(cell, Mapping) else []:
        data = _data(output)
        match = _IN_CARD.search(_text(data.get("text/html"))) if VERDICT_MIME in data else None
        if match:
            return _png(match[1])
    return None


def _words(output: Mapping[str, Any]) -> str:
    if output.get("output_type") == "error":
        words = f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}"
    else:
        words = _text(output.get("text")) or _text(_data(output).get("text/plain"))
    return _COLOUR.sub("", words[: 5 * MAX_WORDS]).strip("\n")


def _png(value: Any) -> bytes | None:
    text = "".join(_text(value).split())
    if not text or len(text) > MAX_PICTURE * 4 // 3 + 4:
        return None
    try:
        picture = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return picture if picture.startswith(_PNG) and len(picture) <= MAX_PICTURE else None


def _data(output: Any) -> Mapping[str, Any]:
    data = output.get("data") if isinstance(output, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""
