"""All widgets, in the order of the course: the pages of `course demo`."""

from __future__ import annotations

from collections.abc import Mapping

from course_lib.widgets.explorer import Explorer
from course_lib.widgets.process_explorer import ProcessExplorer

__all__ = ["CATALOGUE"]

CATALOGUE: Mapping[str, type[Explorer]] = {
    "process": ProcessExplorer,
}
