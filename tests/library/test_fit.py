import math
import time
import warnings

import pytest
import torch
from torch import nn

from course_lib.training import fit
from course_lib.training.adam import Adam
from course_lib.training.fit import _averaging


def line_loss(model, generator):
    """Least squares for y = 2x - 1 with noise; the minimum is the noise's variance, 0.01."""
    x = torch.rand(64, 1, generator=generator)
    y = 2 * x - 1 + 0.1 * torch.randn(64, 1, generator=generator)
    return (model(x) - y).square().mean()


def line(seed=0):
    torch.manual_seed(seed)
    return nn.Linear(1, 1)


def quiet_fit(model, loss=line_loss, **settings):
    return fit(model, loss, progress=False, **settings)


def test_learns_a_line_and_keeps_its_history():
    model = line()
    run = quiet_fit(model, steps=400, lr=0.1)
    assert run.model.weight.item() == pytest.approx(2, abs=0.05)
    assert run.model.bias.item() == pytest.approx(-1, abs=0.03)
    assert run.history.steps.tolist() == list(range(1, 401))
    assert run.history.losses.shape == run.history.seconds.shape == (400,)
    assert run.history.losses[-100:].mean().item() == pytest.approx(0.01, rel=0.1)
    assert (run.history.seconds.diff() > 0).all()


def test_the_result_is_a_frozen_copy_and_the_model_is_trained_in_place():
    model = line()
    before = model.weight.item()
    run = quiet_fit(model, steps=5)
    assert model.weight.item() != before
    assert run.model is not model
    assert type(run.model) is type(model)
    assert not run.model.training
    assert model.training
    assert not any(weight.requires_grad for weight in run.model.parameters())
    assert all(weight.requires_grad for weight in model.parameters())


def test_same_seed_same_result_bit_for_bit():
    runs = [quiet_fit(line(), steps=30, seed=seed) for seed in (3, 3, 4)]
    assert torch.equal(runs[0].history.losses, runs[1].history.losses)
    assert torch.equal(runs[0].model.weight, runs[1].model.weight)
    assert not torch.equal(runs[0].history.losses, runs[2].history.losses)


def test_leaves_the_global_generator_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    model = line()
    torch.manual_seed(0)
    quiet_fit(model, steps=3)
    assert torch.equal(torch.rand(3), expected)


def test_stops_at_the_first_of_steps_and_seconds():
    assert len(quiet_fit(line(), steps=3, seconds=60.0).history.steps) == 3
    start = time.perf_counter()
    run = quiet_fit(line(), steps=10**9, seconds=0.2)
    assert time.perf_counter() - start < 2
    assert run.history.seconds[-1] >= 0.2 > run.history.seconds[-2]


def test_learning_rate_rises_and_then_falls_as_a_cosine(monkeypatch):
    rates = []

    monkeypatch.setattr(Adam, "step", lambda self, lr: rates.append(lr))
    quiet_fit(line(), steps=200, lr=0.5, warmup=4)
    cosine = [0.25 * (1 + math.cos(math.pi * n / 200)) for n in range(200)]
    rise = [0.2, 0.4, 0.6, 0.8] + [1.0] * 196
    assert rates == pytest.approx([r * c for r, c in zip(rise, cosine, strict=True)])


@pytest.mark.parametrize("ema", [0.0, 0.5, 0.95])
def test_the_average_is_the_recursion(ema):
    weights = []

    def loss(model, generator):
        weights.append(model.weight.item())
        return line_loss(model, generator)

    model = line()
    run = quiet_fit(model, loss, steps=50, ema=ema)
    visited = [*weights[1:], model.weight.item()]  # after each step
    expected = visited[0]
    for n, weight in enumerate(visited[1:], start=1):
        decay = min(ema, (1 + n) / (10 + n))
        expected = decay * expected + (1 - decay) * weight
    assert run.model.weight.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("steps", [30, 300, 3000])
def test_the_average_forgets_the_first_weights(steps):
    """Of a weight that was 1 at the first step and 0 since, next to nothing is left."""
    average, averaged = _averaging(0.999), [torch.ones(1)]
    for n in range(1, steps):
        average(averaged, [torch.zeros(1)], n)
    assert averaged[0].item() < 1e-3


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda model, generator: 1.0, "the loss is a float; expected a scalar tensor"),
        (lambda model, generator: model(torch.ones(3, 1)), r"shape \(3, 1\); expected \(\)"),
        (lambda model, generator: torch.tensor(1.0), "no gradient for the model"),
        (lambda model, generator: line()(torch.ones(1, 1)).sum(), "no gradient for the model"),
        (lambda model, generator: model.weight.sum() * math.nan, "the loss is nan at step 1"),
    ],
)
def test_a_loss_that_cannot_be_lowered_is_refused(loss, message):
    with pytest.raises(ValueError, match=message):
        quiet_fit(line(), loss, steps=5)


def test_says_at_which_step_the_loss_was_lost():
    calls = []

    def loss(model, generator):
        calls.append(1)
        return line_loss(model, generator) * (math.inf if len(calls) == 7 else 1)

    with pytest.raises(ValueError, match="the loss is inf at step 7"):
        quiet_fit(line(), loss, steps=20)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "neither steps nor seconds"),
        ({"steps": 0}, "steps is 0"),
        ({"seconds": 0.0}, "seconds is 0.0"),
        ({"seconds": math.nan}, "seconds is nan"),
        ({"steps": 5, "lr": -1.0}, "lr is -1.0"),
        ({"steps": 5, "optimizer": "sgd"}, "optimizer is 'sgd'; expected one of adam, muon"),
        ({"steps": 5, "ema": 1.0}, r"ema is 1.0; expected a number in \[0, 1\)"),
        ({"steps": 5, "warmup": -1}, "warmup is -1"),
    ],
)
def test_settings_outside_their_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        quiet_fit(line(), **settings)


def test_a_model_without_parameters_is_refused():
    with pytest.raises(ValueError, match="Identity has no parameter to train"):
        quiet_fit(nn.Identity(), steps=5)


def test_an_interrupt_keeps_what_was_learned():
    calls = []

    def loss(model, generator):
        calls.append(1)
        if len(calls) == 301:
            raise KeyboardInterrupt
        return line_loss(model, generator)

    with pytest.warns(UserWarning, match="interrupted after 300 steps"):
        run = quiet_fit(line(), loss, steps=10_000, lr=0.1)
    assert len(run.history.steps) == 300
    assert run.model.weight.item() == pytest.approx(2, abs=0.1)
    assert not run.model.training


@pytest.mark.parametrize("length", [{"steps": 20}, {"seconds": 0.05}])
def test_the_bar_shows_the_loss_and_ends_full(length, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # tqdm warns where a bar runs over its end
        run = fit(line(), line_loss, **length)
    shown = capsys.readouterr().err
    assert "100%" in shown
    assert f"step {len(run.history.steps)}, loss {run.history.losses[-1]:.4g}" in shown
    quiet_fit(line(), steps=2)
    assert capsys.readouterr().err == ""
