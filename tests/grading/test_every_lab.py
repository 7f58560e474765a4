"""Every lab's own solution earns all points in the sandbox, whose checks know no answers."""

import nbformat
import pytest
from handins import ROOT

from course_lib.checks import checks_of, labs_with_checks
from course_lib.checks.registry import files_of
from course_lib.grading.execute import run_notebook
from course_lib.grading.judge import judge_notebook
from course_lib.grading.restore import known_cells, restore
from course_lib.grading.sandbox import open_isolation

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("lab", labs_with_checks())
def test_the_solution_earns_everything(bwrap, lab):
    folder = ROOT / "solutions" / lab
    path = folder / f"{lab}.ipynb"
    originals = known_cells(nbformat.read(path, as_version=4).cells)
    notebook = restore(nbformat.read(path, as_version=4), originals)
    files = {name: (folder / name).read_bytes() for name in files_of(lab)}
    isolation = open_isolation("bubblewrap")
    run = run_notebook(notebook, lab, isolation, files)
    isolation.close()
    assert run.stop == ""
    verdicts = judge_notebook(notebook, lab, run)
    assert {v.check: v.fault for v in verdicts if not v.passed} == {}
    assert [v.check for v in verdicts] == list(checks_of(lab))
