"""What is kept of a graded hand-in beside its notebook: `autograded/<student>/<lab>/verdicts.json`.

It is written last of all. A second run believes it only if its key fits the hand-in and its points
are those in the gradebook, so an interrupted run is finished and never half believed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO

import course_lib
from course_lib.checks import Verdict

__all__ = [
    "NAME", "Record", "atomically", "forget_record", "key_of", "library_digest", "write_record",
]  # fmt: skip

NAME = "verdicts.json"


@dataclass(frozen=True)
class Record:
    """How a hand-in was graded.

    Attributes:
        lab: The lab's name.
        student: The student's id.
        seed: The seed of its inputs.
        stopped: Why the run ended early, in words; empty if it did not.
        timed_out: How many cells were stopped because they took too long.
        status: See `scores.Row`.
        reasons: What a person should know, a sentence each.
        look: Whether somebody should look at it.
        key: Stands for the hand-in and for all that it was graded with; see `key_of`.
        verdicts: What was said of each check.
    """

    lab: str
    student: str
    seed: int = 0
    stopped: str = ""
    timed_out: int = 0
    status: str = ""
    reasons: tuple[str, ...] = ()
    look: bool = False
    key: str = ""
    verdicts: tuple[Verdict, ...] = field(default=())

    @property
    def points(self) -> dict[str, float]:
        """The points of each check."""
        return {verdict.check: verdict.points for verdict in self.verdicts}


def write_record(folder: Path, record: Record) -> None:
    """Write a record into the student's folder; the file is the old one or the whole new one."""
    data = {**record.__dict__, "verdicts": [verdict.to_json() for verdict in record.verdicts]}
    with atomically(folder / NAME) as file:
        json.dump(data, file, indent=1, ensure_ascii=False)


def forget_record(folder: Path) -> None:
    """Remove the record, so that no later run takes the grade for finished."""
    (folder / NAME).unlink(missing_ok=True)


def key_of(notebook: bytes, files: Mapping[str, bytes], source: bytes, settings: str) -> str:
    """A digest of a hand-in and of everything that its verdicts depend on, but for the seed.

    Args:
        notebook: The notebook as it was handed in.
        files: What lies beside it, by name.
        source: The lab's source notebook.
        settings: Limits and isolation, in words.
    """
    digest = hashlib.sha256()
    parts = [notebook, source, settings.encode(), library_digest().encode()]
    parts += [part for name in sorted(files) for part in (name.encode(), files[name])]
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:32]


@cache
def library_digest() -> str:
    """A digest of the library's code."""
    digest = hashlib.sha256()
    for path in sorted(Path(course_lib.__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


@contextlib.contextmanager
def atomically(path: Path) -> Iterator[IO[str]]:
    """A text file to write: it takes the place of `path` when all of it is on the disk."""
    name = path.with_name(f".{path.name}.part")  # always the same: what a kill leaves is replaced
    try:
        with name.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        name.unlink(missing_ok=True)
        raise
