"""A notebook's names, followed through imports, assignments and functions. Nothing is run."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from course_lib.grading.evidence.cells import Cell
from course_lib.grading.evidence.meaning import Meaning, made_by, member, named
from course_lib.grading.evidence.scope import FUNCTIONS, Scope, Value, bindings, local_scope

__all__ = ["Binding", "Names", "Place", "run_on", "text_of", "walk"]

DEEPEST = 40
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_CERTAIN = (
    *(ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom),
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
)
_NOTHING: frozenset[Meaning] = frozenset()


class Binding(NamedTuple):
    """What one statement binds a notebook's name to."""

    value: Value
    statement: ast.AST
    cell: Cell


class Place(NamedTuple):
    """A piece of code, and the scope in which it stands (None: the notebook itself)."""

    node: ast.AST
    scope: Scope | None


def run_on(names: dict[str, list[Binding]], cell: Cell) -> None:
    """Bring the notebook's names up to after a cell, in place.

    A later statement replaces an earlier one, unless it stands under an `if` or in a loop.
    """
    for statement in cell.tree.body if cell.tree else []:
        new: dict[str, list[Binding]] = {}
        for name, value, where in bindings([statement]):
            new.setdefault(name, []).append(Binding(value, where, cell))
        for name, each in new.items():
            names[name] = each if isinstance(statement, _CERTAIN) else names.get(name, []) + each


def walk(node: ast.AST, scope: Scope | None = None) -> Iterator[Place]:
    """All the code inside a piece of code, each part with its scope."""
    stack = [Place(node, scope)]
    while stack:
        here = stack.pop()
        yield here
        node, scope = here
        inner = scope
        if isinstance(node, (*FUNCTIONS, *_COMPREHENSIONS)):
            inner = local_scope(node, scope)
        outside = _outside(node)
        for child in ast.iter_child_nodes(node):
            stack.append(Place(child, scope if child in outside else inner))


def _outside(node: ast.AST) -> list[ast.AST]:
    """The parts of a function that belong to the scope around it."""
    if not isinstance(node, FUNCTIONS):
        return []
    outside: list[ast.AST] = [node.args]
    if not isinstance(node, ast.Lambda):
        outside += [*node.decorator_list, *([node.returns] if node.returns else [])]
    return outside


@dataclass(eq=False)
class Names:
    """The meanings of expressions, with the notebook's names as they are at one moment."""

    names: Mapping[str, list[Binding]]

    def __post_init__(self) -> None:
        self._top = Scope({})

    def local(self, name: str, scope: Scope | None) -> Scope | None:
        """The scope in which a name is local, None for one of the notebook's."""
        while scope is not None and name not in scope.names:
            scope = scope.parent
        return scope

    def of(self, node: ast.AST, scope: Scope | None = None, depth: int = 0) -> frozenset[Meaning]:
        """What an expression may stand for; empty for whatever is not known."""
        memo = (scope or self._top).memo
        if id(node) not in memo:
            if depth > DEEPEST:
                return _NOTHING
            memo[id(node)] = _NOTHING  # what a circle of names comes back to
            memo[id(node)] = frozenset(self._meanings(node, scope, depth + 1))
        return memo[id(node)]

    def value(self, value: Value, scope: Scope | None, depth: int = 0) -> frozenset[Meaning]:
        """What a name stands for that is bound to this."""
        if isinstance(value, Meaning):
            return frozenset([value])
        if isinstance(value, ast.expr):
            return self.of(value, scope, depth)
        return _NOTHING

    def _meanings(self, node: ast.AST, scope: Scope | None, depth: int) -> Iterator[Meaning]:
        if isinstance(node, ast.Name):
            yield from self._name(node.id, scope, depth)
        elif isinstance(node, ast.Attribute):
            for base in self.of(node.value, scope, depth):
                yield from self._attribute(base, node.attr)
        elif isinstance(node, ast.Call):
            yield from self._call(node, scope, depth)
        elif isinstance(node, ast.Subscript):
            yield from self._item(node, scope, depth)
        elif isinstance(node, ast.NamedExpr | ast.Starred | ast.Await):
            yield from self.of(node.value, scope, depth)
        elif isinstance(node, ast.IfExp):
            yield from self.of(node.body, scope, depth)
            yield from self.of(node.orelse, scope, depth)
        elif isinstance(node, ast.BoolOp | ast.Dict):
            for part in node.values:
                yield from self.of(part, scope, depth)
        elif isinstance(node, ast.Tuple | ast.List | ast.Set):
            for part in node.elts:
                yield from self.of(part, scope, depth)

    def _name(self, name: str, scope: Scope | None, depth: int) -> Iterator[Meaning]:
        where = self.local(name, scope)
        if where is not None:
            outer = where.parent
            for value in where.names[name]:
                yield from self.value(value, where, depth) or self.value(value, outer, depth)
            return
        if name in self.names:
            for binding in self.names[name]:
                yield from self.value(binding.value, None, depth)
        elif name in ("get_ipython", "__builtins__"):
            yield Meaning("builtins" if name == "__builtins__" else "IPython.get_ipython")
        elif hasattr(builtins, name):
            yield Meaning(f"builtins.{name}")

    def _attribute(self, base: Meaning, name: str) -> Iterator[Meaning]:
        if name == "__class__" and base.made:
            yield Meaning(base.path, base.thing)
        elif name != "__dict__":
            yield member(base, name)
        else:
            yield base

    def _call(self, node: ast.Call, scope: Scope | None, depth: int) -> Iterator[Meaning]:
        owner: Meaning | None = None
        if isinstance(node.func, ast.Attribute):
            owner = next(iter(self.of(node.func.value, scope, depth)), None)
        first = node.args[0] if node.args else None
        text = text_of(node.args[1] if len(node.args) > 1 else first)
        for called in self.of(node.func, scope, depth):
            if called.path == "builtins.getattr" and first is not None and len(node.args) > 1:
                for base in self.of(first, scope, depth) if text else ():
                    yield from self._attribute(base, text)
            elif called.path in (
                "builtins.vars",
                "functools.partial",
                "copy.copy",
                "copy.deepcopy",
            ):
                yield from self.of(first, scope, depth) if first is not None else ()
            elif called.path == "builtins.type" and first is not None and len(node.args) == 1:
                for base in self.of(first, scope, depth):
                    yield from self._attribute(base, "__class__")
            elif called.path in ("importlib.import_module", "builtins.__import__"):
                path = text_of(first)
                if path and called.path == "builtins.__import__":  # its `fromlist` decides
                    yield named(path.split(".")[0])
                if path:
                    yield named(path)
            else:
                made = made_by(called, owner)
                if made is not None:
                    yield made

    def _item(self, node: ast.Subscript, scope: Scope | None, depth: int) -> Iterator[Meaning]:
        key = text_of(node.slice)
        if key and _is_globals(node.value):
            yield from self._name(key, None, depth)
            return
        for base in self.of(node.value, scope, depth):
            if base.path == "sys.modules":
                yield named(key) if key else Meaning("sys.modules.any")
            elif key and _is_dict(node.value):
                yield member(base, key)
            else:
                yield base  # one of a list's or a dict's values


def _is_globals(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("globals", "locals")
    )


def _is_dict(node: ast.AST) -> bool:
    """Whether an expression is `x.__dict__` or `vars(x)`."""
    if isinstance(node, ast.Attribute):
        return node.attr == "__dict__"
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "vars"


def text_of(node: ast.AST | None) -> str:
    """The text of a string that stands there, or is added up there; empty for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts: list[str] = []
        while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and len(parts) < 50:
            parts.append(text_of(node.right) if not isinstance(node.right, ast.BinOp) else "")
            node = node.left
        parts.append(text_of(node))
        return "".join(reversed(parts)) if all(parts) else ""
    return ""
