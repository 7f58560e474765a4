"""Which faults are misconceptions about the exercise, and which are about programming at large."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from course_lib.checks import Check, Choice, Verdict

__all__ = ["COMMON", "PARTLY", "UNKNOWN", "common_name", "is_misconception", "sentence_of"]

PARTLY = "partly-right"
UNKNOWN = "unknown"
COMMON = {  # what any exercise may say, in an instructor's words
    "not-written": "nothing was written",
    "no-outcome": "the check did not run to its end",
    "wrong": "wrong, and no named mistake gives this answer",
    PARTLY: "some of the points, without a named fault",
    "exception": "the code raised an error",
    "hang": "the call did not finish",
    "arguments": "the function takes other arguments",
    "not-a-function": "no function was handed over",
    "nothing": "the function returned nothing",
    "type": "another type was expected",
    "keys": "a dict with other keys",
    "length": "more or fewer results",
    "shape": "another shape",
    "dtype": "another dtype",
    "device": "on another device",
    "not-finite": "NaN or infinite numbers",
    "too-few": "too few points to judge by",
    "no-such-option": "none of the options",
    "ignores": "the result does not depend on an argument that matters",
    "no-gradient": "no gradient flows back",
    "not-repeatable": "two calls with the same inputs differ",
    "second-call": "a second call failed",
    "changed-in-place": "an argument was changed in place",
    "forwards": "the library's own function was called",
    "several-outcomes": "more than one answer was handed over",
    "malformed-outcome": "what was handed over cannot be read",
    "other-check": "the answer to another check was handed over",
    "not-judged": "the check could not judge the answer",
    UNKNOWN: "a name that no check gives",
}


def is_misconception(check: Check, fault: str) -> bool:
    """Whether a fault is one that this exercise names: a mistake, a choice, its own judgement."""
    if fault in _sentences(check):
        return True
    if isinstance(check, Choice) or common_name(fault) != UNKNOWN:
        return False
    return type(check).judge is not Check.judge


def common_name(fault: str) -> str:
    """The name under which a fault is counted that is no misconception, one of `COMMON`."""
    fault = "ignores" if fault.startswith("ignores-") else fault
    return fault if fault in COMMON else UNKNOWN


def sentence_of(check: Check, fault: str, verdicts: Iterable[Verdict]) -> str:
    """What students with a fault read: the check's own words, else those most of them saw."""
    known = _sentences(check)
    if fault in known:
        return known[fault]
    return Counter(verdict.message for verdict in verdicts).most_common(1)[0][0]


def _sentences(check: Check) -> dict[str, str]:
    if isinstance(check, Choice):
        return {f"chose-{letter}": reply for letter, reply in check.replies.items()}
    return {mistake.name: mistake.sentence for mistake in check.mistakes}
