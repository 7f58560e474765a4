"""Every solution notebook runs from top to bottom; every released lab, untouched, fails kindly."""

import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from course_lib.checks import checks_of
from course_lib.checks.verdict import VERDICT_MIME
from course_lib.notebooks.build import labs_in
from course_lib.notebooks.course import Course

ROOT = Path(__file__).parents[2]
LABS = labs_in(Course(ROOT))
pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("lab", LABS)
def test_the_solution_runs_under_nbval_in_quick_mode(lab):
    notebook = ROOT / "solutions" / lab / f"{lab}.ipynb"
    begin = time.monotonic()
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval-lax",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        str(notebook),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "COURSE_QUICK": "1"}, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout[-3000:]
    print(f"{lab}: nbval took {time.monotonic() - begin:.0f} s")


@pytest.fixture(scope="module", params=LABS)
def untouched(request):
    """A released lab as a student first runs it, and its name."""
    lab = request.param
    notebook = nbformat.read(ROOT / "labs" / lab / f"{lab}.ipynb", as_version=4)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return lab, notebook


def test_run_all_reaches_the_end_of_an_untouched_lab(untouched):
    _, notebook = untouched
    last = [c for c in notebook.cells if c.cell_type == "code"][-1]
    assert "0 of" in last.outputs[0].data["text/html"]


def test_each_check_of_an_untouched_lab_says_in_a_sentence_that_nothing_is_written(untouched):
    lab, notebook = untouched
    cards = {
        output.data[VERDICT_MIME]["check"]: output.data[VERDICT_MIME]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if VERDICT_MIME in output.get("data", {})
    }
    assert list(cards) == list(checks_of(lab))
    assert {card["fault"] for card in cards.values()} == {"not-written"}
    assert all(card["message"].endswith(".") for card in cards.values())


def test_an_untouched_lab_shows_no_stack_trace(untouched):
    _, notebook = untouched
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                text = "\n".join(output.traceback)
                assert output.ename in ("CheckFailed", "NotImplementedError"), text
                assert len(output.traceback) == 1
                assert "Traceback" not in text
