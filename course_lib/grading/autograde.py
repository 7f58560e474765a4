"""nbgrader's autograde for one hand-in, with its execution and its scoring exchanged for ours."""

from __future__ import annotations

import json
import shutil
from logging import Logger
from pathlib import Path
from typing import Any

from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import Execute
from traitlets import List
from traitlets.config import Config

from course_lib.checks import Verdict
from course_lib.checks.registry import files_of
from course_lib.grading.execute import ExecuteHandin, Run
from course_lib.grading.judge import JudgeHandin
from course_lib.grading.restore import RestoreChecks

__all__ = ["AutogradeHandin", "Feedback", "autograde", "feedback"]


def _exchanged(preprocessors: list[type]) -> list[type]:
    ours: list[type] = []
    for preprocessor in preprocessors:
        ours += [ExecuteHandin, JudgeHandin] if preprocessor is Execute else [preprocessor]
    return ours


class _OneNotebook:
    """One student, one notebook; an exception goes to the caller instead of into a log."""

    coursedir: CourseDirectory
    assignments: dict[str, list[str]]
    notebooks: list[str]

    def init_notebooks(self: Any) -> None:
        lab, student = self.coursedir.assignment_id, self.coursedir.student_id
        folder = self._format_source(lab, student)
        self.assignments = {folder: [str(Path(folder, f"{lab}.ipynb"))]}

    def convert_notebooks(self: Any) -> None:
        lab, student = self.coursedir.assignment_id, self.coursedir.student_id
        (self.notebooks,) = self.assignments.values()
        self.init_destination(lab, student)
        self.run_pre_convert_hook()
        self.init_assignment(lab, student)
        for notebook in self.notebooks:
            self.convert_single_notebook(notebook)
        self.set_permissions(lab, student)
        self.run_post_convert_hook()


class AutogradeHandin(_OneNotebook, Autograde):
    """nbgrader's Autograde with `execute` and `judge` in place of its Execute.

    Attributes:
        run: How the notebook ran, after `start`.
        verdicts: What was said of each check, in the notebook's order.
    """

    sanitize_preprocessors = List(
        [RestoreChecks, *Autograde.sanitize_preprocessors.default_args[0]]
    ).tag(config=True)
    autograde_preprocessors = List(
        _exchanged(Autograde.autograde_preprocessors.default_args[0])
    ).tag(config=True)

    run: Run
    verdicts: list[Verdict]

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Beside the notebook lie the student's files that the lab declares, and the lab's own.

        Whatever else a hand-in brings is left behind. nbgrader would put the solution's file over
        a student's of that name, or in the place of one that is missing.
        """
        super().init_assignment(assignment_id, student_id)
        declared = files_of(assignment_id)
        submitted = Path(self._format_source(assignment_id, student_id))
        ours = Path(self.coursedir.format_path(self.coursedir.source_directory, ".", assignment_id))
        destination = Path(self._format_dest(assignment_id, student_id))
        for path in list(destination.rglob("*")):
            relative = path.relative_to(destination)
            if path.is_file() and (str(relative) in declared or not (ours / relative).exists()):
                path.unlink()
        for name, limit in declared.items():
            theirs = submitted / name
            regular = theirs.is_file() and not theirs.is_symlink()
            if regular and theirs.stat().st_size <= limit:
                destination.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(theirs, destination / name)

    def write_single_notebook(self, output: str, resources: Any) -> None:
        super().write_single_notebook(output, resources)
        if "verdicts" not in resources:  # sanitized, not yet executed
            return
        self.run, self.verdicts = resources["run"], resources["verdicts"]
        record = {
            "lab": self.coursedir.assignment_id,
            "student": self.coursedir.student_id,
            "seed": self.run.seed,
            "stopped": self.run.stop,
            "verdicts": [verdict.to_json() for verdict in self.verdicts],
        }
        text = json.dumps(record, indent=1, ensure_ascii=False)
        Path(self.writer.build_directory, "verdicts.json").write_text(text, encoding="utf-8")


class Feedback(_OneNotebook, GenerateFeedback):
    """nbgrader's GenerateFeedback: the page alone, without what the hand-in wrote beside it."""

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        pass


def autograde(config: Config, lab: str, student: str, log: Logger) -> AutogradeHandin:
    """Grade `submitted/<student>/<lab>/<lab>.ipynb` into the gradebook.

    Raises:
        Exception: Whatever goes wrong, with the gradebook as far as it came.
    """
    directory = CourseDirectory(config=config, assignment_id=lab, student_id=student, log=log)
    converter = AutogradeHandin(coursedir=directory, config=config, force=True, log=log)
    converter.start()
    return converter


def feedback(config: Config, lab: str, student: str, log: Logger) -> Path:
    """Write `feedback/<student>/<lab>/<lab>.html` and return its path."""
    directory = CourseDirectory(config=config, assignment_id=lab, student_id=student, log=log)
    Feedback(coursedir=directory, config=config, force=True, log=log).start()
    folder = directory.format_path(directory.feedback_directory, student, lab)
    return Path(folder, f"{lab}.html")
