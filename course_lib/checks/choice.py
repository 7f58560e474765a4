"""Questions with one right choice: predictions, and the reasons for them.

The key is a salted hash, so that nobody reads it by accident. `python -m course_lib.checks.choice
predict-order b` prints the hash of the answer b to the check `predict-order`.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from typing import Any

from course_lib.checks.base import Check
from course_lib.checks.judge import Judgement

__all__ = ["Choice", "seal"]


def seal(check: str, answer: str) -> str:
    """The salted hash that stands for an answer in a check's `key`."""
    return hashlib.sha256(f"course-lib:{check}:{answer.strip().lower()}".encode()).hexdigest()[:16]


class Choice(Check):
    """A question with lettered options. `check(MyChoice, "b")`.

    Class attributes:
        key: `seal(name, letter)` of the right option.
        replies: For every option, right or wrong, what to say to the person who chose it.
    """

    key: str = ""
    replies: Mapping[str, str] = {}
    repeatable = False

    def judge(self, inputs: dict[str, Any], output: Any) -> Judgement:
        letters = ", ".join(self.replies)
        if not isinstance(output, str):
            return Judgement(
                0, "type", f"Write one of {letters} in quotes, such as {min(self.replies)!r}."
            )
        letter = output.lower().strip(" ()[].:\n\t'\"")
        if letter not in self.replies:
            return Judgement(0, "no-such-option", f"{output!r} is not one of {letters}.")
        if seal(self.name, letter) == self.key:
            return Judgement(1, None, self.replies[letter])
        return Judgement(0, f"chose-{letter}", self.replies[letter])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m course_lib.checks.choice CHECK-NAME LETTER")
    print(seal(*sys.argv[1:]))
