"""docs/writing-a-lab.md is followed to the letter: its own code makes a lab that works."""

import re
import sys
from pathlib import Path

import pytest

import course_lib.checks
from course_lib.checks import checks_of, execute, judge
from course_lib.notebooks.build import build
from course_lib.notebooks.pairs import read_notebook

PAGE = (Path(__file__).parents[2] / "docs/writing-a-lab.md").read_text("utf-8")
FILES = dict(re.findall(r"^`(\S+\.py)`\n+```python\n(.*?)^```", PAGE, re.M | re.S))


@pytest.fixture
def new_lab(course, tmp_path_factory, monkeypatch):
    extra = tmp_path_factory.mktemp("checks")
    monkeypatch.setattr(course_lib.checks, "__path__", [*course_lib.checks.__path__, str(extra)])
    for name, source in FILES.items():
        target = extra / Path(name).name if "checks" in name else course.root / name
        target.parent.mkdir(exist_ok=True)
        target.write_text(source, "utf-8")
    yield course
    sys.modules.pop("course_lib.checks.lab99", None)
    if hasattr(course_lib.checks, "lab99"):
        del course_lib.checks.lab99


def test_the_page_names_the_three_files():
    assert list(FILES) == [
        "course_lib/checks/lab99.py",
        "solutions/lab99/lab99.py",
        "solutions/lab99/right_answers.py",
    ]


def test_its_lab_builds_and_its_checks_work(new_lab):
    made = ["solutions/lab99/lab99.ipynb", "labs/lab99/lab99.ipynb"]
    assert build(new_lab, ["lab99"]).stale == made
    released = read_notebook(new_lab.labs / "lab99/lab99.ipynb")
    (graded,) = [c for c in released.cells if c.metadata.get("nbgrader", {}).get("grade")]
    assert graded.metadata.nbgrader.points == 2
    assert any('raise NotImplementedError("midpoint")' in c.source for c in released.cells)
    assert not (new_lab.labs / "lab99/right_answers.py").exists()

    names: dict = {}
    exec(FILES["solutions/lab99/right_answers.py"], names)
    (check,) = [cls() for cls in checks_of("lab99").values()]
    for arguments in names["RIGHT_ANSWERS"][type(check)]:
        for seed in range(20):
            assert judge(check, execute(check, arguments, seed), seed).passed
    for mistake in check.mistakes:
        verdict = judge(check, execute(check, (mistake.formula,), 1), 1)
        assert (verdict.fault, verdict.points) == (mistake.name, 0)
