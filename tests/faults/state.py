"""All that grading leaves behind, in a form that can be compared."""

import csv
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

__all__ = ["difference", "set_by_hand", "state_of"]

GRADES = """
SELECT s.student_id, b.name, g.auto_score, g.manual_score, g.extra_credit, g.needs_manual_grade
FROM grade g
JOIN grade_cells gc ON gc.id = g.cell_id JOIN base_cell b ON b.id = gc.id
JOIN submitted_notebook n ON n.id = g.notebook_id
JOIN submitted_assignment s ON s.id = n.assignment_id
ORDER BY 1, 2
"""
COMMENTS = """
SELECT s.student_id, b.name, c.auto_comment, c.manual_comment
FROM comment c
JOIN base_cell b ON b.id = c.cell_id
JOIN submitted_notebook n ON n.id = c.notebook_id
JOIN submitted_assignment s ON s.id = n.assignment_id
ORDER BY 1, 2
"""
OF_EACH = ("student", "submitted_assignment", "submitted_notebook", "grade", "comment")
BY_HAND = """
UPDATE grade SET manual_score = ?, extra_credit = ? WHERE id IN (
  SELECT g.id FROM grade g JOIN base_cell b ON b.id = g.cell_id
  JOIN submitted_notebook n ON n.id = g.notebook_id
  JOIN submitted_assignment s ON s.id = n.assignment_id
  WHERE s.student_id = ? AND b.name = ?)
"""
REMARK = """
UPDATE comment SET manual_comment = ? WHERE id IN (
  SELECT c.id FROM comment c JOIN base_cell b ON b.id = c.cell_id
  JOIN submitted_notebook n ON n.id = c.notebook_id
  JOIN submitted_assignment s ON s.id = n.assignment_id
  WHERE s.student_id = ? AND b.name = ?)
"""
REMOVED = re.compile(
    r"(; )?the earlier grade of [\d.]+(, with points set by hand,)? was removed"
)  # only one run can say so


def state_of(course: Path) -> dict[str, Any]:
    """Gradebook, table, and every file of the students."""
    with closing(sqlite3.connect(course / "gradebook.db")) as book:
        found: dict[str, Any] = {
            "grades": book.execute(GRADES).fetchall(),
            "comments": book.execute(COMMENTS).fetchall(),
            "sizes": {t: book.execute(f"SELECT count(*) FROM {t}").fetchone() for t in OF_EACH},
            "damage": book.execute("PRAGMA integrity_check").fetchall(),
        }
    with (course / "grades" / "lab1.csv").open(encoding="utf-8", newline="") as file:
        found["table"] = [
            [REMOVED.sub("", value) for value in row.values()] for row in csv.DictReader(file)
        ]
    for step in ("submitted", "autograded", "feedback"):
        for path in sorted((course / step).rglob("*")):
            if path.is_file():
                text = path.read_text("utf-8")
                name = path.relative_to(course).as_posix()
                found[name] = json.loads(text) if path.suffix == ".json" else text
    return found


def difference(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """The names of what differs between two states."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def set_by_hand(course: Path, student: str, check: str, points: float, extra: float = 0.0) -> None:
    """Set points and write a comment, as formgrader does."""
    with closing(sqlite3.connect(course / "gradebook.db")) as book:
        changed = book.execute(BY_HAND, (points, extra, student, check)).rowcount
        changed += book.execute(REMARK, ("Well argued.", student, f"{check}-answer")).rowcount
        book.commit()
    assert changed == 2, f"{student} has no grade for {check}"
