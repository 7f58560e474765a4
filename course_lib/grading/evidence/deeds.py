"""What one piece of code does: the rules of `words`, read off its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import ModuleType

from course_lib.checks.base import Check
from course_lib.grading.evidence.cells import parsed
from course_lib.grading.evidence.impostors import impostors
from course_lib.grading.evidence.meaning import Meaning, named
from course_lib.grading.evidence.names import Names, Place, text_of, walk
from course_lib.grading.evidence.words import ATTRIBUTES, Rule, is_patched, named_rule, string_rules

__all__ = ["deeds"]

_KEYS = ("answer", "mistakes", "judge", "key", "also", "replies")
_READS_A_KEY: Rule = ("reads-a-key", "reads what a check holds as right or as a known mistake")


def deeds(place: Place, names: Names) -> Iterator[tuple[Rule, str]]:
    """The rules that one piece of code meets, each with what it is about."""
    node, scope = place
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from _named(alias.name)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        for alias in node.names:
            yield from _named(f"{node.module}.{alias.name}")
    elif isinstance(node, ast.Name | ast.Attribute):
        yield from _a_name(node, place, names)
    elif isinstance(node, ast.Call):
        yield from _a_call(node, place, names)
    elif isinstance(node, ast.Constant):
        text = node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
        yield from string_rules(text if isinstance(text, str) else "")
    elif isinstance(node, ast.BinOp):
        yield from string_rules(text_of(node))
    elif isinstance(node, ast.ClassDef):
        yield from impostors(node, place, names)
    elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
        for base in names.of(node.value, scope):
            if base.path in ("sys.modules", "builtins") or _dict_of_module(node.value, base):
                yield _set(base.path, text_of(node.slice))


def _named(path: str) -> Iterator[tuple[Rule, str]]:
    meaning = named(path)
    for each in dict.fromkeys((path, meaning.path)):
        rule = named_rule(each)
        if rule is not None:
            yield rule, path
            return


def _a_name(
    node: ast.Name | ast.Attribute, place: Place, names: Names
) -> Iterator[tuple[Rule, str]]:
    if isinstance(node.ctx, ast.Load):
        for meaning in names.of(node, place.scope):
            rule = named_rule(meaning.path)
            if rule is not None:
                yield rule, meaning.path
    if not isinstance(node, ast.Attribute):
        return
    bases = names.of(node.value, place.scope)
    if not isinstance(node.ctx, ast.Load):
        for base in bases:
            if not base.made and is_patched(f"{base.path}.{node.attr}"):
                yield _set(base.path, node.attr)
    yield from _an_attribute(node.attr, bases)


def _an_attribute(name: str, bases: frozenset[Meaning]) -> Iterator[tuple[Rule, str]]:
    if name in ATTRIBUTES:
        yield ATTRIBUTES[name], name
    for base in bases:
        is_check = isinstance(base.thing, type) and issubclass(base.thing, Check)
        if is_check and name in _KEYS:
            yield _READS_A_KEY, f"{base.thing.__name__}.{name}"
    if name == "mistakes" and not bases:
        yield _READS_A_KEY, name


def _a_call(node: ast.Call, place: Place, names: Names) -> Iterator[tuple[Rule, str]]:
    first = node.args[0] if node.args else None
    second = text_of(node.args[1]) if len(node.args) > 1 else ""
    func = node.func
    for called in names.of(func, place.scope):
        if called.path == "builtins.getattr" and first is not None and len(node.args) > 1:
            bases = names.of(first, place.scope)
            if second:
                yield from _an_attribute(second, bases)
                for meaning in names.of(node, place.scope):
                    rule = named_rule(meaning.path)
                    if rule is not None:
                        yield rule, meaning.path
            elif any(map(_is_module, bases)):
                rule = ("reaches-out", "asks a module for names that it makes up")
                yield rule, ", ".join(sorted(base.path for base in bases))
        elif called.path in ("builtins.setattr", "builtins.delattr") and first is not None:
            for base in names.of(first, place.scope):
                if not base.made and is_patched(f"{base.path}.{second}"):
                    yield _set(base.path, second)
            if second in ATTRIBUTES:
                yield ATTRIBUTES[second], second
        elif called.path in ("builtins.exec", "builtins.eval", "builtins.compile"):
            yield from _hidden(first, called.path, names)
        elif called.path in ("importlib.import_module", "builtins.__import__"):
            yield from _named(text_of(first)) if text_of(first) else [_made_up(called.path)]
        elif called.path.startswith("sys.modules."):
            method = called.path.removeprefix("sys.modules.")
            if method in ("update", "pop", "popitem", "setdefault", "clear", "__setitem__"):
                yield _set("sys.modules", "")
        elif called.path in ("os.environ.items", "os.environ.values", "os.environ.copy"):
            yield ("reaches-out", "reads the whole environment"), called.path
    if isinstance(func, ast.Attribute):
        yield from _a_method(func, node, place, names)


def _a_method(
    func: ast.Attribute, node: ast.Call, place: Place, names: Names
) -> Iterator[tuple[Rule, str]]:
    """`torch.__setattr__(…)`, `object.__setattr__(torch, …)`, `shell.events.register(…)`."""
    if func.attr in ("__setattr__", "__delattr__"):
        for target in [func.value, *node.args[:1]]:
            for base in names.of(target, place.scope):
                if not base.made and is_patched(base.path) and base.path != "builtins.object":
                    yield _set(base.path, "")
    inner = func.value
    if func.attr == "register" and isinstance(inner, ast.Attribute) and inner.attr == "events":
        yield ATTRIBUTES["ast_transformers"], "events.register"
    if func.attr == "update" and _dict_of_any(inner, names, place):
        yield _set("a module's names", "")


def _hidden(first: ast.expr | None, path: str, names: Names) -> Iterator[tuple[Rule, str]]:
    """Code in a string: what it does is looked at, where it can be read."""
    text = text_of(first)
    tree = parsed(text)[0] if text else None
    if tree is None:
        yield _made_up(path)
        return
    for place in walk(tree):
        yield from deeds(place, names)


def _made_up(path: str) -> tuple[Rule, str]:
    return ("reaches-out", "runs code, or imports modules, that it makes up as it goes"), path


def _is_module(base: Meaning) -> bool:
    return isinstance(base.thing, ModuleType) or base.path in ("os", "sys")


def _set(path: str, name: str) -> tuple[Rule, str]:
    return ("patches", "sets what belongs to another module"), f"{path}.{name}".rstrip(".")


def _dict_of_module(node: ast.expr, base: Meaning) -> bool:
    """Whether an expression is the dictionary of a module's or a class's names."""
    is_dict = isinstance(node, ast.Attribute) and node.attr == "__dict__"
    is_vars = (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "vars"
    )
    return (is_dict or is_vars) and not base.made and is_patched(base.path)


def _dict_of_any(node: ast.expr, names: Names, place: Place) -> bool:
    return any(_dict_of_module(node, base) for base in names.of(node, place.scope))
