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


def test_lines_are_taken_back(seen):
    canvas = seen.root.locator("canvas.brush").bounding_box()
    lengths = []
    for row in (0.3, 0.6):
        seen.page.mouse.move(canvas["x"] + 0.2 * canvas["width"], canvas["y"] + row * 300)
        seen.page.mouse.down()
        seen.page.mouse.move(canvas["x"] + 0.7 * canvas["width"], canvas["y"] + row * 300)
        seen.page.mouse.up()
        seen.page.wait_for_timeout(50)
        seen.wait()
        lengths.append(seen.js("stage => stage.values.drawing.length"))
    assert 10 < lengths[0] < lengths[1]
    for left in (lengths[0], 0, 0):
        seen.page.keyboard.press("Backspace")
        seen.page.wait_for_timeout(50)
        seen.wait()
        assert seen.js("stage => stage.values.drawing.length") == left
    assert seen.js("stage => stage.panels[0].strokes.length") == 0


def test_reset_stops_the_training_and_keeps_the_drawing(seen):
    box = seen.root.locator("canvas.brush").bounding_box()
    seen.page.mouse.move(box["x"] + 60, box["y"] + 60)
    seen.page.mouse.down()
    seen.page.mouse.move(box["x"] + 200, box["y"] + 150)
    seen.page.mouse.up()
    seen.page.wait_for_timeout(50)
    seen.wait()
    drawing = seen.js("stage => stage.values.drawing")
    assert len(drawing) > 10
    button(seen, "Train").click()
    seen.until("stage => stage.running")
    seen.page.keyboard.press("r")
    seen.until("stage => !stage.running")
    seen.wait()
    assert seen.js("stage => stage.values.data") == "chessboard"
    seen.root.locator(".options label", has_text="drawn").click()
    seen.page.wait_for_timeout(50)
    seen.wait()
    assert seen.js("stage => stage.values.drawing") == drawing


def test_an_error_leaves_the_page_where_it_is(seen):
    """The pictures make room for it; afterwards they have their size again."""
    high = "() => [document.documentElement.scrollHeight, innerHeight]"
    before = seen.root.locator("canvas.brush").bounding_box()
    seen.root.locator("canvas.brush").click()  # one point is too few
    seen.page.wait_for_timeout(50)
    seen.wait()
    seen.root.locator(".action").first.click()
    seen.root.locator(".error").wait_for(state="visible")
    assert "the drawing has 1 point" in seen.root.locator(".error").inner_text()
    page, window = seen.page.evaluate(high)
    assert page <= window
    assert seen.root.locator("canvas.brush").bounding_box()["height"] < before["height"]
    seen.page.keyboard.press("Backspace")
    seen.root.locator(".error").wait_for(state="hidden")
    seen.wait()
    after = seen.root.locator("canvas.brush").bounding_box()
    assert after["height"] == before["height"]


def test_points_by_keyboard(seen):
    seen.root.locator("canvas.brush").focus()
    for keys in ("ArrowLeft", "ArrowUp", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown"):
        for _ in range(4):
            seen.page.keyboard.press(keys)
        seen.page.keyboard.press("Space")
    seen.until("stage => stage.values.drawing.length === 6")
    seen.wait()
    train(seen)
