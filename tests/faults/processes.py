"""The processes that a command has started, in whatever session they are."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["gone", "marked"]


def marked(words: str) -> Iterator[int]:
    """The processes whose command line or environment has these words."""
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                text = Path("/proc", name, "cmdline").read_bytes()
                text += Path("/proc", name, "environ").read_bytes()
                state = Path("/proc", name, "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if words.encode() in text and state != "Z":
                yield int(name)


def descendants(first: int) -> set[int]:
    """All processes below one, as long as nobody between them has ended."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                rest = Path("/proc", name, "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(name)] = int(rest[1])
    found, size = {first}, 0
    while len(found) > size:
        size = len(found)
        found |= {child for child, parent in parents.items() if parent in found}
    return found - {first}


def gone(processes: set[int], seconds: float) -> list[str]:
    """What is left of them after at most so many seconds: their command lines."""
    end = time.monotonic() + seconds
    while (left := [p for p in processes if _alive(p)]) and time.monotonic() < end:
        time.sleep(0.05)
    return [f"{p}: {_command(p)}" for p in left]


def _alive(process: int) -> bool:
    try:
        state = Path("/proc", str(process), "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _command(process: int) -> str:
    try:
        return Path("/proc", str(process), "cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""
