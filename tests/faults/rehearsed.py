"""A stand-in for `grade_all` that knows all results beforehand: what is tested is who writes."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import nbformat

from course_lib.grading.work import Graded, Job

__all__ = ["heard", "rehearsed"]


def heard(job: Job) -> tuple[str, ...]:
    """What tells one hand-in from another: the text of its cells."""
    return tuple(cell.source for cell in nbformat.reads(job.notebook, as_version=4).cells)


def rehearsed(
    results: dict[tuple[str, ...], Graded], pause: float, before: Callable[[int], None]
) -> Callable[..., Iterator[Graded]]:
    """Something to put in the place of `grade_all`.

    Args:
        results: What `grade_one` made of each hand-in.
        pause: Seconds that each takes.
        before: Is called before each result, with its number from 0.
    """

    def grade_all(jobs: Iterable[Job], *_: Any) -> Iterator[Graded]:
        for number, job in enumerate(jobs):
            time.sleep(pause)
            before(number)
            yield replace(results[heard(job)], student=job.student)

    return grade_all
