"""Read back what the grader noted of a hand-in. A damaged record is told from a missing one."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from course_lib.checks import Verdict
from course_lib.grading.record import NAME, Record

__all__ = ["Damaged", "load_record", "read_json", "read_record"]

MAX_RECORD = 4 * 2**20


class Damaged(Exception):
    """A file is not what it should be; says why."""


def read_record(folder: Path) -> Record | None:
    """The record in a student's folder; None if there is none, or it is damaged."""
    try:
        return load_record(folder / NAME)
    except Damaged:
        return None


def load_record(path: Path) -> Record:
    """Read a `verdicts.json`. What it does not say is as in a new `Record`.

    Raises:
        Damaged: If it cannot be used.
    """
    data = read_json(path, MAX_RECORD)
    reasons, verdicts = data.get("reasons") or [], data.get("verdicts")
    if not isinstance(reasons, list):
        raise Damaged("its reasons are not a list")
    if not isinstance(verdicts, list):
        raise Damaged("it has no list of verdicts")
    words = {
        name: _words(data.get(name) or "", name)
        for name in ("lab", "student", "stopped", "status", "key")
    }
    return Record(
        **words,
        seed=_whole(data.get("seed"), "seed"),
        timed_out=_whole(data.get("timed_out"), "number of cells"),
        reasons=tuple(_words(reason, "reason") for reason in reasons),
        look=bool(data.get("look")),
        verdicts=tuple(_verdict(verdict) for verdict in verdicts),
    )


def read_json(path: Path, longest: int) -> Mapping[str, Any]:
    """An object from a JSON file of at most `longest` bytes; links are not followed.

    Raises:
        Damaged: If it is not that.
    """
    try:
        if path.is_symlink() or not path.is_file():
            raise Damaged("it is not a file")
        if path.stat().st_size > longest:
            raise Damaged(f"it is larger than {longest // 2**20} MiB")
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Damaged(f"it cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise Damaged("it is not JSON") from None
    if not isinstance(data, dict):
        raise Damaged("it is not a record")
    return data


def _verdict(data: Any) -> Verdict:
    if not isinstance(data, dict):
        raise Damaged("a verdict is not a record")
    points, most = _points(data.get("points")), _points(data.get("max_points"))
    if points > most:
        raise Damaged("a verdict has more points than there are")
    fault = data.get("fault")
    return Verdict(
        check=_words(data.get("check"), "check"),
        title=_words(data.get("title") or "", "title"),
        points=points,
        max_points=most,
        fault=None if fault is None else _words(fault, "fault"),
        message=_words(data.get("message") or "", "message"),
        detail=_words(data.get("detail") or "", "detail"),
        seed=_whole(data.get("seed"), "seed"),
    )


def _points(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Damaged("a verdict has no points")
    if not (math.isfinite(value) and 0 <= value <= 1e6):
        raise Damaged("a verdict has impossible points")
    return float(value)


def _whole(value: Any, what: str) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise Damaged(f"a {what} is not a whole number")
    return value


def _words(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise Damaged(f"a {what} is not text")
    return value
