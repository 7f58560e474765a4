"""Classes made to agree with every check: equal to whatever they meet, tensors in disguise."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from course_lib.grading.evidence.names import Names, Place
from course_lib.grading.evidence.words import Rule

__all__ = ["impostors"]

_ALWAYS = {"__eq__": True, "__ne__": False, "__le__": True, "__ge__": True, "__lt__": True}
_HOOKS = ("__torch_function__", "__torch_dispatch__", "__array_function__", "__array_ufunc__")
_SPIES = ("torch.Tensor", "torch.overrides.TorchFunctionMode")


def impostors(node: ast.ClassDef, place: Place, names: Names) -> Iterator[tuple[Rule, str]]:
    """What is remarkable about a class, and where in it."""
    for statement in node.body:
        for name, always in _methods(statement):
            if name in _ALWAYS and always is _ALWAYS[name]:
                rule = ("agrees-with-all", "makes objects that are equal to whatever they meet")
                yield rule, f"{node.name}.{name}"
            if name in _HOOKS:
                rule = ("agrees-with-all", "makes objects that answer in place of torch or numpy")
                yield rule, f"{node.name}.{name}"
    for base in node.bases:
        for meaning in names.of(base, place.scope):
            if meaning.path in _SPIES or meaning.path.endswith(
                (".TorchDispatchMode", ".TorchFunctionMode")
            ):
                rule = ("agrees-with-all", "makes tensors of a kind of its own")
                yield rule, f"{node.name}({meaning.path})"


def _methods(statement: ast.stmt) -> Iterator[tuple[str, object]]:
    """The methods that a class's statement defines, and the constant that each returns."""
    if isinstance(statement, ast.FunctionDef):
        returns = [n.value for n in ast.walk(statement) if isinstance(n, ast.Return)]
        values = [r.value if isinstance(r, ast.Constant) else None for r in returns]
        yield statement.name, values[0] if values and all(v is values[0] for v in values) else None
    elif isinstance(statement, ast.Assign):
        value = statement.value
        body = value.body if isinstance(value, ast.Lambda) else None
        for target in statement.targets:
            if isinstance(target, ast.Name):
                yield target.id, body.value if isinstance(body, ast.Constant) else None
