"""Exercises 5 to 7 of Lab 3: the U-Net, its shapes, its forward pass, and what the skip is for."""

from __future__ import annotations

import copy
import inspect
import math
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch.nn.functional import pixel_shuffle, pixel_unshuffle, silu

from course_lib.checks.base import Check, Mistake
from course_lib.checks.choice import Choice
from course_lib.checks.judge import Judgement
from course_lib.checks.lab3.blocks import ResidualBlockForward
from course_lib.checks.lab3.earlier import blame_earlier, named
from course_lib.checks.lab3.images import FourierTimeFeatures
from course_lib.checks.lab3.student_network import call, drawn, load
from course_lib.networks.unet import UNet

__all__ = ["PredictShapes", "PredictSkip", "UNetForward"]


_ROOT_OF_TWO = math.sqrt(2)


def _with(**layers):
    """The network with formulas in place of some layers, as a formula of the check's inputs.

    A formula takes the network and its inputs, as one thing with attributes, then the layer that
    it replaces, then what that layer is given. All the rest is wired as in the library.
    """

    def formula(x, t, y, weights):
        net = drawn(UNet, weights)
        given = SimpleNamespace(net=net, x=x, t=t, y=y)
        other = copy.copy(net)
        other._modules = net._modules | {
            name: partial(replacement, given, getattr(net, name))
            for name, replacement in layers.items()
        }
        return other(x, t, y)

    return formula


def _left_out(given, layer, h, *condition):
    return h


def _untold(given, block, h, c):
    return block(h, 0 * c)


def _kept(given, layer, *args):
    given.kept = layer(*args)
    return given.kept


def _then_silu(given, layer, h):
    return silu(layer(h))


def _merged(combine):
    """In place of `merge`: a formula of what comes up and the skip."""
    return lambda given, merge, both: merge(torch.cat(combine(*both.chunk(2, dim=1)), dim=1))


def _before_head(formula):
    """The network with a formula of the last norm, and of what it is given, before `head`."""

    def norm(given, layer, h):
        given.kept = formula(layer, h)
        return h

    return _with(norm=norm, head=lambda given, head, h: head(given.kept))


def _reshaped(h):
    """The image's numbers as four channels, in the order in which they lie in memory."""
    batch, channels, height, width = h.shape
    return h.reshape(batch, 4 * channels, height // 2, width // 2)


def _reshaped_back(h):
    batch, channels, height, width = h.shape
    return h.reshape(batch, channels // 4, 2 * height, 2 * width)


def _stem_of_ribbons(given, stem, h):
    return stem(_reshaped(pixel_shuffle(h, 2)))


def _head_to_ribbons(given, head, h):
    return pixel_unshuffle(_reshaped_back(head(h)), 2)


def _features(net, t, turn=2 * math.pi, height=_ROOT_OF_TWO):
    angles = turn * t[:, None] * net.frequencies
    return height * torch.cat([angles.cos(), angles.sin()], dim=1)


def _null(given, embedding, y):
    return embedding(torch.full_like(y, given.net.null_label))


def _blank(given, sketch, y):
    return 0 * sketch(y)


def _channels_last(h):
    """The numbers of (batch, channels, height, width), read as if the channels were last."""
    batch, channels, height, width = h.shape
    return h.reshape(batch, height, width, channels).permute(0, 3, 1, 2)


def _timed(features):
    """The network whose time is told by other features, a formula of itself and of t."""
    return _with(time=lambda given, time, right: time(features(given.net, given.t)))


def _told(condition):
    """The network whose blocks get another condition, a formula of what time and label become."""

    def told(given, block, h, c):
        net = given.net
        return block(h, condition(net.time(_features(net, given.t)), net.label(given.y)))

    return _with(fine_down=told, coarse=told, fine_up=told)


class UNetForward(Check):
    """The U-Net.

    The check builds the class and gives it weights of its own; the labels are digits and, once at
    least, the null label.
    """

    points = 3
    costly = True
    differentiable = ("x",)
    if_random = "There is nothing random in the network: draw no noise, keep nothing between calls."
    reference = (UNet.forward,)
    seconds = 30.0

    def inputs(self, rng):
        labels = [rng.integer(0, 9) for _ in range(3)]
        return dict(
            x=rng.normal(4, 1, 28, 28),
            t=rng.uniform(4, low=0.05, high=0.95),
            y=torch.tensor([*labels, 10]),
            weights=rng.integer(0, 2**31),
        )

    def run(self, unet, x, t, y, weights):
        net = load(unet, drawn(UNet, weights))
        result = call(net, x, t, y)
        earlier = [
            (2, FourierTimeFeatures, named(net.forward, "time_features")),
            (4, ResidualBlockForward, type(net.fine_down)),
        ]
        blame_earlier(self, (x, t, y, weights), result, earlier)
        return result

    def answer(self, x, t, y, weights):
        return drawn(UNet, weights)(x, t, y)

    mistakes = [
        *(
            Mistake(
                "no-skip",
                _with(merge=_merged(combine)),
                "What was set aside on the way down does not arrive: `merge` sees no skip. Without it the network has to draw every single pixel from the coarse level.",
            )
            for combine in (
                lambda h, skip: (h, 0 * skip),
                lambda h, skip: (h, h),
            )
        ),
        Mistake(
            "skip-twice",
            _with(merge=_merged(lambda h, skip: (skip, skip))),
            "`merge` sees the skip twice, and nothing that came up from the coarse level.",
        ),
        Mistake(
            "halves-exchanged",
            _with(merge=_merged(lambda h, skip: (skip, h))),
            "The two halves that you join are exchanged: first what comes up, then the skip. Either would do for a network of your own, but `merge` knows them by their place.",
        ),
        Mistake(
            "halves-interleaved",
            _with(merge=_merged(lambda h, skip: (torch.stack([h, skip], dim=2).flatten(1, 2),))),
            "The channels of the two halves alternate. First come all of what comes up, then all of the skip.",
        ),
        Mistake(
            "skip-added",
            _with(merge=lambda given, merge, both: sum(both.chunk(2, dim=1))),
            "You add the skip to what comes up, and `merge` has nothing to do. Join their channels, and `merge` can weigh each by itself.",
        ),
        Mistake(
            "skip-added-as-well",
            _with(merge=lambda given, merge, both: merge(both) + both.chunk(2, dim=1)[1]),
            "The skip is added once more, after `merge`. It goes through `merge` alone.",
        ),
        Mistake(
            "merge-added",
            _with(merge=lambda given, merge, both: merge(both) + both.chunk(2, dim=1)[0]),
            "What comes up is added once more, after `merge`. It goes through `merge` alone.",
        ),
        Mistake(
            "skip-before-its-block",
            _with(
                stem=_kept,
                merge=lambda given, merge, both: merge(
                    torch.cat([both.chunk(2, dim=1)[0], given.kept], dim=1)
                ),
            ),
            "You set the skip aside too early: it leaves *after* the block on the way down.",
        ),
        Mistake(
            "no-coarse-blocks",
            _with(coarse=_left_out),
            "`coarse` is left out, so the network hardly looks at the image as a whole. It comes between `down` and `up`.",
        ),
        Mistake(
            "coarse-twice",
            _with(coarse=lambda given, blocks, h, c: blocks(blocks(h, c), c)),
            "h goes through `coarse` twice. Once will do: there are several blocks in it.",
        ),
        Mistake(
            "not-every-coarse-block",
            _with(coarse=lambda given, blocks, h, c: blocks[0](h, c)),
            "Only the first block of `coarse` is used.",
        ),
        *(
            Mistake(
                "one-coarse-block-twice",
                _with(coarse=lambda given, blocks, h, c, i=i: blocks[i](blocks[i](h, c), c)),
                "One block of `coarse` is used twice, and the other never. Each has weights of its own.",
            )
            for i in range(2)
        ),
        Mistake(
            "coarse-blocks-exchanged",
            _with(coarse=lambda given, blocks, h, c: blocks[0](blocks[1](h, c), c)),
            "The two blocks of `coarse` have changed places. They have the same shapes, so nothing failed.",
        ),
        *(
            Mistake(
                "coarse-blocks-side-by-side",
                _with(coarse=formula),
                "Both blocks of `coarse` get the same h. The second goes on from what the first one gives.",
            )
            for formula in (
                lambda given, blocks, h, c: blocks[1](h, c),
                lambda given, blocks, h, c: blocks[0](h, c) + blocks[1](h, c),
            )
        ),
        Mistake(
            "coarse-input-added",
            _with(coarse=lambda given, blocks, h, c: h + blocks(h, c)),
            "You add what goes into `coarse` to what comes out. Its blocks have their own sums.",
        ),
        *(
            Mistake(
                "a-silu-too-many",
                _with(**{name: _then_silu}),
                "There is a SiLU right after `stem`, `down`, `up` or `merge`. These layers come without one: the blocks have their own.",
            )
            for name in ("stem", "down", "up", "merge")
        ),
        Mistake(
            "no-block-on-the-way-down",
            _with(fine_down=_left_out),
            "`fine_down` is left out: it comes right after the stem.",
        ),
        Mistake(
            "no-block-on-the-way-up",
            _with(fine_up=_left_out),
            "`fine_up` is left out: it comes right after `merge`.",
        ),
        Mistake(
            "fine-blocks-exchanged",
            _with(
                fine_down=lambda given, block, h, c: given.net.fine_up(h, c),
                fine_up=lambda given, block, h, c: given.net.fine_down(h, c),
            ),
            "`fine_down` and `fine_up` have changed places. They have the same shapes, so nothing failed.",
        ),
        *(
            Mistake(
                "a-fine-block-twice",
                formula,
                "One of the fine blocks is used both on the way down and on the way up, and the other never.",
            )
            for formula in (
                _with(fine_up=lambda given, block, h, c: given.net.fine_down(h, c)),
                _with(fine_down=lambda given, block, h, c: given.net.fine_up(h, c)),
            )
        ),
        Mistake(
            "no-last-norm",
            _with(norm=_left_out),
            "The last norm is left out: before `head` come `norm` and a SiLU.",
        ),
        Mistake(
            "no-last-silu",
            _before_head(lambda norm, h: norm(h)),
            "The last SiLU is left out: it stands between `norm` and `head`.",
        ),
        Mistake(
            "head-alone",
            _before_head(lambda norm, h: h),
            "Before `head` come `norm` and a SiLU.",
        ),
        Mistake(
            "silu-before-the-norm",
            _before_head(lambda norm, h: norm(silu(h))),
            "At the end you apply the SiLU first and the norm after it: exchange the two.",
        ),
        Mistake(
            "reshaped",
            _with(stem=_stem_of_ribbons),
            "The shape is right, but the image is cut to ribbons: a reshape reads row after row. pixel_unshuffle makes channels of each 2×2 pixels.",
        ),
        Mistake(
            "reshaped-back",
            _with(head=_head_to_ribbons),
            "The shape is right, but the image is not: a reshape writes row after row. pixel_shuffle undoes what pixel_unshuffle did.",
        ),
        Mistake(
            "reshaped-both-ways",
            _with(stem=_stem_of_ribbons, head=_head_to_ribbons),
            "You reshape at the beginning and at the end, which cuts the image to ribbons. pixel_unshuffle makes channels of each 2×2 pixels, and pixel_shuffle undoes it.",
        ),
        Mistake(
            "input-added",
            lambda x, t, y, weights: x + drawn(UNet, weights)(x, t, y),
            "You add the input at the end. The blocks are residual; the network as a whole is not: z − ε is no small change to x.",
        ),
        Mistake(
            "label-forgotten",
            _told(lambda time, label: time),
            "The condition knows the time alone. Where does the label come in?",
        ),
        Mistake(
            "time-forgotten",
            _told(lambda time, label: label),
            "The condition knows the label alone. Where does the time come in?",
        ),
        Mistake(
            "never-told-the-label",
            _with(label=_null, sketch=_null),
            "Every image gets the null label, whatever y says.",
        ),
        Mistake(
            "the-condition-not-told-the-label",
            _with(label=_null),
            "In the condition every image has the null label, whatever y says.",
        ),
        Mistake(
            "no-sketch",
            _with(sketch=_blank),
            "The sketch is left out: what `down` gives and the label's sketch, viewed in the same shape, are added before `coarse`.",
        ),
        Mistake(
            "one-sketch-for-all",
            _with(sketch=_null),
            "Every image gets the sketch of the null label, whatever y says.",
        ),
        Mistake(
            "sketch-too-late",
            _with(
                sketch=_blank,
                coarse=lambda given, blocks, h, c: (
                    blocks(h, c) + given.net.sketch(given.y).view_as(h)
                ),
            ),
            "The sketch is added after the coarse blocks: they are to see it, so it comes before them.",
        ),
        Mistake(
            "sketch-before-each-block",
            _with(
                coarse=lambda given, blocks, h, c: blocks[1](
                    blocks[0](h, c) + given.net.sketch(given.y).view_as(h), c
                )
            ),
            "The sketch is added before each block of `coarse`. Once is enough, before the first.",
        ),
        Mistake(
            "sketch-multiplied",
            _with(
                sketch=_blank,
                down=lambda given, down, h: down(h) * given.net.sketch(given.y).view_as(down(h)),
            ),
            "You multiply by the sketch, which begins as zero: nothing of the image would get through. It is added.",
        ),
        Mistake(
            "sketch-instead-of-the-image",
            _with(down=lambda given, down, h: 0 * down(h)),
            "What `down` gives is lost: the sketch is added to it, not put in its place.",
        ),
        Mistake(
            "sketch-channels-last",
            _with(
                sketch=_blank,
                down=lambda given, down, h: (
                    down(h) + _channels_last(given.net.sketch(given.y).view_as(down(h)))
                ),
            ),
            "The numbers of the sketch are out of order: its shape is that of h, channels first.",
        ),
        Mistake(
            "multiplied",
            _told(lambda time, label: time * label),
            "You multiply what is said of the time by what is said of the label. The condition is their sum.",
        ),
        Mistake(
            "silu-on-the-condition",
            _told(lambda time, label: silu(time + label)),
            "There is a SiLU on the condition. The blocks take the sum as it is.",
        ),
        Mistake(
            "clock-reversed",
            _timed(lambda net, t: _features(net, 1 - t)),
            "The blocks are told 1 − t. In this course noise is at t = 0.",
        ),
        *(
            Mistake(
                "one-time-for-all",
                _timed(features),
                "The blocks are told the same time for all images. Each has its own.",
            )
            for features in (
                lambda net, t: _features(net, t[:1].expand_as(t)),
                lambda net, t: _features(net, t.mean().expand_as(t)),
            )
        ),
        Mistake(
            "sines-first",
            _timed(lambda net, t: _features(net, t).roll(len(net.frequencies), 1)),
            "The features of time have their sines first. Take `time_features` of Exercise 2.",
        ),
        Mistake(
            "no-two-pi",
            _timed(lambda net, t: _features(net, t, turn=1)),
            "In the features of time 2π is missing. Take `time_features` of Exercise 2.",
        ),
        Mistake(
            "no-root-of-two",
            _timed(lambda net, t: _features(net, t, height=1)),
            "In the features of time √2 is missing. Take `time_features` of Exercise 2.",
        ),
        Mistake(
            "coarse-level-not-told",
            _with(coarse=_untold),
            "The blocks of the coarse level are not told the condition, and they are the ones that see the digit as a whole.",
        ),
        Mistake(
            "fine-level-not-told",
            _with(fine_down=_untold, fine_up=_untold),
            "The blocks of the fine level are not told the condition.",
        ),
        Mistake(
            "no-block-told",
            _with(fine_down=_untold, coarse=_untold, fine_up=_untold),
            "No block is told anything: the condition that they get is zero.",
        ),
    ]


_BATCH, _SIZE = 16, 28


def _shapes():
    """What comes out at the six places, with the library's own widths."""
    fine, coarse = inspect.signature(UNet).parameters["widths"].default
    half = _SIZE // 2
    return {
        "unshuffle": (_BATCH, 4, half, half),
        "stem": (_BATCH, fine, half, half),
        "down": (_BATCH, coarse, half // 2, half // 2),
        "up": (_BATCH, fine, half, half),
        "cat": (_BATCH, 2 * fine, half, half),
        "result": (_BATCH, 1, _SIZE, _SIZE),
    }


class _Place(NamedTuple):
    words: str
    if_channels: str
    if_size: str


_PLACES = {
    "unshuffle": _Place(
        "After the first pixel_unshuffle",
        "no number is lost: what becomes of the 2×2 pixels of a place?",
        "2×2 pixels become one place. What does that do to height and width?",
    ),
    "stem": _Place(
        "After `stem`",
        "it has as many channels as the fine level.",
        "with a kernel of 3 and a padding of 1, height and width stay what they are.",
    ),
    "down": _Place(
        "After `down`",
        "it has as many channels as the coarse level.",
        "with a stride of 2, a place is left for each 2×2 before it.",
    ),
    "up": _Place(
        "After `up`",
        "it has as many channels as the fine level.",
        "with a stride of 2, it makes 2×2 places of one.",
    ),
    "cat": _Place(
        "After `cat`",
        "what is joined along the channels keeps all of them, on either side.",
        "the two are joined along the channels, so height and width stay what they are.",
    ),
    "result": _Place(
        "The result",
        "the velocity of an image is shaped like the image.",
        "the velocity of an image is shaped like the image.",
    ),
}


class PredictShapes(Check):
    """Prediction: the shapes on the way through the U-Net."""

    points = 1

    def judge(self, inputs: dict[str, Any], output: Any) -> Judgement:
        shapes = _shapes()
        if not isinstance(output, list) or len(output) != len(shapes):
            return Judgement(0, "length", f"A list of {len(shapes)} shapes was expected.")
        for (place, right), got in zip(shapes.items(), output, strict=True):
            if got != list(right):
                fault, why = _what_is_wrong(place, list(right), got)
                return Judgement(0, fault, f"{_PLACES[place].words}: {why}")
        return Judgement(1)


def _what_is_wrong(place: str, right: list[int], got: Any) -> tuple[str, str]:
    """The fault's name and a sentence."""
    if not isinstance(got, list) or [type(n) for n in got] != [int] * 4:
        return "no-shape", "a shape has four numbers here: batch, channels, height and width."
    if got[1] != right[1] and sorted(got) == sorted(right):
        return "order", "the order is batch, channels, height, width."
    if got[0] != right[0]:
        return "batch", f"{_BATCH} images go in, and everywhere there are still {_BATCH}."
    if got[1] != right[1]:
        return f"channels-{place}", f"count the channels again: {_PLACES[place].if_channels}"
    return f"size-{place}", _PLACES[place].if_size


class PredictSkip(Choice):
    """Prediction: the skip is cut."""

    points = 1
    key = "bdd9ae35a0d08a87"
    replies = {
        "a": "The label goes to every block by way of the condition, whether there is a skip or not. What goes across the skip, and nowhere else at that resolution?",
        "b": "What a whole region is like is what the coarse level is good at, and that way is still open. What else goes across the skip?",
        "c": "What tells a pixel from its neighbours now has to be packed into the channels of a coarse place and unpacked again, which takes time to learn; across the skip it just goes. In three trainings of 400 steps the error in the means of 4×4 pixels rose by 6 to 9 %, that in all the rest by 44 to 92 %. With Muon, which you will meet in Part D, either rose by 7 to 12 %: there is room enough for all of it, and a network that learns faster has by then learned to use it. The skip saves the time.",
        "d": "There is room enough, true. But the network has to learn to pack 16 pixels into the channels of one place and to unpack them. Has it, after 400 steps of the loop of Lab 2? Choose again.",
    }
