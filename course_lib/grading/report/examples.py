"""Answers to show in front of a class: without comments, without docstrings, without names."""

from __future__ import annotations

import ast
import contextlib
import io
import re
import tokenize
import warnings
from collections.abc import Iterable

__all__ = ["choose", "without_words"]

MAX_SOURCE = 20_000


def choose(answers: Iterable[tuple[str, str]], solution: str = "", most: int = 2) -> list[str]:
    """The shortest answers that differ, without the words in them.

    An answer that is not Python, in which a part of its author's id stands, or that is the solution
    itself, whose fault then lies in an earlier exercise, is passed over.

    Args:
        answers: The author's id and the code.
        solution: The solution's code, in which comments and spacing do not count.
        most: How many to choose.
    """
    found: dict[str, str] = {}
    for student, source in answers:
        try:
            code = without_words(source)
        except ValueError:
            continue
        if code and not _names(student, code):
            found.setdefault("".join(code.split()), code)
    with contextlib.suppress(ValueError):
        found.pop("".join(without_words(solution).split()), None)
    return sorted(found.values(), key=lambda code: (len(code), code))[:most]


def without_words(source: str) -> str:
    """Code without comments and without strings that stand alone, such as docstrings.

    Raises:
        ValueError: If it is not Python, or longer than 20,000 characters.
    """
    if len(source) > MAX_SOURCE:
        raise ValueError("too long to take apart")
    lines = source.replace("\r\n", "\n").split("\n")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse("\n".join(lines))
        tokens = list(tokenize.generate_tokens(io.StringIO("\n".join(lines)).readline))
        dropped = {line for node in ast.walk(tree) for line in _string_lines(node)}
    except (SyntaxError, tokenize.TokenError, RecursionError, MemoryError) as error:
        raise ValueError(f"not Python: {type(error).__name__}") from None
    for token in tokens:
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip()
            if not lines[row - 1]:
                dropped.add(row)
    kept = "\n".join(line.rstrip() for i, line in enumerate(lines, 1) if i not in dropped)
    return re.sub(r"\n{3,}", "\n\n", kept).strip("\n")


def _string_lines(node: ast.AST) -> range:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant | ast.JoinedStr):
        return range(node.lineno, (node.end_lineno or node.lineno) + 1)
    return range(0)


def _names(student: str, code: str) -> bool:
    parts = re.findall(r"[^\W\d_]{3,}", student.lower())
    words = set(re.findall(r"[^\W\d_]+", code.lower()))
    return any(part in words for part in parts)
