"""The widgets of the built labs, in JupyterLab, as they are for somebody who has begun."""

from pathlib import Path

import nbformat
import pytest
from seen import Seen
from use import plays, scrubs

from course_lib import widgets
from course_lib.notebooks.pairs import read_notebook
from course_lib.widgets import CATALOGUE

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.browser, pytest.mark.kernel]


def shown_in(lab: str) -> list[str]:
    """The widgets' cells of a built lab."""
    cells = read_notebook(ROOT / f"labs/{lab}/{lab}.ipynb").cells
    starts = tuple(f"{name}(" for name in widgets.__all__)
    return [c.source for c in cells if c.cell_type == "code" and c.source.startswith(starts)]


def test_each_widget_is_in_a_lab():
    shown = [cell.partition("(")[0] for lab in ("lab1", "lab2", "lab3") for cell in shown_in(lab)]
    assert sorted(shown) == sorted(explorer.__name__ for explorer in CATALOGUE.values())


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """Lab 1 from its imports to its widgets, without the checks; nothing is answered."""
    notebook = read_notebook(ROOT / "labs/lab1/lab1.ipynb")
    needed = (
        "def heun_step",
        "def euler_maruyama_step",
        "def ou_transition",
        "def mixture_score",
        "def langevin_drift",
    )
    notebook.cells = [
        cell
        for cell in notebook.cells
        if (cell.cell_type == "code" and cell.source.startswith(needed))
        or cell.source in shown_in("lab1")
        or "import" in cell.source.split("\n")[0]
        or cell.source.startswith("try:")
    ]
    folder = tmp_path_factory.mktemp("lab")
    nbformat.write(notebook, folder / "lab1.ipynb")
    return folder


def test_an_unanswered_lab(open_lab, begun):
    """What is not written yet is named in the widget, beside the library's own."""
    lab = open_lab(begun)
    lab.open("lab1.ipynb")
    lab.run_all()
    lab.page.locator(".stage").nth(2).wait_for()
    solver, process, langevin = (Seen(lab.page, i) for i in range(3))
    for seen in (solver, process, langevin):
        seen.wait()
        plays(seen)
    for seen, *names in (
        (solver, "heun_step"),
        (process, "euler_maruyama_step", "ou_transition"),
        (langevin, "langevin_drift"),
    ):
        error = seen.root.locator(".error").inner_text()
        assert error.splitlines() == [f"{name} is not written yet" for name in names]
    assert "Traceback" not in "\n".join(lab.outputs())
    assert lab.errors == []
    assert lab.foreign == []


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """Every built lab with each answer filled in from its solution, all other cells untouched."""
    folder = tmp_path_factory.mktemp("answered")
    for lab in ("lab1", "lab2", "lab3"):
        built, solved = (
            read_notebook(ROOT / f"{f}/{lab}/{lab}.ipynb") for f in ("labs", "solutions")
        )
        answers = {
            id_of(cell): cell.source
            for cell in solved.cells
            if cell.metadata.get("nbgrader", {}).get("solution")
        }
        for cell in built.cells:
            cell.source = answers.pop(id_of(cell), cell.source)
        assert not answers
        nbformat.write(built, folder / f"{lab}.ipynb")
    return folder


def id_of(cell) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


@pytest.mark.parametrize("name", ["lab1", "lab2", "lab3"])
def test_an_answered_lab(open_lab, answered, name):
    """Every widget of it is drawn with the reader's own functions, plays and scrubs."""
    lab = open_lab(answered)
    lab.open(f"{name}.ipynb")
    lab.run_all(300)
    count = len(shown_in(name))
    for i in range(count):
        seen = Seen(lab.page, i)
        seen.wait()
        assert seen.root.locator(".error").is_hidden(), seen.root.locator(".error").inner_text()
        plays(seen)
        scrubs(seen)
    assert lab.page.locator(".stage").count() == count
    assert "Traceback" not in "\n".join(lab.outputs())
    assert lab.errors == []
    assert lab.foreign == []
