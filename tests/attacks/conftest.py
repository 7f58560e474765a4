"""The attacks use the helpers of the grading tests; all run in one batch, graded once."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "grading")]

from batch import Batch, run_batch  # noqa: E402


@pytest.fixture(scope="session")
def batch(bwrap, tmp_path_factory) -> Batch:
    """Every attack and its honest neighbours, graded; the neighbours alone, too."""
    return run_batch(tmp_path_factory.mktemp("attacks"))
