"""An answer may be wrong because an earlier one is: then a check says which."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from torch import Tensor

from course_lib.checks.base import Check, call_with
from course_lib.checks.compare import agree
from course_lib.checks.guard import StudentError
from course_lib.checks.judge import judge
from course_lib.checks.outcome import Fault, Outcome
from course_lib.checks.plain import to_plain
from course_lib.checks.rng import Rng

__all__ = ["blame_earlier", "named"]

COLLECTING = "COURSE_GRADING_SEED"  # as in checks.notebook, which imports this lab
_PREFIX = "earlier-"


def named(answer: Any, name: str) -> Any:
    """What a student's function or method calls by this name, None if it calls nothing by it."""
    function = inspect.unwrap(getattr(answer, "__func__", answer))
    if not inspect.isfunction(function) or name not in function.__code__.co_names:
        return None
    return function.__globals__.get(name)


def blame_earlier(
    check: Check,
    inputs: tuple[Any, ...],
    result: Any,
    earlier: Iterable[tuple[int, type[Check], Any]],
) -> None:
    """Raise StudentError where a result is wrong, and so is an earlier answer in it.

    Args:
        check: The check of the result.
        inputs: What the result was made from, in the order of the check's `answer`.
        result: What the student's code returned.
        earlier: Number, check and answer of each earlier exercise, the earliest first; None for
            an answer that is not used.

    Does nothing while a hand-in is graded: the sandbox knows no answers to compare with.
    """
    if COLLECTING in os.environ:
        return
    for exercise, which, answer in earlier:
        fault = None if answer is None else _fault(which(), answer)
        if fault is None or not isinstance(result, Tensor) or _is_right(check, inputs, result):
            continue
        if fault.name.startswith(_PREFIX):
            raise StudentError(fault)
        message = f"What differs is your `{getattr(answer, '__name__', type(answer).__name__)}` of Exercise {exercise}."
        raise StudentError(
            Fault(f"{_PREFIX}{which().name}", f"{message} {fault.message}", fault.detail)
        )


def _fault(check: Check, answer: Any) -> Fault | None:
    """What an earlier check says of an answer, None if it is right or cannot be called."""
    inputs = check.inputs(Rng(0))
    try:
        output = to_plain(call_with(check.run, inputs, answer))
    except StudentError as error:
        return error.fault
    except Exception:  # the later answer works with it all the same
        return None
    verdict = judge(check, Outcome(check.name, output), 0)
    return None if verdict.fault is None else Fault(verdict.fault, verdict.message, verdict.detail)


def _is_right(check: Check, inputs: tuple[Any, ...], result: Tensor) -> bool:
    # In another thread: in this one the guard would take it for the student's call of the library.
    with ThreadPoolExecutor(1) as aside:
        right = aside.submit(check.answer, *inputs).result()
    return agree(to_plain(right), to_plain(result), check.rtol)
