"""Count what a process writes below a folder, and stop it there: killed, or the disk is full."""

import errno
import os
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

__all__ = ["Writes"]

MAKES = ("os.mkdir", "os.link", "os.symlink")
MOVES = ("os.remove", "os.rename", "os.rmdir")  # work on a full disk too
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Writes:
    """From its making on, every write of this process counts; it cannot be undone.

    What counts is a file opened for writing, made, renamed or removed, and a commit of something.

    Args:
        folder: Where writes count.
        kill_at: The number of the write right before which this process kills itself.
        full_at: The number of the write from which on the disk is full.
    """

    def __init__(self, folder: Path, kill_at: int | None = None, full_at: int | None = None):
        self.folder, self.kill_at, self.full_at = str(folder), kill_at, full_at
        self.count = 0
        self.names: list[str] = []
        sys.addaudithook(self._audit)
        self.changed = False
        event.listen(Engine, "before_cursor_execute", self._execute)
        event.listen(Engine, "commit", self._commit)

    def _audit(self, name: str, arguments: tuple[Any, ...]) -> None:
        if name == "open":
            path, _, flags = arguments
            if isinstance(path, int) or not isinstance(flags, int) or not flags & WRITING:
                return
        elif name in MAKES or name in MOVES:
            path = arguments[0]
        else:
            return
        path = os.fsdecode(path)
        if not os.path.isabs(path) and isinstance(arguments[-1], int) and arguments[-1] >= 0:
            path = os.path.join(os.readlink(f"/proc/self/fd/{arguments[-1]}"), path)
        if not path.startswith(self.folder):
            return
        if self._next(f"{name} {os.path.relpath(path, self.folder)}") and name not in MOVES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

    def _execute(self, _: Any, __: Any, statement: str, *___: Any) -> None:
        self.changed |= statement.startswith(("INSERT", "UPDATE", "DELETE"))

    def _commit(self, _: Any) -> None:
        changed, self.changed = self.changed, False
        if changed and self._next("commit"):
            full = sqlite3.OperationalError("database or disk is full")
            raise OperationalError("COMMIT", None, full)

    def _next(self, name: str) -> bool:
        """Count a write; whether there is no room for it."""
        if self.count == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1
        self.names.append(name)
        return self.full_at is not None and self.count > self.full_at
