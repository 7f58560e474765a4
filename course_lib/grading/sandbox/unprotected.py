"""No isolation: a kernel with the grader's own rights, where somebody insists on it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from course_lib.grading.sandbox.isolation import Place

__all__ = ["Unprotected"]

# `quit()` as in `warm`: ipykernel would run some of the next cells first
END_AT_ONCE = "get_ipython().observe(lambda change: __import__('os')._exit(0), 'exit_now')"


class Unprotected:
    """An ordinary kernel for each hand-in. It can read and write whatever the grader can."""

    @contextlib.contextmanager
    def start(self, place: Place) -> Iterator[_Kernel]:
        """See `Isolation`."""
        work = place.folder / "work"
        work.mkdir()
        for name, content in place.files.items():
            (work / name).write_bytes(content)
        file = place.folder / "kernel.json"
        file.write_text(json.dumps(place.connection), encoding="utf-8")
        options = ["-f", str(file), "--HistoryManager.enabled=False", "--quiet"]
        options += [f"--IPKernelApp.exec_lines={END_AT_ONCE}"]
        package = Path(__file__).resolve().parents[3]
        process = subprocess.Popen(
            [sys.executable, "-m", "ipykernel_launcher", *options],
            cwd=work,
            env={
                **os.environ,
                "COURSE_FIGURES": "0",
                "COURSE_QUICK": "1",
                "JPY_PARENT_PID": str(os.getpid()),  # it ends with the grader
                "MPLBACKEND": "Agg",
                "OMP_NUM_THREADS": "1",  # the same sums, and the same time, on a busy machine
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONPATH": str(package),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        kernel = _Kernel(process)
        try:
            yield kernel
        finally:
            kernel.kill()

    def close(self) -> None:
        """See `Isolation`."""


class _Kernel:
    """See `Process`. What a kernel starts is found by its process group, if it stays there."""

    def __init__(self, process: subprocess.Popen[bytes]):
        self.process = process

    def alive(self) -> bool:
        return self.process.poll() is None

    def excess(self) -> str:
        return ""

    def kill(self) -> None:
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
