"""Every check of every lab against its answer, right answers and mistakes, over many seeds.

Nothing here knows a single check: a new lab is swept as soon as it has a checks module.
"""

import ast
import functools
import importlib.util
import json
import os
from collections import Counter
from pathlib import Path

import pytest

from course_lib.checks import Check, Choice, Outcome, checks_of, execute, judge, labs_with_checks
from course_lib.checks.base import call_with
from course_lib.checks.choice import seal
from course_lib.checks.guard import StudentError
from course_lib.checks.plain import encode, to_plain
from course_lib.checks.rng import Rng

SEEDS = range(int(os.environ.get("COURSE_SEEDS", "20")))  # CI sweeps 50
SOLUTIONS = Path(__file__).parents[2] / "solutions"
ALL = [
    pytest.param(lab, which, id=f"{lab}-{name}")
    for lab in labs_with_checks()
    for name, which in checks_of(lab).items()
]
FORMULAS = [p for p in ALL if p.values[1].judge is Check.judge]  # the others judge by themselves
CHOICES = [p for p in ALL if issubclass(p.values[1], Choice)]


@functools.cache
def right_answers(lab):
    path = SOLUTIONS / lab / "right_answers.py"
    spec = importlib.util.spec_from_file_location(f"{lab}_right_answers", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.RIGHT_ANSWERS


def seeds(which):
    """As many as its answers deserve: without inputs, all are alike."""
    return range(2) if which.inputs is Check.inputs else SEEDS[:3] if which.costly else SEEDS


def verdict_on(check, args, seed):
    """What the grader makes of an answer: run, written as JSON, read back, judged."""
    text = json.dumps(execute(check, args, seed).to_json(), allow_nan=False)
    return judge(check, Outcome.from_json(json.loads(text)), seed)


def verdict_on_formula(check, formula, seed):
    output = to_plain(call_with(formula, check.inputs(Rng(seed))))
    return judge(check, Outcome(check.name, output), seed)


@pytest.mark.parametrize(("lab", "which"), ALL)
def test_right_answers_are_accepted(lab, which):
    answers = right_answers(lab)[which]
    assert len(answers) >= 2
    for seed in seeds(which):
        for number, args in enumerate(answers):
            verdict = verdict_on(which(), args, seed)
            assert verdict.passed, f"right answer {number}, seed {seed}: {verdict}"
            assert verdict.points == which.points
            assert verdict.fault is None


@pytest.mark.parametrize(("lab", "which"), FORMULAS)
def test_the_answer_is_accepted_and_every_mistake_is_named(lab, which):
    check = which()
    for seed in SEEDS[:5] if which.costly else SEEDS:
        assert verdict_on_formula(check, check.answer, seed).passed
        for formula in check.also:
            assert verdict_on_formula(check, formula, seed).passed
        for mistake in check.mistakes:
            verdict = verdict_on_formula(check, mistake.formula, seed)
            assert (verdict.points, verdict.fault) == (0, mistake.name), f"seed {seed}"
            assert verdict.message == mistake.sentence


def as_student_code(check, formula, seed):
    """The formula as the one function or value that `check` wants; None if it wants more."""
    inputs = check.inputs(Rng(seed))
    if not inputs:
        return formula()
    calls = []

    def spy(*args):
        calls.append(args)
        return call_with(check.answer, inputs)

    try:
        call_with(check.run, inputs, spy)
        ((*args,),) = calls
        names = [next(name for name, value in inputs.items() if value is arg) for arg in args]
    except (KeyError, StopIteration, StudentError, TypeError, ValueError):
        return None
    return lambda *args: call_with(formula, dict(zip(names, args, strict=True)))


@pytest.mark.parametrize(
    ("lab", "which"),
    [p for p in FORMULAS if as_student_code(p.values[1](), p.values[1]().answer, 0) is not None],
)
def test_a_student_who_makes_a_mistake_is_told_so(lab, which):
    check = which()
    for seed in range(3):
        assert verdict_on(check, (as_student_code(check, check.answer, seed),), seed).passed
        for mistake in check.mistakes:
            answer = as_student_code(check, mistake.formula, seed)
            assert verdict_on(check, (answer,), seed).fault == mistake.name


@pytest.mark.parametrize(("lab", "which"), ALL)
def test_words_and_points(lab, which):
    check = which()
    assert check.points > 0
    assert check.title
    assert not check.title.startswith(which.__name__)
    sentences = {}
    for mistake in check.mistakes:
        assert mistake.sentence.strip()[-1] in ".?!)…"
        assert sentences.setdefault(mistake.name, mistake.sentence) == mistake.sentence
    assert len(set(sentences.values())) == len(sentences)
    if which.judge is Check.judge:
        assert len(sentences) >= 3


@pytest.mark.parametrize(("lab", "which"), ALL)
def test_inputs_are_drawn_anew_from_every_seed_and_only_from_it(lab, which):
    first, again, other = (as_text(which().inputs(Rng(seed))) for seed in (1, 1, 2))
    assert first == again
    assert first != other or not first


def as_text(inputs):
    return {k: json.dumps(encode(to_plain(v))) for k, v in inputs.items() if not callable(v)}


@pytest.mark.parametrize(("lab", "which"), CHOICES)
def test_one_option_is_right_and_every_other_has_its_reply(lab, which):
    check = which()
    right = [letter for letter in check.replies if seal(check.name, letter) == check.key]
    assert len(right) == 1
    assert len(check.replies) >= 3
    for letter, reply in check.replies.items():
        verdict = verdict_on(check, (letter,), 0)
        assert verdict.message == reply
        assert reply.strip()[-1] in ".?!"
        assert verdict.fault == (None if letter in right else f"chose-{letter}")
        assert verdict.points == (check.points if letter in right else 0)
    for other in ("", "z", "ab", 1, ["a"], {"a": 1}, True):
        assert verdict_on(check, (other,), 0).fault in ("type", "no-such-option")


@pytest.mark.parametrize("lab", labs_with_checks())
def test_the_lab_uses_every_check_once(lab):
    used = Counter(
        node.args[0].attr
        for path in (SOLUTIONS / lab).glob(f"{lab}*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "check"
        and isinstance(node.args[0], ast.Attribute)
    )
    assert used == Counter(which.__name__ for which in checks_of(lab).values())
