"""An attack: a hand-in, what it has to have tried, and what it may earn at most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from handins import FIVE as POINTS
from handins import LAB, SOLUTIONS, index_of, name_of, put
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

__all__ = ["EITHER", "POINTS", "RIGHT", "Attack", "Fill", "in_folder", "plain", "released"]

RIGHT = {name: SOLUTIONS[name] for name in POINTS}
EITHER = ("graded", "cut short")
Fill = Callable[[str], str]

# The first cell of each attack. `attempt` says what was tried, and whether it worked. An error that
# no sandbox causes, such as a NameError, is not caught, and then nothing is said. `untouched` means
# that the hand-ins that ran before on the same worker have left nothing behind.
PRELUDE = """
import builtins, ctypes, os, signal, socket, sys, threading, time
import matplotlib, torch, course_lib
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long

def begin(what):
    print("attack-ran", what, flush=True)
    time.sleep(0.3)

def attempt(what, action):
    try:
        got = action()
    except (OSError, MemoryError):
        got = None
    print("attack-ran", what, flush=True)
    if got:
        print("ATTACK-SUCCEEDED", what, repr(got)[:300], flush=True)

def called(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "call")
    return "done"

left = [where for where in (builtins, torch, course_lib, sys) if hasattr(where, "attack_was_here")]
left += [name for name in sys.modules if name.startswith("attack_")]
left += sorted({*os.listdir("/tmp"), *os.listdir("/tmp/home"), *os.listdir("/dev/shm"),
                *os.listdir(".")} - {"work", "home", "kernel.json", "ipython", *@VIEW@})
left += [name for name in os.environ if "ATTACK" in name]
left += [matplotlib.rcParams["font.size"]] * (matplotlib.rcParams["font.size"] != 10)
left += [torch.allclose] * (torch.allclose(torch.ones(1), torch.zeros(1)))
print("touched" if left else "untouched", *left)
"""


def released(course: Path, answers: dict[str, str]) -> NotebookNode:
    """The lab's answers and checks without its figures, which cost time and prove nothing here."""
    notebook = nbformat.read(course / "labs" / LAB / f"{LAB}.ipynb", as_version=4)
    notebook.cells = [c for i, c in enumerate(notebook.cells) if i in (1, 2) or name_of(c)]
    for cell in notebook.cells:
        name = name_of(cell).removesuffix("-answer")
        if name_of(cell).endswith("-answer") and name in answers:
            cell.source = answers[name]
    return notebook


def plain(attack: Attack, course: Path) -> NotebookNode:
    """The released notebook with the attack's answers and cells."""
    notebook = released(course, dict(attack.answers))
    if attack.code:
        place = index_of(notebook, "euler-step") + 1
        notebook.cells.insert(place, new_code_cell(attack.code))
    notebook.cells[2:2] = [new_code_cell(text) for text in (PRELUDE, attack.before) if text]
    return notebook


def in_folder(attack: Attack, course: Path, place: Path, fill: Fill) -> None:
    """Hand in the notebook in a folder; `fill` says where an attack has to look."""
    made = attack.make(attack, course)
    put(place / attack.name, fill(made if isinstance(made, str) else nbformat.writes(made)))


@dataclass(frozen=True)
class Attack:
    """One hostile hand-in.

    Attributes:
        name: The student's id.
        code: A cell after the first check.
        before: A cell before it.
        answers: Answers, by check; the default is right ones for `euler-step` and `heun-step`.
        earned: The checks whose points the honest part deserves; all other points are 0.
        tried: What the attack says that it has tried.
        status: What may become of it. Where nothing is graded, there is no score.
        reason: Words of the row's reason.
        faults: The fault of a check.
        make: Makes the notebook.
        files: Writes what is handed in, into the folder of all hand-ins.
    """

    name: str
    code: str = ""
    before: str = ""
    answers: tuple[tuple[str, str], ...] = tuple(list(RIGHT.items())[:2])
    earned: tuple[str, ...] = ("euler-step", "heun-step")
    tried: tuple[str, ...] = ()
    status: tuple[str, ...] = ("graded",)
    reason: str = ""
    faults: tuple[tuple[str, str], ...] = ()
    make: Callable[[Attack, Path], NotebookNode | str] = plain
    files: Callable[[Attack, Path, Path, Fill], None] = in_folder

    @property
    def scored(self) -> bool:
        """Whether it gets a score."""
        return bool({*self.status} & {*EITHER})
