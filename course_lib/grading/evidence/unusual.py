"""What is out of the ordinary in an answer's text, and what is not."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable

from course_lib.grading.evidence.answers import Answer
from course_lib.grading.evidence.normal import forms_in
from course_lib.grading.evidence.released import Released, squeezed

__all__ = ["Ordinary"]

LETTERS = 12  # of a comment: fewer are "# softmax"
ODD_NAMES = 2
LENGTH = 5  # of an odd name: fewer letters are anybody's


class Ordinary:
    """What anyone may write: the lab's own text, its solution, its known right answers."""

    def __init__(self, given: Released):
        self._words = squeezed(given.words + given.right_answers)
        self._names = set(re.findall(r"\w+", given.words + given.right_answers))
        self._forms = forms_in(given.right_answers)
        for sources in given.solutions.values():
            self._forms |= forms_in("\n".join(sources))

    def has_form(self, answer: Answer) -> bool:
        """Whether an answer is the solution, or a known right answer, but for its names."""
        return answer.form.key in self._forms

    def own_comments(self, answer: Answer) -> list[str]:
        """The comments that are not the lab's and long enough to be somebody's own."""
        found = []
        for comment in _comments(answer.source):
            letters = sum(c.isalpha() for c in comment)
            if letters >= LETTERS and squeezed(comment.lstrip("# ")) not in self._words:
                found.append(comment)
        return found

    def odd_names(self, names: Iterable[str]) -> list[str]:
        """Those of the names that are out of the ordinary; none if it is only one."""
        odd = {name for name in names if len(name) >= LENGTH} - self._names
        return sorted(odd) if len(odd) >= ODD_NAMES else []


def _comments(source: str) -> list[str]:
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                found.append(token.string)
    except (tokenize.TokenError, SyntaxError, RecursionError):  # what parses may still not tokenize
        return found
    return found
