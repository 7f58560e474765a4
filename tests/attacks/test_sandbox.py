"""What a hand-in is, seen from inside: without rights, without company, with a filter."""

import re

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from course_lib.grading.execute import run_notebook
from course_lib.grading.sandbox import Limits, open_isolation

pytestmark = pytest.mark.kernel

LOOK = """
import os
print(open("/proc/self/status").read())
print("processes", sorted(int(p) for p in os.listdir("/proc") if p.isdigit()), "me", os.getpid())
lines = open("/proc/net/dev").read().splitlines()
print("network", [line.split(":")[0].strip() for line in lines if ":" in line])
"""


@pytest.fixture(scope="module")
def seen(bwrap) -> str:
    isolation = open_isolation("bubblewrap")
    cells = [new_code_cell(LOOK)]
    run = run_notebook(new_notebook(cells=cells), "lab1", isolation, limits=Limits())
    isolation.close()
    return run.cells[0].outputs[0].text


@pytest.mark.parametrize("name", ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
def test_it_has_no_capability(seen, name):
    assert re.search(rf"^{name}:\t0+$", seen, re.MULTILINE)


def test_it_has_a_filter_and_gains_no_rights(seen):
    assert re.search(r"^NoNewPrivs:\t1$", seen, re.MULTILINE)
    assert re.search(r"^Seccomp:\t2$", seen, re.MULTILINE)


def test_it_is_nobody(seen):
    user = re.search(r"^Uid:\t(\d+)\t(\d+)\t(\d+)\t(\d+)$", seen, re.MULTILINE)
    assert len({*user.groups()}) == 1
    assert int(user[1]) == 65534 or int(user[1]) > 2_000_000
    assert re.search(r"^Groups:\s*(65534)?\s*$", seen, re.MULTILINE)


def test_it_sees_its_own_processes_alone(seen):
    processes, me = re.search(r"^processes \[(.*)\] me (\d+)$", seen, re.MULTILINE).groups()
    assert processes == "1, 2, 3"  # the two that hold the sandbox open, and itself
    assert me == "3"


def test_it_has_no_network(seen):
    assert re.search(r"^network \['lo'\]$", seen, re.MULTILINE)
