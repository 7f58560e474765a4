"""Find the checks of a lab: what `course_lib.checks.<lab>` lists in `__all__`, in that order."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from course_lib.checks.base import Check

__all__ = ["checks_of", "files_of", "find_check", "labs_with_checks"]


def labs_with_checks() -> list[str]:
    """The names of the labs that have a checks module: `["lab1", …]`."""
    import course_lib.checks as package

    return sorted(
        m.name for m in pkgutil.iter_modules(package.__path__) if m.name.startswith("lab")
    )


def checks_of(lab: str) -> dict[str, type[Check]]:
    """The checks of a lab by name, in the order of the lab.

    Raises:
        ValueError: If there is no such lab.
    """
    module = _module(lab)
    classes = [getattr(module, name) for name in module.__all__]
    return {c().name: c for c in classes if issubclass(c, Check)}


def files_of(lab: str) -> dict[str, int]:
    """The files that belong to a hand-in beside its notebook: the largest size in bytes, by name.

    A lab declares them: `FILES = {"digits.safetensors": 4 * 2**20}`. Most have none.

    Raises:
        ValueError: If there is no such lab.
    """
    return dict(getattr(_module(lab), "FILES", {}))


def find_check(lab: str, name: str) -> Check:
    """One check of a lab.

    Raises:
        ValueError: If the lab has no check of that name.
    """
    checks = checks_of(lab)
    if name not in checks:
        raise ValueError(f"{lab} has no check {name!r}. It has: {', '.join(checks)}.")
    return checks[name]()


def _module(lab: str) -> ModuleType:
    if lab not in labs_with_checks():
        known = ", ".join(labs_with_checks()) or "none"
        raise ValueError(f"There is no lab {lab!r}. There are: {known}.")
    return importlib.import_module(f"course_lib.checks.{lab}")
