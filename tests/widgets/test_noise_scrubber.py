"""NoiseScrubber beside exact answers: the path, a denoiser known in closed form, average digits."""

import pytest
import torch

from course_lib.datasets import MNIST
from course_lib.pretrained import digit_generator, digit_judge
from course_lib.widgets import NoiseScrubber
from course_lib.widgets.demo import MOST_MB
from course_lib.widgets.demo.pages import frozen
from course_lib.widgets.noise_scrubber import FRAMES, IMAGES, WRONG
from course_lib.widgets.scene import Lines, Tiles, packed


def spread(t):
    return t[:, None, None, None]


def of_gaussian_data(x, t, y):
    """The exact velocity if all data were N(0, I): then E[z|x] = t x / (t² + (1 - t)²)."""
    t = spread(t)
    return (2 * t - 1) / (t**2 + (1 - t) ** 2) * x


def denoiser(velocity, x, t, y):
    return x + (1 - spread(t)) * velocity(x, t, y)


def shown(denoiser=None, network=None, **values):
    explorer = NoiseScrubber(denoiser, network, **values)
    return explorer.scene(**explorer.start)


def columns(scene):
    """Tiles by the title of their panel."""
    return {p.title: p.layers[0] for p in scene.panels if isinstance(p.layers[0], Tiles)}


def curves(scene):
    """Lines of the panel of errors: (color, values over time) each."""
    lines = [layer for layer in scene.panels[-1].layers if isinstance(layer, Lines)]
    return [(line.color, line.xy[0, :, 1]) for line in lines]


def test_images_lie_on_the_path():
    scene = shown()
    found = columns(scene)
    x, clean = found["image xₜ"].values, found["clean"].values
    t = scene.times[:, None, None, None]
    assert torch.allclose(x, t * clean + (1 - t) * x[0], atol=1e-6)
    assert x[0].std() == pytest.approx(1, abs=0.05)


def test_images_are_digits_of_the_test_set():
    test = MNIST("test")
    for digit in "07":
        clean = columns(shown(digit=digit))["clean"].values
        known = test.images[test.labels == int(digit)][:, 0] / 127.5 - 1
        for image in clean:
            assert (known == image).flatten(1).all(1).any()


def test_the_guess_of_gaussian_data_is_known():
    scene = shown(network=of_gaussian_data)
    found = columns(scene)
    t = scene.times[:, None, None, None]
    truth = t / (t**2 + (1 - t) ** 2) * found["image xₜ"].values
    for title in ("guess, no label", "guess, told 3"):
        assert torch.allclose(found[title].values, truth, atol=1e-5)
    (blue,) = [values for color, values in curves(scene) if color == "simulated"]
    error = (truth - found["clean"].values).square().mean((1, 2, 3))
    assert torch.allclose(blue, error, atol=1e-5)


def test_the_course_s_network_is_asked_with_and_without_the_label():
    scene = shown(digit="5")
    found = columns(scene)
    x = found["image xₜ"].values.flatten(0, 1)[:, None]
    t = scene.times.repeat_interleave(IMAGES)
    for title, y in (("guess, no label", 10), ("guess, told 5", 5)):
        with torch.no_grad():
            u = digit_generator()(x, t, torch.full((len(x),), y))
        guess = (x + (1 - spread(t)) * u)[:, 0]
        assert torch.allclose(found[title].values.flatten(0, 1), guess, atol=1e-5)


def test_dashed_lines_are_the_errors_of_average_digits():
    digits = MNIST()
    scene = shown(digit="4", told=WRONG)
    clean = columns(scene)["clean"].values
    levels = [values for color, values in curves(scene) if color == "exact"]
    for level, chosen in zip(levels, (digits.labels >= 0, digits.labels == 9), strict=True):
        average = digits.images[chosen].double().mean(0) / 127.5 - 1
        error = (average - clean).square().mean().item()
        assert level.tolist() == pytest.approx([error, error], rel=1e-5)


def test_the_guess_begins_as_the_average_and_ends_as_the_image():
    scene = shown()
    exact = {color: values for color, values in curves(scene) if color != "exact"}
    levels = [values[0] for color, values in curves(scene) if color == "exact"]
    for values, level in zip(exact.values(), levels, strict=True):
        assert values[0].item() == pytest.approx(level.item(), rel=0.1)
        assert values[-1] < 1e-10


def test_captions_are_what_the_judge_reads_in_each_frame():
    scene = shown(digit="7", told=WRONG)
    tiles = columns(scene)["guess, told 2"]
    read = digit_judge()(tiles.values.flatten(0, 1)[:, None].clamp(-1, 1)).argmax(1)
    read = read.view(FRAMES, IMAGES)
    words = [[int(c.removeprefix("✗ ")) for c in row] for row in tiles.captions]
    assert words == read.tolist()
    assert tiles.flagged == (read != 7).tolist()
    by_label = {r.label: r.value for r in scene.readouts}
    assert by_label["read as 7, told 2"].tolist() == (read == 7).sum(1).tolist()
    assert read[1].tolist() == [2] * IMAGES  # in the noise it believes what it is told


def test_who_believes_a_wrong_label_is_counted_in_each_frame():
    scene = shown(told=WRONG, digit="3")
    counts = {r.label: torch.as_tensor(r.value) for r in scene.readouts}
    told = columns(scene)["guess, told 8"].captions
    believed = torch.tensor([row.count("✗ 8") for row in told])
    assert torch.equal(counts["read as 8, told 8"], believed)
    assert believed[0] == IMAGES
    assert believed[-1] == 0
    assert not [r for r in shown(digit="3").readouts if "read as 8" in r.label]


def test_the_reader_s_own_denoiser_beside_the_network_s_guess():
    scene = shown(denoiser)
    found = columns(scene)
    assert torch.allclose(found["guess, yours"].values, found["guess, told 3"].values, atol=1e-5)
    assert scene.error == ""

    def forgets_time(velocity, x, t, y):
        return x + velocity(x, t, y)

    error = dict(curves(shown(forgets_time)))
    assert error["yours"][-1] > 0.1 > error["end"][-1]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda velocity, x, t, y: 1 / 0, "raised ZeroDivisionError"),
        (lambda velocity, x, t, y: x + (1 - t) * velocity(x, t, y), "raised RuntimeError"),
        (lambda velocity, x, t, y: x[:, 0], f"returned shape ({FRAMES * IMAGES}, 28, 28)"),
        (lambda velocity, x, t, y: velocity(x, t, y) / spread(t), "returned "),  # t is 0
        (lambda velocity, x, t, y: velocity(x, t, y + 20), "raised ValueError: y runs from 23"),
    ],
)
def test_a_bad_denoiser_is_told_in_words(function, words):
    scene = shown(function)
    assert words in scene.error
    assert list(columns(scene)) == ["image xₜ", "guess, no label", "guess, told 3", "clean"]


def test_a_bad_network_and_a_bad_denoiser():
    def network(x, t, y):
        return x * float("nan")

    scene = shown(lambda velocity, x, t, y: None, network)
    assert "network returned NaN\nShown is the course's network.\n" in scene.error
    assert "returned None" in scene.error
    same = columns(shown())["guess, told 3"].values
    assert torch.equal(columns(scene)["guess, told 3"].values, same)
    packed(scene)


@pytest.mark.parametrize("end", [0, -1])
def test_every_control_at_both_ends(end):
    explorer = NoiseScrubber(denoiser)
    for control in explorer.controls:
        value = ((control.low, control.high) if control.kind == "slider" else control.options)[end]
        spec, _ = packed(explorer.scene(**{**explorer.start, control.name: value}))
        assert spec["frames"] == FRAMES


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (dict(denoiser=3), "denoiser is an int; expected a function of"),
        (dict(network=3), "network is an int"),
        (dict(network=...), "network is not written yet"),
    ],
)
def test_what_is_no_function_is_said(arguments, words):
    explorer = NoiseScrubber(**arguments)
    assert explorer.scene(**explorer.start).error.startswith(words)


def test_a_digit_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="digit is 10; expected one of"):
        NoiseScrubber(digit=10)


def test_the_frozen_page_is_small():
    assert len(frozen(NoiseScrubber(), {})) < min(MOST_MB, 1.5) * 1e6
