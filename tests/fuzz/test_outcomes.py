"""Forged outcomes for every check of every lab: always a verdict, and no points for nothing."""

import copy
import random
import time
import warnings
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from amount import times
from forged import array, forged_outcome, odd_value

from course_lib.checks import Check, Verdict, find_check
from course_lib.checks.base import call_with
from course_lib.checks.plain import Array, encode, to_plain
from course_lib.checks.registry import checks_of, labs_with_checks
from course_lib.checks.rng import Rng, derive_seed
from course_lib.grading.execute import Run
from course_lib.grading.judge import judge_cell
from course_lib.grading.kernel import CellRun

RUN = Run(seed=20)
LONGEST = 5.0
EACH = times(10)
CHECKS = [(lab, name) for lab in labs_with_checks() for name in checks_of(lab)]


def judged(check: Check, outcomes: list[Any]) -> Verdict:
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy, of infinities
        verdict, picture = judge_cell(check, CellRun(outcomes=outcomes), 0, RUN)
    assert time.perf_counter() - started < LONGEST
    assert isinstance(verdict, Verdict)
    assert picture is None or isinstance(picture, bytes)
    assert verdict.check == check.name
    return verdict


def test_there_are_a_thousand():
    assert len(CHECKS) * 2 * EACH >= times(1000)


@pytest.mark.parametrize("lab", labs_with_checks())
def test_forged(lab):
    faults: Counter[str | None] = Counter()
    for name in checks_of(lab):
        check = find_check(lab, name)
        for number in range(EACH):
            outcome = forged_outcome(random.Random(f"{name} {number}"), name)
            verdict = judged(check, [outcome])
            faults[verdict.fault] += 1
            if verdict.points and not _may_be_guessed(outcome):
                raise AssertionError(f"{name} {number} earned {verdict.points}: {outcome}")
    assert faults["not-judged"] == 0, faults
    assert faults["malformed-outcome"] < 0.9 * sum(faults.values())


def _may_be_guessed(outcome: Any) -> bool:
    """A letter or a small number, as anybody may write."""
    output = outcome.get("output") if isinstance(outcome, dict) else None
    return isinstance(output, str | int | float) and len(str(output)) < 5


@pytest.mark.parametrize("lab", labs_with_checks())
def test_nearly_right(lab):
    """The right answer with one thing changed, as a forger would begin."""
    tried = 0
    for name in checks_of(lab):
        check = find_check(lab, name)
        right = _right(check)
        for number in range(EACH if right is not None else 0):
            draw = random.Random(f"nearly {name} {number}")
            output = _spoilt(draw, copy.deepcopy(right))
            fields = {"check": name, "output": output, "fault": None, "failings": [], "hints": []}
            verdict = judged(check, [fields])
            assert verdict.points == 0, (name, number, verdict)
            assert verdict.fault != "not-judged", (name, number, verdict)
            tried += 1
    assert tried > 5 * EACH


def _right(check: Check) -> Any:
    """A right answer as JSON, None where no formula gives it."""
    inputs = check.inputs(Rng(derive_seed(RUN.seed, check.name)))
    try:
        return encode(to_plain(call_with(check.answer, inputs)))
    except NotImplementedError:
        return None


def _spoilt(draw: random.Random, answer: Any) -> Any:
    """The same with one part made wrong."""
    if isinstance(answer, list) and answer:
        where = draw.randrange(len(answer))
        change = draw.randrange(4)
        if change == 0:
            return answer[:where] + answer[where + 1 :]
        if change == 1:
            return [*answer, answer[where]]
        answer[where] = _spoilt(draw, answer[where])
        return answer
    if isinstance(answer, dict) and set(answer) == {"dict"}:
        key = draw.choice(list(answer["dict"]))
        answer["dict"][key] = _spoilt(draw, answer["dict"][key])
        return answer
    if isinstance(answer, dict) and "array" in answer:
        return _spoilt_array(draw, answer)
    if isinstance(answer, bool | str) or answer is None:
        return draw.choice([1.5, [], "no such word", {"dict": {}}])
    return draw.choice(
        [answer + 1, -answer - 1, {"float": "nan"}, {"float": "inf"}, str(answer), []]
    )


def _spoilt_array(draw: random.Random, answer: dict[str, Any]) -> Any:
    from course_lib.checks.plain import decode

    found = decode(answer)
    assert isinstance(found, Array)
    values = found.values
    spoilt = [
        lambda: array(values[None]),
        lambda: array(np.concatenate([values.reshape(-1), values.reshape(-1)])),
        lambda: array(values.astype("f4" if values.dtype != "f4" else "f8")),
        lambda: array(values, kind="numpy array"),
        lambda: array(values, kind="parameter"),
        lambda: array(values, device="cuda"),
        lambda: (
            array(values + np.ones_like(values)) if values.dtype.kind == "f" else odd_value(draw)
        ),
        lambda: array(np.full(values.shape, np.nan)),
        lambda: array(np.full(values.shape, np.inf)),
        lambda: array(np.zeros((0, *values.shape))),
        lambda: array(np.zeros((*values.shape, 3))),
    ]
    if values.dtype.kind == "f" and values.ndim:
        spoilt.append(lambda: array(values * torch.finfo(torch.float16).max))
    return draw.choice(spoilt)()
