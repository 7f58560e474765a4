"""A notebook in the student's own JupyterLab: Run All goes on past a cell that may raise."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

pytestmark = [pytest.mark.browser, pytest.mark.kernel]


@pytest.fixture
def folder(tmp_path):
    """A folder with one notebook: prose, a print, a cell that may raise, a print."""
    cells = [
        new_markdown_cell("Four cells."),
        new_code_cell("print(6 * 7)"),
        new_code_cell("1 / 0", metadata={"tags": ["raises-exception"]}),
        new_code_cell("print('still here')"),
    ]
    notebook = new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    (tmp_path / "course").mkdir()
    nbformat.write(notebook, tmp_path / "course" / "small.ipynb")
    return tmp_path / "course"


def test_run_all_passes_a_cell_that_may_raise(open_lab, folder, tmp_path):
    lab = open_lab(folder)
    lab.open("small.ipynb")
    lab.run_all()

    first, raised, last = lab.outputs()
    assert first == "42"
    assert "ZeroDivisionError" in raised
    assert last == "still here"

    picture = lab.screenshot(lab.cell(2), tmp_path / "cell.png")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert lab.errors == []
    assert lab.foreign == []  # and a request would have been seen:
    lab.page.evaluate("() => fetch('http://example.org/').catch(() => null)")
    assert lab.foreign == ["http://example.org/"]
