"""The files that a lab asks for beside its notebook, found among all that a student sent."""

from __future__ import annotations

import filecmp
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from course_lib.grading.names import platform_sender

__all__ = ["Beside", "find_beside"]


@dataclass
class Beside:
    """What was found for the files that a lab declares.

    Attributes:
        files: Where each file lies that is taken, by its declared name.
        known: The hand-in's names of those, and of all that a doubt speaks of.
        notes: What was taken under another name, a sentence each.
        doubts: What somebody should look at: too large a file, several where one was expected.
    """

    files: dict[str, Path] = field(default_factory=dict)
    known: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def find_beside(files: Mapping[str, Path], notebook: str, declared: Mapping[str, int]) -> Beside:
    """Choose a student's file for each that the lab declares.

    The exact name comes first, then one that a browser or a platform has changed
    (`digits (1).safetensors`), then any file of that ending; of several, the only one beside the
    notebook. One that is too large is not taken, and nothing is guessed. Links are never taken.

    Args:
        files: All that the student sent, by path relative to the hand-in, with `/`.
        notebook: The name of the notebook that is graded, one of `files`.
        declared: The largest size in bytes of each file, by name; see `files_of`.

    Returns:
        What was found; a file that is not there is no fault here, the lab's check will say so.
    """
    found = Beside()
    regular = {n: path for n, path in files.items() if path.is_file() and not path.is_symlink()}
    folder = PurePosixPath(notebook).parent
    for name, limit in declared.items():
        candidates = _candidates(list(regular), name, declared)
        near = [c for c in candidates if PurePosixPath(c).parent == folder] or candidates
        if not near:
            continue
        chosen = near[0]
        others = [c for c in candidates if not _same(regular[c], regular[chosen])]
        if any(c in others for c in near):
            found.known += candidates
            found.doubts.append(
                f"{len(candidates)} files may be {name}, so none was taken: {', '.join(candidates)}"
            )
            continue
        found.known.append(chosen)
        size = regular[chosen].stat().st_size
        if size > limit:
            found.doubts.append(
                f"{chosen} was not taken: it has {size:,} bytes, and at most {limit:,} are allowed"
            )
            continue
        found.files[name] = regular[chosen]
        exact = PurePosixPath(chosen).name == name
        if others and not exact:
            found.known += others
            found.doubts.append(f"{chosen} was taken as {name}; also there: {', '.join(others)}")
        elif not exact:
            found.notes.append(f"{chosen} was taken as {name}")
    return found


def _candidates(names: list[str], wanted: str, declared: Mapping[str, int]) -> list[str]:
    exact = [n for n in names if PurePosixPath(n).name == wanted]
    changed = [n for n in names if _is_changed(n, wanted)]
    ending = PurePosixPath(wanted).suffix.lower()
    alike = [
        n
        for n in names
        if PurePosixPath(n).suffix.lower() == ending
        and not any(_is_changed(n, other) for other in declared)
    ]
    return exact or changed or alike


def _is_changed(name: str, wanted: str) -> bool:
    """Whether a name is the wanted one, or what somebody's software makes of it."""
    own = PurePosixPath(name).name
    sender = platform_sender(own)
    own = sender.file if sender and sender.file else own
    stem, ending = re.escape(PurePosixPath(wanted).stem), re.escape(PurePosixPath(wanted).suffix)
    number = r"[ _-]*(?:\(\d+\)|copy ?\d*|\d+)"  # " (1)", "-1", "_2", "-Copy1", " - Copy"
    return bool(re.fullmatch(rf"(?:copy of )?{stem}(?:{number})*{ending}", own, re.IGNORECASE))


def _same(one: Path, other: Path) -> bool:
    return filecmp.cmp(one, other, shallow=False)
