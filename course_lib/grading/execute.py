"""The first of two steps: run a hand-in and keep what its checks collected. No points here."""

from __future__ import annotations

import dataclasses
import re
import secrets
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from course_lib.checks.notebook import GRADING_SEED
from course_lib.grading.cells import is_grade
from course_lib.grading.kernel import CellRun, Kernel
from course_lib.grading.sandbox import Isolation, Limits, Place

__all__ = ["Run", "run_notebook"]


@dataclass
class Run:
    """How a hand-in ran: the judge needs to know.

    Attributes:
        seed: From which every check drew its inputs, by `derive_seed(seed, name)`.
        cells: What each cell gave that ran, by its index.
        stopped_at: The index of the cell that ended the run early, None if all cells ran.
        why: What happened there: "the kernel died".
        cell: The first line of that cell, or the name of the function that it defines.
        timed_out: How many cells were stopped because they took too long.
    """

    seed: int
    cells: dict[int, CellRun] = dataclasses.field(default_factory=dict)
    stopped_at: int | None = None
    why: str = ""
    cell: str = ""
    timed_out: int = 0

    @property
    def stop(self) -> str:
        """The early end in words, empty if there was none."""
        if self.stopped_at is None:
            return ""
        return f"{self.why} in cell {self.stopped_at + 1} ({self.cell})"


def run_notebook(
    notebook: NotebookNode,
    lab: str,
    isolation: Isolation,
    files: Mapping[str, bytes] | None = None,
    limits: Limits | None = None,
) -> Run:
    """Run a notebook in a fresh kernel, with inputs that nobody could know before.

    Errors do not stop it. A dead kernel, one that cannot be interrupted, too much of anything or
    too long a run do, and what was collected until then stays.

    Args:
        notebook: The hand-in, restored; its outputs are not touched.
        lab: The lab's name.
        isolation: Keeps the kernel to itself.
        files: The content of what lies beside the notebook, by name.
        limits: What the hand-in may use.

    Raises:
        SandboxError: If no kernel could be started.
    """
    limits = limits or Limits()
    run = Run(secrets.randbits(62))
    deadline = time.monotonic() + limits.notebook
    key = secrets.token_hex(16).encode()
    with (
        tempfile.TemporaryDirectory(prefix="course-") as folder,
        isolation.start(place := Place(Path(folder), key, files or {}, limits)) as process,
        Kernel(place, process) as kernel,
    ):
        kernel.run(
            f"__import__('os').environ[{GRADING_SEED!r}] = '{run.seed}'", limits.cell, silent=True
        )
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type != "code" or not cell.source.strip():
                continue
            source = cell.source
            if is_grade(cell):  # a variable named `check` or `lab1` must not cost points
                source = f"from course_lib.checks import check, {lab}\n{source}"
            left = max(1.0, deadline - time.monotonic())
            ran = run.cells[index] = kernel.run(source, min(limits.cell, left))
            run.timed_out += ran.timed_out
            why = ran.stopped
            if not why and time.monotonic() > deadline:
                why = f"the notebook had run for {limits.notebook:g} s"
            if why:
                run.stopped_at, run.why, run.cell = index, why, _first_line(cell)
                break
    return run


def _first_line(cell: NotebookNode) -> str:
    lines = [line for line in cell.source.splitlines() if line.strip()] or ["empty"]
    function = re.match(r"(?:async )?def (\w+)", lines[0].strip())
    return function[1] if function else lines[0].strip()[:60]
