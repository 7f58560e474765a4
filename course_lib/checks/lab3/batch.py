"""Exercise 12 of Lab 3, before the training: is each batch drawn as it should be?"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from course_lib.checks.base import Check
from course_lib.checks.guard import StudentError
from course_lib.checks.judge import Judgement
from course_lib.checks.outcome import Fault
from course_lib.checks.plain import Array

__all__ = ["DigitLoss"]

_CALLS, _BATCH, _NULL = 30, 64, 10
_MARGIN = torch.ones(28, 28, dtype=torch.bool)  # where every digit is −1, so that x_t is −t there
_MARGIN[2:-2, 2:-2] = False


class DigitLoss(Check):
    """What a training step draws.

    The loss is called 30 times with a network that says 0 and writes down what it is shown.
    Judged are the 1,920 times and labels, the images at early times, the margins of all images,
    which say with which t they were made, and the mean of the losses, at five standard deviations
    or more: a right answer is refused less than once in 100,000 times.
    """

    points = 1
    repeatable = False
    seconds = 30.0

    def inputs(self, rng):
        return dict(seeds=torch.tensor([rng.integer(0, 2**31) for _ in range(_CALLS)]))

    def run(self, digit_loss, seeds):
        seen: list[tuple[torch.Tensor, ...]] = []

        def network(x, t, y):
            seen.append((x.detach(), torch.as_tensor(t).detach(), y.detach()))
            return torch.zeros_like(x)

        losses = [_loss(digit_loss, network, int(seed)) for seed in seeds]
        again = _loss(digit_loss, network, int(seeds[0]))
        if len(seen) != _CALLS + 1:
            raise StudentError(
                Fault("calls", f"The network is called {len(seen)} times in {_CALLS + 1} losses.")
            )
        x, t, y = (torch.stack(parts) for parts in zip(*seen[:-1], strict=True))
        if t.shape in ((_CALLS,), (_CALLS, 1)):
            raise StudentError(Fault("one-time", _ONE_TIME))
        if x.shape != (_CALLS, _BATCH, 1, 28, 28) or t.shape != y.shape or t.ndim != 2:
            raise StudentError(
                Fault(
                    "shapes",
                    f"The network is shown images {tuple(x.shape[1:])}, times {tuple(t.shape[1:])} and labels {tuple(y.shape[1:])}. Expected are ({_BATCH}, 1, 28, 28), ({_BATCH},) and ({_BATCH},).",
                )
            )
        early = x[t < 0.15]
        means = [early.mean().item(), early.std().item()] if len(early) else [0.0, 1.0]
        margins = x[:, :, 0, _MARGIN].mean(dim=-1)
        return torch.tensor(losses), torch.tensor(again), t, y, torch.tensor(means), margins

    def judge(self, inputs: dict[str, Any], output: Any) -> Judgement:
        parts = output if isinstance(output, list) else []
        of_each = (_CALLS, _BATCH)  # what `run` makes; anything else is not computed with
        shapes = [(_CALLS,), (), of_each, of_each, (2,), of_each]
        if [p.values.shape if isinstance(p, Array) else None for p in parts] != shapes:
            return Judgement(0, "shape", "The loss should be a tensor of shape ().")
        losses, again, t, y, early, margins = (np.asarray(part.values, float) for part in parts)
        fault = _what_is_wrong(losses, again, t, y, early, margins)
        if fault is not None:
            return Judgement(0, *fault)
        covered = (y == _NULL).mean()
        return Judgement(1, None, f"{covered:.1%} of the labels are covered.")


def _loss(digit_loss, network, seed):
    value = digit_loss(network, torch.Generator().manual_seed(seed))
    if not isinstance(value, torch.Tensor) or value.ndim != 0:
        came = (
            f"shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else str(type(value))
        )
        raise StudentError(
            Fault("no-scalar", f"The loss should be a tensor of shape (), not {came}.")
        )
    return value.item()


_ONE_TIME = "All images of a batch have the same time. Each needs its own."


def _what_is_wrong(losses, again, t, y, early, margins) -> tuple[str, str] | None:
    """The first fault in what was drawn, and a sentence; None if there is none."""
    if again != losses[0]:
        return (
            "own-randomness",
            "The same generator gives another loss the second time. Draw everything from `generator`.",
        )
    if len(set(losses.tolist())) < len(losses):
        return (
            "always-the-same",
            "Other generators give the very same loss. Draw everything anew from `generator`.",
        )
    if y.max() > _NULL or y.min() < 0:
        return (
            "null-label",
            f"A label is {y.max():.0f}. Digits are 0 to 9, and the null label is 10.",
        )
    if np.ptp(t, axis=1).max() == 0:
        return "one-time", _ONE_TIME
    if margins.std(axis=1).mean() < 0.15:
        return (
            "one-time-on-the-path",
            f"All images of a batch are as noisy as each other, while the network is told {_BATCH} times. Each x_t is made with its own t.",
        )
    if abs(np.corrcoef(margins.ravel(), t.ravel())[0, 1]) < 0.5:
        return (
            "other-times",
            "The times that the network is told are not those with which the x_t are made.",
        )
    if t.min() < 0 or t.max() > 1 or abs(t.mean() - 0.5) > 0.06 or abs(t.std() - 0.289) > 0.04:
        return "times", "The times are not uniform between 0 and 1. `uniform` draws them."
    share = (y == _NULL).mean()
    if share == 0:
        return (
            "none-covered",
            "No label is covered. One in ten should be: the null label 10, at rate 0.1.",
        )
    if not 0.05 < share < 0.16:
        return "share-covered", f"{share:.0%} of the labels are covered. One in ten should be."
    if t[y == _NULL].max() < 0.2 or t[y == _NULL].min() > 0.8:
        return (
            "u-is-t",
            "Labels are covered at certain times alone: the numbers that cover them are the times. Draw them apart.",
        )
    mean, std = early
    if mean < -0.4:
        return (
            "ends-exchanged",
            "At early times the network is shown digits. Noise is at t = 0: are z and noise exchanged?",
        )
    if abs(mean) > 0.2 or not 0.85 < std < 1.1:
        return (
            "noise",
            "What stands at early times is not standard normal noise. `normal` draws it, one number for each pixel.",
        )
    if losses.mean() > 100:
        return "sum", "The loss is a sum over the pixels. It should be their mean."
    if not 1.75 < losses.mean() < 2.1:
        return (
            "size",
            f"For a network that says 0 the mean loss is {losses.mean():.2f}, and should be 1.93, the mean square of z − ε.",
        )
    return None
