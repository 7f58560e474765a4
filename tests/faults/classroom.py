"""Six students in three rounds of grading, and the real results of their hand-ins.

The second round has other versions: better, worse, damaged, gone. The third is the first again.
"""

import logging
import pickle
import shutil
from pathlib import Path
from typing import Any

from handins import LAB, SOLUTIONS, copy_course, handin, insert, put
from rehearsed import heard

from course_lib.grading.collect import collect
from course_lib.grading.options import Options
from course_lib.grading.sandbox.bubblewrap import missing
from course_lib.grading.session import Session
from course_lib.grading.work import grade_one
from course_lib.notebooks.course import Course

__all__ = ["Classroom"]

LAST_CHECK = "predict-order"
WRONG = {
    "euler-step": "def euler_step(velocity, x, t, h):\n    return x + velocity(x, t)",
    "predict-order": 'predict_order = "a"',
}
DAMAGED = "This is my homework."


class Classroom:
    """A course whose lab has three checks.

    Attributes:
        course: The course, before anything was graded.
        rounds: The folders of hand-ins: first, second, and first again.
        results: A file with what `grade_one` made of every hand-in; see `rehearsed`.
    """

    def __init__(self, home: Path):
        self.home, self.place = home, home / "place"
        self.course = copy_course(home / "course", LAST_CHECK)
        self.rounds = [home / "first", home / "second", home / "first"]
        self.results = home / "results.pickle"
        self._hand_in()
        self._grade()

    def copy(self, course: Path) -> Path:
        """A copy of a course, always in the same place."""
        shutil.rmtree(self.place, ignore_errors=True)
        return shutil.copytree(course, self.place)

    def _hand_in(self) -> None:
        first, second, _ = self.rounds
        self._put(first / "ada", SOLUTIONS)
        self._put(second / "ada", WRONG)
        self._put(first / "bob", {"euler-step": SOLUTIONS["euler-step"]})
        self._put(second / "bob", SOLUTIONS)
        self._put(first / "carol", {})
        put(second / "carol", DAMAGED)
        self._put(first / "dan", SOLUTIONS, deadly=True)
        shutil.copytree(first / "dan", second / "dan")
        self._put(first / "eve", {**SOLUTIONS, **WRONG})
        put(second / "eve", None)
        put(first / "fay", DAMAGED)
        self._put(second / "fay", {**SOLUTIONS, "heun-step": WRONG["euler-step"]})

    def _put(self, folder: Path, answers: dict[str, str], deadly: bool = False) -> None:
        notebook = handin(answers, self.course)
        insert(notebook, "euler-step", f"owner = {folder.name!r}")  # no two are alike
        if deadly:
            insert(notebook, "heun-step", "import os; os._exit(1)")
        put(folder, notebook)

    def _grade(self) -> None:
        options = Options(isolation="none" if missing() else "bubblewrap")
        book: Any = None  # preparing needs none
        session = Session(Course(self.course), LAB, self.home, book, options, logging.getLogger())
        results = {}
        for place in dict.fromkeys(self.rounds):
            for found in collect(place, LAB, self.home / "none").handins:
                if found.notebook is not None:
                    job = session.prepare(found).job
                    results.setdefault(heard(job), None)
                    results[heard(job)] = results[heard(job)] or grade_one(job)
        self.results.write_bytes(pickle.dumps(results))
