"""Answers that several hand-ins have in common, where that says something.

Most right answers to a short exercise are the same line, so sameness alone says nothing. It does
where the text itself is out of the ordinary (the same comments, the same odd names), or where
the same few students share rare forms in several exercises. Even then there are many good reasons
for it: working together, a tutor, a book.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from typing import Any

from course_lib.grading.evidence.answers import Answer, answers_of
from course_lib.grading.evidence.item import Evidence, shown
from course_lib.grading.evidence.released import released
from course_lib.grading.evidence.unusual import Ordinary
from course_lib.notebooks.course import Course

__all__ = ["among"]

SMALLEST = 40  # nodes of an answer's tree; `return x + h * velocity(x, t)` in its function has 25
COMMON = 3  # a form that more than a third of the class uses is nobody's own
FEW = 6  # in a smaller class, how many use a form says nothing
TOGETHER = 3  # exercises with the same form
TEN = 10  # however small the class: so many forms does a long answer have
MOST_LINES = 5

Answers = Mapping[str, Mapping[str, Answer]]  # check -> student -> answer
Pair = tuple[str, ...]  # of two


def among(lab: str, notebooks: Mapping[str, Any], course: Course | None = None) -> list[Evidence]:
    """Compare the hand-ins of a class, without running them.

    Answers that are short, that are the solution's or one of the known right ones, or that more
    than a third of the class (of six or more) wrote alike are left out. What remains is

    - `same-text`: one exercise with the very same text, unusual words included: comments that
      are not the lab's, or names that nobody else chose;
    - `same-code`: the same code up to names, docstrings and comments, in three exercises or more,
      in forms so rare that chance alone would hardly bring them together.

    Args:
        lab: The lab's name.
        notebooks: The hand-ins by student, as nbformat or as `json` reads them.
        course: Where the lab lies; the default is the course around the current folder.

    Raises:
        CourseError: If the lab cannot be read.
    """
    given = released(lab, course)
    answers = answers_of(notebooks, given, SMALLEST)
    ordinary = Ordinary(given)
    text = list(_same_text(answers, ordinary))
    seen = {item.students for item in text}
    code = [item for item in _same_code(answers, ordinary) if item.students not in seen]
    return text + code


def _same_text(answers: Answers, ordinary: Ordinary) -> Iterator[Evidence]:
    found: dict[tuple[str, ...], dict[str, list[str]]] = defaultdict(dict)
    for check, by_student in answers.items():
        names = Counter(n for answer in by_student.values() for n in answer.form.chosen)
        for students in _groups(by_student, lambda answer: answer.text):
            one = by_student[students[0]]
            if ordinary.has_form(one):
                continue
            words = ordinary.own_comments(one)
            if not words and len(by_student) >= FEW:
                nobody_elses = {n for n in one.form.chosen if names[n] == len(students)}
                words = ordinary.odd_names(nobody_elses)
            if words:
                found[students][check] = words
    for students, words_of in found.items():
        checks = list(words_of)
        words = list(dict.fromkeys(word for each in words_of.values() for word in each))
        what = "comments" if any(word.startswith("#") for word in words) else "unusual names"
        sentence = f"The same text, {what} included, in {_exercises(len(checks))}."
        lines = tuple(shown(word) for word in words[:MOST_LINES])
        yield Evidence(students, ", ".join(checks), "same-text", sentence, lines)


def _same_code(answers: Answers, ordinary: Ordinary) -> Iterator[Evidence]:
    shared: dict[Pair, list[str]] = defaultdict(list)
    for students in _joined(_close(answers, ordinary, shared)):
        inside = [pair for pair in combinations(students, 2) if pair in shared]
        whole = len(inside) == math.comb(len(students), 2)
        checks = [c for c in answers if whole and all(c in shared[p] for p in inside)]
        words = f"The same code but for names and comments, in {_exercises(len(checks))}."
        if len(checks) < TOGETHER:
            checks = [c for c in answers if any(c in shared[p] for p in inside)]
            words = (
                f"Each has at least {TOGETHER} answers in common with another of these students, "
                "the same code but for names and comments."
            )
        yield Evidence(students, ", ".join(checks), "same-code", words)


def _close(answers: Answers, ordinary: Ordinary, shared: dict[Pair, list[str]]) -> list[Pair]:
    """The pairs who share more than chance would give them; fills in what each pair shares."""
    weight: dict[Pair, float] = defaultdict(float)
    together: dict[tuple[str, ...], int] = defaultdict(int)
    everyone = {student for by_student in answers.values() for student in by_student}
    for check, by_student in answers.items():
        count = len(by_student)
        for students in _groups(by_student, lambda answer: answer.form.key):
            size = len(students)
            if size > max(5, count // 10) or ordinary.has_form(by_student[students[0]]):
                continue
            together[students] += 1
            for pair in combinations(students, 2):
                shared[pair].append(check)
                weight[pair] += math.log(max(count - 1, TEN) / (size - 1))  # without oneself
    # so much that there is one chance in ten that any pair of the class comes by it
    needed = math.log(10 * max(math.comb(len(everyone), 2), 1))
    close = [p for p, c in shared.items() if len(c) >= TOGETHER and weight[p] >= needed]
    for several, times in together.items():
        if times >= TOGETHER and len(several) > 2:  # the very same three or more, again and again
            close += combinations(several, 2)
    return close


def _groups(
    by_student: Mapping[str, Answer], key: Callable[[Answer], Any]
) -> list[tuple[str, ...]]:
    """The students of each group of two or more with the same key, unless much of the class is."""
    groups: dict[Any, list[str]] = defaultdict(list)
    for student in sorted(by_student):
        groups[key(by_student[student])].append(student)
    count = len(by_student)
    return [tuple(g) for g in groups.values() if len(g) >= 2 and not _is_common(len(g), count)]


def _is_common(size: int, count: int) -> bool:
    """Whether a form is one that much of the class uses."""
    return count >= FEW and size * COMMON > count


def _joined(pairs: list[Pair]) -> list[tuple[str, ...]]:
    """Groups of students who are linked by pairs."""
    leader: dict[str, str] = {}

    def find(student: str) -> str:
        while leader.setdefault(student, student) != student:
            leader[student] = leader[leader[student]]
            student = leader[student]
        return student

    for one, other in pairs:
        leader[find(one)] = find(other)
    groups: dict[str, list[str]] = defaultdict(list)
    for student in sorted(leader):
        groups[find(student)].append(student)
    return [tuple(group) for group in groups.values()]


def _exercises(count: int) -> str:
    return "one exercise" if count == 1 else f"{count} exercises"
