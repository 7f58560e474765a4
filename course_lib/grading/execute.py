"""The first of two steps: run a hand-in and keep what its checks collected. No points here."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import time
from dataclasses import dataclass
from typing import Any

from ipykernel.kernelspec import get_kernel_dict
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.preprocessors import Execute
from traitlets import Integer

from course_lib.checks.notebook import GRADING_SEED

__all__ = ["ExecuteHandin", "Run"]


@dataclass
class Run:
    """How a hand-in ran: passed on to the judge in nbgrader's `resources["run"]`.

    Attributes:
        seed: From which every check drew its inputs, by `derive_seed(seed, name)`.
        stopped_at: The index of the cell that ended the run early, None if all cells ran.
        why: What happened there: "the kernel died".
        cell: The first line of that cell, or the name of the function that it defines.
        timed_out: How many cells were stopped because they took too long.
    """

    seed: int
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


class ThisPython(KernelSpecManager):
    """Hand-ins run in the grader's own environment, whatever kernels are installed beside it."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(**get_kernel_dict())


class ExecuteHandin(Execute):
    """Run a notebook in a fresh kernel, with inputs that nobody could know before.

    Errors do not stop it. A dead kernel, one that cannot be interrupted, or too long a run do,
    and what was collected until then stays.
    """

    timeout = Integer(60, help="Seconds for one cell.").tag(config=True)
    wall_clock = Integer(600, help="Seconds for the whole notebook.").tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: Any = None, km: Any = None
    ) -> tuple[NotebookNode, Any]:
        run = resources["run"] = Run(secrets.randbits(62))
        deadline = time.monotonic() + self.wall_clock
        NotebookClient.__init__(self, nb, km)  # as nbconvert's ExecutePreprocessor does
        self.reset_execution_trackers()
        self._check_assign_resources(resources)
        self.shutdown_kernel = "immediate"
        self.error_on_timeout = {
            "ename": "CellTimeoutError",
            "evalue": f"stopped after {self.timeout} s",
            "traceback": [f"This cell did not finish within {self.timeout} s and was stopped."],
        }
        self.timeout_func = lambda cell: max(1.0, min(self.timeout, deadline - time.monotonic()))
        silence = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with self.setup_kernel(env={**os.environ, **_environment(run.seed)}, **silence):
            for index, cell in enumerate(nb.cells):
                why = self._run_cell(cell, index, resources["nbgrader"]["assignment"])
                if not why and time.monotonic() > deadline:
                    why = f"the notebook had run for {self.wall_clock} s"
                if why:
                    run.stopped_at, run.why, run.cell = index, why, _first_line(cell)
                    break
        run.timed_out = sum(
            any(o.get("ename") == "CellTimeoutError" for o in cell.get("outputs", []))
            for cell in nb.cells
        )
        return nb, resources

    def create_kernel_manager(self) -> AsyncKernelManager:
        self.km = AsyncKernelManager(kernel_spec_manager=ThisPython(), config=self.config)
        return self.km

    def _run_cell(self, cell: NotebookNode, index: int, lab: str) -> str:
        """Run one cell; returns why the run cannot go on, empty if it can."""
        if utils.is_grade(cell):  # a variable named `check` or `lab1` must not cost points
            self.kc.execute(
                f"from course_lib.checks import check, {lab}", silent=True, stop_on_error=False
            )
        try:
            self.execute_cell(cell, index)
        except DeadKernelError:
            return "the kernel died"
        except CellTimeoutError:
            return "the kernel stopped answering"
        return ""


def _environment(seed: int) -> dict[str, str]:
    return {
        GRADING_SEED: str(seed),
        "COURSE_QUICK": "1",
        "MPLBACKEND": "Agg",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",  # the same sums, and the same time, on a busy machine
    }


def _first_line(cell: NotebookNode) -> str:
    lines = [line for line in cell.source.splitlines() if line.strip()] or ["empty"]
    function = re.match(r"(?:async )?def (\w+)", lines[0].strip())
    return function[1] if function else lines[0].strip()[:60]
