"""What a prepared hand-in must be, so that a worker, the judge and formgrader can use it."""

import json
import pickle
from collections.abc import Mapping

import nbformat
from nbformat import NotebookNode

from course_lib.grading.restore import known_cells
from course_lib.grading.work import Job

__all__ = ["faults_of"]


def faults_of(job: Job, originals: Mapping[str, NotebookNode]) -> list[str]:
    """What is wrong with a prepared hand-in, a sentence each."""
    assert pickle.loads(pickle.dumps(job)) == job
    notebook = nbformat.reads(job.notebook, as_version=4)
    found = []
    if json.loads(json.dumps(json.loads(job.notebook))) != json.loads(job.notebook):
        found.append("JSON does not stay what it is")
    try:
        job.notebook.encode("utf-8")
    except UnicodeEncodeError:
        found.append("it cannot be written")
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        found.append(f"not of Jupyter's form: {str(error).splitlines()[0]}")
    if len({cell.id for cell in notebook.cells}) < len(notebook.cells):
        found.append("two cells have one id")
    if any(cell.get("outputs") for cell in notebook.cells):
        found.append("it has outputs")
    names = [c.metadata.nbgrader.grade_id for c in notebook.cells if "nbgrader" in c.metadata]
    if len(names) > len(set(names)):
        found.append("a name is there twice")
    return found + _cells(notebook, names, originals)


def _cells(
    notebook: NotebookNode, names: list[str], originals: Mapping[str, NotebookNode]
) -> list[str]:
    found, answers = [], []
    cells = known_cells(notebook.cells)
    for name, original in originals.items():
        meta = original.metadata.nbgrader
        if not meta["grade"]:
            answers.append(name)
        elif name not in names:
            found.append(f"{name} is missing")
        else:
            late = [a for a in answers if a in names and names.index(a) > names.index(name)]
            found += [f"{name} stands before {a}" for a in late]
            answers = []
        if name in cells:
            found += _one(name, cells[name], original)
    found += [f"{name} is not of this lab" for name in names if name not in originals]
    return found


def _one(name: str, cell: NotebookNode, original: NotebookNode) -> list[str]:
    found = []
    if original.metadata.nbgrader["locked"] and cell.source != original.source:
        found.append(f"{name} is not the lab's text")
    if cell.cell_type != original.cell_type:
        found.append(f"{name} is a {cell.cell_type} cell")
    own = {k: v for k, v in cell.metadata.nbgrader.items() if k != "checksum"}
    if own != {k: v for k, v in original.metadata.nbgrader.items() if k != "checksum"}:
        found.append(f"{name} has other metadata")
    return found
