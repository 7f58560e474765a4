"""The one interface between the grader and whatever keeps a hand-in to itself.

A container runtime can stand in for bubblewrap: it has to start a Jupyter kernel that listens at
given sockets, say whether it lives, say when it uses too much, and end it with all that it started.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from course_lib.grading.sandbox.limits import Limits

__all__ = ["Isolation", "Place", "Process", "SandboxError"]


class SandboxError(Exception):
    """A sandbox that cannot be had here, or could not be started; says why and what to do."""


@dataclass(frozen=True)
class Place:
    """Where a kernel is to listen, and what lies beside its notebook.

    Attributes:
        folder: A private folder on the grader's side, for the kernel's sockets.
        key: Signs the messages of this kernel.
        files: The content of each file in the kernel's working directory, by name.
        limits: What the kernel may use.
    """

    folder: Path
    key: bytes
    files: Mapping[str, bytes] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)

    @property
    def connection(self) -> dict[str, str | int]:
        """The kernel's connection file, as Jupyter has it: sockets `<folder>/k-1` to `k-5`."""
        ports = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")
        numbers = {name: number for number, name in enumerate(ports, start=1)}
        return {
            "transport": "ipc",
            "ip": str(self.folder / "k"),
            "key": self.key.decode(),
            "signature_scheme": "hmac-sha256",
            "kernel_name": "",
            **numbers,
        }


class Process(Protocol):
    """A running kernel."""

    def alive(self) -> bool:
        """Whether the kernel still runs."""

    def excess(self) -> str:
        """What it uses too much of, in words; empty if nothing."""

    def kill(self) -> None:
        """End it, and all that it started. Does not wait for its consent."""


class Isolation(Protocol):
    """A way to run strangers' kernels, one after another. One object serves one thread."""

    def start(self, place: Place) -> contextlib.AbstractContextManager[Process]:
        """A kernel that begins to listen at `place`; it is killed when the context ends.

        Raises:
            SandboxError: If it cannot be started.
        """

    def close(self) -> None:
        """Give back whatever was kept between two hand-ins."""
