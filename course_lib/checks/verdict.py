"""What a check says of an answer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["VERDICT_MIME", "Verdict"]

VERDICT_MIME = "application/vnd.course-lib.verdict+json"


@dataclass(frozen=True)
class Verdict:
    """The result of one check.

    Attributes:
        check: The check's name, such as `euler-step`.
        title: What the exercise is called on the card.
        points: What the answer earns, from 0 to `max_points`.
        max_points: What a right answer earns.
        fault: None for a right answer; else the name of the mistake that was recognised,
            or of a common fault (`shape`, `exception`, `not-written`, …), or `wrong`.
        message: One or two sentences for the student.
        detail: A further line: numbers, or where in the code.
        seed: Draws the same inputs again.
    """

    check: str
    title: str
    points: float
    max_points: float
    fault: str | None = None
    message: str = ""
    detail: str = ""
    seed: int = 0

    @property
    def passed(self) -> bool:
        """Whether the answer earned all its points."""
        return self.points >= self.max_points

    def to_json(self) -> dict[str, Any]:
        """The verdict as JSON-ready data, as a notebook stores it."""
        return {**asdict(self), "passed": self.passed}

    def __str__(self) -> str:
        head = f"{'✓' if self.passed else '✗'} {self.title}: {self.score}"
        return "\n".join(line for line in (head, self.message, self.detail) if line)

    @property
    def score(self) -> str:
        """The points in words: `1.5 of 2 points`."""
        return f"{self.points:g} of {self.max_points:g} point{'' if self.max_points == 1 else 's'}"
