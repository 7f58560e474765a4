"""What the grader noted of one hand-in, read back; a damaged record says so instead of failing."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course_lib.checks import Verdict
from course_lib.grading.answers import answer_cells, source_of

__all__ = ["Record", "read_answers", "read_record"]

MAX_RECORD = 4 * 2**20
MAX_NOTEBOOK = 64 * 2**20


@dataclass(frozen=True)
class Record:
    """`verdicts.json` of one hand-in.

    Attributes:
        status: As in the table of scores; empty if the record does not say.
        reasons: What a person should know, a sentence each.
        look: Whether somebody should look at the hand-in; None if the record does not say.
        stopped: Why the run ended early, empty if it did not.
        verdicts: What was said, by the name of the check.
        damaged: Why the record cannot be used, empty if it can.
    """

    status: str = ""
    reasons: tuple[str, ...] = ()
    look: bool | None = None
    stopped: str = ""
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    damaged: str = ""


class _Damaged(Exception):
    """A file is not what it should be; says why."""


def read_record(path: Path) -> Record:
    """Read a `verdicts.json`; never fails."""
    try:
        data = _read(path, MAX_RECORD)
        reasons = data.get("reasons") or []
        if not isinstance(reasons, list):
            raise _Damaged("its reasons are not a list")
        verdicts = data.get("verdicts")
        if not isinstance(verdicts, list):
            raise _Damaged("it has no list of verdicts")
        found = [_verdict(verdict) for verdict in verdicts]
        look = data.get("look")
        return Record(
            status=_words(data.get("status") or "", "status"),
            reasons=tuple(_words(reason, "reason") for reason in reasons),
            look=None if look is None else bool(look),
            stopped=_words(data.get("stopped") or "", "stop"),
            verdicts={verdict.check: verdict for verdict in found},
        )
    except _Damaged as error:
        return Record(damaged=str(error))


def read_answers(path: Path) -> dict[str, str]:
    """The code of each answer, by the name of its check; empty if the notebook cannot be read."""
    try:
        cells = _read(path, MAX_NOTEBOOK).get("cells")
    except _Damaged:
        return {}
    found = answer_cells(cells if isinstance(cells, list) else [])
    return {check: "\n\n".join(map(source_of, cells)) for check, cells in found.items()}


def _read(path: Path, longest: int) -> Mapping[str, Any]:
    try:
        if path.is_symlink() or not path.is_file():
            raise _Damaged("it is not a file")
        if path.stat().st_size > longest:
            raise _Damaged(f"it is larger than {longest // 2**20} MiB")
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _Damaged(f"it cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise _Damaged("it is not JSON") from None
    if not isinstance(data, dict):
        raise _Damaged("it is not a record")
    return data


def _verdict(data: Any) -> Verdict:
    if not isinstance(data, dict):
        raise _Damaged("a verdict is not a record")
    points, most = _points(data.get("points")), _points(data.get("max_points"))
    if points > most:
        raise _Damaged("a verdict has more points than there are")
    fault = data.get("fault")
    return Verdict(
        check=_words(data.get("check"), "check"),
        title=_words(data.get("title") or "", "title"),
        points=points,
        max_points=most,
        fault=None if fault is None else _words(fault, "fault"),
        message=_words(data.get("message") or "", "message"),
        detail=_words(data.get("detail") or "", "detail"),
    )


def _points(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Damaged("a verdict has no points")
    if not (math.isfinite(value) and 0 <= value <= 1e6):
        raise _Damaged("a verdict has impossible points")
    return float(value)


def _words(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise _Damaged(f"a {what} is not text")
    return value
