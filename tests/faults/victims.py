"""Run `grade` in processes that may be killed at any moment, and at once.

    with Victims(results) as victims:
        ended = victims.grade(course, hand_ins, kill_after=0.2)

One process has imported everything and forks a child for each run: a run costs no start-up.
"""

import contextlib
import functools
import json
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Ended", "Victims"]

PATIENCE = 60.0


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Attributes:
        killed: Whether it was killed.
        code: What `grade` returned; 2 for a `CourseError`, None for another exception.
        lines: What it said.
        sentence: The words of a `CourseError`.
        stderr: What it wrote to stdout and stderr by other ways than `say`.
        seconds: How long it took.
        writes: What it wrote, in order; empty if it was killed.
    """

    killed: bool
    code: int | None = None
    lines: list[str] = field(default_factory=list)
    sentence: str = ""
    stderr: str = ""
    seconds: float = 0.0
    writes: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


class Victims:
    """The process that forks the runs; ends with the context."""

    def __init__(self, results: Path):
        self.results = results

    def __enter__(self) -> "Victims":
        command = [sys.executable, __file__, str(self.results)]
        paths = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def grade(self, course: Path, submitted: Path, **how: Any) -> Ended:
        """Grade in a child; `how` are the keywords of `_run`, and `kill_after` in seconds.

        With `here`, the process itself grades, and what it learns (imports, caches) its later
        children have from the beginning.
        """
        order = {"course": str(course), "submitted": str(submitted), **how}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return Ended(**json.loads(self.process.stdout.readline()))


def _serve(results: Path) -> None:
    known = pickle.loads(results.read_bytes())
    for line in sys.stdin:
        order = json.loads(line)
        kill_after = order.pop("kill_after", None)
        if order.pop("here", False):
            print(json.dumps({"killed": False, **_run(known, **order)}), flush=True)
            continue
        with tempfile.TemporaryDirectory() as scratch:
            answer = Path(scratch, "answer")
            child = os.fork()
            if child == 0:
                _child(known, order, answer)
            status = _wait(child, kill_after)
            said = answer.read_text("utf-8") if answer.is_file() else "{}"
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        if not killed and said == "{}":
            said = json.dumps({"stderr": f"the child ended with status {status}"})
        print(json.dumps({"killed": killed, **json.loads(said)}), flush=True)


def _wait(child: int, kill_after: float | None) -> int:
    end = time.monotonic() + (PATIENCE if kill_after is None else kill_after)
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        time.sleep(min(0.002, max(0.0, end - time.monotonic())))
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def _child(known: dict[Any, Any], order: dict[str, Any], answer: Path) -> None:
    try:
        with answer.with_name("said").open("w+") as said:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
            started = time.perf_counter()
            ended = _run(known, **order)
            ended["seconds"] = time.perf_counter() - started
            sys.stdout.flush()
            sys.stderr.flush()
            said.seek(0)
            ended["stderr"] = said.read()
        answer.with_name("half").write_text(json.dumps(ended), "utf-8")
        os.rename(answer.with_name("half"), answer)
    finally:
        os._exit(0)


def _run(
    known: dict[Any, Any],
    course: str,
    submitted: str,
    pause: float = 0.0,
    count: bool = False,
    kill_at: int | None = None,
    full_at: int | None = None,
    lock: tuple[str, int, float] | None = None,
    interrupt_at: int | None = None,
    entered: bool = True,
    again: bool = False,
    locked_first: bool = False,
) -> dict[str, Any]:
    """One run.

    Args:
        known: The results, for `rehearsed`.
        course: Its folder.
        submitted: The folder of hand-ins.
        pause: Seconds that each hand-in takes.
        count: Whether to say what was written.
        kill_at: The number of a write after all was prepared; see `Writes`.
        full_at: The same, for a disk that is full.
        lock: How to lock the gradebook ("EXCLUSIVE" or "IMMEDIATE"), before which result (-1:
            before anything), and for how many seconds.
        interrupt_at: The number of the result before which Ctrl-C is pressed.
        entered: Whether the gradebook has the lab's cells from an earlier run, and keeps them.
        again: Whether to grade anew what has not changed.
        locked_first: Whether the gradebook is locked before `grade` is called at all.
    """
    from nbgrader import api as gradebook
    from rehearsed import rehearsed
    from sqlalchemy import event
    from sqlalchemy.engine import Engine
    from writes import Writes

    from course_lib.grading import grade as grade_file
    from course_lib.grading import session as session_file
    from course_lib.grading.batch import Pool
    from course_lib.notebooks.course import Course, CourseError

    def before(number: int) -> None:
        if lock is not None and lock[1] == number:
            _lock(Path(course, "gradebook.db"), lock[0], lock[2])
        if interrupt_at == number:
            os.kill(os.getpid(), signal.SIGINT)

    event.listen(Engine, "connect", _impatient)
    session_file.grade_all = rehearsed(known, pause, before)
    grade_file._check_built = lambda *_: None  # slow, and writes nothing
    gradebook.create_engine = _engine
    grade_file.open_pool = lambda *_: contextlib.nullcontext(Pool(lambda: None, 1))
    if entered:
        grade_file.Book._enter = lambda *_: None
    counted = count or kill_at is not None or full_at is not None
    writes: list[Writes] = []
    begin = session_file.Session.run

    def run(self: Any, *arguments: Any) -> Any:
        before(-1)
        if counted:
            writes.append(Writes(Path(course), kill_at, full_at))
        return begin(self, *arguments)

    session_file.Session.run = run
    lines: list[str] = []
    ended: dict[str, Any] = {"code": None, "lines": lines}
    if locked_first:
        _lock(Path(course, "gradebook.db"), "EXCLUSIVE", PATIENCE)
    try:
        ended["code"] = grade_file.grade(
            Course(Path(course)),
            "lab1",
            Path(submitted),
            options=session_file.Options(isolation="none", again=again),
            say=lines.append,
        )
    except CourseError as error:
        ended |= {"code": 2, "sentence": str(error)}
    except BaseException:
        import traceback

        traceback.print_exc()
    return {**ended, "writes": writes[0].names if writes else []}


@functools.cache
def _engine(address: str, **how: Any) -> Any:
    """One for all runs, which has seen all statements before."""
    from sqlalchemy import create_engine

    return create_engine(address, **how)


def _impatient(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA busy_timeout = 100")


def _lock(path: Path, kind: str, seconds: float) -> None:
    """Lock the gradebook as another program would."""
    other = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    other.execute(f"BEGIN {kind}")
    timer = threading.Timer(seconds, lambda: (other.rollback(), other.close()))
    timer.daemon = True
    timer.start()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        _serve(Path(sys.argv[1]))
