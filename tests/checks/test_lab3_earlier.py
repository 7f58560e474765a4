"""A right answer of Lab 3 that builds on a wrong one: the check says which of them is wrong."""

import ast
import math
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.checks import execute, judge, lab3
from course_lib.networks import unet

LAB = (Path(__file__).parents[2] / "solutions" / "lab3" / "lab3.py").read_text("utf-8")
NAMES = (
    *("sample_path", "time_features", "scale_and_shift", "ResidualBlock", "Layers", "UNet"),
    *("drop_labels", "guided_cfm_loss", "guided_velocity", "guided_sde_step"),
)


def notebook(changes=(), **further):
    """The answers of the lab as a notebook holds them, with some text in them changed."""
    text = LAB
    for right, wrong in changes:
        assert right in text
        text = text.replace(right, wrong)
    cells = [node for node in ast.parse(text).body if getattr(node, "name", "") in NAMES]
    space = {"math": math, "torch": torch, "nn": nn, "F": F}
    exec(compile(ast.Module(cells, []), "lab3", "exec"), space)
    return space | further


def verdict(check, answer):
    return judge(check(), execute(check(), (answer,), 0), 0)


SCALE = [("return h * (1 + scale) + shift", "return h * scale + shift")]
BLOCK = [("return h + self.conv2(F.silu(u))", "return h - self.conv2(F.silu(u))")]
UNNAMED = [("return h + self.conv2(F.silu(u))", "return h + 3 * self.conv2(F.silu(u))")]
TIMES = [("return math.sqrt(2) * torch.cat([angles", "return torch.cat([angles")]
PATH = [("return t * z + (1 - t) * noise", "return t * z + noise")]
COVER = [("torch.where(u < rate, null_label, y)", "torch.where(u >= rate, null_label, y)")]
GUIDE = [("(velocity(x, t, y) - unguided)", "(unguided - velocity(x, t, y))")]


@pytest.mark.parametrize(
    ("changes", "check", "name", "fault", "words"),
    [
        (SCALE, lab3.ResidualBlockForward, "ResidualBlock", "scale-and-shift", "The 1 is missing"),
        (SCALE, lab3.UNetForward, "UNet", "scale-and-shift", "`scale_and_shift` of Exercise 3"),
        (BLOCK, lab3.UNetForward, "UNet", "residual-block-forward", "The change is subtracted"),
        (UNNAMED, lab3.UNetForward, "UNet", "residual-block-forward", "of Exercise 4"),
        (TIMES, lab3.UNetForward, "UNet", "fourier-time-features", "`time_features` of Exercise 2"),
        (TIMES + BLOCK, lab3.UNetForward, "UNet", "fourier-time-features", "Exercise 2"),
        (PATH, lab3.GuidedCFMLoss, "guided_cfm_loss", "path-on-images", "of Exercise 1"),
        (COVER, lab3.GuidedCFMLoss, "guided_cfm_loss", "drop-labels", "of Exercise 7"),
        (GUIDE, lab3.GuidedSDEStep, "guided_sde_step", "guided-velocity", "of Exercise 9"),
    ],
)
def test_the_earlier_answer_is_named(changes, check, name, fault, words):
    got = verdict(check, notebook(changes)[name])
    assert (got.points, got.fault) == (0, f"earlier-{fault}")
    assert got.message.startswith("What differs is your `")
    assert words in got.message


@pytest.mark.parametrize(
    ("check", "name"),
    [
        (lab3.ResidualBlockForward, "ResidualBlock"),
        (lab3.UNetForward, "UNet"),
        (lab3.GuidedCFMLoss, "guided_cfm_loss"),
        (lab3.GuidedSDEStep, "guided_sde_step"),
    ],
)
def test_what_builds_on_right_answers_is_right(check, name):
    assert verdict(check, notebook()[name]).passed


def test_a_mistake_of_its_own_is_named_where_the_earlier_answers_are_right():
    exchanged = [("[self.up(h), skip]", "[skip, self.up(h)]")]
    assert verdict(lab3.UNetForward, notebook(exchanged)["UNet"]).fault == "halves-exchanged"


def test_the_librarys_pieces_are_not_blamed():
    exchanged = [("[self.up(h), skip]", "[skip, self.up(h)]")]
    space = notebook(exchanged)
    space.update(ResidualBlock=unet.ResidualBlock, time_features=unet.time_features)
    assert verdict(lab3.UNetForward, space["UNet"]).fault == "halves-exchanged"


def test_a_network_that_is_right_with_blocks_of_another_kind_is_accepted():
    changes = [
        ("return h + self.conv2(F.silu(u))", "return self.conv2(F.silu(u))"),
        ("h = skip = self.fine_down(self.stem(F.pixel_unshuffle(x, 2)), c)",
         "h = self.stem(F.pixel_unshuffle(x, 2)); h = skip = h + self.fine_down(h, c)"),
        ("            h = block(h, c)\n", "            h = h + block(h, c)\n"),
        ("h = self.fine_up(h, c)", "h = h + self.fine_up(h, c)"),
    ]  # fmt: skip
    space = notebook(changes)
    assert verdict(lab3.ResidualBlockForward, space["ResidualBlock"]).fault == "no-skip"
    assert verdict(lab3.UNetForward, space["UNet"]).passed
