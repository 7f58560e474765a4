import pytest
import torch

from course_lib.checks import Check, Fault, Judgement, Mistake, Outcome, judge
from course_lib.checks.judge import expected_and_got
from course_lib.checks.lab1 import FiveModeSample, PathCovariance, PredictOrder
from course_lib.checks.plain import to_plain
from course_lib.checks.rng import Rng


class Double(Check):
    """Twice a vector."""

    points = 3
    rtol = 1e-3

    def inputs(self, rng):
        return dict(x=rng.normal(5))

    def answer(self, x):
        return 2 * x

    also = [lambda x: 2 * x + 1]
    mistakes = [
        Mistake("thrice", lambda x: 3 * x, "This is three times x."),
        Mistake("fails", lambda x: x @ x @ x, "This formula cannot be computed."),
        Mistake("short", lambda x: 2 * x[:3], "The last two are missing."),
        Mistake("close", lambda x: 2 * x * 1.0005, "Too close to the answer to be a mistake."),
    ]


X = Double().inputs(Rng(5))["x"]
REMARK = Fault("remark", "Something was noticed.", "here")


def judged(output, **outcome):
    return judge(Double(), Outcome("double", to_plain(output), **outcome), 5)


def test_the_answer_earns_all_points():
    verdict = judged(2 * X)
    assert (verdict.points, verdict.max_points, verdict.fault, verdict.passed) == (3, 3, None, True)
    assert (verdict.check, verdict.title, verdict.seed) == ("double", "Twice a vector", 5)


def test_another_right_answer_earns_all_points():
    assert judged(2 * X + 1).passed


def test_a_hint_takes_nothing_from_a_right_answer():
    assert judged(2 * X, hints=(REMARK,)).passed


def test_an_answer_within_tolerance_is_right_even_near_a_mistake():
    assert judged(2 * X * 1.0002).passed


def test_a_mistake_is_named_before_anything_noticed_or_measured():
    verdict = judged(3 * X, hints=(REMARK,))
    assert (verdict.points, verdict.fault) == (0, "thrice")
    assert verdict.message == "This is three times x."
    assert judged(2 * X[:3], hints=(REMARK,)).fault == "short"  # its shape is wrong too


def test_what_was_noticed_explains_wrong_numbers_but_no_wrong_shape():
    assert judged(4 * X, hints=(REMARK,)).message == "Something was noticed."
    assert judged(4 * X[:2], hints=(REMARK,)).fault == "shape"
    assert judged(4 * X).fault == "wrong"


def test_a_failing_costs_the_points_of_a_right_answer():
    verdict = judged(2 * X, failings=(REMARK,), hints=(Fault("hint", "…"),))
    assert (verdict.points, verdict.fault, verdict.detail) == (0, "remark", "here")


def test_a_fault_comes_first():
    verdict = judged(None, fault=Fault("hang", "It hangs."), failings=(REMARK,))
    assert (verdict.points, verdict.fault) == (0, "hang")


def test_the_outcome_of_another_check_earns_nothing():
    verdict = judge(Double(), Outcome("triple", to_plain(2 * X)), 5)
    assert (verdict.points, verdict.fault) == (0, "other-check")
    assert "triple" in verdict.message


def test_another_seed_has_another_answer():
    assert not judge(Double(), Outcome("double", to_plain(2 * X)), 6).passed


def test_both_estimators_of_a_covariance_are_right():
    check = PathCovariance()
    paths = check.inputs(Rng(1))["paths"]
    for output in (torch.cov(paths), torch.cov(paths, correction=0)):
        assert judge(check, Outcome(check.name, to_plain(output)), 1).passed


class Thirds(Check):
    """Judged by itself."""

    points = 2

    def judge(self, inputs, output):
        return Judgement(output, None if output == 1 else "part", "Words.", "Numbers.")


@pytest.mark.parametrize(("share", "points"), [(0, 0), (1 / 3, 0.67), (0.5, 1), (1, 2)])
def test_a_judge_of_its_own_gives_a_share(share, points):
    verdict = judge(Thirds(), Outcome("thirds", share), 0)
    assert verdict.points == points
    assert (verdict.message, verdict.detail) == ("Words.", "Numbers.")


def test_a_check_needs_an_answer_or_a_judge():
    with pytest.raises(NotImplementedError, match="neither an answer nor a judge"):
        judge(Check(), Outcome("check", 1), 0)


def test_names_and_titles():
    assert PredictOrder().name == "predict-order"
    assert type("ODEStep", (Check,), {})().name == "ode-step"
    assert type("Rk4Step", (Check,), {"__doc__": "One step.\n\nMore."})().title == "One step"


def test_numbers_for_the_picture():
    expected, got = expected_and_got(Double(), Outcome("double", to_plain(X)), 5)
    assert expected.tolist() == (2 * X).tolist()
    assert got.tolist() == X.tolist()
    for outcome in (
        Outcome("double", to_plain(X[:3])),
        Outcome("double", "word"),
        Outcome("double", fault=REMARK),
    ):
        assert expected_and_got(Double(), outcome, 5) is None
    assert expected_and_got(FiveModeSample(), Outcome("five-mode-sample", to_plain(X)), 5) is None


def test_a_choice_is_read_as_people_type_it():
    for text in ("b", "B", " b ", "(b)", "b)", "( B ).", "[b]", "b.", "b:", "'b'"):
        assert judge(PredictOrder(), Outcome("predict-order", text), 0).passed, text
    verdict = judge(PredictOrder(), Outcome("predict-order", 2), 0)
    assert verdict.fault == "type"
    assert "in quotes" in verdict.message
    verdict = judge(PredictOrder(), Outcome("predict-order", "e"), 0)
    assert verdict.message == "'e' is not one of a, b, c, d."
