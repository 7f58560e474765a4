"""A widget in a real browser: what it draws, what it says, and what it asks the network for."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from lab_server import HERE
from playwright.sync_api import Browser, Locator, Page

__all__ = ["Seen", "address", "new_page"]

# The pixels of every canvas, as one number each: another picture, another number.
PICTURE = """stage => stage.panels.map(({canvas}) => {
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum = (sum * 31 + data[i]) % 4294967291;
  return sum;
})"""

STAGES = """[...document.querySelectorAll(".stage")].map(e => e.stage)"""


class Seen:
    """The widget number `index` of a page.

    `errors` lists what the page wrote to the console as an error, and exceptions nobody caught;
    `foreign` lists the addresses of other machines that it asked for.
    """

    def __init__(self, page: Page, index: int = 0) -> None:
        self.page, self.index = page, index
        self.errors: list[str] = []
        self.foreign: list[str] = []
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.note(request.url))
        page.on("websocket", lambda socket: self.note(socket.url))

    def note(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob", "about", "file") and parts.hostname not in HERE:
            self.foreign.append(url)

    def open(self, address: str, timeout: float = 60) -> None:
        """Open a page of one widget, and wait for its picture."""
        self.page.goto(address)
        self.wait(timeout)

    def wait(self, timeout: float = 60) -> None:
        """Wait until the widget shows the answer to its last question."""
        self.until("s => s?.spec && s.serial === s.answered && !s.next && !s.pending", timeout)

    def until(self, function: str, timeout: float = 30) -> None:
        """Wait until a JavaScript function of the stage says yes."""
        call = f"() => ({function})({STAGES}[{self.index}])"
        self.page.wait_for_function(call, timeout=1000 * timeout)

    def js(self, function: str, argument: Any = None) -> Any:
        """What a JavaScript function of the stage (and an argument) returns."""
        return self.page.evaluate(
            f"""argument => {{
              const stage = {STAGES}[{self.index}];
              return ({function})(stage, argument); }}""",
            argument,
        )

    def picture(self) -> list[int]:
        """A number for the pixels of each panel."""
        return self.js(PICTURE)

    def at(self) -> float:
        """The frame that is shown."""
        return self.js("stage => stage.clock.at")

    def frames(self) -> int:
        return self.js("stage => stage.clock.frames")

    def seek(self, frame: float) -> None:
        """Show a frame, painted when this returns."""
        self.js("(stage, frame) => { stage.clock.seek(frame); stage.paint(); }", frame)

    def pixels(self, panel: int) -> np.ndarray:
        """Red, green, blue and opacity of a panel's canvas, shape (height, width, 4)."""
        height, width, text = self.js(
            """(stage, i) => { const {canvas} = stage.panels[i];
              const context = canvas.getContext("2d");
              const {data} = context.getImageData(0, 0, canvas.width, canvas.height);
              let text = "";
              for (let k = 0; k < data.length; k += 32768)
                text += String.fromCharCode(...data.subarray(k, k + 32768));
              return [canvas.height, canvas.width, btoa(text)]; }""",
            panel,
        )
        return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 4)

    @property
    def root(self) -> Locator:
        return self.page.locator(".stage").nth(self.index)

    def drag_time(self, share: float) -> None:
        """Drag the time slider, by mouse, to a share of its length."""
        slider = self.root.locator(".time")
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        assert box
        y = box["y"] + box["height"] / 2
        self.page.mouse.move(box["x"] + 0.02 * box["width"], y)
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + 0.5 * box["width"], y, steps=4)
        self.page.mouse.move(box["x"] + share * box["width"], y, steps=4)
        self.page.mouse.up()

    def quiet(self) -> None:
        """Nothing went wrong, and nobody else was asked."""
        assert self.errors == []
        assert self.foreign == []


@contextmanager
def new_page(browser: Browser, offline: bool = False, **options: Any) -> Iterator[Page]:
    """A page in a context of its own; `offline` has no network at all."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 720}, **options})
    context.set_offline(offline)
    yield context.new_page()
    context.close()


def address(path: Path) -> str:
    return path.resolve().as_uri()
