"""`course build`: make `labs/` from `solutions/`, through nbgrader's own generate_assignment."""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import SaveCells
from traitlets.config import Config, PyFileConfigLoader

from course_lib.checks.registry import files_of
from course_lib.notebooks.annotate import annotate
from course_lib.notebooks.course import Course, CourseError
from course_lib.notebooks.pairs import digest, read_notebook, read_pair, write_notebook
from course_lib.notebooks.release import holds_work

__all__ = ["Built", "build", "generate", "labs_in", "load_config"]


def labs_in(course: Course) -> list[str]:
    """The labs that a course has, in order: the folders of `solutions/` that hold a notebook."""
    names = [p.name for p in course.solutions.iterdir() if p.is_dir()]
    labs = [n for n in names if any((course.solutions / n).glob(f"{n}.[pi][yp]*"))]
    return sorted(labs, key=lambda name: (len(name), name))


@dataclass
class Built:
    """What `build` found and did, as files relative to the course.

    Attributes:
        stale: Out of date (and now written, unless only checked).
        kept: Out of date and left alone, because someone has worked in them.
    """

    stale: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def build(
    course: Course, labs: Iterable[str] | None = None, check: bool = False, force: bool = False
) -> Built:
    """Bring the pairs in `solutions/` into step and make `labs/` anew.

    A released notebook in which someone has worked is never overwritten; with `force` it is
    moved aside.

    Args:
        course: Where it lies.
        labs: Which labs; the default is all.
        check: Change nothing, only find out.
        force: Make notebooks anew even if someone has worked in them.

    Raises:
        CourseError: If a lab does not exist, cannot be read, is not well formed, or a file
            cannot be written.
    """
    known = labs_in(course)
    wanted = list(labs or known)
    for lab in wanted:
        if lab not in known:
            raise CourseError(f"There is no lab {lab!r}. There are: {', '.join(known)}.")
    built = Built()
    with tempfile.TemporaryDirectory() as scratch:
        copy = Course(Path(scratch))
        shutil.copy(course.config_file, copy.config_file)
        for lab in wanted:
            for path in _make(course, copy, lab):
                made, target = copy.root / path, course.root / path
                if target.exists() and _same(made, target):
                    continue
                if course.labs in target.parents and _worked_in(target):
                    if not force:
                        built.kept.append(path.as_posix())
                        continue
                    if not check:
                        _move_aside(target)
                built.stale.append(path.as_posix())
                if not check:
                    _write(made, target)
    return built


def _make(course: Course, copy: Course, lab: str) -> list[Path]:
    """Make one lab's files under `copy`; returns their paths relative to a course."""
    source = course.solutions / lab
    folder = copy.solutions / lab
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    notebook = read_pair(folder)
    annotate(notebook, lab)
    notebook.metadata["course"] = {"pair": digest(notebook)}
    write_notebook(notebook, folder / f"{lab}.ipynb")
    generate(copy, lab)
    released = [
        p.relative_to(copy.root) for p in sorted((copy.labs / lab).rglob("*")) if p.is_file()
    ]
    pair = [Path("solutions", lab, f"{lab}{ending}") for ending in (".py", ".ipynb")]
    return pair + released


def _same(made: Path, there: Path) -> bool:
    return made.read_bytes().replace(b"\r\n", b"\n") == there.read_bytes().replace(b"\r\n", b"\n")


def _worked_in(target: Path) -> bool:
    if not target.exists() or target.suffix != ".ipynb":
        return False
    try:
        return holds_work(read_notebook(target))
    except CourseError:
        return True


def _move_aside(target: Path) -> None:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    target.rename(target.with_name(f"{target.stem}-kept-{stamp}{target.suffix}"))


def _write(made: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made, target)
    except OSError as error:
        raise CourseError(f"{target} cannot be written: {error.strerror}.") from None


def load_config(course: Course) -> Config:
    """The course's `nbgrader_config.py`, with its root set to where the course lies."""
    config = PyFileConfigLoader(course.config_file.name, path=str(course.root)).load_config()
    config.CourseDirectory.root = str(course.root)
    return config


def generate(course: Course, lab: str) -> None:
    """Run nbgrader's generate_assignment for the released notebook; no gradebook is touched.

    Files of the kind that students hand in beside the notebook are not released.

    Raises:
        CourseError: If nbgrader refuses.
    """
    config = load_config(course)
    handed_in = [f"*{Path(name).suffix}" for name in files_of(lab)]
    config.CourseDirectory.ignore = [*config.CourseDirectory.ignore, *handed_in]
    log = logging.getLogger("course.nbgrader")
    log.setLevel(logging.ERROR)
    directory = CourseDirectory(config=config, assignment_id=lab, log=log)
    converter = GenerateAssignment(
        coursedir=directory, config=config, force=True, no_database=True, log=log
    )
    converter.preprocessors = [p for p in converter.preprocessors if p is not SaveCells]
    try:
        converter.start()
    except Exception as error:
        raise CourseError(f"nbgrader could not make {lab}: {error}") from error
