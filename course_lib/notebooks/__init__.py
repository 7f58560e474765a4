"""From what instructors edit (`solutions/`) to what students open (`labs/`).

    solutions/lab1/lab1.py  ⇄  solutions/lab1/lab1.ipynb   →   labs/lab1/lab1.ipynb
        (text, in diffs)         (the same notebook)              (answers taken out)

`pairs` keeps the first two equal, `annotate` writes nbgrader's metadata from the checks,
`release` takes the answers out, `build` does it all.
"""

from course_lib.notebooks.build import build, labs_in
from course_lib.notebooks.course import Course, CourseError, find_course

__all__ = ["Course", "CourseError", "build", "find_course", "labs_in"]
