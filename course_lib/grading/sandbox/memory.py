"""How much memory the processes of a sandbox hold together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["memory_of", "processes_of"]


def processes_of(first: int) -> Iterator[int]:
    """The processes in the pid namespace whose first process is `first`; none once it is gone."""
    try:
        namespace = os.stat(f"/proc/{first}/ns/pid").st_ino
    except OSError:
        return
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.stat(f"/proc/{name}/ns/pid").st_ino == namespace:
                    yield int(name)
            except OSError:
                continue


def memory_of(first: int) -> int:
    """Bytes of memory; a page that several processes share counts once in all."""
    total = 0
    for process in processes_of(first):
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
        except OSError:
            continue
        total += sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total
