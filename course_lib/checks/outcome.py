"""What one run of a student's code gave: an output, or the fault that prevented it, and notes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from course_lib.checks.plain import NotPlain, decode, encode

__all__ = ["OUTCOME_MIME", "Fault", "Outcome"]

OUTCOME_MIME = "application/vnd.course-lib.outcome+json"


@dataclass(frozen=True)
class Fault:
    """Something that is wrong whatever the exercise: its name, a sentence, and where."""

    name: str
    message: str
    detail: str = ""


@dataclass(frozen=True)
class Outcome:
    """All that a judge needs to know of a run. It crosses from one process to another as JSON.

    Attributes:
        check: The name of the check that ran.
        output: Plain data (see `plain`), None if there was a fault.
        fault: What prevented an output.
        failings: Faults that cost the points even if the output is right.
        hints: Observations that explain a wrong output.
    """

    check: str
    output: Any = None
    fault: Fault | None = None
    failings: tuple[Fault, ...] = ()
    hints: tuple[Fault, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        return {
            "check": self.check,
            "output": encode(self.output),
            "fault": _fault_to_json(self.fault),
            "failings": [_fault_to_json(f) for f in self.failings],
            "hints": [_fault_to_json(f) for f in self.hints],
        }

    @classmethod
    def from_json(cls, data: Any) -> Outcome:
        """Read an outcome that came out of a stranger's kernel.

        Raises:
            NotPlain: If the data is not an outcome.
        """
        try:
            return cls(
                check=_text(data["check"], 100),
                output=decode(data["output"]),
                fault=_fault_from_json(data["fault"]),
                failings=tuple(_some_fault(f) for f in data["failings"][:10]),
                hints=tuple(_some_fault(f) for f in data["hints"][:10]),
            )
        except NotPlain:
            raise
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise NotPlain(f"not an outcome ({type(error).__name__})") from None


def _fault_to_json(fault: Fault | None) -> list[str] | None:
    return None if fault is None else [fault.name, fault.message, fault.detail]


def _fault_from_json(data: Any) -> Fault | None:
    return None if data is None else _some_fault(data)


def _some_fault(data: Any) -> Fault:
    name, message, detail = data
    return Fault(_text(name, 100), _text(message, 2000), _text(detail, 2000))


def _text(data: Any, longest: int) -> str:
    if not isinstance(data, str):
        raise NotPlain(f"a {type(data).__name__} where words should be")
    return data[:longest]
