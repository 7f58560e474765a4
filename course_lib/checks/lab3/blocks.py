"""Exercises 3 and 4 of Lab 3: a residual block that is told the time and the label."""

from __future__ import annotations

import math

import torch
from torch.nn.functional import gelu, relu, silu

from course_lib.checks.base import Check, Mistake
from course_lib.checks.guard import StudentError
from course_lib.checks.lab3.earlier import blame_earlier, named
from course_lib.checks.lab3.student_network import call, drawn, load
from course_lib.checks.outcome import Fault
from course_lib.networks.unet import ResidualBlock

__all__ = ["ResidualBlockForward", "ScaleAndShift"]


def _halves(scale_shift):
    return scale_shift.chunk(2, dim=1)


def _by_channel(combine):
    """A formula of h, scale and shift, each number for a channel of an image."""

    def formula(h, scale_shift):
        scale, shift = _halves(scale_shift)
        return combine(h, scale[:, :, None, None], shift[:, :, None, None])

    return formula


def _film(h, scale, shift):
    return h * (1 + scale) + shift


_right_film = _by_channel(_film)

_WRONG_AXES = "Your scale and shift met the wrong axes: here batch, width and height are equal, so nothing failed. Each number belongs to one image and one channel, so the new axes come last."


def _close(result, right):
    alike = isinstance(result, torch.Tensor) and result.shape == right.shape
    return alike and torch.allclose(result.to(right), right)


def _check_other_sizes(scale_and_shift, h, scale_shift):
    """StudentError where what is right for equal sizes is not for others."""
    h, scale_shift = h[:3, :2], scale_shift[:3, [0, 1, 4, 5]]
    try:
        right = _close(scale_and_shift(h, scale_shift), _right_film(h, scale_shift))
    except (RuntimeError, IndexError, TypeError):
        right = False
    if not right:
        raise StudentError(
            Fault(
                "other-sizes",
                "This works only where images, channels, rows and columns are equally many. What stands for the number of channels?",
            )
        )


class ScaleAndShift(Check):
    """Scale and shift the channels.

    As many images as channels, rows and columns: a scale that meets the wrong axis fails nowhere.
    """

    points = 1
    depends_on = ("h", "scale_shift")
    if_random = "There is nothing random here: draw no numbers, keep nothing between calls."

    def inputs(self, rng):
        return dict(h=rng.normal(4, 4, 4, 4), scale_shift=rng.normal(4, 8))

    def run(self, scale_and_shift, h, scale_shift):
        result = scale_and_shift(h, scale_shift)
        if _close(result, _right_film(h, scale_shift)):
            _check_other_sizes(scale_and_shift, h, scale_shift)
        return result

    def answer(self, h, scale_shift):
        return _right_film(h, scale_shift)

    mistakes = [
        *(
            Mistake("wrong-axes", formula, _WRONG_AXES)
            for formula in (
                lambda h, scale_shift: _film(h, *_halves(scale_shift)),
                lambda h, scale_shift: _film(
                    h, *(part[:, :, None] for part in _halves(scale_shift))
                ),
                lambda h, scale_shift: _film(h, *(part[:, None] for part in _halves(scale_shift))),
                lambda h, scale_shift: _film(
                    h, *(part[:, None, :, None] for part in _halves(scale_shift))
                ),
                lambda h, scale_shift: _film(
                    h, *(part[:, None, None] for part in _halves(scale_shift))
                ),
                lambda h, scale_shift: _film(
                    h, *(part.T[:, :, None, None] for part in _halves(scale_shift))
                ),
            )
        ),
        Mistake(
            "halves-exchanged",
            _by_channel(lambda h, scale, shift: _film(h, shift, scale)),
            "The halves are exchanged: the scales come first.",
        ),
        Mistake(
            "every-other",
            lambda h, scale_shift: _film(
                h, scale_shift[:, 0::2, None, None], scale_shift[:, 1::2, None, None]
            ),
            "You take every other number as a scale. The first half are scales, the second half shifts.",
        ),
        Mistake(
            "no-one",
            _by_channel(lambda h, scale, shift: h * scale + shift),
            "The 1 is missing. A layer that starts near zero should change nothing; yours would wipe out h.",
        ),
        Mistake(
            "shift-scaled-too",
            _by_channel(lambda h, scale, shift: (h + shift) * (1 + scale)),
            "You shift first, so that the shift is scaled with h. Scale h, then shift.",
        ),
        Mistake(
            "one-on-the-shift",
            _by_channel(lambda h, scale, shift: h * scale + (1 + shift)),
            "The 1 has landed on the shift. With scale and shift zero, h should come out as it is.",
        ),
        Mistake(
            "no-scale",
            _by_channel(lambda h, scale, shift: h + shift),
            "This only shifts. What becomes of the first half?",
        ),
        Mistake(
            "no-shift",
            _by_channel(lambda h, scale, shift: h * (1 + scale)),
            "This only scales. What becomes of the second half?",
        ),
        Mistake(
            "minus",
            _by_channel(lambda h, scale, shift: h * (1 - scale) + shift),
            "The scale comes with a minus. A network could live with that, but not with weights that were made for a plus.",
        ),
        Mistake(
            "exponential",
            _by_channel(lambda h, scale, shift: h * scale.exp() + shift),
            "exp(scale) is near 1 + scale for a small scale, and for no other. Take the plain one.",
        ),
        Mistake(
            "h-added",
            _by_channel(lambda h, scale, shift: h + _film(h, scale, shift)),
            "You have h in it twice. The sum of a block's input and its result comes later, in the block.",
        ),
        Mistake(
            "the-first-image's-for-all",
            _by_channel(lambda h, scale, shift: _film(h, scale[:1], shift[:1])),
            "All images get the first one's scale and shift. Each has its own time and label, so each has its own row.",
        ),
    ]


_SIZES = (16, 12)  # the width, and the numbers of a condition


def _small_block():
    return ResidualBlock(*_SIZES)


_RIGHT_ORDER = "norm1 silu conv1 norm2 film silu conv2"


def _apply(block, h, c, steps):
    """The block's layers and some functions, by name, one after the other."""
    functions = {
        "film": lambda h: _right_film(h, block.film(c)),
        "halves-exchanged": lambda h: _right_film(h, block.film(c).roll(h.shape[1], 1)),
        "no-one": lambda h: _right_film(h, block.film(c)) - h,
        "shift-only": lambda h: h + _halves(block.film(c))[1][:, :, None, None],
        "silu-in-film": lambda h: _right_film(h, block.film(silu(c))),
        "film-of-the-first": lambda h: _right_film(h, block.film(c[:1]).expand(len(c), -1)),
        "silu": silu,
        "relu": relu,
        "gelu": gelu,
        "sigmoid": lambda h: h.sigmoid(),
    }
    for step in steps.split():
        h = functions[step](h) if step in functions else getattr(block, step)(h)
    return h


def _block(formula):
    """A formula of the library's block, h and c, as one of the check's inputs."""
    return lambda h, c, weights: formula(drawn(_small_block, weights), h, c)


def _order(steps):
    """The block with its layers in this order."""
    return _block(lambda block, h, c: h + _apply(block, h, c, steps))


def _overwritten(steps, further):
    """The block that has lost its input by the time it adds it."""

    def formula(block, h, c):
        h = _apply(block, h, c, steps)
        return h + _apply(block, h, c, further)

    return _block(formula)


def _two_sums(block, h, c):
    h = h + _apply(block, h, c, "norm1 silu conv1")
    return h + _apply(block, h, c, "norm2 film silu conv2")


class ResidualBlockForward(Check):
    """The residual block.

    The check builds the class at a small size and gives it weights of its own.
    """

    points = 2
    differentiable = ("h", "c")
    if_random = "There is nothing random in a block: draw no noise, keep nothing between calls."
    reference = (ResidualBlock.forward,)
    seconds = 30.0

    def inputs(self, rng):
        return dict(
            h=rng.normal(3, 16, 5, 4),
            c=rng.normal(3, 12),
            weights=rng.integer(0, 2**31),  # what they are drawn from,
        )

    def run(self, residual_block, h, c, weights):
        block = load(residual_block, drawn(_small_block, weights), *_SIZES)
        result = call(block, h, c)
        earlier = [(3, ScaleAndShift, named(block.forward, "scale_and_shift"))]
        blame_earlier(self, (h, c, weights), result, earlier)
        return result

    def answer(self, h, c, weights):
        return drawn(_small_block, weights)(h, c)

    mistakes = [
        Mistake(
            "no-skip",
            _block(lambda block, h, c: _apply(block, h, c, _RIGHT_ORDER)),
            "The block's input is not added at the end. A *residual* block computes a change to h, so that the way past it stays open.",
        ),
        *(
            Mistake(
                "h-overwritten",
                _overwritten(*cut),
                "What you add at the end is not the block's input any more: on the way you gave the name h to something else. Give the inner state a name of its own.",
            )
            for cut in (
                ("norm1", "silu conv1 norm2 film silu conv2"),
                ("norm1 silu", "conv1 norm2 film silu conv2"),
                ("norm1 silu conv1", "norm2 film silu conv2"),
                ("norm1 silu conv1 norm2", "film silu conv2"),
                ("norm1 silu conv1 norm2 film", "silu conv2"),
                ("norm1 silu conv1 norm2 film silu", "conv2"),
                ("norm1 silu conv1 norm2 film silu conv2", ""),
            )
        ),
        Mistake(
            "subtracted",
            _block(lambda block, h, c: h - _apply(block, h, c, _RIGHT_ORDER)),
            "The change is subtracted. A network could live with that, but not with weights that were made for a plus.",
        ),
        Mistake(
            "input-twice",
            _block(lambda block, h, c: 2 * h + _apply(block, h, c, _RIGHT_ORDER)),
            "The block's input is added twice, so a new block would double it. Once is enough.",
        ),
        Mistake(
            "two-sums",
            _block(_two_sums),
            "You add once after each convolution. A block has one sum, at its end.",
        ),
        *(
            Mistake(
                "sum-divided",
                _block(lambda block, h, c, by=by: (h + _apply(block, h, c, _RIGHT_ORDER)) / by),
                "The sum is divided, as some networks do. Here it is not: a new block is to hand on its input as it is.",
            )
            for by in (2, math.sqrt(2))
        ),
        Mistake(
            "no-condition",
            _order("norm1 silu conv1 norm2 silu conv2"),
            "The condition c is not used, so the block knows neither the time nor the label. Where do scale and shift come in?",
        ),
        *(
            Mistake(
                "condition-before-the-norm",
                formula,
                "You scale and shift before the second norm, and the norm then takes out much of what c has put in.",
            )
            for formula in (
                _order("norm1 silu conv1 film norm2 silu conv2"),
                _order("norm1 silu film conv1 norm2 silu conv2"),
            )
        ),
        Mistake(
            "condition-after-the-silu",
            _order("norm1 silu conv1 norm2 silu film conv2"),
            "You scale and shift after the SiLU. They come before it, so that c decides which channels the SiLU lets through.",
        ),
        Mistake(
            "condition-at-the-end",
            _order("norm1 silu conv1 norm2 silu conv2 film"),
            "You scale and shift the block's result. They come in the middle, between the two convolutions.",
        ),
        Mistake(
            "condition-after-the-first-norm",
            _order("norm1 film silu conv1 norm2 silu conv2"),
            "You scale and shift after the first norm. They come after the second.",
        ),
        Mistake(
            "condition-twice",
            _order("norm1 film silu conv1 norm2 film silu conv2"),
            "You scale and shift twice, after either norm. Once is meant, after the second.",
        ),
        Mistake(
            "halves-exchanged",
            _order("norm1 silu conv1 norm2 halves-exchanged silu conv2"),
            "Scale and shift are exchanged: of what `film` returns, the first half are the scales.",
        ),
        Mistake(
            "no-one",
            _order("norm1 silu conv1 norm2 no-one silu conv2"),
            "You scale by scale, not by 1 + scale: see Exercise 3.",
        ),
        Mistake(
            "shift-only",
            _order("norm1 silu conv1 norm2 shift-only silu conv2"),
            "Only the shift is there. The first half of what `film` returns scales the channels.",
        ),
        Mistake(
            "one-condition-for-all",
            _order("norm1 silu conv1 norm2 film-of-the-first silu conv2"),
            "All images get the first one's condition. Each has its own time and label.",
        ),
        Mistake(
            "silu-on-the-condition",
            _order("norm1 silu conv1 norm2 silu-in-film silu conv2"),
            "You put c through a SiLU before `film`. Here `film` takes c as it is.",
        ),
        Mistake(
            "no-first-norm",
            _order("silu conv1 norm2 film silu conv2"),
            "The first norm is missing: without it every block has to live with whatever size the blocks before it give h.",
        ),
        Mistake(
            "no-second-norm",
            _order("norm1 silu conv1 film silu conv2"),
            "The second norm is missing: it comes right after the first convolution.",
        ),
        Mistake(
            "no-norms",
            _order("silu conv1 film silu conv2"),
            "Both norms are missing: each convolution has a norm and a SiLU before it.",
        ),
        *(
            Mistake(
                "first-half-lost",
                _order(steps),
                "What the first convolution gives is lost: after it you go on from h again, not from what it gave.",
            )
            for steps in ("film silu conv2", "norm2 film silu conv2")
        ),
        Mistake(
            "bare-first-convolution",
            _order("conv1 norm2 film silu conv2"),
            "The first convolution gets h as it is. A norm and a SiLU come before it.",
        ),
        Mistake(
            "bare-second-convolution",
            _order("norm1 silu conv1 conv2"),
            "The second convolution gets what the first one gives, as it is. A norm, scale and shift, and a SiLU come between them.",
        ),
        Mistake(
            "no-second-norm-no-condition",
            _order("norm1 silu conv1 silu conv2"),
            "Between the first convolution and the second SiLU something is missing: the second norm, and scale and shift.",
        ),
        Mistake(
            "no-first-convolution",
            _order("norm1 silu norm2 film silu conv2"),
            "The first convolution is missing, so between the norms no pixel sees another one.",
        ),
        Mistake(
            "no-second-convolution",
            _order("norm1 silu conv1 norm2 film silu"),
            "The second convolution is missing. It makes the change, and is zero at first so that a new block does nothing.",
        ),
        Mistake(
            "no-first-silu",
            _order("norm1 conv1 norm2 film silu conv2"),
            "The first SiLU is missing: it stands between a norm and its convolution.",
        ),
        Mistake(
            "no-second-silu",
            _order("norm1 silu conv1 norm2 film conv2"),
            "The second SiLU is missing: it stands right before the second convolution.",
        ),
        Mistake(
            "no-silu",
            _order("norm1 conv1 norm2 film conv2"),
            "There is no SiLU, so all that the block can do is nearly linear. One stands before each convolution.",
        ),
        *(
            Mistake(
                "other-activation",
                _order(_RIGHT_ORDER.replace("silu", name)),
                "This is not SiLU, x·sigmoid(x), but another function: weights that were made for the one do not fit the other.",
            )
            for name in ("relu", "gelu", "sigmoid")
        ),
        *(
            Mistake(
                "convolution-first",
                _order(steps),
                "You convolve first and normalise afterwards. Here each convolution has its norm and its SiLU *before* it.",
            )
            for steps in (
                "conv1 norm1 silu conv2 norm2 film silu",
                "conv1 norm1 silu conv2 norm2 film",
                "conv1 norm1 silu film conv2 norm2 silu",
                "conv1 norm1 film silu conv2 norm2 silu",
            )
        ),
        *(
            Mistake(
                "silu-before-the-norm",
                _order(steps),
                "You apply the SiLU first and the norm after it. The norm comes first: it centres what the SiLU then bends.",
            )
            for steps in (
                "silu norm1 conv1 silu norm2 film conv2",
                "silu norm1 conv1 norm2 film silu conv2",
                "norm1 silu conv1 silu norm2 film conv2",
            )
        ),
        *(
            Mistake(
                "a-layer-twice",
                _order(steps),
                "A layer is used twice and its twin never: there is a first and a second norm, and a first and a second convolution.",
            )
            for steps in (
                "norm1 silu conv1 norm1 film silu conv2",
                "norm1 silu conv1 norm2 film silu conv1",
                "norm1 silu conv1 norm1 film silu conv1",
                "norm2 silu conv1 norm2 film silu conv2",
                "norm1 silu conv2 norm2 film silu conv2",
                "norm2 silu conv2 norm2 film silu conv2",
            )
        ),
        *(
            Mistake(name, _order(steps), sentence)
            for name, steps, sentence in (
                (
                    "norms-exchanged",
                    "norm2 silu conv1 norm1 film silu conv2",
                    "The two norms have changed places. They have the same shapes, so nothing failed: the first one belongs before the first convolution.",
                ),
                (
                    "convolutions-exchanged",
                    "norm1 silu conv2 norm2 film silu conv1",
                    "The two convolutions have changed places. They have the same shapes, so nothing failed, but only the second is zero at first.",
                ),
                (
                    "layers-exchanged",
                    "norm2 silu conv2 norm1 film silu conv1",
                    "Norms and convolutions have changed places, the first ones with the second ones. They have the same shapes, so nothing failed.",
                ),
            )
        ),
        Mistake(
            "silu-at-the-end",
            _block(lambda block, h, c: silu(h + _apply(block, h, c, _RIGHT_ORDER))),
            "Your block ends with a SiLU, through which the way past it is no longer open. It ends with the sum.",
        ),
        Mistake(
            "silu-on-the-change",
            _order(_RIGHT_ORDER + " silu"),
            "There is a SiLU after the second convolution, so the change to h could hardly ever be negative. Nothing comes after it but the sum.",
        ),
    ]
