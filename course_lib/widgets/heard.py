"""What a reader's function prints while a widget computes, which Jupyter would show elsewhere."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Ear", "heard"]

MOST, LINES = 400, 3  # characters and lines, the last ones


class Ear(io.TextIOBase):
    """In the place of `sys.stdout`: keeps what this thread writes, and hands on all else."""

    def __init__(self, other: Any) -> None:
        self.other = other
        self.thread: int | None = threading.get_ident()
        self.text = ""

    def write(self, text: str) -> int:
        if threading.get_ident() != self.thread:
            return self.other.write(text)
        self.text = (self.text + text)[-MOST - 1 :]
        return len(text)

    def flush(self) -> None:
        self.other.flush()

    def __getattr__(self, name: str) -> Any:  # Jupyter tells its own stream which cell is running
        return getattr(self.other, name)

    @property
    def words(self) -> str:
        """The end of it as a sentence, or ""."""
        lines = self.text.strip().splitlines()
        if not lines:
            return ""
        cut = len(self.text) > MOST or len(lines) > LINES
        return f"Printed: {'… ' if cut else ''}" + "\n".join(lines[-LINES:])


@contextmanager
def heard() -> Iterator[Ear]:
    """Inside, what this thread prints is kept; other threads print as before."""
    ear = Ear(sys.stdout)
    sys.stdout = ear
    try:
        yield ear
    finally:
        ear.thread = None  # where another ear came on top of it, it only hands on
        if sys.stdout is ear:
            sys.stdout = ear.other
