"""`course grade`'s execution and judgement for nbgrader's own `autograde`, formgrader's button.

`nbgrader_config.py` exchanges preprocessors: `RestoreChecks` before nbgrader's, `GradeHandin` in
place of its Execute. Everything else is nbgrader's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Enum, Integer

from course_lib.checks.registry import files_of
from course_lib.grading.record import Record, write_record
from course_lib.grading.sandbox import ISOLATIONS, Limits
from course_lib.grading.work import Job, grade_one

__all__ = ["GradeHandin"]


class GradeHandin(NbGraderPreprocessor):
    """Run a restored hand-in in the sandbox, judge it, and put the cards where nbgrader looks."""

    timeout = Integer(60, help="Seconds for one cell.").tag(config=True)
    wall_clock = Integer(600, help="Seconds for the whole notebook.").tag(config=True)
    isolation = Enum(ISOLATIONS, ISOLATIONS[0], help="Where hand-ins run.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Raises RuntimeError if there is no sandbox; nbgrader then keeps no grade."""
        about = resources["nbgrader"]
        lab, student = about["assignment"], about["student"]
        folder = Path(resources["metadata"]["path"])
        job = Job(
            lab,
            student,
            nbformat.writes(nb),
            declared_files(folder, lab),
            Limits(cell=self.timeout, notebook=self.wall_clock),
            self.isolation,
        )
        graded = grade_one(job)
        if graded.failure:
            raise RuntimeError(graded.failure)
        nb.cells = nbformat.reads(graded.notebook, as_version=4).cells
        record = Record(
            lab, student, graded.seed, graded.stop, graded.timed_out, verdicts=graded.verdicts
        )
        write_record(folder, record)
        return nb, resources


def declared_files(folder: Path, lab: str) -> dict[str, bytes]:
    """The content of the files in a folder that the lab declares; not links, nor too large ones."""
    found = {name: folder / name for name in files_of(lab)}
    regular = {n: path for n, path in found.items() if path.is_file() and not path.is_symlink()}
    sizes = files_of(lab)
    return {n: p.read_bytes() for n, p in regular.items() if p.stat().st_size <= sizes[n]}
