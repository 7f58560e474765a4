"""How a run grades: what `course grade` is told."""

from __future__ import annotations

from dataclasses import dataclass, field

from course_lib.grading.sandbox import Limits

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """How a run grades.

    Attributes:
        limits: What a hand-in may use.
        isolation: See `open_isolation`.
        workers: How many hand-ins run at a time on this machine.
        scheduler: The address of a dask.distributed cluster to use instead; empty for none.
        again: Whether to grade anew what has not changed since it was graded.
    """

    limits: Limits = field(default_factory=Limits)
    isolation: str = "bubblewrap"
    workers: int = 1
    scheduler: str = ""
    again: bool = False
