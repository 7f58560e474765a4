"""The library as a hand-in sees it: without the grader, and with checks that know no answers.

A hand-in needs a check's `inputs` and `run`. What it is judged by (`answer`, `mistakes`, a
question's key) is needed in the grader's process alone, so it is not in the sandbox at all.
"""

from __future__ import annotations

import ast
import compileall
import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

import course_lib

__all__ = ["make_view", "without_answers"]

LEFT_OUT = ("grading", "notebooks", "cli.py", "jupyter")
SECRET = {"answer", "also", "judge", "mistakes", "key", "replies"}


def make_view() -> Path:
    """The folder in which hand-ins find `course_lib`; written once for each state of the library.

    Raises:
        OSError: If it cannot be written, or somebody else's folder is in its place.
    """
    source = Path(course_lib.__file__).parent
    user = os.geteuid() if hasattr(os, "geteuid") else 0
    place = Path(tempfile.gettempdir(), f"course-view-{user}-{_state_of(source)}")
    if not place.exists():
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".course-view-") as scratch:
            made = Path(scratch, "view")
            _write(source, made / "course_lib")
            os.chmod(made, 0o755)
            with contextlib.suppress(FileExistsError, OSError):  # another grader was faster
                os.rename(made, place)
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user or found.st_mode & 0o022:
        raise PermissionError(f"{place} is not a folder that only this user can write to")
    return place


def _state_of(source: Path) -> str:
    """A digest that changes when any file of the library does."""
    files = sorted(p for p in source.rglob("*") if p.is_file() and p.suffix != ".pyc")
    parts = [f"{p.relative_to(source)}:{p.stat().st_size}:{p.stat().st_mtime_ns}" for p in files]
    return hashlib.sha256("\n".join([*parts, str(source)]).encode()).hexdigest()[:16]


def _write(source: Path, target: Path) -> None:
    def ignored(place: str, names: list[str]) -> list[str]:
        left_out = LEFT_OUT if Path(place) == source else ()
        return [name for name in names if name in left_out or name == "__pycache__"]

    shutil.copytree(source, target, ignore=ignored)
    for path in (target / "checks").glob("lab*/**/*.py"):
        path.write_text(without_answers(path.read_text(encoding="utf-8")), encoding="utf-8")
    compileall.compile_dir(target, quiet=2)


def without_answers(source: str) -> str:
    """A checks module without what its answers are judged by.

    Of every class, the members named in `SECRET` go; then, again and again, whatever private name
    of the module or of a class is no longer used by what is left.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            node.body = [item for item in node.body if not _names(item) & SECRET] or [ast.Pass()]
    while _drop_unused(tree):
        pass
    return ast.unparse(ast.fix_missing_locations(tree))


def _drop_unused(tree: ast.Module) -> bool:
    """Drop private definitions and imports that nothing refers to; whether there were any."""
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)
            and isinstance(node.ctx, ast.Load)}  # fmt: skip
    used |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    used |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)
             and isinstance(node.value, str)}  # fmt: skip
    bodies: list[ast.Module | ast.ClassDef] = [tree]
    bodies += [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    dropped = False
    for parent in bodies:
        kept = [item for item in parent.body if not _is_idle(item, used, parent is tree)]
        if len(kept) < len(parent.body):
            parent.body, dropped = kept or [ast.Pass()], True
    return dropped


def _is_idle(item: ast.stmt, used: set[str], top: bool) -> bool:
    names = _names(item)
    if not names or names & used or "annotations" in names:
        return False
    if isinstance(item, ast.Import | ast.ImportFrom):
        return top
    return all(name.startswith("_") and not name.startswith("__") for name in names)


def _names(item: ast.stmt) -> set[str]:
    """The names that a statement binds."""
    if isinstance(item, ast.FunctionDef | ast.ClassDef):
        return {item.name}
    if isinstance(item, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.split(".")[0] for alias in item.names}
    targets = item.targets if isinstance(item, ast.Assign) else []
    if isinstance(item, ast.AnnAssign):
        targets = [item.target]
    return {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
