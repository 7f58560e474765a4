"""Our feedback page from `nbgrader generate_feedback` and formgrader's button, by configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbconvert.exporters import Exporter
from nbformat import NotebookNode

from course_lib.grading.answers import comments_of, grade_id
from course_lib.grading.feedback import feedback_page
from course_lib.grading.read_record import read_record

__all__ = ["FeedbackExporter"]


class FeedbackExporter(Exporter):
    """Takes a graded notebook, into which nbgrader has put scores and comments, and its record.

    A notebook without a record, as stock nbgrader leaves it, gets a page without cards.
    """

    file_extension = ".html"

    def from_notebook_node(  # type: ignore[override]
        self, nb: NotebookNode, resources: Any = None, **options: Any
    ) -> tuple[str, Any]:
        nb, resources = super().from_notebook_node(nb, resources, **options)
        about = resources["nbgrader"]
        record = read_record(Path(resources["metadata"]["path"]))
        known = [cell for cell in nb.cells if "nbgrader" in cell.metadata]
        comments = comments_of((grade_id(c), c.metadata.nbgrader.get("comment")) for c in known)
        text = feedback_page(
            about["assignment"],
            about["student"],
            nb,
            record.verdicts if record else (),
            float(about["score"]),
            float(about["max_score"]),
            notes=[record.stopped] if record and record.stopped else [],
            comments=comments,
        )
        return text, resources
