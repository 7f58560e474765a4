import time

import pytest
import torch

from course_lib import simulate
from course_lib.checks import Check, Mistake, Outcome, execute, judge
from course_lib.checks.lab1 import (
    EulerStep,
    FarModesDistance,
    OrnsteinUhlenbeckCoefficients,
    PredictOrder,
)
from course_lib.checks.lab2 import ExactLosses, SamplePath
from course_lib.shapes import expand_time


def right(velocity, x, t, h):
    return x + h * velocity(x, t)


def outcome_of(answer, which=EulerStep):
    return execute(which(), answer if isinstance(answer, tuple) else (answer,), seed=7)


def named(faults):
    return [fault.name for fault in faults]


def test_a_right_answer_leaves_numbers_and_no_remark():
    outcome = outcome_of(right)
    assert outcome.check == "euler-step"
    assert outcome.output.values.shape == (64, 2)
    assert (outcome.fault, outcome.failings, outcome.hints) == (None, (), ())


def not_written(velocity, x, t, h):
    raise NotImplementedError


@pytest.mark.parametrize("answer", [None, ..., not_written], ids=["None", "dots", "stub"])
def test_not_written(answer):
    assert outcome_of(answer).fault.name == "not-written"


@pytest.mark.parametrize("answer", [lambda *_: None, lambda *_: (torch.ones(2), None)])
def test_nothing_returned(answer):
    fault = outcome_of(answer).fault
    assert fault.name == "nothing"
    assert "return" in fault.message


@pytest.mark.parametrize("value", [object(), lambda: 1, torch.nn.Linear(1, 1), 1j])
def test_a_strange_result(value):
    fault = outcome_of(lambda *_: value).fault
    assert fault.name == "type"
    assert type(value).__name__ in fault.message


def test_an_exception_inside():
    fault = outcome_of(lambda velocity, x, t, h: x + h * velocity(x, t) @ x).fault
    assert fault.name == "exception"
    assert "RuntimeError" in fault.message


def along_the_path(schedule, z, t, noise):
    alpha, beta, *_ = schedule(t)
    return alpha * z + beta * noise


def test_times_that_meet_points_without_an_axis():
    fault = outcome_of(along_the_path, SamplePath).fault
    assert fault.name == "exception"
    assert "The size of tensor a (16) must match" in fault.message
    assert fault.message.endswith("t has shape (16,), z has (16, 2): see `expand_time`.")
    assert fault.detail.endswith("of along_the_path: return alpha * z + beta * noise")


@pytest.mark.parametrize(
    ("answer", "which"),
    [
        (lambda schedule, z, t, noise: z + noise[:5], SamplePath),
        (lambda velocity, x, t, h: x + x.T, EulerStep),
    ],
    ids=["other sizes", "one t"],
)
def test_other_shapes_that_do_not_meet(answer, which):
    fault = outcome_of(answer, which).fault
    assert "must match" in fault.message
    assert "expand_time" not in fault.message


def test_values_of_the_schedule_have_names():
    def named_values(schedule, z, t, noise):
        values = schedule(expand_time(t, z))
        return values.alpha * z + values.beta * noise

    assert judge(SamplePath(), outcome_of(named_values, SamplePath), 7).passed


def test_a_type_error_inside_is_the_students_own():
    fault = outcome_of(lambda velocity, x, t, h: x + h * velocity(x)).fault
    assert fault.name == "exception"
    assert "'t'" in fault.message
    fault = outcome_of(lambda velocity, x, t, h: velocity + x).fault
    assert fault.name == "exception"


@pytest.mark.parametrize(
    ("answer", "came"),
    [
        (torch.ones(64, 2), "a tensor of shape (64, 2)"),
        (0.5, "a number"),
        ("euler_step", "a string"),
        ({1}, "a set"),
    ],
)
def test_a_value_in_place_of_the_function(answer, came):
    fault = outcome_of(answer).fault
    assert fault.name == "not-a-function"
    assert fault.message == f"A function was expected, and {came} came."
    assert "do not call it" in fault.detail


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x, h: x, "called with 4 arguments, and takes (x, h)"),
        (lambda velocity, x, t, h, noise: x, "called with 4 arguments"),
        (torch.nn.ReLU(), "`ReLU` is called with 4 arguments, and takes (input"),
        (lambda *, x: x, "takes (*, x)"),
    ],
    ids=["few", "many", "module", "keywords"],
)
def test_a_function_of_other_arguments(answer, words):
    fault = outcome_of(answer).fault
    assert fault.name == "arguments"
    assert words in fault.message


@pytest.mark.parametrize(
    ("which", "answers", "words"),
    [
        (EulerStep, (), "1 answer (`check(…, euler_step)`), and none came"),
        (EulerStep, (right, right), "1 answer (`check(…, euler_step)`), and 2 came"),
        (OrnsteinUhlenbeckCoefficients, (right,), "2 answers (`check(…, ou_drift, ou_diffusion)`)"),
        (PredictOrder, (), "and none came"),
        (FarModesDistance, (), "and none came"),
    ],
)
def test_too_few_or_many_answers(which, answers, words):
    fault = execute(which(), answers, 0).fault
    assert fault.name == "arguments"
    assert words in fault.message


def in_place(velocity, x, t, h):
    x += h * velocity(x, t)
    return x


def resized(velocity, x, t, h):
    result = x + h * velocity(x, t)
    x.resize_(2, 2)
    return result


@pytest.mark.parametrize("answer", [in_place, resized])
def test_an_input_changed_in_place(answer):
    fault = outcome_of(answer).failings[0]
    assert fault.name == "changed-in-place"
    assert "`x`" in fault.message


def test_own_noise_is_noticed():
    outcome = outcome_of(lambda velocity, x, t, h: x + h * velocity(x, t) + torch.randn_like(x))
    assert named(outcome.hints) == ["not-repeatable"]


def test_state_between_calls_is_noticed():
    calls = []

    def counting(velocity, x, t, h):
        calls.append(1)
        if len(calls) > 1:
            raise ValueError("again?")
        return right(velocity, x, t, h)

    assert "second-call" in named(outcome_of(counting).hints)


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (lambda velocity, x, t, h: x + h * velocity(x, torch.tensor(0.0)), "ignores-t"),
        (lambda velocity, x, t, h: x + velocity(x, t), "ignores-h"),
        (lambda velocity, x, t, h: 0 * x + t * h, "ignores-x"),
    ],
)
def test_an_ignored_input_is_noticed(answer, name):
    assert named(outcome_of(answer).hints) == [name]


@pytest.mark.parametrize(
    "answer",
    [
        lambda velocity, x, t, h: (x + h * velocity(x, t)).detach(),
        lambda velocity, x, t, h: torch.tensor((x + h * velocity(x, t)).tolist()).double(),
        lambda velocity, x, t, h: torch.from_numpy((x + h * velocity(x, t)).numpy()),
        torch.no_grad()(right),
        lambda velocity, x, t, h: (
            torch.zeros(64, 2, requires_grad=True) + right(velocity, x, t, h).detach()
        ),
    ],
    ids=["detach", "list", "numpy", "no_grad", "another leaf"],
)
def test_a_lost_gradient(answer):
    outcome = outcome_of(answer)
    assert named(outcome.failings) == ["no-gradient"]
    assert judge(EulerStep(), outcome, 7).fault == "no-gradient"


@pytest.mark.parametrize("lost", [0, 1])
@pytest.mark.parametrize("how", [torch.Tensor.detach, torch.Tensor.item])
def test_a_gradient_lost_in_one_of_two_results(lost, how):
    def losses(f, u, joint):
        place = joint.sum(dim=1)
        mean = (joint * u).sum(dim=1) / place
        both = [(joint * (f[:, None] - u) ** 2).sum(), (place * (f - mean) ** 2).sum()]
        both[lost] = how(both[lost])
        return tuple(both)

    outcome = outcome_of(losses, ExactLosses)
    assert named(outcome.failings) == ["no-gradient"]
    assert ExactLosses.parts[lost] in outcome.failings[0].message
    assert judge(ExactLosses(), outcome, 7).fault == "no-gradient"


def test_a_gradient_that_torch_cannot_compute():
    def spoilt(velocity, x, t, h):
        root = (x * x + 1).sqrt()
        result = root + velocity(x, t)
        root.zero_()  # the gradient of sqrt needs its result
        return result

    fault = outcome_of(spoilt).failings[0]
    assert fault.name == "no-gradient"
    assert "in" in fault.detail


@pytest.mark.parametrize(
    "answer", [simulate.euler_step, lambda *args: simulate.euler_step(*args)], ids=["it", "call"]
)
def test_forwarding_costs_the_points(answer):
    outcome = outcome_of(answer)
    assert named(outcome.failings) == ["forwards"]
    assert judge(EulerStep(), outcome, 7).points == 0


class Patience(Check):
    """A check with little patience."""

    seconds = 0.2

    def inputs(self, rng):
        return dict(x=rng.normal(3))

    def run(self, answer, x):
        return answer(x)

    def answer(self, x):
        return x


def test_a_hang():
    began = time.monotonic()
    fault = execute(Patience(), (lambda x: time.sleep(60),), 0).fault
    assert fault.name == "hang"
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("seed", range(3))
def test_the_seed_decides_the_inputs(seed):
    seen = []
    execute(Patience(), (lambda x: seen.append(x.tolist()),), seed)
    execute(Patience(), (lambda x: seen.append(x.tolist()),), seed)
    execute(Patience(), (lambda x: seen.append(x.tolist()),), seed + 1)
    assert seen[0] == seen[1] != seen[2]


class Twofold(Check):
    """Two results in a dict, of several kinds."""

    depends_on = ("x",)

    def inputs(self, rng):
        return dict(x=rng.normal(4))

    def run(self, answer, x):
        return answer(x)

    def answer(self, x):
        return {"square": x**2, "name": "parabola", "even": True}

    mistakes = [
        Mistake("odd", lambda x: {"square": x**2, "name": "parabola", "even": False}, "No.")
    ]


def test_dicts_of_several_kinds():
    def judged(answer):
        return judge(Twofold(), execute(Twofold(), (answer,), 1), 1)

    assert judged(lambda x: {"name": "parabola", "square": x * x, "even": True}).passed
    assert judged(lambda x: {"name": "parabola", "square": x * x, "even": False}).fault == "odd"
    assert judged(lambda x: {"name": "parabola", "square": x * x, "even": 1}).fault == "type"
    assert judged(lambda x: {"name": "line", "square": x * x, "even": True}).fault == "wrong"
    assert judged(lambda x: {"square": x * x, "even": True}).fault == "keys"
    assert judged(lambda x: x * x).fault == "type"
    assert judged(lambda x: {"name": "parabola", "square": x[0], "even": True}).fault == "shape"


def test_an_outcome_equals_what_it_becomes_in_the_grader():
    outcome = outcome_of(lambda velocity, x, t, h: x + velocity(x, t))
    back = Outcome.from_json(outcome.to_json())
    assert judge(EulerStep(), back, 7) == judge(EulerStep(), outcome, 7)
