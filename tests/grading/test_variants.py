"""What editors and students do to a notebook's cells: scored by what the functions really do."""

import copy
import zipfile
from pathlib import Path

import pytest
from handins import (
    FIVE,
    LAB,
    SOLUTIONS,
    cell_of,
    copy_course,
    handin,
    index_of,
    insert,
    name_of,
    points_of,
    read_csv,
    verdicts_of,
)
from mistaken import MISTAKEN
from nbformat.v4 import new_code_cell, writes

from course_lib.grading.grade import grade
from course_lib.grading.options import Options
from course_lib.grading.sandbox import Limits
from course_lib.notebooks.course import Course

pytestmark = pytest.mark.kernel

FORGED = """
from IPython.display import display
right = {"check": "euler-step", "output": None, "fault": None, "failings": [], "hints": []}
display({"application/vnd.course-lib.outcome+json": right}, raw=True)
won = {"check": "euler-step", "points": 1, "max_points": 1, "passed": True}
display({"application/vnd.course-lib.verdict+json": won}, raw=True)
"""
FORGED_INSIDE = (
    FORGED.replace("\n", "\n    ").replace("\n    ", "\ndef heun_step(*args):\n    ", 1)
    + "return args[1]"
)
NOISY = """
import sys, warnings
def euler_step(velocity, x, t, h):
    print("stepping", file=sys.stderr)
    warnings.warn("careful")
    return x + h * velocity(x, t)
"""


def variants(course: Path) -> dict:
    """Five notebooks; in `cells` each exercise met another fate."""
    made = {
        "cells": handin({**SOLUTIONS, "endpoint-error": MISTAKEN["endpoint-error"][0]}, course),
        "moved": handin(SOLUTIONS, course),
        "own": handin({**SOLUTIONS, "euler-step": NOISY, "heun-step": "while True: pass"}, course),
        "stripped": handin(SOLUTIONS, course),
        "forged": handin({"heun-step": FORGED_INSIDE}, course),
    }
    cells = made["cells"]
    del cells.cells[index_of(cells, "euler-step")]
    for name in ("heun-step", "heun-step-answer"):
        del cells.cells[index_of(cells, name)]
    for name in ("convergence-order", "convergence-order-answer"):
        twin = copy.deepcopy(cell_of(cells, name))
        twin["id"] = f"copy-{len(cells.cells)}"
        cells.cells.insert(4, twin)
    edited = cell_of(cells, "endpoint-error")
    edited.source = "check = lambda *a: None"
    edited.metadata.nbgrader.update(points=100, locked=False, solution=True)
    insert(cells, "endpoint-error", "check = lambda *a: None\nlab1 = 7")

    rest = [cell for cell in made["moved"].cells if name_of(cell) not in FIVE]
    checks = [cell for cell in made["moved"].cells if name_of(cell) in FIVE]
    made["moved"].cells = rest[:3] + checks + rest[3:]

    made["own"].cells.insert(0, new_code_cell("mine = 1"))
    insert(made["own"], "heun-step", "%timeit -n1 -r1 mine")
    made["own"].cells.append(new_code_cell("1 / 0"))

    for cell in made["stripped"].cells:
        cell.metadata.pop("nbgrader", None)

    insert(made["forged"], "euler-step", FORGED)
    return made


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    home = tmp_path_factory.mktemp("variants")
    course = copy_course(home / "course", "convergence-order")
    assert points_of(course) == FIVE
    with zipfile.ZipFile(home / "export.zip", "w") as file:
        for number, (student, notebook) in enumerate(variants(course).items()):
            folder = f"{student}_{number}_assignsubmission_file_"
            file.writestr(f"{folder}/my homework.ipynb", writes(notebook))
        file.writestr("cells_0_assignsubmission_file_/course_lib/__init__.py", "1 / 0")
        file.writestr("../escaped.ipynb", "{}")
    lines: list[str] = []
    code = grade(
        Course(course),
        LAB,
        home / "export.zip",
        options=Options(Limits(cell=30), workers=2),
        say=lines.append,
    )
    return course, read_csv(course), lines, code


@pytest.mark.parametrize(
    ("student", "lost"),
    [
        ("cells", ["heun-step", "endpoint-error"]),
        ("moved", []),
        ("own", ["heun-step"]),
        ("stripped", []),
        ("forged", list(FIVE)),
    ],
)
def test_score(graded, student, lost):
    row = graded[1][student]
    assert row["status"] == "graded"
    earned = {name: 0.0 if name in lost else points for name, points in FIVE.items()}
    assert {name: float(row[name]) for name in FIVE} == earned
    assert (float(row["score"]), float(row["max_score"])) == (sum(earned.values()), 7.0)


@pytest.mark.parametrize(
    ("student", "check", "fault"),
    [
        ("cells", "euler-step", None),  # its check was deleted
        ("cells", "heun-step", "no-outcome"),  # deleted, and its answer too
        ("cells", "endpoint-error", "starts-late"),  # its check was edited, `check` too
        ("cells", "convergence-order", None),  # answer and check were duplicated
        ("own", "euler-step", None),  # writes to stderr
        ("own", "heun-step", "no-outcome"),  # never ends
        ("forged", "euler-step", "not-written"),  # with an outcome and a verdict shown before
        ("forged", "heun-step", "several-outcomes"),  # shows one more from inside
    ],
)
def test_fault(graded, student, check, fault):
    assert verdicts_of(graded[0], student)[check]["fault"] == fault


def test_what_needs_a_person_is_said(graded):
    course, rows, lines, code = graded
    assert code == 1
    first, *signs = rows["forged"]["reason"].split("; ")
    assert first == "look at heun-step"
    assert signs[0].startswith("heun-step: The code names the form in which checks hand over")
    assert rows["cells"]["reason"] == "1 other file left out"
    assert any("'../escaped.ipynb' was refused" in line for line in lines)
    assert not list(course.parent.rglob("escaped.ipynb"))
    loop = [o for c in _autograded(course, "own") for o in c.outputs if o.output_type == "error"]
    assert any(o.ename == "CellTimeoutError" for o in loop)


def _autograded(course, student):
    import nbformat

    path = course / "autograded" / student / LAB / f"{LAB}.ipynb"
    return [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
