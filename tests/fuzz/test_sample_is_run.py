"""Some of the damaged notebooks that are accepted, really run, in one batch."""

from itertools import islice

import nbformat
import pytest
from amount import times
from handins import SOLUTIONS, copy_course, handin, points_of
from mutants import of_cells, of_json
from pipeline import through

from course_lib.grading.sandbox import Limits
from course_lib.grading.work import Job, grade_one

pytestmark = pytest.mark.kernel


def test_a_sample_is_graded(tmp_path, bwrap):
    course = copy_course(tmp_path / "course", "predict-order")
    original = nbformat.writes(handin(SOLUTIONS, course)).encode("utf-8")
    files = [*of_json(original, 40), *of_cells(original, 60)]
    jobs = [o.job for o in through(course, tmp_path / "way", files).values() if o.job is not None]
    sample = list(islice(jobs[::5], times(15)))
    assert len(sample) >= 12
    points, scores = points_of(course), []
    for job in sample:
        graded = grade_one(
            Job(job.lab, job.student, job.notebook, limits=Limits(cell=10, notebook=20))
        )
        assert graded.failure == "", (job.student, graded.failure)
        assert {v.check: v.max_points for v in graded.verdicts} == points
        graded.notebook.encode("utf-8")
        nbformat.validate(nbformat.reads(graded.notebook, as_version=4))
        scores.append(sum(verdict.points for verdict in graded.verdicts))
    assert max(scores) == sum(points.values())  # damage that touches no answer costs nothing
    assert min(scores) < sum(points.values())
