"""nbgrader's settings: used by `course build`, `course grade`, formgrader and nbgrader itself."""

import os
import sys
from pathlib import Path

from nbgrader import preprocessors as nbgrader

from course_lib.grading.autograde import GradeHandin
from course_lib.grading.restore import RestoreChecks
from course_lib.notebooks.release import Fingerprint, KeepRunning, RemoveAnswers

c = get_config()  # noqa: F821

# nbgrader starts `alembic` by its name, which is beside this Python
scripts, path = str(Path(sys.executable).parent), os.environ["PATH"]
if scripts not in path.split(os.pathsep):
    os.environ["PATH"] = f"{scripts}{os.pathsep}{path}"

c.CourseDirectory.course_id = "flow-matching"
c.CourseDirectory.root = str(Path(__file__).parent.resolve())
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "labs"
c.CourseDirectory.ignore = [
    ".*",
    "__pycache__",
    "*.pyc",
    "*.py",  # the notebooks' text form and right_answers.py
    "verdicts.json",  # the grader's own record: neither taken from hand-ins nor sent to students
]

# What students hand in beside their notebook (FILES of a lab's checks): the solution's own is
# neither put over theirs by `nbgrader autograde` nor released by `nbgrader generate_assignment`.
c.Autograde.exclude_overwriting = {"lab3": ["digits.safetensors"]}
c.GenerateAssignmentApp.CourseDirectory.ignore = [*c.CourseDirectory.ignore, "*.safetensors"]

c.GenerateAssignment.preprocessors = [
    nbgrader.LockCells,
    RemoveAnswers,
    nbgrader.ClearOutput,
    KeepRunning,
    nbgrader.CheckCellMetadata,
    nbgrader.ComputeChecksums,
    nbgrader.SaveCells,
    nbgrader.CheckCellMetadata,
    Fingerprint,
]

# `nbgrader autograde` and formgrader's button grade as `course grade` does: in the sandbox.
c.Autograde.sanitize_preprocessors = [
    RestoreChecks,
    nbgrader.ClearOutput,
    nbgrader.DeduplicateIds,
    nbgrader.OverwriteKernelspec,
    nbgrader.OverwriteCells,
    nbgrader.CheckCellMetadata,
]
c.Autograde.autograde_preprocessors = [
    GradeHandin,
    nbgrader.IgnorePattern,
    nbgrader.LimitOutput,
    nbgrader.SaveAutoGrades,
    nbgrader.AssignLatePenalties,
    nbgrader.CheckCellMetadata,
]
c.RestoreChecks.solutions = str(Path(c.CourseDirectory.root, "solutions"))

# Feedback pages show no answer key and load nothing from another host; where formgrader shows a
# stranger's notebook, its HTML is made harmless.
c.GenerateFeedback.exporter_class = "course_lib.grading.feedback_exporter.FeedbackExporter"
c.HTMLExporter.sanitize_html = True

# A deleted check cell is put back before grading.
c.OverwriteCells.add_missing_cells = True
