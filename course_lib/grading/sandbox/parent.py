"""The warm parent (see `warm`) as the grader sees it: start it once, and ask it for kernels."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from course_lib.grading.sandbox.isolation import Place, SandboxError

__all__ = ["Line", "WarmParent"]

START_UP = 180.0  # seconds, for imports on a busy machine


class WarmParent:
    """A process that imports what hand-ins need; it begins at once, and nobody waits for it here.

    Args:
        view: The library that hand-ins see.
        environment: All its variables.

    Attributes:
        path: The socket at which it answers once it is ready.
    """

    def __init__(self, view: Path, environment: Mapping[str, str]):
        self.folder = Path(tempfile.mkdtemp(prefix="course-warm-"))  # nobody else may enter it
        self.path = self.folder / "socket"
        program = Path(__file__).with_name("warm.py")
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-I", str(program), str(self.path), str(view)],
                env=dict(environment),
                stdin=subprocess.PIPE,  # its end is the end of the warm parent
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,  # Ctrl-C at the terminal is not for it
            )

    def end(self) -> None:
        """End it; kernels that it bore are ended by their sandboxes."""
        self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Line:
    """A connection to a warm parent, which keeps a clone of itself for it.

    Raises:
        SandboxError: If the warm parent does not answer.
    """

    def __init__(self, path: Path):
        self.path = path
        end = time.monotonic() + START_UP
        while True:
            self.channel = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                self.channel.connect(str(path))
                break
            except OSError as error:
                self.channel.close()
                if time.monotonic() > end or not path.parent.exists() or self._has_failed():
                    why = self._last_words() or error.strerror
                    raise SandboxError(f"the warm parent does not answer: {why}") from None
                time.sleep(0.02)
        self.channel.settimeout(60)

    def fork(
        self,
        sandbox: int,
        place: Place,
        user: int | None,
        directory: str,
        environment: Mapping[str, str],
    ) -> int:
        """A kernel in a sandbox: a pidfd of the process that ends when the kernel does.

        Args:
            sandbox: A pidfd of the sandbox's first process.
            place: Where the kernel is to listen.
            user: The user id that it takes; None where the sandbox has a user namespace.
            directory: Where it runs, in the sandbox.
            environment: All its variables.

        Raises:
            SandboxError: If the warm parent is gone.
        """
        folder = os.open(place.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            if user is not None:
                os.fchown(folder, user, user)  # there the kernel makes its sockets
            request = {
                "user": user,
                "limits": asdict(place.limits),
                "connection": place.connection,
                "directory": directory,
                "environment": dict(environment),
            }
            socket.send_fds(self.channel, [json.dumps(request).encode()], [sandbox, folder])
            message, files, _, _ = socket.recv_fds(self.channel, 16, 1)
        except OSError as error:
            raise SandboxError(f"no kernel could be forked: {error}") from None
        finally:
            os.close(folder)
        if message != b"forked":
            raise SandboxError(f"the warm parent is gone: {self._last_words()}")
        return files[0]

    def close(self) -> None:
        """End the clone."""
        self.channel.close()

    def _has_failed(self) -> bool:
        return "Error" in self._last_words()

    def _last_words(self) -> str:
        try:
            lines = (self.path.parent / "log").read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1] if lines else ""
