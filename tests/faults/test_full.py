"""A full disk: one sentence, exit code 1 or 2, no traceback, and nothing is lost."""

import os
import shutil
import subprocess
import sys

import pytest
from state import difference, state_of

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="only on POSIX can a run be forked"),
]
ALL = os.environ.get("COURSE_FAULTS") == "all"


def test_full_from_some_write_on(undisturbed, classroom, victims):
    wrong = []
    for number in range(0, undisturbed.writes, 1 if ALL else 4):
        course = classroom.copy(undisturbed.graded)
        ended = victims.grade(course, classroom.rounds[1], full_at=number)
        stopped = [line for line in ended.lines if line.startswith("Stopped: ")]
        said = stopped or [ended.sentence]
        if difference(state_of(course), undisturbed.states["second"]) == []:
            continue  # what was left to do needs no room
        victims.grade(course, classroom.rounds[1])
        apart = difference(state_of(course), undisturbed.states["second"])
        fine = ended.stderr == "" and ended.code == (1 if stopped else 2) and len(said) == 1
        full = "No space left on device" in said[0] or "database or disk is full" in said[0]
        if apart or not fine or not full:
            wrong.append(f"{number}: {apart} {ended.code} {said} {ended.stderr[-300:]}")
    assert not wrong, "\n".join(wrong)


def test_a_disk_that_really_is_full(undisturbed, classroom, victims, tmp_path):
    """A file system of its own, with room for some of what is to be written."""
    disk = tmp_path / "disk"
    disk.mkdir()
    size = sum(p.stat().st_size for p in undisturbed.graded.rglob("*") if p.is_file())
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size + 2**20}", "tmpfs", str(disk)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a tmpfs is not allowed here")
    try:
        course = shutil.copytree(undisturbed.graded, disk / "course")
        with (disk / "filler").open("wb") as filler:
            while filler.write(b"\0" * 4096) and filler.flush() is None:
                pass
    except OSError:
        pass
    try:
        stopped = 0
        for room in (0, 1, 3, 10, 20):  # pages
            os.truncate(disk / "filler", (disk / "filler").stat().st_size - 4096 * room)
            ended = victims.grade(course, classroom.rounds[1])
            said = ended.text + ended.sentence
            assert ended.code in (1, 2)
            assert ended.stderr == ""
            assert "the grader failed" not in said
            stopped += "No space left on device" in said or "disk is full" in said
        assert stopped >= 2
        (disk / "filler").unlink()
        victims.grade(course, classroom.rounds[1])
        assert difference(state_of(course), undisturbed.states["second"]) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)
