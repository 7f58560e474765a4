"""Make hand-ins: the released notebook with some answer cells filled in."""

import json
import shutil
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from course_lib.notebooks.build import build
from course_lib.notebooks.course import Course

ROOT = Path(__file__).resolve().parents[2]
LAB = "lab1"
# Lab 1 up to its fifth check, `copy_course(…, "convergence-order")`, and what each earns.
FIVE = {
    "euler-step": 1.0,
    "heun-step": 2.0,
    "predict-order": 1.0,
    "endpoint-error": 2.0,
    "convergence-order": 1.0,
}

__all__ = [
    "FIVE",
    "LAB",
    "ROOT",
    "SOLUTIONS",
    "cell_of",
    "copy_course",
    "handin",
    "name_of",
    "points_of",
]
__all__ += ["index_of", "insert", "put", "read_csv", "verdicts_of"]


def name_of(cell: NotebookNode) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def _solutions() -> dict[str, str]:
    cells = nbformat.read(ROOT / "solutions" / LAB / f"{LAB}.ipynb", as_version=4).cells
    return {
        name_of(cell).removesuffix("-answer"): cell.source
        for cell in cells
        if name_of(cell).endswith("-answer")
    }


SOLUTIONS = _solutions()


def points_of(course: Path = ROOT) -> dict[str, float]:
    """The points of each check, in the order of the lab."""
    cells = nbformat.read(course / "labs" / LAB / f"{LAB}.ipynb", as_version=4).cells
    graded = [c.metadata.nbgrader for c in cells if "points" in c.metadata.get("nbgrader", {})]
    return {metadata.grade_id: float(metadata.points) for metadata in graded}


def copy_course(target: Path, last_check: str | None = None) -> Path:
    """A course of its own, with the lab up to a check."""
    shutil.copytree(ROOT / "solutions" / LAB, target / "solutions" / LAB)
    shutil.copytree(ROOT / "labs" / LAB, target / "labs" / LAB)
    shutil.copy(ROOT / "nbgrader_config.py", target)
    if last_check:
        folder = target / "solutions" / LAB
        notebook = nbformat.read(folder / f"{LAB}.ipynb", as_version=4)
        notebook.cells = notebook.cells[: index_of(notebook, last_check) + 1]
        nbformat.write(notebook, folder / f"{LAB}.ipynb")
        (folder / f"{LAB}.py").unlink()
        build(Course(target), force=True)
    return target


def handin(answers: dict[str, str], course: Path = ROOT) -> NotebookNode:
    """The released notebook of a course, with these answers by the name of their check."""
    notebook = nbformat.read(course / "labs" / LAB / f"{LAB}.ipynb", as_version=4)
    for cell in notebook.cells:
        name = name_of(cell).removesuffix("-answer")
        if name_of(cell).endswith("-answer") and name in answers:
            cell.source = answers[name]
    return notebook


def index_of(notebook: NotebookNode, name: str) -> int:
    return next(i for i, cell in enumerate(notebook.cells) if name_of(cell) == name)


def cell_of(notebook: NotebookNode, name: str) -> NotebookNode:
    return notebook.cells[index_of(notebook, name)]


def insert(notebook: NotebookNode, before: str, source: str) -> None:
    notebook.cells.insert(index_of(notebook, before), new_code_cell(source))


def put(folder: Path, content: NotebookNode | str | None, name: str = f"{LAB}.ipynb") -> Path:
    """Write a hand-in into a student's folder; None leaves the folder empty."""
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(content, str):
        (folder / name).write_text(content, encoding="utf-8")
    elif content is not None:
        nbformat.write(content, folder / name)
    return folder / name


def read_csv(course: Path) -> dict[str, dict[str, str]]:
    import csv

    with (course / "grades" / f"{LAB}.csv").open(encoding="utf-8", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def verdicts_of(course: Path, student: str) -> dict[str, dict]:
    path = course / "autograded" / student / LAB / "verdicts.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    return {verdict["check"]: verdict for verdict in record["verdicts"]}
