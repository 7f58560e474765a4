"""The grader's side of a check: from an outcome to a verdict, without the student's code."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_lib.checks.base import Check, call_with
from course_lib.checks.compare import agree, difference, numbers
from course_lib.checks.outcome import Fault, Outcome
from course_lib.checks.plain import to_plain
from course_lib.checks.rng import Rng
from course_lib.checks.verdict import Verdict

__all__ = ["Judgement", "expected_and_got", "judge"]


@dataclass(frozen=True)
class Judgement:
    """What a check's own `judge` returns: the share of the points, and why.

    Attributes:
        share: From 0 to 1.
        fault: None if all is right, else the name of what went wrong.
        message: What the student reads.
        detail: A further line.
    """

    share: float
    fault: str | None = None
    message: str = ""
    detail: str = ""


def judge(check: Check, outcome: Outcome, seed: int) -> Verdict:
    """Judge an outcome of the check, whose inputs were drawn from the seed.

    A right answer is accepted. A wrong one is explained by the first of: a named mistake that
    gives this very output, something noticed while it ran, the first difference found.
    """
    judgement = _judge(check, outcome, seed)
    return Verdict(
        check=check.name,
        title=check.title,
        points=round(check.points * judgement.share, 2),
        max_points=check.points,
        fault=judgement.fault,
        message=judgement.message,
        detail=judgement.detail,
        seed=seed,
    )


def _judge(check: Check, outcome: Outcome, seed: int) -> Judgement:
    if outcome.check != check.name:
        return Judgement(
            0, "other-check", f"This is the outcome of another check, {outcome.check}."
        )
    if outcome.fault is not None:
        return _fail(outcome.fault)
    grave = [fault for fault in outcome.failings if fault.name != "no-gradient"]
    if grave:
        return _fail(grave[0])
    inputs = check.inputs(Rng(seed))
    own = check.judge(inputs, outcome.output)
    if own is not None:
        return own
    expected = to_plain(call_with(check.answer, inputs))
    found = difference(expected, outcome.output, check.rtol, check.parts)
    right, wrong = _alternatives(check, seed) if found is not None else ([], [])
    if found is None or any(_matches(output, outcome.output, check.rtol) for output in right):
        # what remains of the failings is a missing gradient
        return _fail(outcome.failings[0]) if outcome.failings else Judgement(1)
    for mistake, output in zip(check.mistakes, wrong, strict=True):
        if _matches(output, outcome.output, check.rtol):
            return Judgement(0, mistake.name, mistake.sentence)
    random = [hint for hint in outcome.hints if hint.name == "not-repeatable"]
    if random or (found.name == "wrong" and outcome.hints):
        return _fail((random or outcome.hints)[0])
    return _fail(found)


@functools.lru_cache(maxsize=16)
def _alternatives(check: Check, seed: int) -> tuple[list[Any], list[Any]]:
    """What the other right formulas give, and what the mistakes give; None where one fails."""

    def output(formula: Any) -> Any:
        try:
            return to_plain(call_with(formula, check.inputs(Rng(seed))))
        except Exception:  # a mistaken formula may well fail on some inputs
            return None

    return [output(f) for f in check.also], [output(m.formula) for m in check.mistakes]


def _matches(output: Any, got: Any, rtol: float) -> bool:
    return output is not None and agree(output, got, rtol)


def _fail(fault: Fault) -> Judgement:
    return Judgement(0, fault.name, fault.message, fault.detail)


def expected_and_got(check: Check, outcome: Outcome, seed: int) -> tuple[Any, Any] | None:
    """The numbers for a card's small picture: flat arrays of one size.

    None where a picture would not help: few numbers, or a difference too small to see.
    """
    if outcome.fault is not None:
        return None
    try:
        answer = call_with(check.answer, check.inputs(Rng(seed)))
    except NotImplementedError:
        return None
    expected, got = numbers(to_plain(answer)), numbers(outcome.output)
    if expected is None or got is None or expected.shape != got.shape or expected.size < 3:
        return None
    if not np.isfinite(got).any() or np.nanmax(np.abs(got - expected)) < 0.1 * np.ptp(expected):
        return None
    return expected, got
