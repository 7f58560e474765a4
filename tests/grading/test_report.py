"""The class report: counts, sentences, examples without names; strangers' words stay words."""

import ast
import csv
import json
import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import nbformat
import pytest
from handins import LAB, copy_course, handin
from mistaken import MISTAKEN
from nbgrader.api import Base, Gradebook
from sqlalchemy import create_engine
from test_feedback import HOSTILE, harmless

import course_lib.checks as checks_package
from course_lib.checks import Verdict, checks_of
from course_lib.grading.report import report
from course_lib.grading.report.examples import choose, without_words
from course_lib.grading.report.faults import COMMON
from course_lib.grading.scores import Row, write_scores
from course_lib.notebooks.course import Course, CourseError

CHECKS = {name: check() for name, check in checks_of(LAB).items()}
NO_STEP = CHECKS["euler-step"].mistakes[0]
CODE = MISTAKEN["euler-step"][0]


@dataclass(frozen=True)
class Evidence:
    students: tuple[str, ...]
    check: str
    kind: str
    sentence: str
    lines: tuple[str, ...]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    return copy_course(tmp_path_factory.mktemp("report") / "course")


@pytest.fixture
def course(made, tmp_path) -> Path:
    """A course of its own whose lab and settings are shared."""
    root = tmp_path / "course"
    root.mkdir()
    for name in ("solutions", "labs"):
        (root / name).symlink_to(made / name)
    (root / "nbgrader_config.py").write_text((made / "nbgrader_config.py").read_text())
    (root / "grades").mkdir()
    return root


def record(course: Path, student: str, faults=(), answers=(), **more) -> Path:
    """What the grader leaves of a hand-in that is right but for these faults, by check."""
    faults = dict(faults)
    verdicts = []
    for name, check in CHECKS.items():
        fault, message = faults.get(name, (None, ""))
        points = 0 if fault else check.points
        verdicts.append(Verdict(name, check.title, points, check.points, fault, message).to_json())
    folder = course / "autograded" / student / LAB
    folder.mkdir(parents=True)
    data = {"lab": LAB, "student": student, "seed": 1, "stopped": "", "verdicts": verdicts, **more}
    (folder / "verdicts.json").write_text(json.dumps(data), encoding="utf-8")
    nbformat.write(handin(dict(answers)), folder / f"{LAB}.ipynb")
    return folder


def page_of(course: Path, evidence=()) -> str:
    path = report(Course(course), LAB, evidence)
    assert path == course / "grades" / f"{LAB}.html"
    text = path.read_text(encoding="utf-8")
    harmless(text)
    return text


def part(text: str, anchor: str) -> str:
    return text.split(f'id="{anchor}"')[1].split("<h2")[0]


def plain(text: str) -> str:
    return re.sub("<[^>]*>", "", text)


def test_misconceptions_are_counted_with_their_sentence_and_examples(course):
    wrong = {"euler-step": (NO_STEP.name, "as the kernel put it")}
    record(course, "ada", wrong, {"euler-step": f"# by Ada Lovelace\n{CODE}"})
    record(course, "bob", wrong, {"euler-step": f"{CODE}  # bob was here"})
    other = CODE.replace("x + velocity(x, t)", "velocity(x, t) + x")
    record(course, "carol", wrong, {"euler-step": other})
    record(course, "dan", {"predict-order": ("chose-a", "")})
    text = part(page_of(course), "misconceptions")
    assert "3 of 4" in text
    assert text.count(NO_STEP.sentence) == 2  # in the list of the most frequent, and in its place
    assert "as the kernel put it" not in text
    assert CHECKS["predict-order"].replies["a"] in unescape(text)
    examples = [plain(e) for e in re.findall("<figure>.*?</figure>", text, re.DOTALL)]
    assert [e.split("return ")[1] for e in examples] == ["velocity(x, t) + x", "x + velocity(x, t)"]
    for name in ("ada", "Ada", "Lovelace", "bob", "carol", "dan"):
        assert not re.search(rf"\b{name}\b", plain(text))


def test_other_faults_stand_apart(course):
    record(course, "ada", {"euler-step": ("not-written", ""), "heun-step": ("exception", "")})
    record(course, "bob", {"euler-step": ("ignores-t", ""), "heun-step": (HOSTILE, HOSTILE)})
    found, others = part(page_of(course), "misconceptions").split('id="others"')
    assert "No check has recognised a mistake." in found
    for name in ("not-written", "exception", "ignores", "unknown"):
        assert f"<code>{name}</code>" in others
        assert COMMON[name] in others
    assert "alert" not in others


def test_scores_come_from_the_table_and_losses_are_sorted(course):
    record(course, "ada", {"euler-step": ("wrong", "")})
    record(course, "bob", {"mixture-score": ("wrong", "")})
    full = {name: check.points for name, check in CHECKS.items()}
    rows = [
        Row("ada", "graded", 39, 40, {**full, "euler-step": 0}),
        Row("bob", "graded", 36, 40, {**full, "mixture-score": 2}),  # half, by hand
        Row("zoe", "missing", None, 40),
    ]
    write_scores(course / "grades" / f"{LAB}.csv", rows, CHECKS)
    text = page_of(course)
    scores = part(text, "scores")
    assert "2 students, median 37.5 of 40 points, from 36 to 39" in scores
    assert "Without a score, and so not in the picture: 1." in scores
    assert "36 to 40 points: 2 students" in scores
    lost = [plain(row) for row in re.findall("<tr>.*?</tr>", part(text, "lost"))]
    assert lost[1].startswith(CHECKS["euler-step"].title)
    assert lost[2].startswith(CHECKS["mixture-score"].title)
    assert lost[1].endswith(" 50%1010")
    assert lost[2].endswith(" 25%1100")
    assert "zoe</th><td>missing</td>" in part(text, "students")


def test_points_set_by_hand_come_from_the_gradebook(course):
    record(course, "ada", {"euler-step": ("wrong", "")})
    url = f"sqlite:///{course}/gradebook.db"
    Base.metadata.create_all(create_engine(url))  # nbgrader would start a program to do it
    with Gradebook(url, "flow-matching") as book:
        book.add_assignment(LAB)
        book.add_notebook(LAB, LAB)
        book.add_grade_cell("euler-step", LAB, LAB, max_score=1, cell_type="code")
        book.add_student("ada")
        book.add_submission(LAB, "ada")
        (grade,) = book.find_submission(LAB, "ada").notebooks[0].grades
        grade.auto_score, grade.manual_score = 0, 0.5
        book.db.commit()
    students = plain(part(page_of(course), "students"))
    assert "adagraded0.524 of 25some points were set by hand" in students


def test_a_gradebook_that_cannot_be_read(course):
    record(course, "ada")
    (course / "gradebook.db").write_bytes(b"no database" * 99)
    text = page_of(course)
    assert "The gradebook cannot be read (DatabaseError)" in text
    assert "adagraded4025 of 25" in plain(text)


def test_who_needs_a_person(course):
    record(course, "ada", status="cut short", reasons=["the kernel died", "twice"], look=True)
    record(course, "bob", {"euler-step": ("several-outcomes", "")})
    record(course, "carol")
    item = Evidence(("ada", "carol"), "euler-step", "alike", "The same <code>.", ("a = 1", HOSTILE))
    look = part(page_of(course, [item]), "look")
    assert "<li>the kernel died</li><li>twice</li>" in look
    assert ">bob</th>" in look
    assert ">carol</th>" not in look
    assert "<b>ada, carol</b>" in look
    assert "The same &lt;code&gt;." in look
    assert "Read the hand-ins, and ask, before you conclude anything." in look


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", "null", '{"verdicts": 7}', '{"verdicts": [7]}', "[" * 100_000, "\ud800",
        '{"verdicts": [{"check": "euler-step", "points": 1e999, "max_points": 1}]}',
        '{"verdicts": [{"check": "euler-step", "points": 5, "max_points": 1}]}',
        '{"verdicts": [{"check": ["x"], "points": 0, "max_points": 1}]}',
        '{"verdicts": [], "reasons": "all"}', '{"verdicts": [], "status": {"a": 1}}',
    ],
)  # fmt: skip
def test_a_damaged_record_is_a_row_that_says_so(course, content):
    record(course, "ada")
    folder = record(course, "bob")
    (folder / "verdicts.json").write_bytes(content.encode("utf-8", "surrogatepass"))
    text = page_of(course)
    assert "bob</th><td>damaged record</td>" in part(text, "students")
    assert "the record of this hand-in is damaged: " in part(text, "look")
    assert "ada</th><td>graded</td>" in part(text, "students")


@pytest.mark.parametrize("content", ["", "{", '{"cells": 7}', '{"cells": [7, {"metadata": []}]}'])
def test_a_damaged_notebook_gives_no_example(course, content):
    folder = record(course, "ada", {"euler-step": (NO_STEP.name, "")})
    (folder / f"{LAB}.ipynb").write_text(content)
    text = part(page_of(course), "misconceptions")
    assert NO_STEP.sentence in text
    assert "<figure>" not in text


def test_hostile_words_stay_words(course):
    wrong = {"five-mode-sample": ("not-mixed", HOSTILE), "euler-step": (NO_STEP.name, HOSTILE)}
    answers = {"euler-step": f'{CODE}\nx = "{HOSTILE}"'}
    more = {"status": HOSTILE, "reasons": [HOSTILE, "\ud800\u202e" * 99_999], "look": True}
    record(course, "<b>ada", wrong, answers, **more)
    record(course, "bob", {"five-mode-sample": ("not-mixed", "y" * 10**6)})
    with (course / "grades" / f"{LAB}.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["student", "status", "score", "max_score", "reason"])
        table.writerow(["../../<i>eve", HOSTILE, "1e400", "nan", HOSTILE, "one too many"])
        table.writerow(["", "", ""])
    text = page_of(course, [Evidence((HOSTILE,), HOSTILE, HOSTILE, HOSTILE, (HOSTILE,) * 999)])
    assert len(text) < 200_000
    assert "&lt;script&gt;alert(1)" in text
    assert "../../&lt;i&gt;eve" in text
    assert "959 more lines" in text


def test_a_feedback_page_is_linked(course):
    record(course, "ada")
    assert 'href="../feedback' not in page_of(course)
    feedback = course / "feedback" / "ada" / LAB / f"{LAB}.html"
    feedback.parent.mkdir(parents=True)
    feedback.touch()
    assert f'<a href="../feedback/ada/{LAB}/{LAB}.html">ada</a>' in page_of(course)


def test_what_cannot_be_reported(course):
    with pytest.raises(CourseError, match="There is no lab 'lab9'"):
        report(Course(course), "lab9")
    with pytest.raises(CourseError, match="Nothing of lab1 was graded yet"):
        report(Course(course), LAB)


def test_examples():
    spoken = 'def f(x):\n    """By Ada."""\n    # so\n    return "#1"  # and so\n'
    assert without_words(spoken) == 'def f(x):\n    return "#1"'
    with pytest.raises(ValueError, match="not Python"):
        without_words("def f(:")
    with pytest.raises(ValueError, match="too long"):
        without_words("x" * 30_000)
    answers = [("ada", "ada = 1"), ("bob", "%magic"), ("bob", "x = 1000"), ("c", "x  =  1000")]
    answers += [("dan", "y = 2"), ("eve", "z = 30")]
    assert choose(answers) == ["y = 2", "z = 30"]
    assert choose(answers, "y  =  2  # right") == ["z = 30", "x = 1000"]


def test_every_fault_of_the_framework_has_words():
    folder = Path(checks_package.__file__).parent
    names = set()
    for file in ("execute.py", "guard.py", "compare.py", "judge.py"):
        for node in ast.walk(ast.parse((folder / file).read_text(encoding="utf-8"))):
            called = isinstance(node, ast.Call) and getattr(node.func, "id", "")
            if called in ("Fault", "Judgement"):
                words = [a.value for a in node.args[:2] if isinstance(a, ast.Constant)]
                names |= {word for word in words if isinstance(word, str) and " " not in word}
    assert len(names) > 15
    assert names <= COMMON.keys()
