"""`course grade`: from a folder of hand-ins to a gradebook, feedback pages and a table of scores.

    collect  →  restore  →  execute  →  judge  →  nbgrader's gradebook  →  feedback, scores

`execute` runs a hand-in and brings home what it computed; `judge`, in the grader's own process,
gives the points. nbgrader keeps the grades, so formgrader and its exporters work as ever.
"""

from course_lib.grading.collect import Handin, collect
from course_lib.grading.grade import grade
from course_lib.grading.scores import Row, write_scores

__all__ = ["Handin", "Row", "collect", "grade", "write_scores"]
