"""One hand-in, from its cells to its verdicts. Runs in a worker: another process, or machine."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.util import Finalize
from pathlib import Path

import nbformat

from course_lib.checks import Verdict
from course_lib.grading.execute import run_notebook
from course_lib.grading.judge import judge_notebook
from course_lib.grading.sandbox import Isolation, Limits, SandboxError, open_isolation

__all__ = ["Graded", "Job", "grade_one"]


@dataclass(frozen=True)
class Job:
    """What a worker needs to know of a hand-in.

    Attributes:
        lab: The lab's name.
        student: The student's id; it is handed on to the result and used for nothing else.
        notebook: The restored notebook as JSON.
        files: The content of the files that the lab declares, by name.
        limits: What the hand-in may use.
        isolation: See `open_isolation`.
        parent: The socket of the warm parent on the grader's machine, empty if there is none.
    """

    lab: str
    student: str
    notebook: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    isolation: str = "bubblewrap"
    parent: str = ""


@dataclass(frozen=True)
class Graded:
    """What became of a hand-in.

    Attributes:
        student: The student's id.
        notebook: The notebook with its outputs and the cards of its checks, as JSON.
        verdicts: What was said of each check, in the notebook's order.
        seed: The seed of its inputs.
        stop: Why the run ended early, in words; empty if it did not.
        timed_out: How many cells were stopped because they took too long.
        seconds: The wall time that it took.
        failure: Why it could not be graded, through no fault of the student's; empty if it was.
        hopeless: Whether no other hand-in can be graded either.
    """

    student: str
    notebook: str = ""
    verdicts: tuple[Verdict, ...] = ()
    seed: int = 0
    stop: str = ""
    timed_out: int = 0
    seconds: float = 0.0
    failure: str = ""
    hopeless: bool = False


def grade_one(job: Job) -> Graded:
    """Run and judge a hand-in. Raises nothing that has to do with the hand-in."""
    started = time.perf_counter()
    notebook = nbformat.reads(job.notebook, as_version=4)
    try:
        run = _run_twice_at_most(notebook, job)
    except SandboxError as error:
        return Graded(job.student, failure=f"there is no sandbox: {error}", hopeless=True)
    verdicts = judge_notebook(notebook, job.lab, run)
    return Graded(
        job.student,
        nbformat.writes(notebook),
        tuple(verdicts),
        run.seed,
        run.stop,
        run.timed_out,
        time.perf_counter() - started,
    )


def _run_twice_at_most(notebook: nbformat.NotebookNode, job: Job):  # type: ignore[no-untyped-def]
    """A sandbox that does not start is tried once more, from the beginning."""
    arguments = (notebook, job.lab)
    try:
        return run_notebook(*arguments, _isolation(job), job.files, job.limits)
    except SandboxError:
        _close()
        return run_notebook(*arguments, _isolation(job), job.files, job.limits)


_of_this_thread = threading.local()


def _isolation(job: Job) -> Isolation:
    """The isolation of this thread of the worker, kept from one hand-in to the next."""
    name = (job.isolation, job.parent, os.getpid())
    if getattr(_of_this_thread, "name", None) != name:
        _close()
        parent = Path(job.parent) if job.parent else None
        _of_this_thread.isolation = open_isolation(job.isolation, parent)
        _of_this_thread.name = name
        Finalize(_of_this_thread.isolation, _of_this_thread.isolation.close, exitpriority=10)
    return _of_this_thread.isolation


def _close() -> None:
    if getattr(_of_this_thread, "name", None) is not None:
        with contextlib.suppress(Exception):
            _of_this_thread.isolation.close()
        _of_this_thread.name = None
