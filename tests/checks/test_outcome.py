import contextlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.checks import Fault, Outcome, judge
from course_lib.checks.lab1 import EulerStep, FarModesDistance, FiveModeSample, PredictOrder
from course_lib.checks.plain import Array, NotPlain, encode

names = st.text(max_size=8)
faults = st.builds(Fault, names, names, names)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | names
json_values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4)
)
outputs = st.sampled_from(
    [
        Array(np.zeros((2, 2))),
        Array(np.full((1500, 2), 1e300)),
        Array(np.ones((1500, 2), dtype=bool)),
        Array(np.ones((1500, 2), dtype="uint16")),
        Array(np.array(True)),
        Array(np.float64("nan").reshape(1)),
        2**900,
        [],
        {},
        {"a": [1, {}]},
    ]
)


@given(names, st.none() | faults, st.lists(faults, max_size=3), st.lists(faults, max_size=3))
def test_an_outcome_survives_json(check, fault, failings, hints):
    outcome = Outcome(check, [1.5, "b", None], fault, tuple(failings), tuple(hints))
    assert Outcome.from_json(json.loads(json.dumps(outcome.to_json()))) == outcome


@given(json_values)
def test_garbage_is_refused_or_read(data):
    fields = Outcome("c", 1).to_json()
    for candidate in (data, *({**fields, key: data} for key in fields)):
        with contextlib.suppress(NotPlain):
            Outcome.from_json(candidate)


@pytest.mark.parametrize(
    "change",
    [
        {"failings": {"a": 1}},
        {"failings": [["too", "short"]]},
        {"failings": [[1, 2, 3]]},
        {"hints": None},
        {"hints": 3},
        {"check": 3},
        {"check": ["x"]},
        {"fault": "abcd"},
        {"fault": 1},
        {"output": {"float": []}},
    ],
    ids=str,
)
def test_a_twisted_outcome_is_refused(change):
    with pytest.raises(NotPlain):
        Outcome.from_json({**Outcome("c", 1).to_json(), **change})


def test_a_missing_field_is_refused():
    for key in Outcome("c").to_json():
        data = Outcome("c").to_json()
        del data[key]
        with pytest.raises(NotPlain):
            Outcome.from_json(data)


def test_endless_words_are_cut():
    long = Fault("n" * 10**4, "m" * 10**4, "d" * 10**4)
    outcome = Outcome.from_json(Outcome("c", 1, None, (long,) * 50).to_json())
    assert len(outcome.failings) == 10
    assert len(outcome.failings[0].message) == 2000


@given(outputs | json_values)
def test_whatever_comes_the_judge_gives_no_points_and_no_error(output):
    try:
        data = {**Outcome("", None).to_json(), "output": encode(output)}
        read = Outcome.from_json(data).output
    except NotPlain:
        return
    for which in (EulerStep, FiveModeSample, PredictOrder, FarModesDistance):
        check = which()
        verdict = judge(check, Outcome(check.name, read), seed=3)
        assert verdict.points == 0
        assert verdict.fault
        assert verdict.message
