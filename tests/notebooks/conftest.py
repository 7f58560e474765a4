"""A copy of the course to build in, so that no test writes into the real one."""

import shutil
from pathlib import Path

import pytest

from course_lib.notebooks.course import Course

ROOT = Path(__file__).parents[2]


@pytest.fixture
def course(tmp_path: Path) -> Course:
    for name in ("solutions", "labs"):
        shutil.copytree(
            ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints")
        )
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    return Course(tmp_path)
