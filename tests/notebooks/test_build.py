"""`course build`: the pairs agree, labs/ is what solutions/ makes, and stale files are named."""

import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

import course_lib.checks
from course_lib.checks import checks_of
from course_lib.notebooks.annotate import annotate
from course_lib.notebooks.build import Built, build, labs_in
from course_lib.notebooks.course import Course, CourseError, find_course
from course_lib.notebooks.pairs import cells_of, read_notebook, read_text

ROOT = Path(__file__).parents[2]
NO_ANSWER = """
from course_lib.checks.base import Check

__all__ = ["A"]


class A(Check):
    points = 1

    def anwser(self):
        return 1
"""


def test_nothing_in_the_repository_is_stale():
    assert build(find_course(ROOT), check=True) == Built()


def test_a_changed_text_makes_the_notebook_and_the_lab_stale(course):
    text = course.solutions / "lab1/lab1.py"
    text.write_text(text.read_text("utf-8").replace("Drop a leaf", "Drop a cork"), "utf-8")
    stale = ["solutions/lab1/lab1.ipynb", "labs/lab1/lab1.ipynb"]
    assert build(course, check=True).stale == stale
    assert "cork" not in (course.labs / "lab1/lab1.ipynb").read_text("utf-8")
    assert build(course).stale == stale
    assert "cork" in (course.labs / "lab1/lab1.ipynb").read_text("utf-8")
    assert build(course, check=True) == Built()


def test_a_notebook_edited_in_jupyter_wins_over_the_older_text(course):
    path = course.solutions / "lab1/lab1.ipynb"
    notebook = read_notebook(path)
    notebook.cells[0].source = notebook.cells[0].source.replace("Lab 1", "Lab One")
    notebook.cells[4]["id"] = "an-id-of-jupyters-own"
    nbformat.write(notebook, path)
    os.utime(path, (time.time() + 5, time.time() + 5))
    assert "solutions/lab1/lab1.py" in build(course).stale
    assert "Lab One" in (course.solutions / "lab1/lab1.py").read_text("utf-8")
    assert build(course, check=True) == Built()


def test_a_text_changed_since_the_build_wins_whatever_the_clock_says(course):
    text = course.solutions / "lab1/lab1.py"
    text.write_text(text.read_text("utf-8").replace("Drop a leaf", "Drop a cork"), "utf-8")
    os.utime(text, (1e9, 1e9))
    build(course)
    assert "cork" in (course.solutions / "lab1/lab1.ipynb").read_text("utf-8")


def test_nothing_is_thrown_away_if_both_forms_were_changed(course):
    text, path = course.solutions / "lab1/lab1.py", course.solutions / "lab1/lab1.ipynb"
    text.write_text(text.read_text("utf-8").replace("Drop a leaf", "Drop a cork"), "utf-8")
    path.write_text(path.read_text("utf-8").replace("Under a microscope", "Seen closely"), "utf-8")
    with pytest.raises(CourseError, match="both changed"):
        build(course)
    assert "cork" in text.read_text("utf-8")
    assert "Seen closely" in path.read_text("utf-8")


def test_text_written_from_a_notebook_is_well_formatted(course):
    text = course.solutions / "lab1/lab1.py"
    before = text.read_text("utf-8")
    text.unlink()
    build(course)
    ruff = [sys.executable, "-m", "ruff", "format", "--check", "--line-length=100", str(text)]
    assert subprocess.run(ruff, capture_output=True).returncode == 0
    assert cells_of(read_text(text)) == cells_of(
        read_notebook(course.solutions / "lab1/lab1.ipynb")
    )
    assert text.read_text("utf-8") == before


def test_an_empty_folder_is_no_lab(course):
    (course.solutions / "lab5").mkdir()
    assert labs_in(course) == labs_in(Course(ROOT))


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("x = (", "line 1"),
        ("import course_lib.checks.bases", "bases"),
        ("__all__ = ['Missing']", "Missing"),
        (NO_ANSWER, "neither an answer nor a judge"),
        (NO_ANSWER.replace("anwser", "answer").replace("points = 1", "points = 'two'"), "'two'"),
        (None, "There is no course_lib/checks/lab98.py"),
    ],
)
def test_a_broken_checks_module_is_one_sentence(source, says, tmp_path, monkeypatch):
    if source is not None:
        (tmp_path / "lab98.py").write_text(source, "utf-8")
    monkeypatch.setattr(course_lib.checks, "__path__", [*course_lib.checks.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "course_lib.checks.lab98", raising=False)
    with pytest.raises(CourseError, match=says):
        annotate(_notebook(ANSWER, "check(lab98.A, f)"), "lab98")
    sys.modules.pop("course_lib.checks.lab98", None)


def test_outputs_and_jupyters_own_ids_are_cleaned_away(course):
    path = course.solutions / "lab1/lab1.ipynb"
    notebook = read_notebook(path)
    cell = next(c for c in notebook.cells if c.cell_type == "code")
    cell.outputs = [nbformat.v4.new_output("stream", text="stray")]
    nbformat.write(notebook, path)
    assert build(course).stale == ["solutions/lab1/lab1.ipynb"]
    assert all(not c.get("outputs") for c in read_notebook(path).cells)


def test_a_lab_in_which_someone_has_worked_is_kept(course):
    path = course.labs / "lab1/lab1.ipynb"
    path.write_text(path.read_text("utf-8").replace("Your code here", "My work"), "utf-8")
    assert build(course) == Built(kept=["labs/lab1/lab1.ipynb"])
    assert "My work" in path.read_text("utf-8")
    assert build(course, force=True) == Built(stale=["labs/lab1/lab1.ipynb"])
    assert path.read_bytes() == (ROOT / "labs/lab1/lab1.ipynb").read_bytes()
    (copy,) = path.parent.glob("lab1-kept-*.ipynb")
    assert "My work" in copy.read_text("utf-8")


def test_a_lab_that_was_only_run_is_made_anew(course):
    path = course.labs / "lab1/lab1.ipynb"
    notebook = read_notebook(path)
    cell = next(c for c in notebook.cells if c.cell_type == "code")
    cell.outputs = [nbformat.v4.new_output("stream", text="stray")]
    nbformat.write(notebook, path)
    assert build(course) == Built(stale=["labs/lab1/lab1.ipynb"])


def test_the_two_forms_hold_the_same_cells():
    for lab in labs_in(Course(ROOT)):
        folder = ROOT / "solutions" / lab
        text, notebook = read_text(folder / f"{lab}.py"), read_notebook(folder / f"{lab}.ipynb")
        assert cells_of(text) == cells_of(notebook)


@pytest.mark.parametrize("lab", labs_in(Course(ROOT)))
def test_the_released_lab_has_every_check_and_no_answer(lab):
    source = read_notebook(ROOT / "solutions" / lab / f"{lab}.ipynb")
    released = read_notebook(ROOT / "labs" / lab / f"{lab}.ipynb")
    graded = [
        c.metadata.nbgrader for c in released.cells if c.metadata.get("nbgrader", {}).get("grade")
    ]
    checks = {name: cls.points for name, cls in checks_of(lab).items()}
    assert {m.grade_id: m.points for m in graded} == checks
    answers = [c for c in source.cells if "### BEGIN SOLUTION" in c.source]
    stubs = [c for c in released.cells if c.metadata.get("nbgrader", {}).get("solution")]
    assert len(answers) == len(stubs) >= len(checks)
    for cell in released.cells:
        assert "SOLUTION" not in cell.source
        assert not cell.get("outputs")
    for cell in stubs:
        assert "NotImplementedError" in cell.source or " = ...  # " in cell.source


@pytest.mark.parametrize("lab", labs_in(Course(ROOT)))
def test_cells_are_short_and_hold_no_plotting_code(lab):
    for cell in read_text(ROOT / "solutions" / lab / f"{lab}.py").cells:
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= 25, cell.source
            assert "matplotlib" not in cell.source
            assert "plt." not in cell.source


def _notebook(*sources: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])


ANSWER = "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION"


CHECK = "check(lab1.EulerStep, f)"


@pytest.mark.parametrize(
    ("sources", "says"),
    [
        ([ANSWER], "has no check after it"),
        ([ANSWER, "check(lab1.Nonsense, f)"], "Nonsense"),
        ([ANSWER, CHECK, ANSWER, CHECK], "twice"),
        (["def f(x):\n    return x", CHECK], "no answer cell"),
        ([ANSWER, "check(lab1.EulerStep, g)"], "defines no g"),
        ([ANSWER.replace("    ### BEGIN SOLUTION\n", ""), CHECK], "in pairs"),
        ([ANSWER.replace("\n    ### END SOLUTION", ""), CHECK], "in pairs"),
        ([ANSWER.replace("###", "#"), CHECK], "should read"),
        ([ANSWER.replace("BEGIN", "begin"), CHECK], "should read"),
        ([ANSWER.replace("return x", "return ("), CHECK], "is not Python"),
    ],
)
def test_a_malformed_lab_is_refused_in_one_sentence(sources, says):
    with pytest.raises(CourseError, match=says):
        annotate(_notebook(*sources), "lab1")


def test_unknown_labs_and_broken_notebooks_are_refused(course):
    with pytest.raises(CourseError, match=r"no lab 'lab7'.*lab1"):
        build(course, ["lab7"])
    (course.solutions / "lab1/lab1.ipynb").write_text("not a notebook")
    with pytest.raises(CourseError, match="is not a notebook"):
        build(course)
    with pytest.raises(CourseError, match="No course in"):
        find_course(Path(course.root.anchor))


def test_a_labs_folder_that_cannot_be_written_is_one_sentence(course):
    import shutil

    shutil.rmtree(course.labs)
    course.labs.write_text("a file where a folder should be")
    with pytest.raises(CourseError, match="cannot be written"):
        build(course)
