"""Put a hand-in's exercises back in order: every check is there once, after its answer."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import compute_checksum
from traitlets import Unicode

from course_lib.grading.text import whole

__all__ = ["RestoreChecks", "known_cells", "restore"]


def restore(notebook: NotebookNode, originals: dict[str, NotebookNode]) -> NotebookNode:
    """Repair what an editor, or a student, did to the cells that nbgrader knows.

    The metadata of known cells is the source notebook's again, and the text of those that nobody
    may edit; of copies the last one counts; a check that is gone, or stands before its answer, is
    put where the next exercise begins. What the cells had put out is cleared, and each cell gets
    an id of its own. The notebook is changed in place, and returned.

    Args:
        notebook: A hand-in.
        originals: The lab's own cells; see `known_cells`.
    """
    _repair_cells(notebook, originals)
    _repair_order(notebook, originals)
    notebook.cells = [_plain(cell) for cell in notebook.cells if cell.get("cell_type") in _MAKE]
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    return notebook


def known_cells(cells: Iterable[NotebookNode]) -> dict[str, NotebookNode]:
    """The cells of a source notebook that nbgrader knows, by their grade_id."""
    return {_name(cell): cell for cell in cells if _name(cell)}


class RestoreChecks(NbGraderPreprocessor):
    """`restore` as a preprocessor, for formgrader's button and `nbgrader autograde`."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        lab = resources["nbgrader"]["assignment"]
        path = Path(self.solutions, lab, f"{lab}.ipynb")
        return restore(nb, known_cells(nbformat.read(path, as_version=4).cells)), resources

    solutions = Unicode("solutions", help="The folder of the source notebooks.").tag(config=True)


def _repair_order(nb: NotebookNode, originals: dict[str, NotebookNode]) -> None:
    answers: list[str] = []
    for number, (name, original) in enumerate(originals.items()):
        if not original.metadata.nbgrader["grade"]:
            answers.append(name)
            continue
        places = {_name(cell): i for i, cell in enumerate(nb.cells) if _name(cell)}
        answered = max((places[a] for a in answers if a in places), default=-1)
        if places.get(name, -1) <= answered:
            check = nb.cells[places[name]] if name in places else _new(original)
            later = [places[n] for n in list(originals)[number + 1 :] if n in places]
            nb.cells.insert(max(min(later, default=len(nb.cells)), answered + 1), check)
            if name in places:
                del nb.cells[places[name]]
        answers = []


def _repair_cells(nb: NotebookNode, originals: dict[str, NotebookNode]) -> None:
    seen: set[str] = set()
    for index in range(len(nb.cells) - 1, -1, -1):
        cell = nb.cells[index]
        name = _name(cell)
        tags = cell.metadata.get("tags")
        tags = tags if isinstance(tags, list) and all(map(_is_tag, tags)) else []
        cell.metadata = nbformat.from_dict({"tags": list(dict.fromkeys(tags))} if tags else {})
        if name not in originals or name in seen:
            continue
        seen.add(name)
        original = originals[name]
        if original.metadata.nbgrader["locked"] or cell.cell_type != original.cell_type:
            source = original.source if original.metadata.nbgrader["locked"] else cell.source
            nb.cells[index] = cell = _new(original, source)
        cell.metadata["nbgrader"] = _metadata(original)


def _metadata(original: NotebookNode) -> NotebookNode:
    metadata = copy.deepcopy(original.metadata.nbgrader)
    if metadata["locked"]:
        metadata["checksum"] = compute_checksum(original)
    return metadata


def _plain(cell: NotebookNode) -> NotebookNode:
    """A cell of Jupyter's form, that can be written: no other keys, no half characters."""
    plain = _MAKE[cell.cell_type](whole(cell.source))
    plain.id, plain.metadata = uuid.uuid4().hex[:8], cell.metadata
    return plain


def _name(cell: NotebookNode) -> str:
    metadata = cell.metadata.get("nbgrader")
    return str(metadata.get("grade_id", "")) if isinstance(metadata, dict) else ""


def _is_tag(tag: Any) -> bool:
    return isinstance(tag, str) and "," not in tag and whole(tag) == tag


_MAKE = {
    "code": nbformat.v4.new_code_cell,
    "markdown": nbformat.v4.new_markdown_cell,
    "raw": nbformat.v4.new_raw_cell,
}


def _new(original: NotebookNode, source: str | None = None) -> NotebookNode:
    cell = _MAKE[original.cell_type](original.source if source is None else source)
    cell.metadata["nbgrader"] = _metadata(original)
    return cell
