"""Call a student's code so that an error, an endless loop or a forwarded answer becomes a fault."""

from __future__ import annotations

import _thread
import contextlib
import dis
import signal
import sys
import sysconfig
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from course_lib.checks.outcome import Fault

__all__ = ["StudentError", "guarded", "is_stub"]


class StudentError(Exception):
    """The student's code did not return; carries the fault that says why."""

    def __init__(self, fault: Fault):
        super().__init__(fault.message)
        self.fault = fault


def guarded(
    call: Callable[[], Any], seconds: float, reference: Sequence[Callable[..., Any]] = ()
) -> tuple[Any, set[str]]:
    """Run `call`, stop it after `seconds`, and note calls to the library's own solution.

    Whatever it writes to stderr goes to stdout: a warning must not cost points
    (nbgrader takes anything on stderr for a failure).

    Returns:
        What the call returned, and the names of the `reference` functions that it reached.

    Raises:
        StudentError: If it raised or did not finish.
    """
    reached: set[str] = set()
    watch = _Watchdog(seconds)
    try:
        with contextlib.redirect_stderr(sys.stdout), _noting(reference, reached), watch:
            return call(), reached
    except KeyboardInterrupt:
        watch.stop()  # once more: the interrupt may have come before the first line of __exit__
        if not watch.fired:
            raise
        raise StudentError(
            Fault(
                "hang",
                f"The call did not finish within {seconds:g} s, so it was stopped.",
                "Does a loop never end? Does its variable change?",
            )
        ) from None
    except StudentError:
        raise
    except Exception as error:
        if is_stub(error):
            message = "This one is not written yet. Replace the line `raise NotImplementedError`."
            raise StudentError(Fault("not-written", message, str(error))) from None
        message = f"Your code raised {_in_words(error)}"
        raise StudentError(Fault("exception", message, _where(error))) from error
    except SystemExit:
        raise StudentError(Fault("exception", "Your code called exit().")) from None


class _Watchdog:
    """Interrupts the main thread after some seconds, and again each second until it gives way."""

    def __init__(self, seconds: float):
        self.seconds = seconds
        self.fired = False
        self._running = threading.Lock()  # held as long as the call runs
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> _Watchdog:
        self._running.acquire()
        if threading.current_thread() is threading.main_thread():
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Send no more interrupts. One that is on its way as the call ends is swallowed here."""
        if self._running.locked():
            self._running.release()
        try:
            if self._thread.is_alive():
                self._thread.join()
            if self.fired:
                time.sleep(0.01)
        except KeyboardInterrupt:
            if not self.fired:
                raise
            self._thread.join()

    def _watch(self) -> None:
        wait = self.seconds
        while not self._running.acquire(timeout=wait):
            self.fired = True
            _interrupt_main_thread()
            wait = 1.0


def _interrupt_main_thread() -> None:
    if hasattr(signal, "pthread_kill"):  # wakes a sleeping call, which interrupt_main does not
        main = threading.main_thread().ident
        if main is not None:
            signal.pthread_kill(main, signal.SIGINT)
    else:
        _thread.interrupt_main()


@contextlib.contextmanager
def _noting(functions: Sequence[Callable[..., Any]], reached: set[str]) -> Iterator[None]:
    codes: dict[CodeType, str] = {f.__code__: f.__qualname__ for f in functions}  # type: ignore[attr-defined]
    if not codes:
        yield
        return

    def note(frame: FrameType, event: str, arg: Any) -> None:
        if event == "call" and frame.f_code in codes:
            reached.add(codes[frame.f_code])

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(before)


def is_stub(error: BaseException) -> bool:
    """Whether the error is a `raise NotImplementedError` that stands in the student's own code.

    The library and torch raise it too, for what they do not offer; that is another matter.
    """
    if not isinstance(error, NotImplementedError) or error.__traceback__ is None:
        return False
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code  # torch's C++ raises without a `raise` in the student's line
    raised_here = code.co_code[trace.tb_lasti] == dis.opmap["RAISE_VARARGS"]
    return raised_here and _is_students(code.co_filename)


def _in_words(error: Exception) -> str:
    """The error's type and text; and what helps, where the text alone is known to puzzle."""
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, TypeError):
        if "not function" in text or ("operand" in text and "'function'" in text):
            return f"{text}. A function stands there in place of its value: call it, like f(t)."
        if "must be Tensor, not" in text:
            return (
                "a TypeError: a torch function got a plain number, and takes tensors only. "
                "For numbers there are math.sqrt, math.exp and **."
            )
    if "only one element tensors" in text or "cannot be converted to Scalar" in text:
        return (
            f"{text}. A tensor of many numbers came where one number is wanted: "
            "math.sqrt and math.sin take numbers, torch.sqrt and torch.sin take tensors."
        )
    return text


def _where(error: BaseException) -> str:
    """The last line of the student's own code on the way to the error."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if _is_students(frame.filename):
            return f"Line {frame.lineno} of {frame.name}: {frame.line}".rstrip(": ")
    return ""


_LIBRARIES = (
    Path(__file__).parents[1],
    *(Path(sysconfig.get_path(p)) for p in ("stdlib", "platstdlib", "purelib", "platlib")),
)


def _is_students(filename: str) -> bool:
    parents = Path(filename).parents
    return not (
        filename.startswith("<frozen")
        or any(folder in parents for folder in _LIBRARIES)
        or any(folder.name in ("site-packages", "dist-packages") for folder in parents)
    )
