"""`check` and `progress` in a plain Python program; test_kernel.py has them in a notebook."""

import json
import secrets

import pytest
import torch

from course_lib.checks import CheckFailed, check, checks_of, find_check, lab1, notebook, progress
from course_lib.checks.rng import Rng, derive_seed


@pytest.fixture(autouse=True)
def fresh_notebook(monkeypatch):
    monkeypatch.setattr(notebook, "_verdicts", {})
    monkeypatch.setattr(notebook, "_latest_lab", [])
    monkeypatch.delenv(notebook.GRADING_SEED, raising=False)


def euler_step(velocity, x, t, h):
    return x + h * velocity(x, t)


def test_a_right_answer_prints_one_line(capsys):
    assert check(lab1.EulerStep, euler_step) is None
    assert capsys.readouterr().out == "✓ Euler step: Notes (4): 1 of 1 point\n"


def test_a_wrong_answer_prints_why_and_raises(capsys):
    with pytest.raises(CheckFailed, match="Euler step") as caught:
        check(lab1.EulerStep, lambda velocity, x, t, h: x + velocity(x, t), seed=4)
    assert caught.value.verdict.fault == "no-step-size"
    assert caught.value.verdict.seed == 4
    assert caught.value._render_traceback_() == ["Euler step: Notes (4): not yet (0 of 1 point)"]
    out = capsys.readouterr().out
    assert out.startswith("✗ Euler step: Notes (4): 0 of 1 point\nThe velocity is a speed.")
    assert "html" not in out


def test_a_partly_right_answer_returns_its_points():
    generator = torch.Generator().manual_seed(0)
    target = lab1.FiveModeSample.target()
    target.weights = torch.full_like(target.weights, 0.2)
    assert check(lab1.FiveModeSample, target.sample(2000, generator)) == 1.5


def test_inputs_are_fresh_each_time(monkeypatch):
    seeds = [1, 2]
    monkeypatch.setattr(secrets, "randbelow", lambda _: seeds.pop(0))
    seen = []
    for _ in range(2):
        check(lab1.LargestStableStep, lambda theta: (seen.append(theta), 2 / theta)[1])
    assert len(set(seen)) == 2
    check(lab1.LargestStableStep, lambda theta: (seen.append(theta), 2 / theta)[1], seed=1)
    assert seen[0] == seen[-1]


@pytest.mark.parametrize("which", [euler_step, lab1.EulerStep(), "euler-step", int])
def test_the_check_itself_must_come_first(which):
    with pytest.raises(ValueError, match="should be a check"):
        check(which, euler_step)


def test_grading_collects_and_judges_nothing(monkeypatch):
    monkeypatch.setenv(notebook.GRADING_SEED, "77")
    published = []
    monkeypatch.setattr(notebook, "_publish", published.append)
    seen = []
    assert check(lab1.EulerStep, lambda velocity, x, t, h: seen.append(x) or x, seed=3) is None
    (bundle,) = published
    assert set(bundle) == {notebook.OUTCOME_MIME, "text/plain"}
    assert json.loads(json.dumps(bundle))[notebook.OUTCOME_MIME]["check"] == "euler-step"
    drawn = lab1.EulerStep().inputs(Rng(derive_seed(77, "euler-step")))["x"]
    assert torch.equal(seen[0], drawn)  # the grader's seed, not the caller's
    assert notebook._verdicts == {}


def test_progress_needs_a_lab_before_the_first_check():
    with pytest.raises(ValueError, match=r'progress\("lab1"\)'):
        progress()


def test_progress_lists_every_check(capsys):
    check(lab1.EulerStep, euler_step)
    with pytest.raises(CheckFailed):
        check(lab1.PredictOrder, "a")
    capsys.readouterr()
    progress()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(checks_of("lab1"))
    assert [line[0] for line in lines[:4]] == ["✓", "○", "✗", "○"]
    progress("lab1")
    assert capsys.readouterr().out.splitlines() == lines


def test_unknown_labs_and_checks():
    with pytest.raises(ValueError, match=r"no lab 'lab99'\. There are: lab1"):
        progress("lab99")
    with pytest.raises(ValueError, match=r"no check 'x'\. It has: euler-step"):
        find_check("lab1", "x")
    assert isinstance(find_check("lab1", "euler-step"), lab1.EulerStep)


def test_seeds_of_checks_differ_and_stay():
    seeds = {derive_seed(base, name) for base in range(20) for name in checks_of("lab1")}
    assert len(seeds) == 20 * len(checks_of("lab1"))
    assert derive_seed(1, "euler-step") == derive_seed(1, "euler-step") < 2**48


def test_the_numbers_of_a_check():
    rng, again = Rng(3), Rng(3)
    assert torch.equal(rng.normal(2, 3), again.normal(2, 3))
    x = rng.uniform(10_000, low=-1.0, high=2.0)
    assert x.dtype == torch.float64
    assert -1 <= x.min() < -0.99
    assert 1.99 < x.max() < 2
    assert {rng.integer(1, 3) for _ in range(100)} == {1, 2, 3}
    assert {rng.choice("ab") for _ in range(100)} == {"a", "b"}
    assert abs(rng.normal(10_000, scale=3.0).std().item() - 3) < 5 * 3 / 20_000**0.5
