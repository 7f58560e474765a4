"""`course export`: the scores of a lab in the form that a learning platform imports.

With the platform's own export as a template the scores go to the people who are in it, and
everything else stays as it was. Nobody is guessed: whoever is not found, or found twice, is named
and left out.
"""

from course_lib.grading.export.export import PLATFORMS, export

__all__ = ["PLATFORMS", "export"]
