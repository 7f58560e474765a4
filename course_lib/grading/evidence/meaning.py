"""What a dotted name stands for. Only the course's own modules are looked into."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import course_lib

__all__ = ["Meaning", "code_of", "made_by", "member", "named"]

OURS = "course_lib"


@dataclass(frozen=True)
class Meaning:
    """What a name or an expression stands for.

    Attributes:
        path: Its dotted name: `course_lib.simulate.steps.euler_step`, `torch.softmax`.
        thing: The course's own module, class or function of that name, else None.
        made: Whether it is an instance of the class `thing`.
    """

    path: str
    thing: Any = field(default=None, compare=False, repr=False)
    made: bool = False


def named(path: str) -> Meaning:
    """The meaning of a dotted name as an import statement writes it."""
    root, *rest = path.split(".")
    found = Meaning(root, course_lib if root == OURS else None)
    for name in rest:
        found = member(found, name)
    return found


def member(base: Meaning, name: str) -> Meaning:
    """The attribute of a module, a class or an instance. No property and no hook is run."""
    path, thing = f"{base.path}.{name}", base.thing
    if isinstance(thing, ModuleType):
        if name in vars(thing):
            return _described(path, vars(thing)[name])
        return Meaning(path, _module(path))
    if isinstance(thing, type):
        for owner in thing.__mro__:
            if name in vars(owner):
                return Meaning(path, _unwrapped(vars(owner)[name]))
    return Meaning(path)


def made_by(called: Meaning, owner: Meaning | None) -> Meaning | None:
    """What a call returns, where that is an object of one of the course's own classes.

    Args:
        called: What is called.
        owner: The class or instance of which it is an attribute: what `Self` means.
    """
    if isinstance(called.thing, type):
        return None if called.made else Meaning(called.path, called.thing, made=True)
    if not isinstance(called.thing, FunctionType):
        return None
    returned = called.thing.__annotations__.get("return")
    if returned == "Self" and owner is not None and isinstance(owner.thing, type):
        return Meaning(owner.path, owner.thing, made=True)
    if isinstance(returned, str) and returned.isidentifier():
        returned = called.thing.__globals__.get(returned)
    if isinstance(returned, type) and returned.__module__.startswith(f"{OURS}."):
        return Meaning(f"{returned.__module__}.{returned.__qualname__}", returned, made=True)
    return None


def code_of(thing: Any) -> CodeType | None:
    """The code of a function, which it keeps under whatever name it is imported."""
    code = getattr(thing, "__code__", None)
    return code if isinstance(code, CodeType) else None


def _described(path: str, thing: Any) -> Meaning:
    """A module's member under its own name, however it came into the module."""
    if isinstance(thing, ModuleType):
        return Meaning(thing.__name__, thing if thing.__name__.split(".")[0] == OURS else None)
    if isinstance(thing, type | FunctionType):
        path = f"{thing.__module__}.{thing.__qualname__}"
        return Meaning(path, thing if path.startswith(f"{OURS}.") else None)
    kind = type(thing)
    if kind.__module__.startswith(f"{OURS}."):
        return Meaning(f"{kind.__module__}.{kind.__qualname__}", kind, made=True)
    return Meaning(path)


def _unwrapped(raw: Any) -> Any:
    if isinstance(raw, staticmethod | classmethod):
        return raw.__func__
    return raw.fget if isinstance(raw, property) else raw


def _module(path: str) -> ModuleType | None:
    """A module of the course that is there; nothing else is imported at a stranger's wish."""
    if path in sys.modules:
        return sys.modules[path]
    if path not in _modules():
        return None
    try:
        return importlib.import_module(path)
    except Exception:  # an optional part of an installation may be missing
        return None


@cache
def _modules() -> frozenset[str]:
    home = Path(course_lib.__file__).parent
    files = [path.relative_to(home.parent).with_suffix("") for path in home.rglob("*.py")]
    names = {".".join(path.parts).removesuffix(".__init__") for path in files}
    return frozenset(name for name in names if "__main__" not in name)
