"""python grade_one_and_measure.py FILE: grade a cell of code, print how large the worker became."""

import json
import resource
import sys
import time
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from course_lib.grading.sandbox import Limits
from course_lib.grading.work import Job, grade_one

if __name__ == "__main__":
    cells = [new_code_cell("import time\nkernel = get_ipython().kernel")]
    cells += [new_code_cell(Path(sys.argv[1]).read_text(encoding="utf-8"))]
    cells += [new_code_cell("import time; time.sleep(2)"), new_code_cell("1")]
    notebook = nbformat.writes(new_notebook(cells=cells))
    limits = Limits(cell=4, notebook=20)
    quiet = nbformat.writes(new_notebook(cells=[new_code_cell("1")]))
    grade_one(Job("lab1", "ada", quiet, {}, limits))
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    graded = grade_one(Job("lab1", "eve", notebook, {}, limits))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    texts = [o.get("text", "") for c in json.loads(graded.notebook)["cells"] for o in c["outputs"]]
    told = {"MiB": (after - before) / 1024, "seconds": time.perf_counter() - started}
    print(json.dumps({**told, "said": "".join(map("".join, texts)), "stop": graded.stop}))
