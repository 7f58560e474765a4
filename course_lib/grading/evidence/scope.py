"""Which names a piece of code binds, and to what."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from course_lib.grading.evidence.meaning import Meaning, member, named

__all__ = ["FUNCTIONS", "Definition", "Scope", "Value", "bindings", "local_scope"]

Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
# What a name is bound to: an expression, a definition, an import; None if nothing is known of it.
Value: TypeAlias = "ast.expr | Definition | Meaning | None"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_CLOSED = (*FUNCTIONS, ast.ClassDef)


@dataclass(eq=False)
class Scope:
    """The names of one function, lambda or comprehension, inside another scope or the notebook."""

    names: dict[str, list[Value]]
    parent: Scope | None = None
    memo: dict[int, frozenset[Meaning]] = field(default_factory=dict)


def bindings(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, Value, ast.AST]]:
    """Each name that the statements bind, its value, and the statement; functions stay closed."""
    stack = list(nodes)[::-1]
    while stack:
        node = stack.pop()
        yield from _bound(node)
        if not isinstance(node, _CLOSED):
            stack += reversed(list(ast.iter_child_nodes(node)))


def local_scope(node: ast.AST, parent: Scope | None) -> Scope:
    """The scope that a function, a lambda or a comprehension opens."""
    names: dict[str, list[Value]] = {}
    if isinstance(node, FUNCTIONS):
        for name, default in _parameters(node.args):
            names.setdefault(name, []).append(default)
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        outside: set[str] = set()
        for name, value, statement in bindings(body):
            if isinstance(statement, ast.Global | ast.Nonlocal):
                outside.add(name)
            else:
                names.setdefault(name, []).append(value)
        names = {name: values for name, values in names.items() if name not in outside}
    else:
        for generator in getattr(node, "generators", []):
            for name, value in _targets(generator.target, generator.iter):
                names.setdefault(name, []).append(value)
    return Scope(names, parent)


def _bound(node: ast.AST) -> Iterator[tuple[str, Value, ast.AST]]:
    pairs: list[tuple[str, Value]] = []
    if isinstance(node, ast.Assign):
        for target in node.targets:
            pairs += _targets(target, node.value)
    elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
        if node.value is not None:
            pairs += _targets(node.target, node.value)
    elif isinstance(node, ast.For | ast.AsyncFor):
        pairs += _targets(node.target, node.iter)
    elif isinstance(node, ast.With | ast.AsyncWith):
        for item in node.items:
            if item.optional_vars is not None:
                pairs += _targets(item.optional_vars, item.context_expr)
    elif isinstance(node, ast.Import):
        for alias in node.names:
            whole = named(alias.name)
            pairs.append((alias.asname, whole) if alias.asname else _root(alias.name))
    elif isinstance(node, ast.ImportFrom):
        pairs += _imported(node)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        pairs.append((node.name, node))
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        pairs.append((node.name, None))
    elif isinstance(node, ast.Global | ast.Nonlocal):
        pairs += [(name, None) for name in node.names]
    for name, value in pairs:
        yield name, value, node


def _root(path: str) -> tuple[str, Value]:
    root = path.split(".")[0]
    return root, named(root)


def _imported(node: ast.ImportFrom) -> Iterator[tuple[str, Value]]:
    if node.level or not node.module:
        return
    module = named(node.module)
    for alias in node.names:
        if alias.name == "*":
            for name in getattr(module.thing, "__all__", ()):
                yield name, member(module, name)
        else:
            yield alias.asname or alias.name, member(module, alias.name)


def _targets(target: ast.AST, value: ast.expr) -> Iterator[tuple[str, Value]]:
    """The names in an assignment's target; a tuple's each with its own part, where it has one."""
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Starred):
        yield from _targets(target.value, value)
    elif isinstance(target, ast.Tuple | ast.List):
        parts: list[ast.expr] = [value] * len(target.elts)
        if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
            parts = value.elts
        for each, part in zip(target.elts, parts, strict=True):
            yield from _targets(each, part)


def _parameters(args: ast.arguments) -> Iterator[tuple[str, Value]]:
    placed = [*args.posonlyargs, *args.args]
    defaults: list[ast.expr | None] = [None] * (len(placed) - len(args.defaults))
    yield from zip((a.arg for a in placed), [*defaults, *args.defaults], strict=True)
    yield from zip((a.arg for a in args.kwonlyargs), args.kw_defaults, strict=True)
    for rest in (args.vararg, args.kwarg):
        if rest is not None:
            yield rest.arg, None
