"""One thing to look at."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Evidence", "shown"]

LONGEST = 120
# Control characters, and those that turn the direction of text or have no width.
_HIDDEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


@dataclass(frozen=True)
class Evidence:
    """Something that a person may want to look at.

    Attributes:
        students: Whose hand-ins it is about.
        check: The exercise by its check's name; several, joined by commas; empty for none.
        kind: What was found, in one word: `forwards`, `reads-a-key`, `patches`, `reaches-out`,
            `agrees-with-all`, `check-cell`, `not-read`, `same-text` or `same-code`.
        sentence: What was found, as a fact.
        lines: Where it stands in the notebook, made safe to print.
    """

    students: tuple[str, ...]
    check: str
    kind: str
    sentence: str
    lines: tuple[str, ...] = ()


def shown(text: str, longest: int = LONGEST) -> str:
    """A stranger's text in one line that is safe to print: hidden characters as escapes, cut."""
    text = " ".join(text[: 10 * longest].split())
    text = _HIDDEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
