"""The engine draws what it was sent: pixels are compared with the arrays, not with pictures."""

import numpy as np
import pytest
from seen import Seen, address, new_page

from course_lib.widgets.controls import Choice, Slider, Toggle
from course_lib.widgets.demo.pages import frozen
from course_lib.widgets.explorer import Explorer
from course_lib.widgets.scene import (
    Arrows,
    Bars,
    Handle,
    Image,
    Lines,
    Panel,
    Points,
    Readout,
    Scene,
    Tiles,
)

pytestmark = pytest.mark.browser

FRAMES = 5
BLUE, ORANGE, DARK, WHITE = (0, 114, 178), (213, 94, 0), (34, 34, 34), (255, 255, 255)
AXES = dict(x=(-2.0, 2.0), y=(-1.0, 1.0))


def crowd(n):
    """Points far from one another that move along x, shape (frames, n, 2)."""
    rows = -(-n // 40)
    x = np.tile(np.linspace(-1.8, 1.6, 40), rows)[:n]
    y = np.repeat(np.linspace(-0.9, 0.9, rows), 40)[:n]
    shift = np.linspace(0, 0.2, FRAMES)[:, None]
    return np.stack(np.broadcast_arrays(x + shift, y), axis=-1)


class Shown(Explorer):
    """One scene of each kind of layer."""

    title, question = "Layers", "Are they where they should be?"
    controls = (
        Choice("what", "what", ("few", "many", "bars", "image", "lines", "arrows", "tiles"), "few"),
        Toggle("seen", "seen", True, local=True),
        Slider("size", "size", 4.0, 12.0, 8.0, steps=2),
    )
    frozen = {"what": ("few", "many", "bars", "image", "lines", "arrows", "tiles")}

    def scene(self, what, seen, size):
        style = dict(size=size, alpha=1.0, only="seen")
        axes = AXES
        if what in ("few", "many"):
            layers = [Points(crowd(30 if what == "few" else 800), **style)]
        elif what == "bars":
            axes = dict(x=(0.0, 4.0), y=(0.0, 1.0))
            heights = np.linspace([0.1, 0.2, 0.3, 0.4], [0.9, 0.8, 0.7, 0.6], FRAMES)
            layers = [Bars(heights, np.arange(5.0), alpha=1.0)]
        elif what == "image":
            layers = [Image(np.arange(6.0).reshape(2, 3))]
        elif what == "lines":
            line = np.array([[[-2.0, 0.0], [-1.0, 0.0], [0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]])
            layers = [Lines(line, color="end", growing=True, width=6)]
        elif what == "arrows":
            layers = [
                Arrows([[-1.0, 0.0]], [[1.0, 0.0]], color="exact", scale=1.5, width=6, alpha=1)
            ]
        else:
            axes = dict(x=None, y=None)
            tiles = np.stack([np.full((4, 4), v) for v in (-1.0, 0.0, 1.0)])
            layers = [
                Tiles(tiles, columns=3, captions=["a", "b", "c"], flagged=[False, True, False])
            ]
        return Scene(
            [Panel(layers, title="panel", xlabel="x", ylabel="y", describe="a test", **axes)],
            times=np.linspace(0, 1, FRAMES),
            readouts=[Readout("twice the time", 2 * np.linspace(0, 1, FRAMES))],
            legend=[("simulated", "dot", "particles")],
        )


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("engine") / "shown.html"
    path.write_text(frozen(Shown(), {}), encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=[1, 2], ids=["1 pixel", "2 pixels"])
def seen(request, browser, page_file):
    """A page on a plain screen, and on one with two pixels in each direction."""
    with new_page(browser, offline=True, device_scale_factor=request.param) as page:
        seen = Seen(page)
        seen.open(address(page_file))
        yield seen
        seen.quiet()


def test_an_axis_that_counts_has_whole_numbers_alone(browser, tmp_path):
    class Counted(Explorer):
        title, question = "Counts", "How many?"

        def scene(self):
            axes = dict(x=(0.0, 1.0), y=(0.4, 3.6))
            return Scene([Panel([], whole=whole, **axes) for whole in (True, False)])

    path = tmp_path / "counted.html"
    path.write_text(frozen(Counted(), {}), encoding="utf-8")
    with new_page(browser, offline=True) as page:
        seen = Seen(page)
        seen.open(address(path))
        counted, other = (
            seen.root.locator(".ticks.y").nth(i).locator("span").all_inner_texts() for i in (0, 1)
        )
        assert counted == ["1", "2", "3"]
        assert len(other) > 3
        seen.quiet()


def choose(seen, what):
    seen.js("(stage, what) => stage.setValue('what', what)", what)
    seen.page.wait_for_timeout(50)
    seen.wait()
    return seen


def place(pixels, xy, axes=AXES):
    """Row and column of a point in the panel's units."""
    (x0, x1), (y0, y1) = axes["x"], axes["y"]
    height, width = pixels.shape[:2]
    column = (np.asarray(xy)[..., 0] - x0) / (x1 - x0) * width
    row = (y1 - np.asarray(xy)[..., 1]) / (y1 - y0) * height
    return row.astype(int).clip(0, height - 1), column.astype(int).clip(0, width - 1)


@pytest.mark.parametrize("what", ["few", "many"])
@pytest.mark.parametrize("frame", range(FRAMES))
def test_a_pixel_where_each_particle_must_be(seen, what, frame):
    choose(seen, what).seek(frame)
    xy = crowd(30 if what == "few" else 800)[frame]
    pixels = seen.pixels(0)
    rows, columns = place(pixels, xy)
    assert (np.abs(pixels[rows, columns, :3].astype(int) - BLUE) < 3).all()
    assert (pixels[rows, columns, 3] == 255).all()
    radius = 4 * seen.js("stage => stage.panels[0].unit")
    area = (pixels[..., 3] / 255).sum()
    assert area == pytest.approx(len(xy) * np.pi * radius**2, rel=0.05)


def test_between_frames_particles_glide(seen):
    choose(seen, "many").seek(1.5)
    xy = (crowd(800)[1] + crowd(800)[2]) / 2
    pixels = seen.pixels(0)
    assert (pixels[*place(pixels, xy)][:, 3] == 255).all()


def test_a_toggle_hides_its_layer_without_a_question(seen):
    choose(seen, "few")
    asked = seen.js("stage => stage.serial")
    seen.js("stage => stage.controls.seen.input.click()")
    assert seen.pixels(0)[..., 3].max() == 0
    seen.js("stage => stage.controls.seen.input.click()")
    assert seen.pixels(0)[..., 3].max() == 255
    assert seen.js("stage => stage.serial") == asked


@pytest.mark.parametrize("frame", [0, FRAMES - 1])
def test_bars_are_as_high_as_their_values(seen, frame):
    choose(seen, "bars").seek(frame)
    pixels = seen.pixels(0)
    height, width = pixels.shape[:2]
    for i, value in enumerate([[0.1, 0.2, 0.3, 0.4], [0.9, 0.8, 0.7, 0.6]][frame > 0]):
        column = pixels[:, int((i + 0.5) * width / 4), 3]
        assert (column > 127).sum() == pytest.approx(value * height, abs=1.5)
        assert column[-2] == 255


def test_an_image_has_its_first_row_below_and_its_highest_value_darkest(seen):
    pixels = choose(seen, "image").pixels(0)[..., :3].mean(-1)
    height, width = pixels.shape
    corners = pixels[height // 4 :: height // 2, width // 6 :: width // 3][:2, :3]
    upper, lower = corners
    assert lower[0] > 250
    assert (np.diff([*lower, *upper]) < 0).all()


@pytest.mark.parametrize(("frame", "end"), [(0, -2.0), (2, 0.0), (3.5, 1.5), (4, 2.0)])
def test_a_growing_line_ends_where_the_clock_is(seen, frame, end):
    choose(seen, "lines").seek(frame)
    pixels = seen.pixels(0)
    row = pixels[pixels.shape[0] // 2, :, 3]
    assert (row > 127).mean() == pytest.approx((end + 2) / 4, abs=0.01)
    if frame:
        assert np.abs(pixels[pixels.shape[0] // 2, 2, :3].astype(int) - ORANGE).max() < 3


def test_an_arrow_is_as_long_as_it_says(seen):
    pixels = choose(seen, "arrows").pixels(0)
    columns = np.flatnonzero(pixels[..., 3].max(0) > 127)
    ends = np.array([columns[0], columns[-1]]) / pixels.shape[1] * 4 - 2
    assert ends == pytest.approx([-1.0, 0.5], abs=0.03)
    assert np.abs(pixels[pixels.shape[0] // 2, columns[5], :3].astype(int) - DARK).max() < 3


def test_tiles_are_white_grey_and_black(seen):
    pixels = choose(seen, "tiles").pixels(0)
    opaque = pixels[pixels[..., 3] == 255][:, :3].mean(-1)
    shares = [np.mean(np.abs(opaque - level) < 3) for level in (255.0, 127.5, 0.0)]
    assert min(shares) > 0.25
    assert shares[0] == pytest.approx(shares[2], abs=0.02)


def test_words_are_text_of_the_page(seen):
    choose(seen, "few").seek(2)
    text = seen.root.inner_text()
    for words in (
        "Layers",
        "panel",
        "x",
        "y",
        "particles",
        "twice the time",
        "t = 0.50",
        "\u22121",
    ):
        assert words in text
    assert seen.root.locator(".readout b").inner_text() == "1.00"
    assert seen.root.locator("canvas").get_attribute("aria-label") == "a test"
    assert seen.root.locator(".time").get_attribute("aria-valuetext") == "t = 0.50"


class Dragged(Explorer):
    """A handle, and the places to which it can be taken."""

    title, question = "A handle", "Where is it?"
    points = {"probe": [0.5, 0.25]}
    frozen = {"probe": ([0.5, 0.25], [-1.0, 0.5], [-0.9, 0.5])}

    def scene(self, probe):
        return Scene([Panel([Handle("probe", tuple(probe), "a probe")], **AXES)])


@pytest.fixture
def dragged(browser, tmp_path):
    path = tmp_path / "dragged.html"
    path.write_text(frozen(Dragged(), {}), encoding="utf-8")
    with new_page(browser, offline=True) as page:
        seen = Seen(page)
        seen.open(address(path))
        yield seen
        seen.quiet()


def test_a_handle_moves_by_mouse_and_by_keys(dragged):
    handle = dragged.root.locator(".handle")
    canvas, box = dragged.root.locator("canvas").bounding_box(), handle.bounding_box()
    assert canvas
    assert box
    centre = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    assert centre[0] == pytest.approx(canvas["x"] + 2.5 / 4 * canvas["width"], abs=1.5)
    assert centre[1] == pytest.approx(canvas["y"] + 0.75 / 2 * canvas["height"], abs=1.5)
    to = canvas["x"] + 0.24 * canvas["width"], canvas["y"] + canvas["height"] / 4
    dragged.page.mouse.move(*centre)
    dragged.page.mouse.down()
    dragged.page.mouse.move(*to, steps=5)
    assert dragged.js("stage => stage.values.probe") == pytest.approx([-1.04, 0.5], abs=0.02)
    dragged.page.mouse.up()
    dragged.page.wait_for_timeout(50)
    dragged.wait()
    handle.focus()
    dragged.page.keyboard.press("ArrowRight")
    dragged.page.wait_for_timeout(50)
    dragged.wait()
    assert dragged.js("stage => stage.values.probe") == [-0.9, 0.5]
    assert (
        dragged.root.locator(".handle").get_attribute("aria-label").startswith("a probe, at -0.9")
    )


def test_a_picture_is_grey_while_it_waits_and_never_longer(dragged):
    """Several questions while each answer takes longer than the 0.2 s without a sign."""
    dragged.js("""stage => {
      const send = stage.model.send.bind(stage.model);
      stage.model.send = (message) => setTimeout(() => send(message), 300);
    }""")
    waiting = "stage => stage.root.classList.contains('waiting')"
    dragged.root.locator(".handle").focus()
    for _ in range(4):
        dragged.page.keyboard.press("ArrowRight")
        dragged.page.wait_for_timeout(130)
    dragged.until(waiting)
    dragged.wait()
    dragged.page.wait_for_timeout(400)
    assert not dragged.js(waiting)
    assert dragged.js("stage => getComputedStyle(stage.figure).opacity") == "1"


def test_a_press_in_the_panel_fetches_the_handle(dragged):
    canvas, mouse = dragged.root.locator("canvas").bounding_box(), dragged.page.mouse
    mouse.click(canvas["x"] + 0.25 * canvas["width"], canvas["y"] + 0.25 * canvas["height"])
    dragged.page.wait_for_timeout(50)
    dragged.wait()
    assert dragged.js("stage => stage.values.probe") == [-1.0, 0.5]
    assert dragged.js("stage => document.activeElement === stage.root")
