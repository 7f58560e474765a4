"""Where a course lies on disk: the folder that holds `nbgrader_config.py` and `solutions/`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Course", "CourseError", "find_course"]


class CourseError(Exception):
    """Something that a person can mend, in one sentence."""


@dataclass(frozen=True)
class Course:
    """A course folder.

    Attributes:
        root: The folder itself.
    """

    root: Path

    @property
    def solutions(self) -> Path:
        """What instructors edit."""
        return self.root / "solutions"

    @property
    def labs(self) -> Path:
        """What students open."""
        return self.root / "labs"

    @property
    def config_file(self) -> Path:
        """nbgrader's configuration."""
        return self.root / "nbgrader_config.py"


def find_course(start: Path | None = None) -> Course:
    """The course that holds a folder: the nearest one upwards with an `nbgrader_config.py`.

    Args:
        start: Where to begin; the default is the current folder, then the place from which
            `course_lib` was installed.

    Raises:
        CourseError: If there is none.
    """
    begin = (start or Path.cwd()).resolve()
    places = [begin, *begin.parents]
    if start is None:
        places.append(Path(__file__).resolve().parents[2])
    for place in places:
        if (place / "nbgrader_config.py").is_file() and (place / "solutions").is_dir():
            return Course(place)
    raise CourseError(
        f"No course in {begin} or above it: a course has nbgrader_config.py and solutions/."
    )
