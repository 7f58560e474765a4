"""64 MiB of the wrong answer: refused before anything is computed of it.

Each is judged in a fork of this process, so that its time and its memory can be seen.
"""

import json
import os
import select
import sys
import time
from typing import Any

import numpy as np
import pytest
from forged import BIG, array

from course_lib.checks import Check, find_check
from course_lib.checks.choice import Choice
from course_lib.checks.registry import checks_of, labs_with_checks
from course_lib.grading.execute import Run
from course_lib.grading.judge import judge_cell
from course_lib.grading.kernel import CellRun

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc says how much is used")

SOME = {(2**22, 2), (2**25, 2), (2**23,), (10_699, 1, 28, 28)}
TRIED = [(s, d) for s, d in BIG if (s in SOME and d != "b1") or os.environ.get("COURSE_FUZZ")]
LONGEST = 5.0  # seconds of the processor
MOST = 1024  # MiB beyond what the process had before
RUN = Run(seed=20)


def with_own_judge() -> list[tuple[str, str]]:
    return [
        (lab, name)
        for lab in labs_with_checks()
        for name, check in checks_of(lab).items()
        if check.judge not in (Check.judge, Choice.judge)
    ]


def filled(shape: tuple[int, ...], dtype: str) -> dict[str, Any]:
    make, size = np.random.default_rng(0), int(np.prod(shape))
    if dtype in ("u1", "b1"):
        return array(make.integers(0, 2, size, dtype="u1").astype(dtype).reshape(shape))
    return array(make.random(size, dtype="f4").astype(dtype).reshape(shape))


@pytest.fixture(scope="module")
def large() -> list[dict[str, Any]]:
    return [filled(shape, dtype) for shape, dtype in TRIED]


def cost(check: Check, output: Any) -> dict[str, Any]:
    """Judge in a fork: seconds, MiB, fault and points."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _judge(check, output, write)
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        answered = select.select([file], [], [], 60)[0]
        if not answered:
            os.kill(child, 9)
        os.waitpid(child, 0)
        said = file.read() if answered else b""
    return json.loads(said) if said else {"fault": "died or hung", "points": 0, "s": 60, "MiB": 0}


def _judge(check: Check, output: Any, write: int) -> None:
    outcome = {"check": check.name, "output": output, "fault": None, "failings": [], "hints": []}
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak begins anew
    before, started = _peak(), time.process_time()
    verdict, _ = judge_cell(check, CellRun(outcomes=[outcome]), 0, RUN)
    said = {"s": time.process_time() - started, "MiB": _peak() - before}
    os.write(write, json.dumps({**said, "fault": verdict.fault, "points": verdict.points}).encode())


def _peak() -> float:
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM"))


@pytest.mark.parametrize(("lab", "name"), with_own_judge())
def test_large_and_wrong(large, lab, name):
    check = find_check(lab, name)
    for output, (shape, dtype) in zip(large, TRIED, strict=True):
        found = cost(check, output)
        assert found["fault"] not in (None, "not-judged", "died or hung"), (shape, dtype, found)
        assert found["points"] == 0, (shape, dtype, found)
        assert found["s"] < LONGEST, (shape, dtype, found)
        assert found["MiB"] < MOST, (shape, dtype, found)


@pytest.mark.parametrize("parts", [2, 6])
@pytest.mark.parametrize(("lab", "name"), with_own_judge())
def test_several_that_are_large_together(lab, name, parts):
    """What one message can hold, as a list."""
    rows = 2**26 // 8 // parts // 2
    found = cost(find_check(lab, name), [filled((rows, 2), "f8")] * parts)
    assert found["fault"] not in (None, "not-judged", "died or hung"), found
    assert found["points"] == 0
    assert found["s"] < LONGEST
    assert found["MiB"] < MOST


def test_one_part_of_several_is_large():
    """The losses of a batch: what comes after the first comparison must not see 64 MiB of them."""
    small = [array(np.zeros(shape)) for shape in ((), (32, 4), (32, 4), (2,), (32, 4))]
    found = cost(find_check("lab3", "digit-loss"), [filled((2**26 - 2**16,), "u1"), *small])
    assert found["fault"] not in (None, "died or hung"), found
    assert found["s"] < LONGEST
    assert found["MiB"] < MOST
