"""Exercise 15 of Lab 3: two programs with a mistake in them, told from the digits that they write."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.checks.choice import Choice
from course_lib.guidance import LabelledField, guided
from course_lib.pretrained import digit_generator
from course_lib.processes import ODE
from course_lib.simulate import midpoint_step, simulate, time_grid

__all__ = ["WhichCauseA", "WhichCauseB", "failure"]


def failure(which: str, y: Tensor, noise: Tensor) -> Tensor:
    """Digits of a program in which something is wrong.

    Args:
        which: "a" or "b".
        y: labels 0 to 9, shape (batch,).
        noise: where the flow starts, shape (batch, 1, 28, 28).

    Returns:
        Images shaped like `noise`.

    Raises:
        ValueError: another `which`.
    """
    if which not in _PROGRAMS:
        raise ValueError(f"which is {which!r}; expected one of {', '.join(_PROGRAMS)}")
    field, w = _PROGRAMS[which]
    with torch.no_grad():
        flow = ODE(guided(field, y, w))
        return simulate(flow, noise, time_grid(8), step=midpoint_step, record=1).final


def _generator(x: Tensor, t: Tensor, y: Tensor | None) -> Tensor:
    return digit_generator()(x, t, y)


def _zero_for_none(x: Tensor, t: Tensor, y: Tensor | None) -> Tensor:
    return _generator(x, t, torch.zeros(len(x), dtype=torch.int64) if y is None else y)


_PROGRAMS: dict[str, tuple[LabelledField, float]] = {
    "a": (_generator, 12.0),
    "b": (_zero_for_none, 6.0),
}


class WhichCauseA(Choice):
    """The cause of failure A."""

    points = 1
    key = "2eca98d15b7e6856"
    replies = {
        "a": "Too little training leaves torn strokes, and digits that nobody can read. These can all be read at a glance. What else do you see, down the columns?",
        "b": "Then a column would hold one image, again and again. Look closely: they differ a little. And why are the strokes so thick?",
        "c": "Guidance adds w times what tells a 3 from other digits. At w = 12 it overshoots: pixels are driven far beyond 1, which prints as thick strokes, and what tells one 3 from another 3 drowns. Every digit can be read; the judge finds 100 %.",
        "d": "Then one column would stand out, that of label 0. Here all ten have the same fault.",
        "e": "Then guidance would subtract the field of a label that was never trained: an accident, and the strokes would be pale and torn. These have too much of a good thing.",
    }


class WhichCauseB(Choice):
    """The cause of failure B."""

    points = 1
    key = "43ea466a55b7479b"
    replies = {
        "a": "Too little training shows in every column. Here nine are neat. Which one is not?",
        "b": "The same noise makes the digits of a column alike. In one column they are less alike than in all others. Which?",
        "c": "Then the strokes would be thick, and the digits of every column alike, as in A. One column here is just the reverse.",
        "d": "For y = 0 the two fields are one and the same, and (1 − w) u + w u = u: zeros come out as if w were 1, pale, torn and each different. The other nine are driven away from 0 instead of from digits in general, which looks fine. Such a mistake lives long.",
        "e": "All labels share one null label, so every column would suffer. Here one does. What is special about it?",
    }
