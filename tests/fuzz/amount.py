"""How much is tried: COURSE_FUZZ=10 tries ten times as much as usual."""

import os

__all__ = ["times"]


def times(count: int) -> int:
    """The usual count, or more of it."""
    return max(1, round(count * float(os.environ.get("COURSE_FUZZ", "1"))))
