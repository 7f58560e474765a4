"""What a reader's function prints while a widget computes, which Jupyter would show elsewhere."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Ear", "heard"]

MOST = 400  # characters, the last ones


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
        text = self.text.strip()
        return f"Printed: {'… ' if len(self.text) > MOST else ''}{text}" if text else ""


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
