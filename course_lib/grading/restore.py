"""Put a hand-in's exercises back in order: every check is there once, after its answer."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

__all__ = ["RestoreChecks"]


class RestoreChecks(NbGraderPreprocessor):
    """Repair what an editor, or a student, did to the cells that nbgrader knows.

    The metadata of known cells is the source notebook's again; of copies the last one counts;
    a check that is gone, or stands before its answer, is put where the next exercise begins.
    """

    source = Unicode(help="The lab's notebook in solutions/.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        originals = _known_cells(nbformat.read(Path(self.source), as_version=4).cells)
        _repair_metadata(nb, originals)
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
        return nb, resources


def _known_cells(cells: list[NotebookNode]) -> dict[str, NotebookNode]:
    return {_name(cell): cell for cell in cells if _name(cell)}


def _name(cell: NotebookNode) -> str:
    metadata = cell.metadata.get("nbgrader")
    return str(metadata.get("grade_id", "")) if isinstance(metadata, dict) else ""


def _repair_metadata(nb: NotebookNode, originals: dict[str, NotebookNode]) -> None:
    seen: set[str] = set()
    for cell in reversed(nb.cells):
        name = _name(cell)
        cell.metadata.pop("nbgrader", None)
        if name in originals and name not in seen:
            cell.metadata["nbgrader"] = copy.deepcopy(originals[name].metadata.nbgrader)
            seen.add(name)


def _new(original: NotebookNode) -> NotebookNode:
    cell = nbformat.v4.new_code_cell(original.source)
    cell.metadata["nbgrader"] = copy.deepcopy(original.metadata.nbgrader)
    return cell
