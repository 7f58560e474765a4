"""A distribution that is drawn in the browser trains: by mouse, and by keyboard."""

import math

import pytest
from seen import Seen, new_page

pytestmark = pytest.mark.browser


@pytest.fixture
def seen(browser, site):
    with new_page(browser) as page:
        seen = Seen(page)
        seen.open(site + "flow")
        seen.root.locator(".options label", has_text="drawn").click()
        seen.until("stage => stage.panels.some(p => p.strokes)")
        seen.wait()
        yield seen
        seen.quiet()


def button(seen, words):
    return seen.root.locator("button.action", has_text=words)


def train(seen):
    """Press Train until a new picture has come, then Stop."""
    number = seen.js("stage => stage.number")
    button(seen, "Train").click()
    seen.until(f"stage => stage.running && stage.number > {number} + 3", 60)
    assert seen.root.locator(".error").is_hidden()
    button(seen, "Stop").click()
    seen.until("stage => !stage.running", 30)


def test_a_circle_by_mouse(seen):
    box = seen.root.locator("canvas.brush").bounding_box()
    assert box
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    radius = 0.3 * box["height"]
    around = [2 * math.pi * k / 60 for k in range(61)]
    path = [(middle[0] + radius * math.cos(a), middle[1] + radius * math.sin(a)) for a in around]
    seen.page.mouse.move(*path[0])
    seen.page.mouse.down()
    for place in path:
        seen.page.mouse.move(*place)
    seen.page.mouse.up()
    seen.until("stage => stage.values.drawing.length >= 40")
    seen.wait()
    drawn = seen.js("stage => stage.values.drawing.map(([x, y]) => Math.hypot(x, y))")
    assert max(drawn) / min(drawn) < 1.2

    train(seen)
    steps = seen.js("stage => stage.panels.length")
    assert steps >= 2
    last = seen.frames() - 1
    seen.seek(0)
    at_start = seen.picture()
    seen.seek(last)
    assert seen.picture() != at_start

    train(seen)  # goes on where it stopped
    seen.seek(last)
    assert seen.root.locator(".error").is_hidden()


def test_points_by_keyboard(seen):
    seen.root.locator("canvas.brush").focus()
    for keys in ("ArrowLeft", "ArrowUp", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown"):
        for _ in range(4):
            seen.page.keyboard.press(keys)
        seen.page.keyboard.press("Space")
    seen.until("stage => stage.values.drawing.length === 6")
    seen.wait()
    train(seen)
