"""nbgrader's own commands, and formgrader's buttons behind them, grade in the sandbox too."""

import json
import os
import sys
from pathlib import Path

import pytest
from handins import LAB, SOLUTIONS, copy_course, handin, insert, put, verdicts_of
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from course_lib.grading.grade import grade
from course_lib.notebooks.build import load_config
from course_lib.notebooks.course import Course

pytestmark = pytest.mark.kernel

WHERE_AM_I = "import os; print('inside' if os.getppid() == 0 else 'OUTSIDE')"


@pytest.fixture(scope="module")
def course(bwrap, tmp_path_factory) -> Path:
    course = copy_course(tmp_path_factory.mktemp("formgrader"), "heun-step")
    hers = handin({"euler-step": SOLUTIONS["euler-step"]}, course)
    insert(hers, "euler-step", WHERE_AM_I)
    folder = course / "submitted" / "ada" / LAB
    put(folder, hers)
    put(folder, "{}", "verdicts.json")
    put(folder, "raise SystemExit", "torch.py")
    put(folder, "2026-01-01 00:00:00 UTC", "timestamp.txt")
    return course


@pytest.fixture(scope="module")
def api(course) -> NbGraderAPI:
    config: Config = load_config(Course(course))
    return NbGraderAPI(CourseDirectory(config=config), config=config)


def test_the_buttons(course, api, monkeypatch):
    monkeypatch.chdir(course)
    scripts = Path(sys.executable).parent  # nbgrader starts `alembic` by its name
    monkeypatch.setenv("PATH", f"{scripts}{os.pathsep}{os.environ['PATH']}")
    for did in (api.generate_assignment(LAB), api.autograde(LAB, "ada")):
        assert did["success"], did
    assert {n: v["points"] for n, v in verdicts_of(course, "ada").items()} == {
        "euler-step": 1,
        "heun-step": 0,
    }
    graded = (course / "autograded" / "ada" / LAB / f"{LAB}.ipynb").read_text("utf-8")
    assert "inside" in graded
    assert "<style" not in graded  # formgrader would show it as text
    assert '"OUTSIDE\\n"' not in graded
    assert api.get_submission(LAB, "ada")["score"] == 1
    did = api.generate_feedback(LAB, "ada")
    assert did["success"], did
    folder = course / "feedback" / "ada" / LAB
    page = (folder / f"{LAB}.html").read_text("utf-8")
    assert page.count('class="course-check') == 2
    assert "src=" not in page.replace('src="data:', "")
    assert "x + h * (first" not in page  # Heun's answer, which she did not write
    assert sorted(p.name for p in folder.iterdir()) == [f"{LAB}.html", "timestamp.txt"]


def page_of(course: Path) -> str:
    return (course / "feedback" / "ada" / LAB / f"{LAB}.html").read_text("utf-8")


def test_points_set_by_hand_stay(course, api, monkeypatch):
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        book.find_grade("heun-step", LAB, LAB, "ada").manual_score = 1.5
        book.find_comment("heun-step-answer", LAB, LAB, "ada").manual_comment = "Almost <b>."
        book.db.commit()
    lines: list[str] = []
    assert grade(Course(course), LAB, course / "submitted", say=lines.append) == 0
    assert lines[0].startswith("ada      2.5 / 3   graded: some points were set by hand")
    assert "Almost &lt;b&gt;." in page_of(course)
    record = json.loads((course / "autograded" / "ada" / LAB / "verdicts.json").read_text("utf-8"))
    assert [v["points"] for v in record["verdicts"]] == [1, 0]

    monkeypatch.chdir(course)
    assert api.generate_feedback(LAB, "ada")["success"]  # formgrader's button says it too
    assert "Almost &lt;b&gt;." in page_of(course)

    # nothing has changed, so nothing runs; and the time of handing in is where nbgrader wants it
    before = record["seed"]
    assert grade(Course(course), LAB, course / "submitted", say=lines.append) == 0
    record = json.loads((course / "autograded" / "ada" / LAB / "verdicts.json").read_text("utf-8"))
    assert record["seed"] == before
    for step in ("autograded", "feedback"):
        assert (course / step / "ada" / LAB / "timestamp.txt").is_file()
