"""Keys: after a pointer was used they are the clock's; reached by Tab, a control has its own."""

import numpy as np
import pytest
from seen import Seen, address, new_page

from course_lib.widgets.controls import Choice, Slider, Toggle
from course_lib.widgets.demo.freeze import freeze
from course_lib.widgets.explorer import Explorer
from course_lib.widgets.scene import Handle, Panel, Points, Scene

pytestmark = pytest.mark.browser

OPENING, LAST = 2, 20
NAMES = ["first", "second", "third"]


class Held(Explorer):
    title, question = "Keys", "Whose are they?"
    controls = (
        Choice("what", "what", ("one", "two"), "one"),
        Slider("size", "size", 4.0, 12.0, 8.0, steps=4),
        Toggle("shown", "shown", True, local=True),
    )
    points = {"probe": [0.5, 0.25]}
    frozen = {"what": ("one", "two"), "size": (4.0, 8.0, 12.0)}

    def scene(self, what, size, shown, probe):
        xy = np.linspace([[-1.0, 0.0]], [[1.0, 0.0]], LAST + 1)
        layers = [Points(xy, size=size, only="shown"), Handle("probe", tuple(probe), "a probe")]
        return Scene(
            [Panel(layers, x=(-2.0, 2.0), y=(-1.0, 1.0))],
            times=np.linspace(0, 1, LAST + 1),
            start=OPENING,
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    list(freeze(dict.fromkeys(NAMES, Held), folder, "Widgets"))
    return folder


@pytest.fixture
def seen(browser, folder):
    with new_page(browser, offline=True) as page:
        seen = Seen(page)
        seen.open(address(folder / "first.html"))
        yield seen
        seen.quiet()


POINTED = {
    "a choice": ".options label:nth-child(2)",
    "a slider": ".control.slider input",
    "a toggle": ".control.toggle",
    "the loop": ".loop",
    "a step": ".transport button:nth-child(3)",
    "the time": ".time",
    "the probe": ".handle",
    "the panel": ".box canvas",
}


@pytest.mark.parametrize("what", POINTED)
def test_after_a_pointer_the_keys_move_the_clock(seen, what):
    seen.root.locator(POINTED[what]).click()
    seen.page.wait_for_timeout(50)
    seen.wait()
    values = seen.js("stage => stage.values")
    for key, frame in (("Home", 0), ("ArrowRight", 1), ("End", LAST), ("ArrowLeft", LAST - 1)):
        seen.page.keyboard.press(key)
        assert seen.at() == frame
    seen.page.keyboard.press("Space")
    assert seen.js("stage => stage.clock.playing")
    seen.page.keyboard.press("Space")
    assert not seen.js("stage => stage.clock.playing")
    assert seen.js("stage => stage.values") == values


def test_the_speed_lets_the_keys_go_when_it_is_chosen(seen):
    seen.root.locator("select").click()  # its menu stays open
    assert seen.js("stage => document.activeElement === stage.speed")
    seen.page.keyboard.press("Escape")
    seen.root.locator("select").select_option("4")
    assert seen.js("stage => stage.clock.speed") == 4


@pytest.mark.parametrize("what", ["a choice", "a slider"])
def test_reached_by_tab_a_control_has_the_arrows_and_space_still_plays(seen, what):
    wanted = "input[type=radio]" if what == "a choice" else "input[type=range]:not(.time)"
    for _ in range(30):
        seen.page.keyboard.press("Tab")
        if seen.js("(stage, wanted) => document.activeElement.matches(wanted)", wanted):
            break
    before = seen.js("stage => stage.values")
    seen.page.keyboard.press("ArrowRight")
    assert seen.js("stage => stage.values") != before
    assert seen.at() == OPENING
    assert seen.js("(stage, wanted) => document.activeElement.matches(wanted)", wanted)
    seen.page.keyboard.press("Space")
    assert seen.js("stage => stage.clock.playing")


def test_reset_opens_the_page_anew(seen):
    for key in ("]", "]", "l", "End"):
        seen.page.keyboard.press(key)
    assert seen.js("stage => [stage.clock.speed, stage.clock.loop]") == [4, False]
    seen.root.locator(".control.toggle").click()
    seen.page.keyboard.press("r")
    seen.wait()
    assert seen.at() == OPENING
    assert seen.js("stage => [stage.clock.speed, stage.clock.loop]") == [1, True]
    assert seen.js("stage => [stage.speed.value, stage.loop.checked]") == ["1", True]
    assert seen.js("stage => stage.values") == seen.js("stage => stage.face.values")


def test_numbers_open_their_pages(seen):
    for number in (3, 1, 2):
        seen.page.keyboard.press(str(number))
        seen.page.wait_for_url(f"**/{NAMES[number - 1]}.html")
        seen.wait()


def test_full_screen_lasts_from_page_to_page(seen):
    page = seen.page

    def full():
        return page.evaluate("Boolean(document.fullscreenElement)")

    def shown(name):
        """The page in the frame, once it shows its widget."""
        page.wait_for_selector("iframe.page")
        frame = page.frames[-1]
        frame.wait_for_url(f"**/{name}.html")
        frame.wait_for_function("document.querySelector('.stage')?.stage.spec")
        return frame

    page.keyboard.press("f")
    page.wait_for_function("Boolean(document.fullscreenElement)")
    page.keyboard.press("n")
    shown("second")
    page.keyboard.press("n")
    third = shown("third")
    page.keyboard.press("ArrowRight")
    at = "document.querySelector('.stage').stage.clock.at"
    assert third.evaluate(at) == OPENING + 1
    page.keyboard.press("p")
    shown("second")
    page.keyboard.press("c")
    page.frames[-1].wait_for_url("**/index.html")
    assert full()
    page.keyboard.press("3")
    shown("third")
    assert full()
    page.keyboard.press("f")  # a file cannot change its address, so that page opens by itself
    page.wait_for_url("**/third.html")
    seen.wait()
    assert not full()
    assert page.locator("iframe").count() == 0
    page.keyboard.press("p")
    page.wait_for_url("**/second.html")
    seen.wait()
