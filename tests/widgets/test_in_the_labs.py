"""The widgets of the built labs, in JupyterLab, as they are for somebody who has begun."""

from pathlib import Path

import nbformat
import pytest
from seen import Seen

from course_lib import widgets
from course_lib.notebooks.pairs import read_notebook
from course_lib.widgets import CATALOGUE

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.browser, pytest.mark.kernel]

HEUN = """def heun_step(velocity, x, t, h):
    first = velocity(x, t)
    return x + h / 2 * (first + velocity(x + h * first, t + h))"""


def shown_in(lab: str) -> list[str]:
    """The widgets' cells of a built lab."""
    cells = read_notebook(ROOT / f"labs/{lab}/{lab}.ipynb").cells
    starts = tuple(f"{name}(" for name in widgets.__all__)
    return [c.source for c in cells if c.cell_type == "code" and c.source.startswith(starts)]


def test_each_widget_is_in_a_lab():
    shown = [cell.partition("(")[0] for lab in ("lab1", "lab2", "lab3") for cell in shown_in(lab)]
    assert sorted(shown) == sorted(explorer.__name__ for explorer in CATALOGUE.values())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Lab 1 from its imports to its widgets, without the checks; nothing but Heun is answered."""
    notebook = read_notebook(ROOT / "labs/lab1/lab1.ipynb")
    kept = []
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if grade_id == "heun-step-answer":
            kept += [cell.copy(), nbformat.from_dict({**cell, "id": "answered", "source": HEUN})]
        elif "import" in cell.source.split("\n")[0] or cell.source.startswith("try:"):
            kept.append(cell)
        elif cell.source in shown_in("lab1"):
            if "heun_step" in cell.source:  # before the answer, and after it
                kept.insert(-1, nbformat.from_dict({**cell, "id": "unanswered"}))
            kept.append(cell)
    notebook.cells = kept
    folder = tmp_path_factory.mktemp("lab")
    nbformat.write(notebook, folder / "lab1.ipynb")
    return folder


def test_lab_1(open_lab, folder):
    lab = open_lab(folder)
    lab.open("lab1.ipynb")
    lab.run_all()
    lab.page.locator(".stage").nth(3).wait_for()
    unanswered, answered, process, langevin = (Seen(lab.page, i) for i in range(4))
    for seen in (answered, process, langevin):
        seen.wait()
        assert seen.root.locator(".error").is_hidden()
    error = unanswered.root.locator(".error").inner_text()
    assert error == "heun_step raised NotImplementedError: heun_step"
    assert "heun_step" in answered.root.locator(".legend").inner_text()
    assert "Traceback" not in "\n".join(lab.outputs())
    assert lab.errors == []
    assert lab.foreign == []
