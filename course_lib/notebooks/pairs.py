"""A notebook and its text: `lab1.ipynb` and `lab1.py` (jupytext, percent format) are one thing."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from course_lib.notebooks.course import CourseError

__all__ = ["cells_of", "digest", "read_pair", "read_text", "write_notebook", "write_text"]

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
FORMAT = {"extension": ".py", "format_name": "percent"}


def read_text(path: Path) -> NotebookNode:
    """The notebook that a percent-format .py holds.

    Raises:
        CourseError: If the file is not text that jupytext understands.
    """
    try:
        notebook = jupytext.read(path, fmt=FORMAT)
    except (ValueError, UnicodeDecodeError) as error:
        raise CourseError(f"{_short(path)} cannot be read as a notebook: {error}") from None
    for cell in notebook.cells:
        cell.metadata.pop("lines_to_next_cell", None)
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    )
    return notebook


def write_text(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook as a percent-format .py, without nbgrader's metadata or a header."""
    bare = nbformat.from_dict(notebook)
    bare.metadata = nbformat.from_dict(
        {"jupytext": {"notebook_metadata_filter": "-all", "cell_metadata_filter": "tags,-all"}}
    )
    text = jupytext.writes(bare, fmt=FORMAT)
    # two blank lines before a cell that begins with a definition, as formatters want it
    text = re.sub(r"(?<!\n)\n\n(?=# %%[^\n]*\n(def|class|async def|@))", "\n\n\n", text)
    path.write_text(text, encoding="utf-8")


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Write an .ipynb, always in the same way."""
    path.write_text(nbformat.writes(notebook).rstrip("\n") + "\n", encoding="utf-8")


def read_notebook(path: Path) -> NotebookNode:
    """Read an .ipynb.

    Raises:
        CourseError: If it is not a notebook.
    """
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat lets many kinds through
        raise CourseError(f"{_short(path)} is not a notebook: {error}") from None


def cells_of(notebook: NotebookNode) -> list[tuple[str, str, tuple[str, ...]]]:
    """What the two forms have in common: each cell's type, source and tags."""
    return [
        (cell.cell_type, cell.source.strip("\n"), tuple(cell.metadata.get("tags", ())))
        for cell in notebook.cells
    ]


def read_pair(folder: Path) -> NotebookNode:
    """The lab's notebook, from whichever of the two forms was changed since the last build.

    The build notes in the .ipynb what both forms said. Without such a note the file that was
    written last counts.

    Raises:
        CourseError: If neither exists, or if both were changed and say different things.
    """
    text, notebook = _paths(folder)
    if not notebook.exists():
        return read_text(text)
    if not text.exists():
        return _take_notebook(notebook, text)
    one, other = read_text(text), read_notebook(notebook)
    if cells_of(one) == cells_of(other):
        return one
    built = other.metadata.get("course", {}).get("pair")
    if built is None:
        newer_text = text.stat().st_mtime >= notebook.stat().st_mtime
        return one if newer_text else _take_notebook(notebook, text)
    if built not in (digest(one), digest(other)):
        raise CourseError(
            f"{_short(text)} and {notebook.name} were both changed since the last build, and "
            "differ. Put the changes into one of them, delete the other, and build again."
        )
    return one if built == digest(other) else _take_notebook(notebook, text)


def digest(notebook: NotebookNode) -> str:
    """A short mark of what a notebook's cells say."""
    return hashlib.sha256(json.dumps(cells_of(notebook)).encode()).hexdigest()[:16]


def _take_notebook(notebook: Path, text: Path) -> NotebookNode:
    write_text(read_notebook(notebook), text)
    return read_text(text)


def _paths(folder: Path) -> tuple[Path, Path]:
    return folder / f"{folder.name}.py", folder / f"{folder.name}.ipynb"


def _short(path: Path) -> str:
    """The path from the course on: a build reads copies elsewhere."""
    return Path(*path.parts[-3:]).as_posix()
