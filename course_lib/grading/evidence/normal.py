"""Code without what a student may choose freely: names, docstrings, comments, annotations."""

from __future__ import annotations

import ast
import hashlib
from typing import Any, NamedTuple

__all__ = ["Form", "form_of", "forms_in"]

_SKIPPED = {"type_comment", "annotation", "returns", "type_params", "kind"}
_DOCUMENTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)


class Form(NamedTuple):
    """What is left of a piece of code.

    Attributes:
        key: The same for pieces that differ in free choices alone.
        size: How many nodes its tree has.
        chosen: The names that it binds.
    """

    key: bytes
    size: int
    chosen: frozenset[str]


def form_of(tree: ast.AST) -> Form:
    """The form of a tree; every name that is bound in it becomes its number."""
    chosen = _bound(tree)
    numbers: dict[str, int] = {}
    parts: list[str] = []
    stack: list[object] = [tree]
    size = 0
    while stack:
        item = stack.pop()
        if isinstance(item, ast.AST):
            size += 1
            parts.append(type(item).__name__)
            children: list[object] = []
            for name in item._fields:
                if name not in _SKIPPED:
                    value: Any = getattr(item, name, None)
                    if name == "body" and isinstance(item, _DOCUMENTED):
                        value = _without_docstring(value)
                    children.append(value)
            stack += reversed(children)
        elif isinstance(item, list):
            parts.append(f"[{len(item)}")
            stack += reversed(item)
        elif isinstance(item, str) and item in chosen:
            parts.append(f"#{numbers.setdefault(item, len(numbers))}")
        else:
            parts.append(f"{type(item).__name__}:{item!r}")
    return Form(hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).digest(), size, chosen)


def forms_in(source: str) -> set[bytes]:
    """The forms of a text, and of each of its functions and classes alone."""
    tree = ast.parse(source)
    parts: list[ast.AST] = [tree]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            parts.append(ast.Module([node], []))
    return {form_of(part).key for part in parts}


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        return body[1:] if isinstance(body[0].value.value, str) else body
    return body


def _bound(tree: ast.AST) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.add(node.asname or node.name)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
    return frozenset(found)
