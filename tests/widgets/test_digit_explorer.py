"""DigitExplorer beside the network itself, and beside networks and files that are broken."""

import pytest
import torch
from torch import nn

from course_lib.datasets import MNIST
from course_lib.metrics import class_accuracy
from course_lib.metrics.digits import digit_features
from course_lib.networks import MLP, UNet
from course_lib.networks.weights import save_weights
from course_lib.pretrained import digit_generator, digit_judge
from course_lib.pretrained.load import FOLDER
from course_lib.processes import ODE
from course_lib.simulate import euler_step, heun_step, midpoint_step, simulate, time_grid
from course_lib.widgets import DigitExplorer
from course_lib.widgets.demo import MOST_MB
from course_lib.widgets.demo.pages import frozen
from course_lib.widgets.digit_explorer import DIGITS
from course_lib.widgets.scene import packed

REFERENCE = FOLDER / "digits.safetensors"
QUICK = dict(steps=2, solver="Euler")


class LikeLab3(nn.Module):
    """Wants what the network of Lab 3 wants: times (batch,) and labels (batch,)."""

    def forward(self, x, t, y):
        assert t.shape == y.shape == (len(x),)
        assert y.dtype == torch.int64
        return digit_generator()(x, t, y)


class Broken(nn.Module):
    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, x, t, y):
        return self.answer(x)


def shown(network=None, checkpoint=None, **values):
    explorer = DigitExplorer(network, checkpoint, **values)
    return explorer.scene(**explorer.start)


def tiles(scene):
    (panel,) = scene.panels
    (layer,) = panel.layers
    return layer


def readout(scene, label):
    return next(r.value for r in scene.readouts if r.label == label)


@pytest.mark.parametrize(
    ("solver", "step"), [("Euler", euler_step), ("midpoint", midpoint_step), ("Heun", heun_step)]
)
@pytest.mark.parametrize(("digit", "w"), [("all ten", 3.0), ("7", 1.0), ("4", 0.0)])
def test_the_way_is_that_of_the_guided_velocity(solver, step, digit, w):
    scene = shown(digit=digit, w=w, steps=3, solver=solver)
    images = tiles(scene).values
    asked = torch.arange(DIGITS) % 10 if digit == "all ten" else torch.full((DIGITS,), int(digit))
    network = digit_generator()

    def velocity(x, t):
        return (1 - w) * network(x, t) + w * network(x, t, asked)

    with torch.no_grad():
        way = simulate(ODE(velocity), images[0][:, None], time_grid(3), step=step)
    assert torch.allclose(images[:, :, None], way.states, atol=1e-4)
    assert torch.equal(scene.times, way.times)
    read = digit_judge()(way.final.clamp(-1, 1)).argmax(1)
    assert [int(c.removeprefix("✗ ")) for c in tiles(scene).captions] == read.tolist()
    assert tiles(scene).flagged == (read != asked).tolist()
    share = round(DIGITS * class_accuracy(way.final, asked))
    assert readout(scene, "read as asked") == f"{share} of {DIGITS}"


def test_the_noise_is_the_same_while_sliding():
    settings = [{}, {"w": 8.0}, {"digit": "3"}, {"steps": 4}, {"solver": "Heun"}]
    starts = [tiles(shown(**{**QUICK, **values})).values[0] for values in settings]
    assert all(torch.equal(start, starts[0]) for start in starts)
    assert not torch.equal(tiles(shown(**QUICK, seed=2)).values[0], starts[0])


@pytest.mark.parametrize(
    ("values", "calls"),
    [
        (dict(steps=6, solver="midpoint", w=2.0), "24"),
        (dict(steps=6, solver="Euler", w=2.0), "12"),
        (dict(steps=5, solver="Heun", w=1.0), "10"),
    ],
)
def test_calls_of_the_network_are_counted(values, calls):
    network = LikeLab3()
    count = []
    network.register_forward_hook(lambda *_: count.append(1))
    assert readout(shown(network, **values), "calls of the network") == calls == str(len(count))


def test_more_guidance_less_diversity():
    diversity = [readout(shown(digit="7", w=w), "diversity") for w in (0.0, 2.0, 8.0)]
    assert diversity == sorted(diversity, reverse=True)


def test_what_diversity_means_without_guidance_is_said():
    assert "nobody is told the order" in shown(w=0.0).note
    assert "nobody is told" not in shown(w=1.0).note


def test_the_diversity_of_real_digits_is_that_of_all_of_them():
    """The first 2,000 of the file would say a fifth too much."""
    images, labels = MNIST("test").first(10_000)
    features = digit_features(images)
    whole = sum(features[labels == k].var(dim=0).sum() for k in range(10)) / 10
    assert readout(shown(**QUICK), "of real digits") == pytest.approx(whole.item(), rel=0.05)


@pytest.mark.parametrize("given", ["network", "checkpoint", "both"])
def test_a_reader_s_own_network(given):
    network = {"network": LikeLab3(), "checkpoint": None, "both": UNet()}[given]
    file = None if given == "network" else REFERENCE
    scene = shown(network, file, **QUICK)
    assert scene.error == ""
    assert "your network" in scene.panels[0].title
    assert torch.equal(tiles(scene).values, tiles(shown(**QUICK)).values)
    other = shown(network, file, **QUICK, whose="the course's")
    assert "the course's network" in other.panels[0].title


def test_a_network_is_left_as_it_was():
    network = UNet()
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    torch.manual_seed(0)
    shown(network, REFERENCE, **QUICK)
    drawn = torch.rand(1)
    torch.manual_seed(0)
    assert torch.equal(drawn, torch.rand(1))
    assert network.training
    assert all(torch.equal(before[name], w) for name, w in network.state_dict().items())


def test_a_network_in_float64():
    assert shown(UNet().double(), **QUICK).error == ""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x: x * float("nan"), "Broken returned NaN"),
        (lambda x: x.abs() / 0, "Broken returned infinite numbers"),
        (lambda x: None, "Broken returned None; expected a tensor of shape (30, 1, 28, 28)"),
        (lambda x: x[:, 0], "Broken returned shape (30, 28, 28)"),
        (lambda x: x @ x[0, 0, :3], "Broken raised RuntimeError"),
    ],
)
def test_a_broken_network_is_told_in_words_beside_the_course_s_digits(answer, words):
    scene = shown(Broken(answer), **QUICK)
    assert scene.error.startswith(words)
    assert scene.error.endswith("Shown is the course's network.")
    assert "the course's network" in scene.panels[0].title
    assert torch.equal(tiles(scene).values, tiles(shown(**QUICK)).values)


@pytest.fixture(params=["missing", "cut", "empty", "pickle", "other", "folder"])
def bad_file(request, tmp_path):
    file = tmp_path / "digits.safetensors"
    if request.param == "cut":
        file.write_bytes(REFERENCE.read_bytes()[:-1000])
    elif request.param == "empty":
        file.touch()
    elif request.param == "pickle":
        torch.save(UNet().state_dict(), file)
    elif request.param == "other":
        save_weights(MLP(dim=2), file)
    elif request.param == "folder":
        file.mkdir()
    words = {
        "missing": "no file digits.safetensors",
        "cut": "damaged",
        "empty": "is empty",
        "pickle": "is a pickle",
        "other": "does not fit UNet",
        "folder": "no file digits.safetensors",
    }
    return file, words[request.param]


def test_a_bad_file_is_told_in_words_beside_the_course_s_digits(bad_file):
    file, words = bad_file
    scene = shown(checkpoint=file, **QUICK)
    assert words in scene.error
    assert torch.equal(tiles(scene).values, tiles(shown(**QUICK)).values)
    packed(scene)
    assert shown(checkpoint=str(file), **QUICK, whose="the course's").error == ""


@pytest.mark.parametrize("end", [0, -1])
def test_every_control_at_both_ends(end):
    explorer = DigitExplorer(LikeLab3(), **QUICK)
    for control in explorer.controls:
        value = ((control.low, control.high) if control.kind == "slider" else control.options)[end]
        values = {**explorer.start, control.name: value}
        spec, arrays = packed(explorer.scene(**values))
        assert spec["frames"] == values["steps"] + 1
        assert len(arrays[0]) == spec["frames"] * DIGITS * 28 * 28


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (UNet, "network is the class UNet; expected an instance, UNet(...)"),
        (3, "network is an int; expected a function of (x, t, y)"),
        (..., "network is not written yet"),
    ],
)
def test_what_is_no_network_is_said_and_the_course_s_is_shown(network, words):
    scene = shown(network, **QUICK)
    assert scene.error == f"{words}\nShown is the course's network."
    assert torch.equal(tiles(scene).values, tiles(shown(**QUICK)).values)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (dict(checkpoint=3), "checkpoint is an int; expected a file's name"),
        (dict(network=lambda x, t, y: x, checkpoint="a.safetensors"), "takes no weights"),
        (dict(w=9), "w is 9; expected 0 to 8"),
        (dict(digit="10"), "digit is '10'"),
        (dict(whose="yours"), "has no whose"),
    ],
)
def test_bad_arguments_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        DigitExplorer(**arguments)


def test_the_frozen_page_is_small():
    assert len(frozen(DigitExplorer(), {})) < MOST_MB * 1e6
