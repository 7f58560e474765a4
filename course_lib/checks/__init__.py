"""Checks: instant feedback in the notebook, the grade in the grader, from the same few formulas.

A lab's module (`course_lib.checks.lab1`) holds its checks. In a notebook:

    from course_lib.checks import check, progress
    from course_lib.checks.lab1 import EulerStep

    check(EulerStep, euler_step)
    progress()
"""

from course_lib.checks.base import Check, Mistake
from course_lib.checks.choice import Choice
from course_lib.checks.execute import execute
from course_lib.checks.judge import Judgement, judge
from course_lib.checks.notebook import CheckFailed, check, progress, show_errors_kindly
from course_lib.checks.outcome import Fault, Outcome
from course_lib.checks.registry import checks_of, find_check, labs_with_checks
from course_lib.checks.verdict import Verdict

__all__ = [
    "Check",
    "CheckFailed",
    "Choice",
    "Fault",
    "Judgement",
    "Mistake",
    "Outcome",
    "Verdict",
    "check",
    "checks_of",
    "execute",
    "find_check",
    "judge",
    "labs_with_checks",
    "progress",
]

show_errors_kindly()
