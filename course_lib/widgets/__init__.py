"""Widgets: Python computes a scene once, a small canvas engine plays it and scrubs through it.

Each is an `Explorer`. As the last expression of a cell it shows itself; `course demo` shows all.
"""

from course_lib.widgets.catalogue import CATALOGUE
from course_lib.widgets.explorer import Explorer
from course_lib.widgets.process_explorer import ProcessExplorer

__all__ = ["CATALOGUE", "Explorer", "ProcessExplorer"]
