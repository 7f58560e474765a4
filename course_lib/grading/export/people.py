"""Whose score is whose: the ids of `course grade` beside the people of a learning platform.

`course grade` takes its ids from the names of folders and files. Canvas names a file by the
sortable name without spaces and commas (`lovelaceada_123_456_lab1.ipynb`), Moodle a folder by the
full name (`Ada Lovelace_12345_assignsubmission_file`); other folders are logins or e-mail
addresses. The platform's number is part of the id only where two people share a name.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from course_lib.grading.names import safe_id

__all__ = ["Matches", "Person", "match"]


@dataclass(frozen=True)
class Person:
    """Somebody in a platform's table.

    Attributes:
        row: The row in the table.
        names: Full names, in each order in which a platform writes them.
        numbers: The platform's numbers for the person, which say something beside a name alone:
            a folder called `123` may be somebody else's student number.
        logins: Logins, e-mail addresses and other ids.
    """

    row: int
    names: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    logins: tuple[str, ...] = ()


@dataclass
class Matches:
    """Who was found.

    Attributes:
        rows: The row of each student who was found, once.
        problems: A sentence for each of the others.
    """

    rows: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def match(students: Iterable[str], people: Sequence[Person]) -> Matches:
    """Find each student's row by number, login, e-mail address, or name; nobody is guessed.

    Args:
        students: Ids as `course grade` has them.
        people: Everybody in the platform's table.
    """
    found = Matches()
    index = _Index(people)
    candidates = {student: sorted(index.rows(student)) for student in students}
    taken = Counter(rows[0] for rows in candidates.values() if len(rows) == 1)
    for student, rows in candidates.items():
        if not rows:
            found.problems.append(f"{student} was not found")
        elif len(rows) > 1:
            places = " and ".join(str(row + 1) for row in rows[:5])
            found.problems.append(f"{student} may be any of {len(rows)} people, in rows {places}")
        elif taken[rows[0]] > 1:
            same = [s for s, other in candidates.items() if other == rows and s != student]
            row = rows[0] + 1
            found.problems.append(f"{student} and {', '.join(same)} are one person, in row {row}")
        else:
            found.rows[student] = rows[0]
    return found


class _Index:
    """The rows of a platform's table by whatever a student's id may be."""

    def __init__(self, people: Sequence[Person]):
        self.ids: dict[str, set[int]] = {}
        self.names: dict[str, set[int]] = {}
        self.plain: dict[str, set[int]] = {}
        self.numbers: dict[str, set[int]] = {}
        for person in people:
            local = (login.split("@")[0] for login in person.logins if "@" in login)
            for each in (*person.logins, *local):
                if each.strip():
                    self.ids.setdefault(_folded(each), set()).add(person.row)
            for number in person.numbers:
                self.numbers.setdefault(number.strip(), set()).add(person.row)
            for name in person.names:
                if _letters(name):
                    self.names.setdefault(_letters(name), set()).add(person.row)
                    self.plain.setdefault(_plain(name), set()).add(person.row)

    def rows(self, student: str) -> set[int]:
        """All rows that may be the student's."""
        found = self.ids.get(_folded(student), set()) | self.names.get(_letters(student), set())
        named = re.fullmatch(r"(?P<name>.+)_(?P<number>\d+)", student)
        if named:  # one of several of the same name
            same_name = self.names.get(_letters(named["name"]), set())
            same_name = same_name | self.plain.get(_plain(named["name"]), set())
            found = found | (same_name & self.numbers.get(named["number"], set()))
        return found or self.plain.get(_plain(student), set())


def _folded(text: str) -> str:
    """An id as `course grade` would write it, in one case."""
    return safe_id(text).casefold()


def _letters(text: str) -> str:
    """The letters and digits of a name, in one case: all that every platform keeps of it."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def _plain(text: str) -> str:
    """The same without accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return _letters("".join(c for c in apart if not unicodedata.combining(c)))
