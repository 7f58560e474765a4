"""A student's code as HTML: escaped always, coloured in five classes."""

from __future__ import annotations

import functools

from pygments.lexers import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, String, Token

from course_lib.grading.page import amount, escape

__all__ = ["code_block"]

MAX_CHARACTERS = 20_000
_CLASSES = (
    (Comment, "c"),
    (String, "s"),
    (Keyword, "k"),
    (Operator.Word, "k"),
    (Number, "m"),
    (Name.Function, "f"),
    (Name.Class, "f"),
)
_LEXER = PythonLexer(stripnl=False, ensurenl=False)
_known: dict[object, str] = {}


def code_block(source: str, lines: int = 200) -> str:
    """Code as `<pre>`, at most so many lines and 20,000 characters of it.

    Args:
        source: The code; need not be Python, and may be anything.
        lines: How many lines are shown; a line says how many more there are.
    """
    source = source.replace("\r\n", "\n").strip("\n")
    every = source.split("\n")
    text = "\n".join(every[:lines])
    more = len(every) - lines
    shown = text[:MAX_CHARACTERS]
    rest = "…" if len(text) > len(shown) else ""
    if more > 0:
        rest += f"\n… {amount(more, 'more line')}"
    return f"<pre><code>{_coloured(shown)}{escape(rest)}</code></pre>"


@functools.lru_cache(maxsize=128)
def _coloured(source: str) -> str:
    """Neighbours of one class share a span: few tags, small pages.

    In a class many answers are the same text: what was never written, what has one right form.
    """
    parts: list[str] = []
    before, held = "", ""
    for kind, text in _LEXER.get_tokens(source):
        now = before if text.isspace() else _class_of(kind)
        if now != before:
            parts.append(_span(before, held))
            before, held = now, ""
        held += text
    parts.append(_span(before, held))
    return "".join(parts)


def _class_of(kind: object) -> str:
    if kind not in _known:
        found = (name for parent, name in _CLASSES if kind in parent)
        _known[kind] = next(found, "") if kind is not Token else ""
    return _known[kind]


def _span(name: str, text: str) -> str:
    words = escape(text, MAX_CHARACTERS)
    return f'<span class="{name}">{words}</span>' if name and text else words
