"""How much memory the processes of a sandbox hold together."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

__all__ = ["descendants", "memory_of"]


def descendants(*roots: int) -> Iterator[int]:
    """The children of these processes, and theirs.

    Told from what anybody may read: a process can hide its namespaces, but not its parent. In a
    pid namespace an orphan's parent is the first process.
    """
    children: dict[int, list[int]] = defaultdict(list)
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                told = Path(f"/proc/{name}/stat").read_text(encoding="ascii", errors="replace")
            except OSError:
                continue
            children[int(told.rpartition(")")[2].split()[1])].append(int(name))
    waiting = list(roots)
    while waiting:
        found = children.pop(waiting.pop(), [])
        waiting += found
        yield from found


def memory_of(first: int, entered: int) -> int:
    """Bytes of memory; a page that several processes share counts once in all.

    Args:
        first: The sandbox's first process.
        entered: The one outside whose children have entered it.
    """
    return sum(_held(process) for process in (first, *descendants(first, entered)))


def _held(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
        return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    except PermissionError:  # it has hidden that
        try:
            told = Path(f"/proc/{process}/statm").read_text(encoding="ascii")
            return int(told.split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            return 0
    except OSError:
        return 0
