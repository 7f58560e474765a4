"""The same code on a dask.distributed cluster of two processes, and what is refused."""

import os

import pytest
from handins import LAB, SOLUTIONS, copy_course, handin, put, read_csv

from course_lib.grading import batch
from course_lib.grading.grade import grade
from course_lib.grading.options import Options
from course_lib.notebooks.course import Course, CourseError

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def cluster():
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster


def test_a_cluster_gives_the_same_grades(bwrap, cluster, tmp_path, monkeypatch):
    course = copy_course(tmp_path / "course", "euler-step")
    for student in ("ada", "bob", "eve"):
        put(tmp_path / "in" / student, handin(SOLUTIONS if student != "bob" else {}, course))
    options = Options(scheduler=cluster.scheduler_address)
    assert grade(Course(course), LAB, tmp_path / "in", options=options, say=lambda _: None) == 0
    rows = read_csv(course)
    assert {name: row["score"] for name, row in rows.items()} == {
        "ada": "1",
        "bob": "0",
        "eve": "1",
    }
    assert {row["status"] for row in rows.values()} == {"graded"}

    monkeypatch.setattr(batch, "library_digest", os.getpid)  # of whoever asks
    with (
        pytest.raises(CourseError, match="Another version of the course is installed on tcp"),
        batch.open_pool(1, "bubblewrap", cluster.scheduler_address),
    ):
        pass


def test_no_scheduler(monkeypatch):
    with (
        pytest.raises(CourseError, match=r"No scheduler answers at tcp://127\.0\.0\.1:9"),
        batch.open_pool(1, "bubblewrap", "tcp://127.0.0.1:9"),
    ):
        pass
