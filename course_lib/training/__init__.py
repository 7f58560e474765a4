"""Training: for now, how long a cell may run."""

from course_lib.training.budget import budget

__all__ = ["budget"]
