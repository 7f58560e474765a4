"""Training: `fit` runs the loop, `budget` says how long a cell may run."""

from course_lib.training.budget import budget
from course_lib.training.fit import Fit, History, fit

__all__ = ["Fit", "History", "budget", "fit"]
