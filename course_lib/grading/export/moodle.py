"""Moodle: an assignment's offline grading worksheet, and the gradebook's import of a CSV.

    Identifier,"Full name","Email address",Status,Grade,"Maximum grade","Grade can be changed",…
    "Participant 12345","Ada Lovelace",ada@example.org,"Submitted …",,40.00,Yes,…

The participant's number is the one in the name of the hand-in's folder.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from course_lib.grading.export.form import Filled, check_maximum, localised, put
from course_lib.grading.export.people import Person, match
from course_lib.grading.export.scored import Scored
from course_lib.grading.export.sheet import Sheet, guarded
from course_lib.notebooks.course import CourseError

__all__ = ["blank", "fill"]

# The worksheet's columns in English and in German.
IDENTIFIER = ("identifier", "id")
NAME = ("full name", "first name / last name", "vollständiger name", "vorname / nachname")
STUDENT_NUMBER = ("id number", "id-nummer", "matrikelnummer")
LOGINS = (
    *("email address", "email", "username", "e-mail-adresse", "e-mail", "anmeldename"),
    *STUDENT_NUMBER,
)
GRADE = ("grade", "bewertung")
MOST = ("maximum grade", "bestwertung")
OPEN = ("grade can be changed", "bewertung kann geändert werden")
MODIFIED = ("last modified (grade)", "zuletzt geändert (bewertung)")
CLOSED = ("no", "nein")


def fill(sheet: Sheet, path: Path, scores: Sequence[Scored]) -> Filled:
    """Write the scores into an assignment's offline grading worksheet.

    Args:
        sheet: The worksheet; it is changed.
        path: Where it lies, for error messages.
        scores: The lab's scores.

    Raises:
        CourseError: If it is not such a worksheet.
    """
    header = [" ".join(cell.split()).casefold() for cell in sheet.rows[0]]
    identity, grade, most = (_place(header, names) for names in (IDENTIFIER, GRADE, MOST))
    if identity is None or grade is None or _place(header, MODIFIED) is None:
        raise CourseError(
            f"{path} is not Moodle's offline grading worksheet in English or German: the columns "
            f"Identifier, Grade and Last modified (grade) were expected, and it has "
            f"{', '.join(sheet.rows[0][:8])}. In the assignment, turn on the feedback type "
            "Offline grading worksheet, and download it from the list of submissions."
        )
    people = _people(sheet, header, identity)
    if not people:
        raise CourseError(f"{path} names nobody: rows such as 'Participant 123' were expected.")
    maximum = _cell(sheet, people[0].row, most)
    for points in sorted({_cell(sheet, person.row, most) for person in people}):
        check_maximum(points, scores, f"The assignment in {path}")
    graded = [each for each in scores if each.score]
    found = match((each.student for each in graded), people)
    filled = Filled(sheet, f"column {sheet.rows[0][grade].strip()!r}", left_out=found.problems)
    filled.others = len(people) - len(found.rows)
    for each in graded:
        row = found.rows.get(each.student)
        if row is None:
            continue
        if _cell(sheet, row, _place(header, OPEN)).casefold() in CLOSED:
            filled.left_out.append(f"{each.student} has a grade in Moodle that cannot be changed")
        else:
            put(filled, row, grade, localised(each.score, maximum))
    name = _place(header, NAME)
    if name is not None:
        for person in people:
            cells = sheet.rows[person.row]
            cells[name : name + 1] = map(guarded, cells[name : name + 1])
    filled.advice = [
        "Moodle reads it in the assignment, at Upload grading worksheet; say there that its "
        f"separator is {_named(sheet.delimiter)}.",
        "Moodle passes over whoever was graded there after the worksheet was downloaded.",
    ]
    return filled


def blank(scores: Sequence[Scored], lab: str) -> Filled:
    """A CSV for the gradebook's own import, made without knowing Moodle's people."""
    graded = [each for each in scores if each.score]
    column, words = "username", "user name"
    if graded and all("@" in each.student for each in graded):
        column, words = "email", "e-mail address"
    elif graded and all(each.student.isdecimal() for each in graded):
        column, words = "idnumber", "ID number"
    filled = Filled(Sheet([[column, lab]]), f"column {lab!r}")
    for each in graded:
        if guarded(each.student) != each.student:
            filled.left_out.append(f"{each.student} begins like a formula")
        else:
            filled.written += 1
            filled.sheet.rows.append([each.student, each.score])
    filled.advice = [
        f"Moodle reads it at Grades, Import, CSV file: map {column} to the {words}, and {lab} to "
        "the assignment.",
        "It refuses the whole file if it does not know one of the ids. With --template and the "
        "assignment's offline grading worksheet people are found by their names too.",
    ]
    return filled


def _place(header: list[str], names: Sequence[str]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)


def _cell(sheet: Sheet, row: int, place: int | None) -> str:
    cells = sheet.rows[row]
    return cells[place].strip() if place is not None and place < len(cells) else ""


def _people(sheet: Sheet, header: list[str], identity: int) -> list[Person]:
    people = []
    logins = [i for i, name in enumerate(header) if name in LOGINS]
    for row in range(1, len(sheet.rows)):
        number = re.search(r"\d+$", _cell(sheet, row, identity))
        if number:
            name = _cell(sheet, row, _place(header, NAME))
            hidden = re.sub(r"[\s\d]+$", "", _cell(sheet, row, identity))  # in a blind marking
            ids = tuple(_cell(sheet, row, place) for place in logins)
            if any(name in header for name in STUDENT_NUMBER):  # else `123` may be another's
                ids = (*ids, number[0])
            names = (name,) if name else (f"{hidden} {number[0]}",)
            people.append(Person(row, names, (number[0],), ids))
    return people


def _named(delimiter: str) -> str:
    return {",": "a comma", ";": "a semicolon", "\t": "a tab"}[delimiter]
