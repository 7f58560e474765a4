"""A notebook and its text: `lab1.ipynb` and `lab1.py` (jupytext, percent format) are one thing."""

from __future__ import annotations

from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from course_lib.notebooks.course import CourseError

__all__ = ["cells_of", "pair_differs", "read_pair", "read_text", "write_notebook", "write_text"]

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
        raise CourseError(f"{path} cannot be read as a notebook: {error}") from None
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
    path.write_text(jupytext.writes(bare, fmt=FORMAT), encoding="utf-8")


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
        raise CourseError(f"{path} is not a notebook: {error}") from None


def cells_of(notebook: NotebookNode) -> list[tuple[str, str, tuple[str, ...]]]:
    """What the two forms have in common: each cell's type, source and tags."""
    return [
        (cell.cell_type, cell.source.strip("\n"), tuple(cell.metadata.get("tags", ())))
        for cell in notebook.cells
    ]


def pair_differs(folder: Path) -> bool:
    """Whether the two forms of a lab's notebook hold different cells, or one is missing."""
    text, notebook = _paths(folder)
    if not (text.exists() and notebook.exists()):
        return True
    return cells_of(read_text(text)) != cells_of(read_notebook(notebook))


def read_pair(folder: Path) -> NotebookNode:
    """The lab's notebook, from whichever of the two forms was changed last.

    Raises:
        CourseError: If neither exists.
    """
    text, notebook = _paths(folder)
    if not text.exists() and not notebook.exists():
        raise CourseError(f"{folder} holds neither {text.name} nor {notebook.name}.")
    if text.exists() and not pair_differs(folder):
        return read_text(text)
    newer = max((p for p in (text, notebook) if p.exists()), key=lambda p: p.stat().st_mtime)
    if newer == text:
        return read_text(text)
    changed = read_notebook(notebook)
    write_text(changed, text)
    return read_text(text)


def _paths(folder: Path) -> tuple[Path, Path]:
    return folder / f"{folder.name}.py", folder / f"{folder.name}.ipynb"
