"""A thousand damaged notebooks: each is refused with a reason, or is fit for all that follows."""

from pathlib import Path

import nbformat
import pytest
from amount import times
from handins import SOLUTIONS, copy_course, handin
from mutants import of_bytes, of_cells, of_json
from pipeline import session_for, through
from wellformed import faults_of

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
LONGEST = 5.0  # seconds of the processor to prepare one
CUT_SHORT = "predict-order"  # most are hand-ins of the lab up to here: small files, many changes


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    return copy_course(tmp_path_factory.mktemp("fuzz") / "course", CUT_SHORT)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return copy_course(tmp_path_factory.mktemp("whole") / "course")


def original(course: Path) -> bytes:
    return nbformat.writes(handin(SOLUTIONS, course)).encode("utf-8")


def tried(course: Path, home: Path, files) -> tuple[int, int]:
    """How many were refused and accepted; fails with what is wrong."""
    outcomes = through(course, home, files)
    originals = session_for(course).originals
    wrong = []
    for name, outcome in outcomes.items():
        if outcome.seconds > LONGEST:
            wrong.append(f"{name}: took {outcome.seconds:.1f} s")
        if outcome.job is not None:
            wrong += [f"{name}: {fault}" for fault in faults_of(outcome.job, originals)]
        elif not outcome.reason or outcome.reason.startswith("the grader failed"):
            wrong.append(f"{name}: {outcome.reason or 'neither a job nor a reason'}")
    assert not wrong, "\n".join(wrong)
    refused = sum(outcome.job is None for outcome in outcomes.values())
    return refused, len(outcomes) - refused


@pytest.mark.parametrize(("make", "count"), [(of_bytes, 300), (of_json, 400), (of_cells, 300)])
def test_damaged(course, tmp_path, make, count):
    count = times(count)
    refused, accepted = tried(course, tmp_path, make(original(course), count))
    assert refused + accepted == count
    assert min(refused, accepted) > 0.1 * count


def test_damaged_at_full_length(whole, tmp_path):
    data = original(whole)
    files = [*of_bytes(data, times(15)), *of_json(data, times(20)), *of_cells(data, times(15))]
    refused, accepted = tried(whole, tmp_path, files)
    assert min(refused, accepted) > 0.1 * len(files)


def test_the_undamaged_one_is_fit(whole, tmp_path):
    assert tried(whole, tmp_path, [("ada", original(whole))]) == (0, 1)
