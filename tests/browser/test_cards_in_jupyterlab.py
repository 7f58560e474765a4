"""Lab 1 as a student sees it: the quiet line of a right answer, the card of a mistake."""

from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

from course_lib.notebooks.pairs import read_notebook

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.browser, pytest.mark.kernel]

ANSWERS = {
    "euler-step-answer": "def euler_step(velocity, x, t, h):\n    return x + h * velocity(x, t)",
    "heun-step-answer": "def heun_step(velocity, x, t, h):\n    return x + h * velocity(x, t)",
}


@pytest.fixture
def lab_folder(tmp_path):
    """The first exercises of the released lab, one answered rightly and one wrongly."""
    notebook = read_notebook(ROOT / "labs/lab1/lab1.ipynb")
    last = next(
        i for i, cell in enumerate(notebook.cells) if "check(lab1.PredictOrder" in cell.source
    )
    notebook.cells = [*notebook.cells[: last + 1], nbformat.v4.new_code_cell('progress("lab1")')]
    for cell in notebook.cells:
        answer = ANSWERS.get(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
        cell.source = answer or cell.source
    nbformat.write(notebook, tmp_path / "lab1.ipynb")
    return tmp_path


def test_cards_in_jupyterlab(open_lab, lab_folder, monkeypatch):
    monkeypatch.delenv("MPLBACKEND", raising=False)
    lab = open_lab(lab_folder)
    lab.open("lab1.ipynb")
    lab.run_all()
    right = lab.page.locator(".course-check.right")
    wrong = lab.page.locator(".course-check.wrong")
    expect(right).to_have_count(1)
    assert "Euler step" in right.inner_text()
    assert "1 of 1 point" in right.inner_text()
    expect(wrong).to_have_count(2)
    assert "Heun looks again from the guess" in wrong.nth(0).inner_text()
    assert "There is no answer here yet." in wrong.nth(1).inner_text()
    assert wrong.nth(0).bounding_box()["height"] < 300
    bar = lab.page.locator(".course-check [role=progressbar]")
    assert bar.get_attribute("aria-valuenow") == "1"
    assert "Traceback" not in "\n".join(lab.outputs())
    assert lab.errors == []
    assert lab.foreign == []
