"""What in a batch of hand-ins a person should look at, told from the text alone.

`of_one` reads one notebook: answers that name the library's own solution, code that changes the
machinery or reaches outside, check cells that are not as they were released. `among` compares
notebooks. Nothing here runs a hand-in, and nothing here gives or takes points: what it finds is
where to look, not what to think of it.
"""

from course_lib.grading.evidence.among import among
from course_lib.grading.evidence.item import Evidence
from course_lib.grading.evidence.one import of_one

__all__ = ["Evidence", "among", "of_one"]
