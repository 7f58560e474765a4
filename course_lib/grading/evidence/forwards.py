"""Answers that name the library's own solution of the exercise."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from types import CodeType

from course_lib.checks.base import Check
from course_lib.grading.evidence.cells import Cell
from course_lib.grading.evidence.item import Evidence
from course_lib.grading.evidence.meaning import Meaning, code_of
from course_lib.grading.evidence.names import Binding, Names, Place, run_on, walk
from course_lib.grading.evidence.released import Released

__all__ = ["forwards"]

MOST_LINES = 5


def forwards(
    student: str, cells: list[Cell], lab: Released, checks: Mapping[str, type[Check]]
) -> Iterator[Evidence]:
    """Answers in whose code one of the check's `reference` functions is named.

    What counts is the code that the check would reach: what the names stand for that the check
    cell hands over, and what these use in turn, as far as students wrote it. A comparison with
    the library that stands beside an answer is none.
    """
    due: dict[int, list[str]] = {}
    for name in lab.handed_over:
        due.setdefault(_position(cells, name), []).append(name)
    names: dict[str, list[Binding]] = {}
    put: dict[str, list[Binding]] = {}
    for position in range(len(cells) + 1):
        for name in due.get(position, []):
            wanted = _wanted(checks[name])
            if wanted:
                answer = _Answer(dict(names), put, wanted)
                yield from _found(student, name, answer.mentions(lab.handed_over[name]))
        if position < len(cells):
            run_on(names, cells[position])
            _put_into_attributes(put, cells[position])


def _found(student: str, check: str, mentions: Iterator[tuple[str, str]]) -> Iterator[Evidence]:
    grouped: dict[str, dict[str, None]] = {}
    for reference, line in mentions:
        grouped.setdefault(reference, {})[line] = None
    for reference, lines in grouped.items():
        sentence = f"The answer names {reference}, which does this exercise in the library."
        yield Evidence((student,), check, "forwards", sentence, tuple(lines)[:MOST_LINES])


def _wanted(check: type[Check]) -> dict[CodeType, str]:
    """The code of a check's reference functions, with their names."""
    codes = {code_of(function): function.__qualname__ for function in check.reference}
    return {code: name for code, name in codes.items() if code is not None}


def _position(cells: list[Cell], check: str) -> int:
    """Where the check cell stands; the end of the notebook if it is gone."""
    places = [i for i, cell in enumerate(cells) if cell.name == check]
    return places[-1] if places else len(cells)


class _Answer:
    """The code behind one check's answer."""

    def __init__(
        self,
        names: dict[str, list[Binding]],
        put: Mapping[str, list[Binding]],
        wanted: dict[CodeType, str],
    ):
        self.names, self.put, self.wanted = Names(names), put, wanted

    def mentions(self, roots: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """Each reference that is named on the way, and the line where it stands."""
        reached, waiting = set(roots), list(roots)
        while waiting:
            name = waiting.pop()
            bound = [*self.names.names.get(name, []), *self.put.get(name, [])]
            for value, statement, cell in (b for b in bound if b.cell.edited):
                if isinstance(value, Meaning):
                    for reference in self._references(value):
                        yield reference, cell.line(statement)
                    continue
                for place in walk(value) if value is not None else ():
                    used = self._global(place)
                    if used and used not in reached:
                        reached.add(used)
                        waiting.append(used)
                    if isinstance(place.node, ast.expr):
                        for meaning in self.names.of(place.node, place.scope):
                            for reference in self._references(meaning):
                                yield reference, cell.line(place.node)

    def _global(self, place: Place) -> str:
        """The notebook's name that is read here, empty for anything else."""
        node = place.node
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            return node.id if self.names.local(node.id, place.scope) is None else ""
        return ""

    def _references(self, meaning: Meaning) -> Iterator[str]:
        code = code_of(meaning.thing)
        if code in self.wanted:
            yield self.wanted[code]
        elif isinstance(meaning.thing, type):
            yield from self._when_called(meaning.thing)

    def _when_called(self, kind: type) -> Iterator[str]:
        """The reference that an object of a class runs when it is called: a network's forward."""
        methods = {qualname.split(".")[-1]: code for code, qualname in self.wanted.items()}
        for entry in ("__call__", "forward"):
            code = code_of(getattr(kind, entry, None))
            if code in self.wanted:
                yield self.wanted[code]
                return
            for name, wanted in methods.items():
                used = code is not None and name in code.co_names
                if used and code_of(getattr(kind, name, None)) is wanted:
                    yield self.wanted[wanted]
                    return


def _put_into_attributes(put: dict[str, list[Binding]], cell: Cell) -> None:
    """Note, by name, what a cell puts into attributes: `f` in `f.__code__ = …`."""
    for statement in cell.tree.body if cell.tree else []:
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                    binding = Binding(statement.value, statement, cell)
                    put.setdefault(target.value.id, []).append(binding)
