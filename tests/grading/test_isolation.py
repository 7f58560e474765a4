"""The warm parent and the sandbox: who ends when, what a hand-in sees, what is refused."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from course_lib.grading.execute import run_notebook
from course_lib.grading.sandbox import (
    ISOLATIONS,
    Limits,
    SandboxError,
    bubblewrap,
    open_isolation,
    warm_parent,
)
from course_lib.grading.sandbox.parent import Line

pytestmark = pytest.mark.kernel


def printed(isolation, *sources: str, files=None, **limits) -> tuple[list[str], str]:
    """What each cell printed or its error, and why the run stopped."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    run = run_notebook(notebook, "lab1", isolation, files, Limits(**limits))
    texts = []
    for index in range(len(sources)):
        outputs = run.cells[index].outputs if index in run.cells else []
        texts.append("".join(o.get("text", "") + o.get("ename", "") for o in outputs))
    return texts, run.stop


@pytest.fixture(scope="module")
def parent(bwrap):
    with warm_parent("bubblewrap") as path:
        yield path


@pytest.fixture
def isolation(parent):
    isolation = open_isolation("bubblewrap", parent)
    yield isolation
    isolation.close()


def test_an_unknown_isolation():
    with pytest.raises(ValueError, match=r"There is no isolation 'docker'\. There are: bubblewrap"):
        open_isolation("docker")
    assert ISOLATIONS[0] == "bubblewrap"


def test_a_hand_in_sees_its_files_the_environment_and_nothing_else(isolation):
    look = "import os, sys; print(sorted(os.listdir()), open('a.txt').read(), os.listdir('/'))"
    who = "print(os.getuid() != 0, os.getppid(), [p for p in os.listdir('/proc') if p.isdigit()])"
    texts, stop = printed(isolation, look, who, "print(sorted(os.environ))", files={"a.txt": b"hi"})
    assert stop == ""
    assert texts[0].startswith("['a.txt'] hi")
    assert "home" not in texts[0]
    assert texts[1].split()[:2] == ["True", "0"]
    assert len(texts[1].split("[")[1].split()) == 3  # bwrap, what holds the sandbox open, itself
    assert "COURSE_GRADING_SEED" in texts[2]
    assert "PYTEST_CURRENT_TEST" not in texts[2]


SPOIL = """
import builtins, torch
torch.allclose = builtins.sorted = lambda *a: 7
open('/tmp/x', 'w').close()
print(sorted([1]), torch.allclose(1, 2))
"""
SEEN = """
import os, torch
print(sorted([1]), torch.allclose(torch.ones(1), torch.zeros(1)), os.path.exists('/tmp/x'))
"""


def test_what_one_changes_the_next_does_not_see(isolation):
    assert printed(isolation, SPOIL) == (["7 7\n"], "")
    assert printed(isolation, SEEN) == (["[1] False False\n"], "")


DRAW = """
import random, numpy, torch
print(random.random(), numpy.random.rand(), torch.rand(1).item())
"""


def test_two_hand_ins_do_not_draw_the_same_numbers(isolation):
    one, two = (printed(isolation, DRAW)[0][0].split() for _ in range(2))
    assert len(one) == 3
    assert not set(one) & set(two)


HOLD = """
import os, time
for _ in range(8):
    if os.fork() == 0:
        x = bytearray(os.urandom(2**20) * 60)
        time.sleep(60)
time.sleep(60)
"""


def test_too_much_memory(isolation):
    texts, stop = printed(isolation, "x = bytearray(20 * 2**30)", "print(1)")
    assert texts == ["MemoryError", "1\n"]
    _, stop = printed(isolation, HOLD, memory=200 * 2**20)
    assert stop.startswith("used 0.")
    assert "GiB of memory in cell 1" in stop


def test_too_much_output_is_cut_and_far_too_much_ends_the_run(isolation):
    texts, stop = printed(isolation, "print('x' * 300_000)", "print(2)")
    assert texts[0].endswith("… what followed was left out\n")
    assert len(texts[0]) < 101_000
    assert (texts[1], stop) == ("2\n", "")
    flood = "import time\nwhile True: print('x' * 50_000, flush=True); time.sleep(0.001)"
    assert printed(isolation, flood, output=2**20)[1].startswith(
        "printed or handed over more than 4 MiB"
    )


def test_the_warm_parent_ends_with_the_grader(bwrap, tmp_path):
    program = tmp_path / "grader.py"
    program.write_text(
        "import time\n"
        "from course_lib.grading.sandbox import warm_parent\n"
        "from course_lib.grading.sandbox.parent import Line\n"
        "with warm_parent('bubblewrap') as path:\n"
        "    line = Line(path)\n"
        "    print(path, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True) as grader:
        path = Path(grader.stdout.readline().strip())
        assert path.exists()
        grader.send_signal(signal.SIGKILL)
    end = time.monotonic() + 20
    while path.parent.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not path.parent.exists()
    while _processes(path) and time.monotonic() < end:
        time.sleep(0.05)
    assert _processes(path) == ""


def _processes(path: Path) -> str:
    found = ["pgrep", "-f", str(path)]
    return subprocess.run(found, capture_output=True, text=True, check=False).stdout


def test_a_line_to_nobody(tmp_path):
    with pytest.raises(SandboxError, match="the warm parent does not answer"):
        Line(tmp_path / "gone" / "socket")


def test_where_there_is_no_bubblewrap(monkeypatch):
    monkeypatch.setattr(bubblewrap.shutil, "which", lambda name: None)
    assert "bubblewrap is not installed; `apt-get install bubblewrap`" in bubblewrap.missing()
    with pytest.raises(SandboxError, match="not installed"):
        open_isolation("bubblewrap")
    monkeypatch.setattr(bubblewrap.sys, "platform", "darwin")
    assert bubblewrap.missing() == "bubblewrap is a program for Linux"
    assert os.name == "posix"
