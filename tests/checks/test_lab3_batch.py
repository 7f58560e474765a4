"""The check of Lab 3's loss: batches drawn wrongly are named."""

import pytest
import torch

from course_lib.checks import execute, judge
from course_lib.checks.lab3 import DigitLoss
from course_lib.datasets import MNIST


def loss(
    *,
    time=lambda g: torch.rand(64, generator=g),
    on_the_path=lambda t: t,
    null=10,
    rate=0.1,
    noise=lambda g: torch.randn(64, 1, 28, 28, generator=g),
    swapped=False,
    same=False,
    total=torch.mean,
):
    """A loss like the lab's, with one thing in it exchanged."""

    def digit_loss(model, generator):
        z, y = MNIST().sample(64, generator)
        t, epsilon = time(generator), noise(generator)
        u = t if same else torch.rand(64, generator=generator)
        if swapped:
            z, epsilon = epsilon, z
        s = on_the_path(t).view(-1, 1, 1, 1)
        y = torch.where(u < rate, null, y)
        return total((model(s * z + (1 - s) * epsilon, t, y) - (z - epsilon)).square())

    return digit_loss


def verdict(digit_loss, seed=0):
    return judge(DigitLoss(), execute(DigitLoss(), (digit_loss,), seed), seed)


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (dict(time=lambda g: torch.rand(1, generator=g).expand(64)), "one-time"),
        (dict(time=lambda g: torch.rand(64, generator=g) ** 2), "times"),
        (dict(time=lambda g: torch.rand((), generator=g)), "one-time"),
        (dict(time=lambda g: torch.rand(1, generator=g)), "one-time"),
        (dict(time=lambda g: torch.rand(64, 1, generator=g)), "shapes"),
        (dict(on_the_path=lambda t: t[:1]), "one-time-on-the-path"),
        (dict(on_the_path=lambda t: t.mean()), "one-time-on-the-path"),
        (dict(on_the_path=lambda t: t.roll(1)), "other-times"),
        (dict(on_the_path=lambda t: 1 - t), "ends-exchanged"),
        (dict(null=11), "null-label"),
        (dict(rate=0.0), "none-covered"),
        (dict(null=0), "none-covered"),
        (dict(rate=0.9), "share-covered"),
        (dict(same=True), "u-is-t"),
        (dict(swapped=True), "ends-exchanged"),
        (dict(noise=lambda g: torch.rand(64, 1, 28, 28, generator=g)), "noise"),
        (dict(noise=lambda g: torch.randn(64, 1, 28, 28)), "own-randomness"),
        (dict(total=torch.sum), "sum"),
        (dict(total=lambda squares: squares.mean(dim=(1, 2, 3))), "no-scalar"),
    ],
)
def test_a_batch_drawn_wrongly_is_named(wrong, fault):
    got = verdict(loss(**wrong))
    assert (got.points, got.fault) == (0, fault)


def test_a_loss_that_ignores_the_generator_is_named():
    fixed = loss()
    got = verdict(lambda model, generator: fixed(model, torch.Generator().manual_seed(1)))
    assert got.fault == "always-the-same"


def test_the_lab_s_own_loss_passes_for_many_seeds():
    assert all(verdict(loss(), seed).passed for seed in range(40))
