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
from collections.abc import Mapping
from pathlib import Path

import course_lib

__all__ = ["make_view", "without_answers"]

LEFT_OUT = ("grading", "notebooks", "cli.py", "jupyter",
            "widgets/demo", "widgets/engine", "widgets/stage.py", "widgets/answers.py")  # fmt: skip
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
        inside = Path(place).relative_to(source)
        left_out = {"__pycache__", *(n for n in names if (inside / n).as_posix() in LEFT_OUT)}
        return [name for name in names if name in left_out]

    shutil.copytree(source, target, ignore=ignored)
    for lab in (target / "checks").glob("lab*"):
        modules = {path.stem: path for path in lab.glob("*.py")}
        sources = {name: path.read_text(encoding="utf-8") for name, path in modules.items()}
        for name, rest in without_answers(sources).items():
            modules[name].write_text(rest, encoding="utf-8")
    compileall.compile_dir(target, quiet=2)


def without_answers(sources: Mapping[str, str]) -> dict[str, str]:
    """The modules of a lab's checks without what its answers are judged by.

    Of every class, the members named in `SECRET` go; then, again and again, whatever is no longer
    used by what is left, beginning with what `__init__` lists.

    Args:
        sources: The source of each module of the lab's package, by its name.
    """
    trees = {name: ast.parse(source) for name, source in sources.items()}
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                node.body = [item for item in node.body if not _names(item) & SECRET]
                node.body = node.body or [ast.Pass()]
    while any([_drop_unused(name, trees) for name in trees]):
        pass
    return {name: ast.unparse(ast.fix_missing_locations(tree)) for name, tree in trees.items()}


def _drop_unused(name: str, trees: Mapping[str, ast.Module]) -> bool:
    """Drop what nothing refers to from a module; whether there was any."""
    tree = trees[name]
    used = _used(tree) | _listed(tree) if name == "__init__" else _used(tree)
    for other in trees.values():
        for node in other.body:
            if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(f".{name}"):
                used |= {alias.name for alias in node.names}
    dropped = False
    parents: list[ast.Module | ast.ClassDef] = [tree]
    parents += [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    for parent in parents:
        kept = [item for item in parent.body if not _is_idle(item, used, parent is tree)]
        if len(kept) < len(parent.body):
            parent.body, dropped = kept or [ast.Pass()], True
    for item in tree.body:
        if isinstance(item, ast.Import | ast.ImportFrom):
            needed = [alias for alias in item.names if _bound(alias) in used or _is_future(item)]
            dropped |= len(needed) < len(item.names)
            item.names = needed
        elif _names(item) == {"__all__"} and name != "__init__" and isinstance(item, ast.Assign):
            item.value = ast.List([], ast.Load())
    return dropped


def _used(tree: ast.Module) -> set[str]:
    nodes = list(ast.walk(tree))
    used = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return used | {n.attr for n in nodes if isinstance(n, ast.Attribute)}


def _listed(tree: ast.Module) -> set[str]:
    """What a lab offers: the names in its `__all__`, and the files that it declares."""
    nodes = [n for item in tree.body if _names(item) == {"__all__"} for n in ast.walk(item)]
    return {"FILES", *(str(n.value) for n in nodes if isinstance(n, ast.Constant))}


def _is_idle(item: ast.stmt, used: set[str], top: bool) -> bool:
    names = _names(item)
    if not names or names & used or any(name.startswith("__") for name in names):
        return False
    return not _is_future(item) if top else all(name.startswith("_") for name in names)


def _is_future(item: ast.stmt) -> bool:
    return isinstance(item, ast.ImportFrom) and item.module == "__future__"


def _names(item: ast.stmt) -> set[str]:
    """The names that a statement binds."""
    if isinstance(item, ast.FunctionDef | ast.ClassDef):
        return {item.name}
    if isinstance(item, ast.Import | ast.ImportFrom):
        return {_bound(alias) for alias in item.names}
    targets = item.targets if isinstance(item, ast.Assign) else []
    if isinstance(item, ast.AnnAssign):
        targets = [item.target]
    return {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}


def _bound(alias: ast.alias) -> str:
    return alias.asname or alias.name.split(".")[0]
