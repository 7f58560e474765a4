"""Shell lines, magics, and text that is no Python: only words can be looked for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from course_lib.grading.evidence.cells import Cell
from course_lib.grading.evidence.item import shown
from course_lib.grading.evidence.words import ATTRIBUTES, Rule, named_rule, string_rules

__all__ = ["special_lines"]

_WORDS = re.compile(r"[\w.]+")
_SYSTEM = re.compile(r"\s*%%(bash|sh|script|system|sx|perl|ruby)\b|\s*%(sx|system)\b")
_COMMAND: Rule = ("reaches-out", "runs a command of the system")
# Shell lines that people write in notebooks, by their first word.
_HARMLESS = re.compile(
    r"(pip3?|conda|mamba|uv|ls|dir|pwd|cd|mkdir|nvidia-smi|git|wget|curl|unzip|date|apt|apt-get"
    r"|free|df|du|which|head|wc|echo|python3? (--version|-V|-m pip)\b)(\s|$)"
)


def special_lines(cell: Cell) -> Iterator[tuple[Rule, str, str]]:
    """What such lines of a cell do: the rule, what it is about, and the line."""
    for text in cell.special[:1_000]:
        line = f"cell {cell.number}: {shown(text)}"
        text = text.strip()[:2_000]
        command = text.removeprefix("!").strip()
        if text.startswith("!") and command and not _HARMLESS.match(command):
            yield _COMMAND, command.split()[0], line
        if _SYSTEM.match(text):
            yield _COMMAND, text.split()[0], line
        for rule, what in string_rules(text):
            yield rule, what, line
        for word in dict.fromkeys(_WORDS.findall(text)):
            found = named_rule(word) if "." in word else ATTRIBUTES.get(word)
            if found is not None:
                yield found, word, line
