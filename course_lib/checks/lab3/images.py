"""Exercises 1 and 2 of Lab 3: the path on images, and what a network is told of the time."""

from __future__ import annotations

import math

import torch

from course_lib import networks, paths
from course_lib.checks.base import Check, Mistake

__all__ = ["FourierTimeFeatures", "PathOnImages"]

_NOTHING_RANDOM = "There is nothing random here: draw no noise, keep nothing between calls."


def _mix(z, t, noise):
    return t * z + (1 - t) * noise


def _by_image(combine):
    """A formula of z, t and ε, with one time for each image, as one of the check's inputs."""
    return lambda z, t, noise: combine(z, t[:, None, None, None], noise)


class PathOnImages(Check):
    """The path on images: Notes (17).

    Images as high and as wide as there are many: a t that meets the wrong axis fails nowhere.
    """

    points = 1
    depends_on = ("t",)
    if_random = _NOTHING_RANDOM
    reference = (paths.GaussianPath.sample, paths.LinearPath.sample)

    def inputs(self, rng):
        return dict(
            z=rng.uniform(6, 1, 6, 6, low=-1, high=1),
            t=rng.uniform(6, low=0.1, high=0.9),
            noise=rng.normal(6, 1, 6, 6),
        )

    def run(self, sample_path, z, t, noise):
        return sample_path(z, t, noise)

    def answer(self, z, t, noise):
        return _by_image(_mix)(z, t, noise)

    mistakes = [
        Mistake(
            "a-time-for-each-column",
            _mix,
            "Each column of pixels has a time of its own, and all images the same ones: t met the *last* axis. The times belong to the images, the first axis.",
        ),
        Mistake(
            "a-time-for-each-row",
            lambda z, t, noise: _mix(z, t[:, None], noise),
            "Each row of pixels has a time of its own, and all images the same ones. One new axis is enough for points; an image has three after the batch.",
        ),
        Mistake(
            "a-time-for-each-channel",
            lambda z, t, noise: _mix(z, t[:, None, None], noise),
            "With two new axes t meets the axis of the channels, so each image now comes once for every time. Count what follows the batch: channel, height, width.",
        ),
        *(
            Mistake(
                "half-reshaped",
                formula,
                "Only one of the two factors has a time for each image. 1 − t needs the same new axes as t.",
            )
            for formula in (
                lambda z, t, noise: t[:, None, None, None] * z + (1 - t) * noise,
                lambda z, t, noise: t * z + (1 - t)[:, None, None, None] * noise,
                lambda z, t, noise: t[:, None, None, None] * z + (1 - t)[:, None] * noise,
                lambda z, t, noise: t[:, None] * z + (1 - t)[:, None, None, None] * noise,
            )
        ),
        *(
            Mistake(
                "one-time-for-all",
                formula,
                "All your images have the same time. Each has its own, so that a batch shows the network many moments at once.",
            )
            for formula in (
                lambda z, t, noise: _mix(z, t.mean(), noise),
                lambda z, t, noise: _mix(z, t[0], noise),
            )
        ),
        Mistake(
            "exchanged",
            _by_image(lambda z, t, noise: _mix(noise, t, z)),
            "Data and noise are exchanged. In this course t = 0 is noise and t = 1 is the image.",
        ),
        Mistake(
            "noise-not-scaled",
            _by_image(lambda z, t, noise: t * z + noise),
            "At t = 1 nothing of the noise may be left. What scales it?",
        ),
        Mistake(
            "data-not-scaled",
            _by_image(lambda z, t, noise: z + (1 - t) * noise),
            "At t = 0 nothing of the image may be left. What scales it?",
        ),
        Mistake(
            "no-noise",
            _by_image(lambda z, t, noise: t * z),
            "This is the mean of the path. The noise is missing.",
        ),
        Mistake(
            "minus",
            _by_image(lambda z, t, noise: t * z - (1 - t) * noise),
            "The noise is added, not subtracted. (The law is the same, yet the target z − ε goes with a plus.)",
        ),
        Mistake(
            "from-the-image",
            _by_image(lambda z, t, noise: z + t * (z - noise)),
            "You add a part of the way from noise to image, and start it at the image. Where is the path at t = 0?",
        ),
        Mistake(
            "velocity",
            lambda z, noise: z - noise,
            "This is how fast the image changes, the target of the training. The image itself lies on the way between the two.",
        ),
        Mistake(
            "variance-preserving",
            _by_image(lambda z, t, noise: t * z + (1 - t**2).sqrt() * noise),
            "With √(1 − t²) the squares of the two factors add up to 1. Here the path is the linear one.",
        ),
        Mistake(
            "square-root-schedule",
            _by_image(lambda z, t, noise: t * z + (1 - t).sqrt() * noise),
            "√(1 − t) is the square-root schedule of Lab 2. Here the path is the linear one.",
        ),
        Mistake(
            "ddpm",
            _by_image(lambda z, t, noise: t.sqrt() * z + (1 - t).sqrt() * noise),
            "In DDPM's letters ᾱ is a variance and stands under a root. Here t and 1 − t multiply image and noise as they are.",
        ),
        Mistake(
            "clipped",
            _by_image(lambda z, t, noise: _mix(z, t, noise).clamp(-1, 1)),
            "Leave the numbers outside [−1, 1] as they are: cut off, the noise is no longer Gaussian, and the velocity no longer fits.",
        ),
    ]


def _features(angles):
    """√2 times cosines, then sines, of angles (batch, n)."""
    return math.sqrt(2) * torch.cat([angles.cos(), angles.sin()], dim=1)


def _angles(t, frequencies):
    return 2 * math.pi * t[:, None] * frequencies


def _of_angles(combine):
    """A formula of the right angles, as one of t and the frequencies."""
    return lambda t, frequencies: combine(_angles(t, frequencies))


class FourierTimeFeatures(Check):
    """Random Fourier features of the time.

    As many frequencies as times, so that a product of the wrong axes has the right shape.
    """

    points = 1
    depends_on = ("t", "frequencies")
    if_random = (
        "Use the frequencies that are passed in: drawn anew at each call, they would say nothing."
    )
    reference = (networks.time_features,)

    def inputs(self, rng):
        return dict(t=rng.uniform(6), frequencies=rng.normal(6, scale=2.0))

    def run(self, time_features, t, frequencies):
        return time_features(t, frequencies)

    def answer(self, t, frequencies):
        return _features(_angles(t, frequencies))

    mistakes = [
        Mistake(
            "sines-first",
            _of_angles(lambda angles: math.sqrt(2) * torch.cat([angles.sin(), angles.cos()], 1)),
            "Cosines and sines in the other order. Any order would do for a network of your own; to exchange weights with the library's, cosines come first.",
        ),
        Mistake(
            "no-two-pi",
            lambda t, frequencies: _features(t[:, None] * frequencies),
            "A frequency counts whole turns, and a turn has an angle of its own: see what stands in front of f t.",
        ),
        Mistake(
            "half-a-turn",
            lambda t, frequencies: _features(math.pi * t[:, None] * frequencies),
            "With π alone, a frequency of 1 makes half a turn between t = 0 and t = 1. It should make a whole one.",
        ),
        Mistake(
            "no-root-of-two",
            _of_angles(lambda angles: torch.cat([angles.cos(), angles.sin()], 1)),
            "The factor in front is missing: the square of a cosine is ½ on average, and a feature's should be 1.",
        ),
        Mistake(
            "twice",
            _of_angles(lambda angles: 2 * torch.cat([angles.cos(), angles.sin()], 1)),
            "The factor in front is 2, so the square of a feature would be 2 on average. It should be 1.",
        ),
        Mistake(
            "divided-by-the-root",
            _of_angles(lambda angles: torch.cat([angles.cos(), angles.sin()], 1) / math.sqrt(2)),
            "You divide by √2. The square of a cosine is ½ on average: what makes it 1?",
        ),
        Mistake(
            "root-on-the-cosines-alone",
            _of_angles(lambda angles: torch.cat([math.sqrt(2) * angles.cos(), angles.sin()], 1)),
            "The factor in front stands before the cosines alone. The sines want it too.",
        ),
        Mistake(
            "normalised",
            _of_angles(lambda angles: torch.cat([angles.cos(), angles.sin()], 1) / math.sqrt(6)),
            "You divide by the root of their number, so that all features together have length 1. Here *each* has a square of 1 on average.",
        ),
        Mistake(
            "times-and-frequencies-exchanged",
            lambda t, frequencies: _features(2 * math.pi * frequencies[:, None] * t),
            "Row and column are exchanged: a row belongs to a time, a column to a frequency. Which of the two gets the new axis at its end?",
        ),
        Mistake(
            "each-time-one-frequency",
            lambda t, frequencies: (
                math.sqrt(2)
                * torch.cat([f(2 * math.pi * t * frequencies) for f in (torch.cos, torch.sin)])
            ),
            "Each time met one frequency alone, its neighbour in the list. Every time should meet every frequency, which makes a table: give t a new axis.",
        ),
        Mistake(
            "each-time-one-frequency",
            lambda t, frequencies: (
                math.sqrt(2)
                * torch.stack([f(2 * math.pi * t * frequencies) for f in (torch.cos, torch.sin)], 1)
            ),
            "Each time met one frequency alone, its neighbour in the list. Every time should meet every frequency, which makes a table: give t a new axis.",
        ),
        Mistake(
            "in-pairs",
            _of_angles(
                lambda angles: (
                    math.sqrt(2) * torch.stack([angles.cos(), angles.sin()], 2).flatten(1)
                )
            ),
            "Cosine and sine of one frequency stand side by side. First come all cosines, then all sines.",
        ),
        Mistake(
            "below-each-other",
            _of_angles(lambda angles: math.sqrt(2) * torch.cat([angles.cos(), angles.sin()], 0)),
            "The sines stand below the cosines, as if they were further times. A time's features are one row: which axis grows?",
        ),
        *(
            Mistake(
                "stacked",
                formula,
                "torch.stack makes a new axis. Features are to stand in one row: torch.cat lengthens an axis that is there.",
            )
            for formula in (
                _of_angles(lambda angles: math.sqrt(2) * torch.stack([angles.cos(), angles.sin()])),
                _of_angles(
                    lambda angles: math.sqrt(2) * torch.stack([angles.cos(), angles.sin()], 1)
                ),
                _of_angles(
                    lambda angles: math.sqrt(2) * torch.stack([angles.cos(), angles.sin()], 2)
                ),
            )
        ),
        Mistake(
            "cosines-twice",
            _of_angles(lambda angles: math.sqrt(2) * torch.cat([angles.cos(), angles.cos()], 1)),
            "Both halves are cosines. A cosine alone cannot tell a little before a peak from a little after it.",
        ),
        *(
            Mistake(
                "one-half-only",
                formula,
                "Half of the features are missing: each frequency gives a cosine and a sine.",
            )
            for formula in (
                _of_angles(lambda angles: math.sqrt(2) * angles.cos()),
                _of_angles(lambda angles: math.sqrt(2) * angles.sin()),
            )
        ),
        Mistake(
            "time-outside",
            lambda t, frequencies: t[:, None] * _features(2 * math.pi * frequencies[None]),
            "The time stands outside and only scales the features. It belongs in the angle.",
        ),
        Mistake(
            "added",
            lambda t, frequencies: _features(2 * math.pi * (t[:, None] + frequencies)),
            "You add the frequency to the time, so all features turn equally fast. A frequency says how many turns there are for each unit of time.",
        ),
        Mistake(
            "times-as-features",
            _of_angles(lambda angles: math.sqrt(2) * torch.cat([angles, angles], 1)),
            "The angles themselves grow without bound. Their cosines and sines are wanted.",
        ),
    ]
