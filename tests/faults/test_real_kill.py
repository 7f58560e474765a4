"""The command itself, with real workers and sandboxes: killed, interrupted, started twice."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from handins import LAB, SOLUTIONS, copy_course, handin, insert, put, read_csv
from processes import descendants, gone

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]
STUDENTS = ("ada", "bob", "carol", "dan", "eve", "fay")
SECONDS = 30.0  # most are gone at once; a process that imports looks up when it is done


@pytest.fixture(scope="module")
def course(tmp_path_factory, bwrap) -> Path:
    home = tmp_path_factory.mktemp("real")
    course = copy_course(home / "course", "euler-step")
    for student in STUDENTS:
        notebook = handin(SOLUTIONS if student < "d" else {}, course)
        insert(notebook, "euler-step", "import time; time.sleep(1.5)")
        put(course / "in" / student, notebook)
    return course


@pytest.fixture
def command(course):
    """Start the command in a process group of its own; what still runs is ended afterwards."""
    started: list[subprocess.Popen] = []

    def start() -> subprocess.Popen:
        line = [sys.executable, "-m", "course_lib.cli", "grade", LAB, "--course", str(course)]
        line += ["--submitted", str(course / "in"), "--workers", "2", "--again"]
        process = subprocess.Popen(
            line,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            cwd=course,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def has_graded(course: Path, since: int) -> bool:
    """Whether somebody has been graded after a moment, in nanoseconds."""
    found = (course / "autograded").rglob("verdicts.json")
    return any(path.stat().st_mtime_ns > since for path in found)


def wait_until(what, seconds: float = 180.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


def running(process: subprocess.Popen, name: str) -> bool:
    return any(name in _words(child) for child in descendants(process.pid))


def _words(process: int) -> str:
    try:
        return Path("/proc", str(process), "cmdline").read_bytes().decode()
    except OSError:
        return ""


@pytest.mark.parametrize("moment", ["before any sandbox", "in the first sandbox", "after a grade"])
def test_killed(course, command, moment):
    began, process = time.time_ns(), command()
    if moment == "in the first sandbox":
        wait_until(lambda: running(process, "bwrap"))
    elif moment == "after a grade":
        wait_until(lambda: has_graded(course, began))
    else:
        wait_until(lambda: running(process, "warm.py"))
    mine = descendants(process.pid)
    assert mine  # the warm parent at least; the pool may not have started yet
    process.kill()
    process.wait()
    assert gone(mine, SECONDS) == []


def is_locked(path: Path) -> bool:
    with path.open("r") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def test_interrupted_and_finished(course, command):
    """Ctrl-C reaches the whole process group; the next run grades the rest."""
    began, process = time.time_ns(), command()
    wait_until(lambda: running(process, "bwrap"))
    wait_until(lambda: has_graded(course, began))
    mine = descendants(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == ""
    assert "Interrupted. 6 hand-ins: " in out
    assert "What is graded stays graded." in out
    assert gone(mine, SECONDS) == []

    second = command()
    wait_until(lambda: is_locked(course / "grades" / ".lab1.lock"))
    os.kill(second.pid, signal.SIGSTOP)  # it is at it as long as it takes
    third = command()
    out, err = third.communicate(timeout=120)
    os.kill(second.pid, signal.SIGCONT)
    assert (third.returncode, out) == (2, "")
    assert err == "course: Another `course grade lab1` is running in this course.\n"
    out, err = second.communicate(timeout=120)
    assert (second.returncode, err) == (0, "")
    assert "6 hand-ins: 6 graded." in out
    assert [row["score"] for row in read_csv(course).values()] == ["1", "1", "1", "0", "0", "0"]
