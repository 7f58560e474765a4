"""A CSV as some other program wrote it: read, and written back in the same manner."""

from __future__ import annotations

import codecs
import csv
import io
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from course_lib.notebooks.course import CourseError

__all__ = ["Sheet", "guarded", "read_sheet", "write_sheet"]

MAX_BYTES = 50 * 2**20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass
class Sheet:
    """The rows of a CSV, and how its file writes them.

    Attributes:
        rows: The cells; the first row is the header.
        encoding: Of the text.
        mark: The bytes before the text: a byte order mark, or none.
        delimiter: Between two cells.
        newline: Between two rows.
    """

    rows: list[list[str]]
    encoding: str = "utf-8"
    mark: bytes = b""
    delimiter: str = ","
    newline: str = "\r\n"


def read_sheet(path: Path) -> Sheet:
    """Read a CSV, whatever its encoding and its delimiter.

    Raises:
        CourseError: If it is not a CSV, or cannot be read.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CourseError(f"{path} is too large: at most {MAX_BYTES // 2**20} MiB are read.")
        data = path.read_bytes()
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}.") from None
    if data.startswith(b"PK"):
        raise CourseError(f"{path} is a workbook or a zip; a CSV was expected.")
    mark, encoding = next((m for m in _MARKS if data.startswith(m[0])), (b"", "utf-8"))
    text, encoding = _decoded(path, data[len(mark) :], encoding)
    if "\0" in text:
        raise CourseError(f"{path} is not a CSV: it holds bytes that are no text.")
    first = text.splitlines()[0] if text.strip() else ""
    if not first.strip():
        raise CourseError(f"{path} is empty.")
    delimiter = max(",;\t", key=lambda each: len(next(csv.reader([first], delimiter=each), [])))
    newline = "\r\n" if "\r\n" in text else "\n"
    limit = csv.field_size_limit(MAX_BYTES)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise CourseError(f"{path} is not a CSV: {error}.") from None
    finally:
        csv.field_size_limit(limit)
    return Sheet(rows, encoding, mark, delimiter, newline)


def write_sheet(path: Path, sheet: Sheet) -> None:
    """Write a CSV in its own manner; the file is either the old one or the whole new one.

    Raises:
        CourseError: If it cannot be written, or its encoding lacks a character.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=sheet.delimiter, lineterminator=sheet.newline)
    writer.writerows(sheet.rows)
    name = ""
    try:
        data = sheet.mark + text.getvalue().encode(sheet.encoding)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".csv")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except UnicodeEncodeError as error:
        raise CourseError(f"{path} cannot be written in {sheet.encoding}: {error}.") from None
    except OSError as error:
        raise CourseError(f"{path} cannot be written: {error.strerror}.") from None
    finally:
        if name:
            Path(name).unlink(missing_ok=True)


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _decoded(path: Path, data: bytes, encoding: str) -> tuple[str, str]:
    for each in dict.fromkeys((encoding, "cp1252")):  # what spreadsheets save without asking
        try:
            return data.decode(each), each
        except UnicodeDecodeError:
            continue
    raise CourseError(f"{path} is not a CSV in UTF-8.")
