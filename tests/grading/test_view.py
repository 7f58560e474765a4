"""What hand-ins see of the library: checks that can run, and that know no answers."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from course_lib.checks import Choice, checks_of, labs_with_checks
from course_lib.grading.sandbox import view as view_file
from course_lib.grading.sandbox.view import SECRET, make_view, without_answers


@pytest.fixture(scope="module")
def view() -> Path:
    return make_view()


def text_of(view: Path) -> str:
    files = sorted((view / "course_lib").rglob("*.py"))
    return "\n".join(path.read_text("utf-8") for path in files)


def test_neither_answers_nor_sentences_nor_keys_are_in_it(view):
    text = text_of(view)
    for lab in labs_with_checks():
        for check in checks_of(lab).values():
            assert f"class {check.__name__}(" in text
            for mistake in check.mistakes:
                assert mistake.sentence not in text
            if issubclass(check, Choice):
                assert check.key not in text
                assert not any(reply in text for reply in check.replies.values())
    assert not [
        name for name in ("grading", "notebooks", "cli.py") if (view / "course_lib" / name).exists()
    ]
    assert not list((view / "course_lib").rglob("*answers*"))


def test_no_class_of_a_lab_keeps_a_secret_member(view):
    for path in (view / "course_lib" / "checks").glob("lab*/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                members = {getattr(item, "name", "") for item in node.body}
                members |= {
                    t.id
                    for item in node.body
                    if isinstance(item, ast.Assign)
                    for t in item.targets
                    if isinstance(t, ast.Name)
                }
                assert not members & SECRET, f"{path.name}: {node.name}"


DRAWN = """
import torch
from course_lib.checks import checks_of, labs_with_checks
from course_lib.checks.rng import Rng

for lab in labs_with_checks():
    for name, check in checks_of(lab).items():
        inputs = check().inputs(Rng(7)).values()
        tensors = [v for v in inputs if isinstance(v, torch.Tensor)]
        print(lab, name, *(v.double().sum().item() for v in tensors))
"""


def test_all_checks_can_be_imported_and_draw_the_same_inputs(view):
    said = [
        subprocess.run(
            [sys.executable, "-c", DRAWN], env={**os.environ, "PYTHONPATH": str(library)},
            cwd=view, capture_output=True, text=True, check=True,
        ).stdout
        for library in (view, Path(view_file.__file__).parents[3])
    ]  # fmt: skip
    assert said[0] == said[1]
    assert len(said[0]) > 1000


def test_what_only_an_answer_used_goes_with_it():
    left = without_answers(
        {
            "__init__": "from a.lab.areas import Area\n__all__ = ['Area']\nFILES = {'x': 1}",
            "areas": AREAS,
            "tools": "from math import pi\nSENTENCES = ['No.']\ndef shared(x): return x * pi",
        }
    )
    for gone in ("_half", "_two", "tau", "secrets", "SENTENCES"):
        assert not any(gone in source for source in left.values()), gone
    assert "FILES" in left["__init__"]
    assert "from a.lab.areas import Area" in left["__init__"]
    assert "from a.lab.tools import shared" in left["areas"]
    assert "points = 2" in left["areas"]
    assert "return x * pi" in left["tools"]


AREAS = """
from __future__ import annotations
from math import tau
import secrets
from a.lab.tools import SENTENCES, shared
__all__ = ["Area"]
def _half(x): return x / _two()
def _two(): return 2
class Area(Check):
    points = 2
    _limit = tau
    def inputs(self, rng): return dict(r=shared(1))
    def answer(self, r): return _half(r) + self._limit
    mistakes = [Mistake("m", lambda r: r, SENTENCES[0])]
"""


def test_it_is_written_once_and_nobody_else_may_write_it(view, monkeypatch, tmp_path):
    assert make_view() == view
    assert view.stat().st_mode & 0o022 == 0
    monkeypatch.setattr(view_file.tempfile, "gettempdir", lambda: str(tmp_path))
    (tmp_path / view.name).mkdir(mode=0o777)
    os.chmod(tmp_path / view.name, 0o777)
    with pytest.raises(PermissionError, match="only this user"):
        make_view()
