"""Eight real hand-ins for the whole of Lab 1, graded in one run."""

import logging
from pathlib import Path
from typing import NamedTuple

import pytest
from handins import LAB, SOLUTIONS, copy_course, handin, points_of, put, read_csv, verdicts_of
from mistaken import MISTAKEN, PARTIAL
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from course_lib.grading.grade import grade
from course_lib.grading.options import Options
from course_lib.grading.quiet import quiet
from course_lib.notebooks.build import load_config
from course_lib.notebooks.course import Course

pytestmark = pytest.mark.kernel

POINTS = points_of()
CHECKS = list(POINTS)
HALF = CHECKS[: len(CHECKS) // 2]
BROKEN, DEADLY = "langevin-drift", "variance-rate"


class Graded(NamedTuple):
    course: Path
    code: int
    lines: list[str]
    rows: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def eight(tmp_path_factory) -> Graded:
    home = tmp_path_factory.mktemp("eight")
    course, submitted = copy_course(home / "course"), home / "in"
    deadly = {**SOLUTIONS, DEADLY: "import os\nos._exit(1)"}
    contents = {
        "perfect": handin(SOLUTIONS),
        "untouched": handin({}),
        "half": handin({name: SOLUTIONS[name] for name in HALF}),
        "mistaken": handin({name: source for name, (source, _) in MISTAKEN.items()}),
        "syntax": handin({**SOLUTIONS, BROKEN: "def langevin_drift(score, x, sigma)\n    retrun"}),
        "deadly": handin(deadly),
        "scribble": "This is my homework. Regards, S.",
        "empty": None,
    }
    for student, content in contents.items():
        put(submitted / student, content)
    lines: list[str] = []
    code = grade(Course(course), LAB, submitted, options=Options(workers=2), say=lines.append)
    return Graded(course, code, lines, read_csv(course))


def scores(row: dict[str, str]) -> dict[str, float]:
    return {name: float(row[name]) for name in CHECKS}


def test_every_student_has_a_row_and_a_line(eight):
    assert list(eight.rows) == sorted(eight.rows)
    statuses = {student: row["status"] for student, row in eight.rows.items()}
    assert statuses == {
        "deadly": "cut short",
        "empty": "nothing handed in",
        "half": "graded",
        "mistaken": "graded",
        "perfect": "graded",
        "scribble": "not graded",
        "syntax": "graded",
        "untouched": "graded",
    }
    assert [line.split()[0] for line in eight.lines[:8]] == list(eight.rows)
    assert eight.code == 1
    assert (
        "8 hand-ins: 5 graded, 1 cut short, 1 not graded, 1 empty. 2 to look at: deadly, scribble."
        in eight.lines
    )
    assert list(eight.rows["perfect"])[4:-1] == CHECKS


def test_perfect(eight):
    row = eight.rows["perfect"]
    assert scores(row) == POINTS
    assert float(row["score"]) == float(row["max_score"]) == sum(POINTS.values())
    assert row["reason"] == ""


def test_untouched_earns_nothing_and_each_check_says_why(eight):
    assert set(scores(eight.rows["untouched"]).values()) == {0.0}
    verdicts = verdicts_of(eight.course, "untouched")
    assert list(verdicts) == CHECKS
    assert {v["fault"] for v in verdicts.values()} == {"not-written"}
    assert all(v["message"].endswith(".") for v in verdicts.values())


def test_half_done_earns_exactly_its_half(eight):
    earned = {name: POINTS[name] if name in HALF else 0.0 for name in CHECKS}
    assert scores(eight.rows["half"]) == earned
    assert float(eight.rows["half"]["score"]) == sum(earned.values())


def test_each_mistake_is_named(eight):
    assert list(MISTAKEN) == CHECKS
    faults = {name: v["fault"] for name, v in verdicts_of(eight.course, "mistaken").items()}
    assert faults == {name: fault for name, (_, fault) in MISTAKEN.items()}
    assert scores(eight.rows["mistaken"]) == {name: PARTIAL.get(name, 0.0) for name in CHECKS}


def test_a_syntax_error_costs_its_own_exercise_alone(eight):
    lost = [name for name in CHECKS if float(eight.rows["syntax"][name]) < POINTS[name]]
    # the sample of five modes is made with the broken function: it says so, and is lost with it
    assert lost in ([BROKEN], [BROKEN, "far-modes-distance", "five-mode-sample"])
    verdict = verdicts_of(eight.course, "syntax")[BROKEN]
    assert verdict["fault"] == "no-outcome"
    assert "langevin_drift" in verdict["message"]


def test_what_came_before_a_dead_kernel_counts(eight):
    before = CHECKS[: CHECKS.index(DEADLY)]
    row = eight.rows["deadly"]
    assert scores(row) == {name: POINTS[name] if name in before else 0.0 for name in CHECKS}
    assert "the kernel died in cell" in row["reason"]
    assert "import os" in row["reason"]
    after = verdicts_of(eight.course, "deadly")[DEADLY]
    assert after["message"] == "Not run: the kernel died before this check."


def test_no_grade_is_invented(eight):
    for student, reason in {
        "scribble": "not a notebook: the file is not JSON",
        "empty": "",
    }.items():
        row = eight.rows[student]
        assert row["reason"] == reason
        assert {row[name] for name in ["score", *CHECKS]} == {""}
        assert not (eight.course / "autograded" / student).exists() or not any(
            (eight.course / "autograded" / student).rglob("*.ipynb")
        )


def test_the_gradebook_agrees_with_the_table(eight):
    with Gradebook(f"sqlite:///{eight.course / 'gradebook.db'}") as gradebook:
        for student, row in eight.rows.items():
            if row["score"]:
                submission = gradebook.find_submission(LAB, student)
                assert submission.score == pytest.approx(float(row["score"]))
                assert not submission.needs_manual_grade
        graded = {s.student.id for s in gradebook.assignment_submissions(LAB)}
    assert graded == {student for student, row in eight.rows.items() if row["score"]}


def test_feedback_pages_show_the_cards(eight):
    def page(student: str) -> str:
        return (eight.course / "feedback" / student / LAB / f"{LAB}.html").read_text("utf-8")

    assert page("perfect").count('class="course-check right"') == len(CHECKS)
    mistaken = page("mistaken")
    assert mistaken.count('class="course-check wrong"') == len(CHECKS)
    assert "so its scale is √h, not h." in mistaken
    assert "Your numbers against the right ones" in mistaken
    assert "Traceback (most recent call last)" not in page("untouched")
    assert not (eight.course / "feedback" / "scribble" / LAB).exists()


def test_stock_nbgrader_gives_the_same_scores(eight, tmp_path):
    course = copy_course(tmp_path)
    for student in ("half", "mistaken"):  # `mistaken` has partial credit
        folder = f"submitted/{student}/{LAB}"
        put(course / folder, (eight.course / folder / f"{LAB}.ipynb").read_text("utf-8"))
    with quiet(tmp_path / "stock.log") as log:
        config = stock_config(course)
        directory = CourseDirectory(config=config, assignment_id=LAB, log=log)
        GenerateAssignment(coursedir=directory, config=config, force=True, log=log).start()
        for student in ("half", "mistaken"):
            stock_autograde(course, student, log)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        for student in ("half", "mistaken"):
            notebook = gradebook.find_submission_notebook(LAB, LAB, student)
            stock = {grade.name: grade.auto_score for grade in notebook.grades}
            assert stock == scores(eight.rows[student])


def stock_config(course: Path) -> Config:
    """The course's configuration with nbgrader's own preprocessors in place of ours."""
    config = load_config(Course(course))
    del config.Autograde["sanitize_preprocessors"], config.Autograde["autograde_preprocessors"]
    return config


def stock_autograde(course: Path, student: str, log: logging.Logger) -> None:
    config = stock_config(course)
    config.Execute.timeout = 120
    directory = CourseDirectory(config=config, assignment_id=LAB, student_id=student, log=log)
    Autograde(coursedir=directory, config=config, log=log).start()
