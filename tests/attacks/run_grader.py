"""python run_grader.py COURSE HANDINS: `course grade` with short limits; prints lines as JSON."""

import json
import sys
import time
from pathlib import Path

from course_lib.grading.grade import grade
from course_lib.grading.options import Options
from course_lib.grading.sandbox import Limits
from course_lib.grading.sandbox.limits import MIB
from course_lib.notebooks.course import Course

LIMITS = Limits(cell=6, notebook=40, memory=1024 * MIB, processes=64, scratch=64 * MIB,
                file_size=16 * MIB)  # fmt: skip

if __name__ == "__main__":
    lines: list[str] = []
    started = time.perf_counter()
    course, handins = Path(sys.argv[1]), Path(sys.argv[2])
    code = grade(Course(course), "lab1", handins, options=Options(LIMITS, workers=2),
                 say=lines.append)  # fmt: skip
    print(json.dumps({"code": code, "lines": lines, "seconds": time.perf_counter() - started}))
