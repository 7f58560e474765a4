"""Canvas: the gradebook's CSV, as Gradebook › Export writes it and Gradebook › Import reads it.

    Student,ID,SIS User ID,SIS Login ID,Section,Lab 1 (12345),…,Final Score
        Points Possible,,,,,40.00,…,(read only)
    "Lovelace, Ada",123,S1,ada,Section 1,34.50,…,86.25

Some exports have `LastName,FirstName` in place of `Student`, no `SIS User ID`, more columns before
`Section`, and a row that says `Manual Posting` above the points.
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

LOGINS = ("SIS User ID", "SIS Login ID", "Integration ID")
ASSIGNMENT = re.compile(r"(?P<title>.+) \((?P<number>\d+)\)")


def fill(sheet: Sheet, path: Path, scores: Sequence[Scored], lab: str, column: str) -> Filled:
    """Write the scores into a gradebook's export.

    Args:
        sheet: The export; it is changed.
        path: Where it lies, for error messages.
        scores: The lab's scores.
        lab: The lab's name: its column is that of `lab1`, `Lab 1` or `Lab 1: …`.
        column: The assignment's title or number, if the lab's name does not tell.

    Raises:
        CourseError: If it is not such an export, or the lab's column cannot be told.
    """
    header = [cell.strip() for cell in sheet.rows[0]]
    if header[:1] not in (["Student"], ["LastName"]) or not {"ID", "Section"} <= set(header):
        raise CourseError(
            f"{path} is not Canvas's gradebook: it should begin with Student,ID,…,Section, "
            f"and begins with {','.join(header[:4])}. Canvas writes it at Gradebook, Export."
        )
    points = next((r for r in range(1, min(4, len(sheet.rows))) if _has_points(sheet, r)), None)
    if points is None:
        raise CourseError(f"{path} is not Canvas's gradebook: it has no row Points Possible.")
    place = _column(header, lab, column, path)
    possible = sheet.rows[points][place] if place < len(sheet.rows[points]) else ""
    check_maximum(possible, scores, f"{header[place]!r} in {path}")
    people = _people(sheet, header, points)
    graded = [each for each in scores if each.score]
    found = match((each.student for each in graded), people)
    filled = Filled(sheet, f"column {header[place]!r}", left_out=found.problems)
    filled.others = len(people) - len(found.rows)
    for each in graded:
        row = found.rows.get(each.student)
        if row is None:
            continue
        cells = sheet.rows[row]
        there = cells[place].strip().upper() if place < len(cells) else ""
        if there == "EX":
            filled.left_out.append(f"{each.student} is excused in Canvas, and stays so")
        elif there == "N/A":
            filled.left_out.append(f"{each.student} has not been given this assignment in Canvas")
        else:
            put(filled, row, place, localised(each.score, possible))
    names = header.index("ID")
    for cells in sheet.rows[points + 1 :]:
        cells[:names] = map(guarded, cells[:names])
    filled.advice = [
        "Canvas reads it at Gradebook, Import, and shows what will change before it saves.",
        "It takes the other columns from the file too: export the gradebook just before.",
    ]
    return filled


def blank(scores: Sequence[Scored], lab: str) -> Filled:
    """The least that Canvas imports, made without knowing its people."""
    header = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", lab]
    points = ["    Points Possible", "", "", "", "", f"{scores[0].max_score:g}"]
    filled = Filled(Sheet([header, points]), f"column {lab!r}")
    for each in scores:
        if each.score and guarded(each.student) != each.student:
            filled.left_out.append(f"{each.student} begins like a formula")
        elif each.score:
            filled.written += 1
            filled.sheet.rows.append([each.student, "", "", each.student, "", each.score])
    filled.advice = [
        f"Canvas will ask whether {lab!r} is a new assignment or which one it is, and who each "
        "student is whose login or name it does not know.",
        "With --template and the CSV that Gradebook, Export writes it need not ask.",
    ]
    return filled


def _has_points(sheet: Sheet, row: int) -> bool:
    return bool(sheet.rows[row]) and "Points Possible" in sheet.rows[row][0]


def _people(sheet: Sheet, header: list[str], points: int) -> list[Person]:
    people = []
    identity, logins = header.index("ID"), [header.index(n) for n in LOGINS if n in header]
    for row in range(points + 1, len(sheet.rows)):
        cells = [*sheet.rows[row], *[""] * len(header)]
        names = [cells[0]]
        if identity == 2:  # LastName, FirstName
            names = [f"{cells[0]} {cells[1]}", f"{cells[1]} {cells[0]}"]
        elif cells[0].count(",") == 1:
            last, first = cells[0].split(",")
            names.append(f"{first} {last}")
        if any(name.strip() for name in names):
            ids = tuple(cells[place] for place in logins)
            if "SIS User ID" in header:  # else `123` may be the student number of somebody else
                ids = (*ids, cells[identity])
            people.append(Person(row, tuple(names), (cells[identity],), ids))
    return people


def _column(header: list[str], lab: str, wanted: str, path: Path) -> int:
    first = header.index("Section") + 1
    matches = {i: ASSIGNMENT.fullmatch(header[i]) for i in range(first, len(header))}
    titles = {i: m for i, m in matches.items() if m}
    if wanted:
        found = [i for i, m in titles.items() if wanted in (m[0], m["title"], m["number"])]
    else:
        found = [i for i, m in titles.items() if _squeezed(m["title"]) == _squeezed(lab)]
        found = found or [i for i, m in titles.items() if _begins_with(m["title"], lab)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(repr(m[0]) for m in titles.values()) or "none"
    problem = "no column for" if not found else f"{len(found)} columns that may be"
    raise CourseError(
        f"{path} has {problem} {wanted or lab!r}. Its assignments: {known}. "
        "Name one by its title or its number."
    )


def _squeezed(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def _begins_with(title: str, lab: str) -> bool:
    """Whether a title is `Lab 1: …` for `lab1`; `Lab 10` is another."""
    parts = re.fullmatch(r"([^\W\d_]+)0*(\d+)", lab)
    if parts is None:
        return False
    word, number = re.escape(parts[1]), parts[2]
    return bool(re.match(rf"\W*{word}[\W_]*0*{number}(?!\d|[.,]\d)", title, re.IGNORECASE))
