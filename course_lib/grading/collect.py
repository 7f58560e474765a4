"""Find each student's notebook, and the lab's files beside it, however they were exported.

What is understood: `ada/lab1.ipynb`, `bob/lab1/lab1.ipynb` (nbgrader), `carol.zip`, a zip of all,
`Ada Lovelace_12345_assignsubmission_file_/homework.ipynb` (Moodle), and
`lovelaceada_123_456_lab1.ipynb` (Canvas).
"""

from __future__ import annotations

import filecmp
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import NamedTuple

import nbformat

from course_lib.checks.registry import files_of
from course_lib.grading.answers import check_of
from course_lib.grading.beside import find_beside
from course_lib.grading.names import platform_sender, safe_id
from course_lib.grading.unpack import BadZip, unpack
from course_lib.notebooks.course import Course, CourseError

__all__ = ["EXCHANGE_FILES", "NOTHING", "Collected", "Handin", "collect", "number_of", "store"]

MAX_BYTES = 20 * 2**20
NOTHING = "nothing handed in"
NUMBER = ".number"  # beside a stored notebook; nbgrader passes over hidden files
NAMELESS = ("participant", "anon")  # what platforms call everybody who is graded anonymously
EXCHANGE_FILES = ("timestamp.txt", "submission_secret.txt")  # what its exchange adds to a hand-in


@dataclass(frozen=True)
class Handin:
    """What one student handed in.

    Attributes:
        student: The student's id.
        number: The learning platform's own number of the student, empty if it gave none.
        notebook: Where the notebook lies, None if there is none that can be graded.
        reason: Why there is none.
        left_out: The names of files that are not graded: everything but the notebook and the
            files that the lab declares.
        rivals: Those of them that may be the lab's notebook too: other notebooks, except copies
            of the one that is graded and other labs' own.
        name: What the student called the notebook.
        files: Where the files lie that the lab declares, by their declared names; see `files_of`.
        notes: What a person may want to know of these files, a sentence each.
        doubts: What somebody should look at: too large a file, several where one was expected.
    """

    student: str
    notebook: Path | None = None
    reason: str = ""
    left_out: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()
    name: str = ""
    files: Mapping[str, Path] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    number: str = ""


class Collected(NamedTuple):
    """What a folder of hand-ins holds.

    Attributes:
        handins: One a student.
        refused: What somebody should look at: unsafe members of a zip, a notebook of nobody.
        passed_over: The names of other files that belong to no student.
    """

    handins: list[Handin]
    refused: list[str]
    passed_over: list[str]


@dataclass
class _Folder:
    """A student's files before one of them is chosen; names are relative to the hand-in.

    `origin` is what the folder or file was called where it was found.
    """

    origin: str
    name: str
    number: str = ""
    files: dict[str, Path] = field(default_factory=dict)
    reason: str = ""


def collect(
    place: Path,
    lab: str,
    scratch: Path,
    labs: Iterable[str] = (),
    number_before: Callable[[str], str] = lambda student: "",
) -> Collected:
    """Find the hand-ins for a lab.

    Args:
        place: A folder with one sub-folder (or file, or zip) a student, or a zip of that.
        lab: The lab's name; `<lab>.ipynb` is preferred among a student's notebooks.
        scratch: An empty folder, in which zips are unpacked.
        labs: The names of all labs: a student's sub-folder named after another one is not read.
        number_before: Gives the platform's number of whoever was graded under an id before, empty
            if nobody was: a namesake in a later export does not take that id.

    Raises:
        CourseError: If the place does not exist, cannot be read or holds no hand-ins.
    """
    search = _Search(lab, scratch, set(labs) - {lab})
    try:
        found = list(search.place(place))
        handins = [search.choose(folder) for folder in _one_a_student(found, number_before)]
    except BadZip as error:
        raise CourseError(f"{place} cannot be unpacked: {error}.") from None
    except OSError as error:
        raise CourseError(f"{place} cannot be read: {error.strerror}.") from None
    if not handins:
        refused = f" {search.refused[0]}." if search.refused else ""
        raise CourseError(
            f"{place} holds no hand-ins: one sub-folder for each student was expected.{refused}"
        )
    return Collected(handins, search.refused, search.passed_over)


def store(course: Course, lab: str, handin: Handin) -> Path:
    """Copy a hand-in to `submitted/<student>/<lab>/`; returns the path of `<lab>.ipynb` there.

    The notebook is copied, the files that the lab declares are, and nothing else; the platform's
    number of the student is noted beside them.
    """
    assert handin.notebook is not None
    folder = course.root / "submitted" / handin.student / lab
    target = folder / f"{lab}.ipynb"
    sources = {target.name: handin.notebook, **handin.files}
    if not (target.exists() and target.samefile(handin.notebook)):
        if any(path.resolve().is_relative_to(folder.resolve()) for path in sources.values()):
            raise CourseError(f"in the course's own submitted/ a notebook is called {lab}.ipynb")
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        if handin.number:
            (folder / NUMBER).write_text(handin.number, encoding="utf-8")
    for name, path in sources.items():
        if not os.path.lexists(folder / name):  # in submitted/ itself, where it may lie already
            shutil.copyfile(path, folder / name)
    return target


def number_of(course: Course, lab: str, student: str) -> str:
    """The platform's number of the stored hand-in of a student, empty if there is none."""
    try:
        return (course.root / "submitted" / student / lab / NUMBER).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


class _Search:
    def __init__(self, lab: str, scratch: Path, other_labs: set[str]):
        self.lab, self.scratch, self.other_labs = lab, scratch, other_labs
        self.declared = files_of(lab)
        self.refused: list[str] = []
        self.passed_over: list[str] = []
        self._unpacked = 0

    def place(self, place: Path) -> Iterator[_Folder]:
        if not place.exists():
            raise CourseError(f"{place} does not exist.")
        if place.is_dir():
            yield from self.folder(place)
        elif place.suffix.lower() == ".zip":
            yield from self.archive(place)
        else:
            raise CourseError(f"{place} is neither a folder nor a .zip.")

    def folder(self, folder: Path) -> Iterator[_Folder]:
        """Each entry of an export is a student: a folder, a file or a zip."""
        for entry in sorted(folder.iterdir()):
            if _is_hidden(entry.name):
                continue
            if entry.is_symlink():
                self.refused.append(f"{entry.name} is a link, and was not followed")
                continue
            sender = platform_sender(entry.name)
            if entry.is_dir():
                name, number = sender[:2] if sender else (entry.name, "")
                yield _Folder(entry.name, name, number, self.files(entry))
            elif sender:
                yield _Folder(entry.name, sender.name, sender.number, {sender.file: entry})
            elif entry.suffix.lower() == ".zip":
                try:
                    yield from self.inner_archive(entry)
                except BadZip as error:
                    reason = f"a zip that cannot be unpacked: {error}"
                    yield _Folder(entry.name, entry.stem, reason=reason)
            elif entry.suffix.lower() == ".ipynb" and entry.stem != self.lab:
                yield _Folder(entry.name, entry.stem, "", {entry.name: entry})
            elif entry.suffix.lower() == ".ipynb":
                self.refused.append(f"{entry.name} lies in no student's folder")
            else:
                self.passed_over.append(entry.name)

    def inner_archive(self, archive: Path) -> Iterator[_Folder]:
        """A zip among the hand-ins is one student's, unless a platform named all that it holds."""
        root = self.unpack(archive)
        inside = _visible(root)
        if len(inside) > 1 and all(platform_sender(path.name) for path in inside):
            yield from self.folder(root)
            return
        labs = {self.lab, *self.other_labs}
        if len(inside) == 1 and inside[0].is_dir() and inside[0].name not in labs:
            root = inside[0]
        yield _Folder(archive.name, archive.stem, "", self.files(root))

    def archive(self, archive: Path) -> Iterator[_Folder]:
        """A zip in place of the folder is an export of several students, or one student's own."""
        root = self.unpack(archive)
        inside = _visible(root)
        wrappers = (archive.stem, "submitted", "submissions")
        if len(inside) == 1 and inside[0].is_dir() and inside[0].name in wrappers:
            root = inside[0]
            inside = _visible(root)
        notebooks = [p for p in inside if p.suffix == ".ipynb" and not platform_sender(p.name)]
        folders = [p for p in inside if p.is_dir()]
        own = not any(platform_sender(p.name) for p in inside) and (
            any(p.stem == self.lab for p in notebooks)
            or (len(notebooks) == 1 and not folders)
            or [p.name for p in folders] == [self.lab]
        )
        if own:
            yield _Folder(archive.name, archive.stem, "", self.files(root))
        else:
            yield from self.folder(root)

    def unpack(self, archive: Path) -> Path:
        self._unpacked += 1
        target = self.scratch / str(self._unpacked)
        self.refused += unpack(archive, target)
        return target

    def files(self, folder: Path) -> dict[str, Path]:
        """All files below a folder; links are not followed."""
        found = {}
        for root, folders, names in os.walk(folder):
            folders[:] = sorted(name for name in folders if not _is_hidden(name))
            if Path(root) == folder:
                folders[:] = [name for name in folders if name not in self.other_labs]
            for name in sorted(names):
                path = Path(root, name)
                if not _is_hidden(name) and not path.is_symlink() and path.is_file():
                    found[path.relative_to(folder).as_posix()] = path
        return found

    def choose(self, folder: _Folder) -> Handin:
        """The notebook among a student's files, or why there is none."""
        handin = Handin(folder.name, None, folder.reason, number=folder.number)
        if folder.reason:
            return handin
        files = folder.files
        archives = [name for name in files if name.lower().endswith(".zip")]
        if not _notebooks(files) and len(archives) == 1:
            try:
                files = self.files(self.unpack(files[archives[0]]))
            except BadZip as error:
                return replace(handin, reason=f"{archives[0]} cannot be unpacked: {error}")
        if not files:
            return replace(handin, reason=NOTHING)
        candidates = _best(_notebooks(files), self.lab)
        if not candidates:
            return replace(handin, reason=f"no notebook among the files: {_some(files)}")
        if len({files[name].read_bytes() for name in candidates}) > 1:
            count = len(candidates)
            return replace(
                handin, reason=f"{count} notebooks where one was expected: {_some(candidates)}"
            )
        chosen = files[candidates[0]]
        beside = find_beside(files, candidates[0], self.declared)
        own = (candidates[0], *beside.known)
        left_out = tuple(
            n for n in files if n not in own and PurePath(n).name not in EXCHANGE_FILES
        )
        reason = _objection(chosen, self.lab, self.other_labs)
        rivals = tuple(
            name
            for name in _notebooks({name: files[name] for name in left_out})
            if PurePath(name).stem not in self.other_labs
            and not filecmp.cmp(files[name], chosen, shallow=False)
        )
        notebook = None if reason else chosen
        return Handin(
            folder.name,
            notebook,
            reason,
            left_out,
            rivals,
            candidates[0],
            beside.files,
            tuple(beside.notes),
            tuple(beside.doubts),
            folder.number,
        )


def _one_a_student(found: list[_Folder], number_before: Callable[[str], str]) -> list[_Folder]:
    """Join a student's files, tell namesakes apart, and name each by a safe id.

    Whoever had an id in an earlier run keeps it; whoever is anonymous has the number in it.
    """
    senders: dict[tuple[str, str], _Folder] = {}
    for folder in found:
        key = (safe_id(folder.name), folder.number)
        if folder.number and key in senders:  # a platform exports each file by itself
            senders[key].files.update(folder.files)
        elif key in senders:
            senders[key] = _clash(senders[key], folder, key[0])
        else:
            senders[key] = folder
    by_name: dict[str, list[tuple[str, _Folder]]] = {}
    for (name, _), folder in senders.items():
        by_name.setdefault(name.casefold(), []).append((name, folder))
    result: dict[str, _Folder] = {}
    for namesakes in by_name.values():
        for name, folder in namesakes:
            student, before = name, number_before(name)
            doubtful = before or len(namesakes) > 1 or name.casefold() in NAMELESS
            if folder.number and folder.number != before and doubtful:
                student = f"{name}_{folder.number}"
            known = next((k for k in result if k.casefold() == student.casefold()), None)
            if known is not None:
                student, folder = known, _clash(result[known], folder, known)
            result[student] = replace(folder, name=student)
    return [result[student] for student in sorted(result)]


def _clash(one: _Folder, other: _Folder, student: str) -> _Folder:
    origin = f"{one.origin}, {other.origin}"
    return replace(
        one, origin=origin, reason=f"two hand-ins under one name, {student}: {origin}", files={}
    )


def _visible(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not _is_hidden(path.name)]


def _notebooks(files: dict[str, Path]) -> list[str]:
    return [name for name in files if name.lower().endswith(".ipynb")]


def _best(names: list[str], lab: str) -> list[str]:
    """The notebooks in nbgrader's own place, else those of the lab's name, else all."""
    placed = [name for name in names if name == f"{lab}/{lab}.ipynb"]
    named = [name for name in names if PurePath(name).name == f"{lab}.ipynb"]
    return placed or named or names


def _objection(path: Path, lab: str, other_labs: Iterable[str] = ()) -> str:
    """Why a file cannot be graded as the lab's notebook; empty if it can."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        return f"too large: {size / 2**20:.0f} MiB, and at most {MAX_BYTES // 2**20} are read"
    if size == 0:
        return "not a notebook: the file is empty"
    try:
        json.loads(path.read_bytes().decode("utf-8"))
    except (ValueError, RecursionError):
        return "not a notebook: the file is not JSON"
    try:
        notebook = nbformat.read(path, as_version=4)
        cells = notebook.cells
        whole = all(
            isinstance(cell.source, str)
            and isinstance(cell.metadata, dict)
            and isinstance(cell.cell_type, str)
            for cell in cells
        )
    except Exception:  # nbformat lets many kinds through
        return "not a notebook: JSON, but not of Jupyter's form"
    if not cells:
        return "not a notebook: it has no cells"
    if not whole:
        return "not a notebook: its cells are damaged"
    found = {name: _exercises(notebook, name) for name in (lab, *sorted(other_labs))}
    most = max(found, key=lambda name: found[name])  # the lab itself, where it is as good
    if most != lab:
        return f"not {lab}: it is the notebook of {most}"
    return "" if found[lab] else f"not {lab}: none of its exercises is in it"


def _exercises(notebook: nbformat.NotebookNode, lab: str) -> int:
    """How many cells belong to exercises of the lab."""
    from course_lib.checks import checks_of

    try:
        names = set(checks_of(lab))
    except ValueError:  # a lab without checks
        return 0
    count = 0
    for cell in notebook.cells:
        metadata = cell.metadata.get("nbgrader")
        name = metadata.get("grade_id") if isinstance(metadata, dict) else None
        known = isinstance(name, str) and (name in names or check_of(name) in names)
        count += known or f"check({lab}." in cell.source
    return count


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
