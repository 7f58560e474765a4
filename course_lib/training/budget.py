"""How long a cell runs: in full for a reader, quickly where COURSE_QUICK=1 (tests, the grader)."""

from __future__ import annotations

import os
from typing import TypeVar

__all__ = ["budget"]

T = TypeVar("T")


def budget(full: T, quick: T) -> T:
    """`quick` if the environment variable COURSE_QUICK is 1, true or yes; else `full`.

    >>> n_steps = budget(full=10_000, quick=10)

    Raises:
        ValueError: COURSE_QUICK is set to anything but those, or 0, false, no or nothing.
    """
    setting = os.environ.get("COURSE_QUICK", "").strip().lower()
    if setting in {"1", "true", "yes"}:
        return quick
    if setting in {"", "0", "false", "no"}:
        return full
    raise ValueError(f"COURSE_QUICK is {setting!r}; expected 1, true or yes, or 0, false or no")
