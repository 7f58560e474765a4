"""`course report`: what a class did in a lab, on one page for the instructor.

    records, points  →  students  →  tallies  →  about_points, about_faults, about_students  →  page

What is read was written by strangers, or lies where strangers' files lie: it is checked when it
is read and escaped when it is shown.
"""

from course_lib.grading.report.write import report

__all__ = ["report"]
