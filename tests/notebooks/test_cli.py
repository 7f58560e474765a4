"""The command `course`: what it prints, and its exit codes."""

import builtins
import os
import subprocess
import sys

import pytest

from course_lib import cli


def run(monkeypatch, capsys, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["course", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    said = capsys.readouterr()
    return int(stopped.value.code or 0), said.out, said.err


def test_build_names_what_is_stale_and_check_changes_nothing(course, monkeypatch, capsys):
    monkeypatch.chdir(course.root)
    assert run(monkeypatch, capsys, "build")[:2] == (0, "All labs are up to date.\n")
    text = course.solutions / "lab1/lab1.py"
    text.write_text(text.read_text("utf-8").replace("Drop a leaf", "Drop a cork"), "utf-8")
    code, out, _ = run(monkeypatch, capsys, "build", "--check")
    assert code == 1
    assert "out of date: labs/lab1/lab1.ipynb" in out
    assert run(monkeypatch, capsys, "build", "--check")[0] == 1
    code, out, _ = run(monkeypatch, capsys, "build")
    assert code == 0
    assert "written: labs/lab1/lab1.ipynb" in out
    assert run(monkeypatch, capsys, "build", "--check")[0] == 0


def test_build_says_where_someone_has_worked(course, monkeypatch, capsys):
    monkeypatch.chdir(course.root)
    path = course.labs / "lab1/lab1.ipynb"
    path.write_text(path.read_text("utf-8").replace("Your code here", "My work"), "utf-8")
    code, out, _ = run(monkeypatch, capsys, "build")
    assert code == 0
    assert "kept: labs/lab1/lab1.ipynb" in out


@pytest.mark.parametrize("command", ["build", "lab"])
def test_an_unknown_lab_is_one_sentence(course, monkeypatch, capsys, command):
    monkeypatch.chdir(course.root)
    code, _, err = run(monkeypatch, capsys, command, "lab77")
    assert code == 2
    assert err.count("\n") == 1
    assert "There is no lab 'lab77'" in err
    assert "lab1" in err


def test_lab_opens_the_notebook_at_its_own_address(course, monkeypatch, capsys):
    called = {}

    def call(command, cwd, env):
        called.update(command=command, cwd=cwd, env=env)
        return 0

    monkeypatch.setattr(subprocess, "call", call)
    monkeypatch.chdir(course.root)
    code, out, _ = run(monkeypatch, capsys, "lab", "--no-browser", "--port", "9999")
    assert code == 0
    assert "labs/lab1/lab1.ipynb" in out
    assert "--LabApp.default_url=/lab/tree/labs/lab1/lab1.ipynb" in called["command"]
    assert {"--no-browser", "--port=9999"} <= set(called["command"])
    assert called["env"]["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0].endswith("jupyter")


def test_a_half_installed_environment_is_one_sentence(course, monkeypatch, capsys):
    real = builtins.__import__

    def broken(name, *arguments, **options):
        if name == "course_lib.notebooks.build":
            raise ModuleNotFoundError("No module named 'nbgrader'")
        return real(name, *arguments, **options)

    monkeypatch.chdir(course.root)
    monkeypatch.setattr(builtins, "__import__", broken)
    code, _, err = run(monkeypatch, capsys, "build")
    assert code == 2
    assert "No module named 'nbgrader'" in err
    assert "make env" in err
