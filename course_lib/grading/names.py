"""Who handed something in: a student's id from the name of a folder or a file."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import NamedTuple

from course_lib.notebooks.course import CourseError

__all__ = ["Sender", "platform_sender", "read_roster", "safe_id"]

# Moodle: "Ada Lovelace_12345_assignsubmission_file_" (a folder) or "…_file_lab1.ipynb" (a file).
# A group's folder may have no number.
MOODLE = re.compile(r"(?P<name>.+?)(?:_(?P<number>\d+))?_assignsubmission_[a-z]+_?(?P<file>.*)")
# Canvas: "lovelaceada_123_456_lab1.ipynb", where 123 is the student; "_LATE" after the name.
# What somebody typed in place of a file has no second number: "lovelaceada_123_text.html".
CANVAS = re.compile(
    r"(?P<name>.+?)(?:_late)?_(?P<number>\d+)_(?:\d+_(?P<file>.+)|(?P<entry>(?:text|link)\.html))",
    re.IGNORECASE,
)
# Canvas, graded anonymously: "anon_Ab1cD_456_lab1.ipynb".
ANONYMOUS = re.compile(
    r"(?:late_)?(?P<name>anon)_(?P<number>[0-9a-z]{5})_\d+_(?P<file>.+)", re.IGNORECASE
)
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
FIRST = re.compile(r'"([^"]*)"|([^,;\t]*)')  # of a roster's columns
HEADERS = {"student", "student_id", "student id", "id", "username", "user", "name", "login"}


class Sender(NamedTuple):
    """A student as a learning platform names them, and the file's own name (may be empty)."""

    name: str
    number: str
    file: str


def platform_sender(name: str) -> Sender | None:
    """Read a name that Moodle or Canvas gave to a folder or file; None if neither did."""
    for pattern in (MOODLE, ANONYMOUS, CANVAS):
        if match := pattern.fullmatch(name):
            parts = match.groupdict()
            file = parts["file"] or parts.get("entry") or ""
            return Sender(parts["name"], parts["number"] or "", file)
    return None


def safe_id(name: str) -> str:
    """A name as an id that every file system and nbgrader take: letters, digits and `_ - . @`."""
    text = re.sub(r"[^\w.@-]+", "_", unicodedata.normalize("NFC", name.strip()))
    text = text[:100].encode()[:200].decode(errors="ignore")  # a folder's name has 255 bytes
    text = text.rstrip("._").lstrip(".-") or "unnamed"
    return f"{text}_" if RESERVED.fullmatch(text) else text


def read_roster(path: Path) -> list[str]:
    """The ids in a roster: one a line, or the first column of a table, with or without a header.

    Columns end at a comma, a semicolon or a tab. Lines that are blank or begin with # are skipped.

    Raises:
        CourseError: If it cannot be read or names nobody.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"The roster {path} cannot be read: {error}.") from None
    fields = (FIRST.match(text) for text in map(str.strip, lines) if not text.startswith("#"))
    first = [name for field in fields if field and (name := (field[1] or field[2] or "").strip())]
    if first and first[0].lower() in HEADERS:
        first = first[1:]
    if not first:
        raise CourseError(f"The roster {path} names nobody.")
    return list(dict.fromkeys(map(safe_id, first)))
