"""What a class's verdicts add up to: points lost, misconceptions, and other faults."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from course_lib.checks import Check, Verdict
from course_lib.grading.report.faults import PARTLY, common_name, is_misconception, sentence_of
from course_lib.grading.report.students import Entry

__all__ = ["Lost", "Misconception", "Other", "misconceptions", "other_faults", "points_lost"]


@dataclass(frozen=True)
class Lost:
    """How a class did in one exercise.

    Attributes:
        check: The check's name.
        share: Of all the points that could be had, those that were not, from 0 to 1.
        full: How many earned all points.
        part: How many earned some.
        none: How many earned none, those who wrote nothing included.
        blank: How many wrote nothing.
    """

    check: str
    share: float
    full: int
    part: int
    none: int
    blank: int


@dataclass(frozen=True)
class Misconception:
    """A fault that an exercise names, and who has it.

    Attributes:
        check: The check's name.
        fault: The fault's name.
        sentence: What the students read.
        students: Their ids, in order; not to be shown beside the fault.
        judged: How many answers of this exercise were judged.
    """

    check: str
    fault: str
    sentence: str
    students: tuple[str, ...]
    judged: int


@dataclass(frozen=True)
class Other:
    """A fault that any exercise may have: its name, and how often it came in which exercise."""

    fault: str
    checks: Mapping[str, int]

    @property
    def count(self) -> int:
        """How often it came in all exercises together."""
        return sum(self.checks.values())


def points_lost(entries: Sequence[Entry], points: Mapping[str, float]) -> list[Lost]:
    """Each exercise that somebody has a score in, the most costly first.

    Args:
        entries: The class.
        points: What each check is worth, by name.
    """
    found = []
    for check, worth in points.items():
        scored = [entry for entry in entries if check in entry.earned]
        if not scored:
            continue
        earned = [entry.earned[check] for entry in scored]
        full = sum(value >= worth for value in earned)
        none = sum(value <= 0 < worth for value in earned)
        blank = sum(_fault(entry.verdicts.get(check)) == "not-written" for entry in scored)
        missed = sum(max(worth - value, 0) for value in earned)
        share = missed / (worth * len(earned)) if worth else 0.0
        found.append(Lost(check, share, full, len(earned) - full - none, none, blank))
    return sorted(found, key=lambda lost: -lost.share)


def misconceptions(entries: Sequence[Entry], checks: Mapping[str, Check]) -> list[Misconception]:
    """By exercise in the lab's order, and within one by how many have it."""
    found = []
    for name, check in checks.items():
        by_fault = _by_fault(entries, name)
        judged = sum(name in entry.verdicts for entry in entries)
        ours = [
            Misconception(
                name,
                fault,
                sentence_of(check, fault, [entry.verdicts[name] for entry in having]),
                tuple(entry.student for entry in having),
                judged,
            )
            for fault, having in by_fault.items()
            if is_misconception(check, fault)
        ]
        found += sorted(ours, key=lambda one: (-len(one.students), one.fault))
    return found


def other_faults(entries: Sequence[Entry], checks: Mapping[str, Check]) -> list[Other]:
    """The most frequent first."""
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for name, check in checks.items():
        for fault, having in _by_fault(entries, name).items():
            if not is_misconception(check, fault):
                each = counts[common_name(fault)]
                each[name] = each.get(name, 0) + len(having)
    found = (Other(fault, each) for fault, each in counts.items())
    return sorted(found, key=lambda other: (-other.count, other.fault))


def _by_fault(entries: Iterable[Entry], check: str) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        fault = _fault(entry.verdicts.get(check))
        if fault:
            found[fault].append(entry)
    return found


def _fault(verdict: Verdict | None) -> str:
    """The fault's name, empty for a right answer."""
    return "" if verdict is None or verdict.passed else verdict.fault or PARTLY
