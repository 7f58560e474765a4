"""A second run: the same result, no stale grade, and grades of people not in it are kept."""

from pathlib import Path

import pytest
from handins import LAB, SOLUTIONS, copy_course, handin, put, read_csv
from nbgrader.api import Gradebook, MissingEntry

from course_lib.grading import session as session_file
from course_lib.grading.grade import grade
from course_lib.notebooks.course import Course

pytestmark = pytest.mark.kernel


def run(course: Path, submitted: Path, **options) -> tuple[int, list[str], dict]:
    lines: list[str] = []
    code = grade(Course(course), LAB, submitted, say=lines.append, **options)
    return code, lines, read_csv(course)


def has_grade(course: Path, student: str) -> bool:
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        try:
            gradebook.find_submission(LAB, student)
        except MissingEntry:
            return False
    return True


def test_regrading(tmp_path, monkeypatch):
    course, first = copy_course(tmp_path / "course", "euler-step"), tmp_path / "first"
    for student in ("ada", "bob"):
        put(first / student, handin(SOLUTIONS, course))
    code, _, rows = run(course, first)
    assert code == 0
    assert {row["score"] for row in rows.values()} == {"1"}

    # nbgrader's own folder as input: the same scores, and the hand-ins stay where they are
    put(course / "submitted" / "dan" / LAB, handin(SOLUTIONS, course))
    handed_in = sorted((course / "submitted").rglob("*.ipynb"))
    put(course / "submitted" / "ada" / LAB, "raise SystemExit", "torch.py")
    code, _, again = run(course, course / "submitted")
    assert code == 0
    left_out = again["ada"].pop("reason"), rows["ada"].pop("reason")
    assert left_out == ("1 other file left out", "")
    assert again.pop("dan")["score"] == "1"
    assert again == rows
    assert sorted((course / "submitted").rglob("*.ipynb")) == handed_in
    assert not list((course / "autograded").rglob("torch.py"))

    second = tmp_path / "second"
    put(second / "ada", handin({"euler-step": "import os; os._exit(1)"}, course))
    put(second / "bob", "corrupt")
    (tmp_path / "roster.txt").write_text("ada\neve\n", encoding="utf-8")
    code, lines, rows = run(course, second, roster=tmp_path / "roster.txt")
    assert code == 1
    assert {student: (row["status"], row["score"]) for student, row in rows.items()} == {
        "ada": ("cut short", "0"),
        "bob": ("not graded", ""),
        "dan": ("kept from before", "1"),
        "eve": ("missing", ""),
    }
    assert rows["bob"]["reason"].endswith("; the earlier grade of 1 was removed")
    assert rows["dan"]["euler-step"] == "1"
    kept = {student: has_grade(course, student) for student in rows}
    assert kept == {"ada": True, "bob": False, "dan": True, "eve": False}
    for step in ("submitted", "autograded", "feedback"):
        there = [(course / step / student / LAB).exists() for student in ("ada", "bob", "dan")]
        assert there == [True, False, True]
    assert (
        "2 hand-ins: 1 cut short, 1 not graded. 2 to look at: ada, bob. "
        "Not in this run: 1 kept from before, 1 missing."
    ) in lines

    # Ctrl-C while an earlier grade is still whole: it stays, and no new one is invented
    def interrupt(*args):
        raise KeyboardInterrupt

    third = tmp_path / "third"
    put(third / "dan", handin({}, course))
    monkeypatch.setattr(session_file, "grade_all", interrupt)
    code, _, rows = run(course, third)
    assert code == 130
    assert (rows["dan"]["status"], rows["dan"]["score"]) == ("not reached", "")
    assert rows["dan"]["reason"] == "the gradebook still has 1 from before"
    assert has_grade(course, "dan")


def test_a_namesake_who_comes_later_takes_nobody_s_grade(tmp_path):
    course = copy_course(tmp_path / "course", "euler-step")
    for place, number, solutions in (("first", 7, SOLUTIONS), ("second", 8, {})):
        folder = f"Kim Lee_{number}_assignsubmission_file_"
        put(tmp_path / place / folder, handin(solutions, course))
        code, _, rows = run(course, tmp_path / place)
        assert code == 0
    assert {s: (row["status"], row["score"]) for s, row in rows.items()} == {
        "Kim_Lee": ("kept from before", "1"),
        "Kim_Lee_8": ("graded", "0"),
    }
