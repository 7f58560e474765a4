"""Widgets from inside the browser: frame times, time to a new picture, bytes; beside matplotlib.

    python benchmarks/widgets.py [--frames N] [--changes N] [--json]

One JupyterLab, one page, three cells with the same scene, 5,000 particles in 100 frames: ours; a
matplotlib scatter redrawn by `ipywidgets.interact`; and the same by ipympl, which moves the points
of a standing figure. Then a change of the mathematics, 2,000 particles in 100 steps: a slider of
`ProcessExplorer`, from the key to the new picture, through the kernel.

    drawing     ours alone: seconds of JavaScript for a frame, as painted
    frame       from one new picture to the next while the time slider is held on its way
    picture     from the key to the new picture
    bytes       received by the page from the kernel, for the whole scrub and for a change
    load        what a lab's widgets add to running it: their import, and their first scenes

Needs chromium (or Chrome, or Edge) and the packages of the extra "dev".
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]

import lab_server  # noqa: E402
from find_browser import find_browser  # noqa: E402
from playwright.sync_api import Page, sync_playwright  # noqa: E402

PARTICLES, FRAMES = 5000, 100
OURS = f"""
import numpy as np
from course_lib.widgets import Explorer, ProcessExplorer
from course_lib.widgets.scene import Panel, Points, Scene

rng = np.random.default_rng(0)
start, end = rng.normal(size=(2, {PARTICLES}, 2))
share = np.linspace(0, 1, {FRAMES})[:, None, None]
XY = (1 - share) * start + share * (0.3 * end + np.sign(end))

class Crowd(Explorer):
    title, question = "A crowd", "How fast?"
    def scene(self):
        panel = Panel([Points(XY)], x=(-3, 3), y=(-3, 3), equal=True)
        return Scene([panel], times=np.linspace(0, 1, {FRAMES}))

Crowd()
"""
INTERACT = f"""
import matplotlib.pyplot as plt
from ipywidgets import IntSlider, interact

@interact(k=IntSlider(0, 0, {FRAMES - 1}))
def show(k):
    plt.figure(figsize=(5, 5))
    plt.scatter(*XY[k].T, s=9, alpha=0.7)
    plt.xlim(-3, 3)
    plt.ylim(-3, 3)
    plt.show()
"""
IPYMPL = f"""
from ipympl.backend_nbagg import Canvas, FigureManager
from matplotlib.figure import Figure

figure = Figure(figsize=(5, 5))
canvas = Canvas(figure)
FigureManager(canvas, 0)
axes = figure.subplots()
points = axes.scatter(*XY[0].T, s=9, alpha=0.7)
axes.set(xlim=(-3, 3), ylim=(-3, 3))
display(canvas)
%matplotlib inline

@interact(k=IntSlider(0, 0, {FRAMES - 1}))
def move(k):
    points.set_offsets(XY[k])
    canvas.draw_idle()
"""
CHANGE = "ProcessExplorer()"

# Frames of one scrub through all of them, there and back: drawing, and from picture to picture.
SCRUB = """async ([index, count]) => {
  const stage = [...document.querySelectorAll(".stage")].map(e => e.stage)[index];
  const frame = () => new Promise(requestAnimationFrame);
  const drawing = [], between = [];
  for (let warm = 0; warm < 20; warm++) { stage.clock.seek(warm); await frame(); }
  let before = await frame();
  for (let i = 0; i < count; i++) {
    const k = i % (2 * stage.clock.last);
    stage.clock.at = k <= stage.clock.last ? k : 2 * stage.clock.last - k;
    const start = performance.now();
    stage.paint();
    drawing.push(performance.now() - start);
    const now = await frame();
    between.push(now - before);
    before = now;
  }
  return [drawing, between];
}"""

# From now until a picture differs: `what` gives something that is equal only for equal pictures.
UNTIL_NEW = """async ([what, index]) => {
  const see = {
    image: () => [...document.querySelectorAll(".jp-OutputArea-output img")].at(-1)?.src,
    canvas: () => {
      const c = document.querySelector(".jupyter-matplotlib canvas");
      const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
      let sum = 0;
      for (let i = 0; i < d.length; i += 16) sum = (sum * 31 + d[i]) % 4294967291;
      return sum;
    },
    stage: () => [...document.querySelectorAll(".stage")].map(e => e.stage)[index].number,
  }[what];
  const old = see();
  window.newPicture = new Promise(resolve => {
    const look = () => {
      if (see() !== old) requestAnimationFrame(() => resolve(performance.now()));
      else setTimeout(look, 1);
    };
    look();
  });
  window.pressed = null;
  const press = () => { window.pressed = performance.now(); };
  addEventListener("keydown", press, {once: true, capture: true});
}"""
ANSWER = """() => Promise.race([
  window.newPicture.then(at => at - window.pressed),
  new Promise((_, refuse) => setTimeout(refuse, 20000, new Error("no new picture in 20 s"))),
])"""

# In a fresh process, after all that a lab imports anyway.
LOAD = """
import json, time
import torch
from course_lib import checks, plots, processes, simulate, training
torch.zeros(2, requires_grad=True).sum().backward()
start = time.perf_counter()
from course_lib import widgets
import course_lib.widgets.stage
seconds = {"import": time.perf_counter() - start}
for name in NAMES:
    start = time.perf_counter()
    getattr(widgets, name)()._repr_mimebundle_()
    seconds[name] = time.perf_counter() - start
print(json.dumps(seconds))
"""
LABS = {
    "lab1": ("SolverExplorer", "ProcessExplorer", "LangevinExplorer"),
    "lab2": ("PathExplorer", "ScoreExplorer", "FlowTrainer"),
    "lab3": ("NoiseScrubber", "GuidanceExplorer", "DigitExplorer"),
}


def load() -> dict[str, dict[str, float]]:
    """Seconds of the import and of each widget's first showing, for each lab."""
    seconds = {}
    for lab, names in LABS.items():
        command = [sys.executable, "-c", LOAD.replace("NAMES", repr(names))]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds[lab] = json.loads(ran.stdout)
    return seconds


class Traffic:
    """Bytes that the page received through web sockets."""

    def __init__(self, page: Page) -> None:
        self.bytes = 0
        page.on("websocket", lambda s: s.on("framereceived", self._add))

    def _add(self, payload: str | bytes) -> None:
        self.bytes += len(payload)

    def of(self, action: Callable[[], Any]) -> tuple[Any, int]:
        before = self.bytes
        result = action()
        return result, self.bytes - before


def key_to_picture(page: Page, focus: str, what: str, n: int, index: int = 0) -> list[float]:
    """Milliseconds from an arrow key on the element `focus` to a new picture, `n` times."""
    times = []
    for i in range(n + 2):
        page.evaluate(f"() => ({focus}).focus()")
        page.evaluate(UNTIL_NEW, [what, index])
        page.keyboard.press("ArrowLeft" if i % 2 else "ArrowRight")
        times.append(page.evaluate(ANSWER))
        if i < n + 1:
            time.sleep(0.2)
    return times[2:]


def summary(values: list[float]) -> dict[str, float]:
    return {
        "median": float(np.median(values)),
        "95 %": float(np.percentile(values, 95)),
        "most": float(np.max(values)),
    }


def notebook(folder: Path) -> None:
    cells = [nbformat.v4.new_code_cell(c.strip()) for c in (OURS, INTERACT, IPYMPL, CHANGE)]
    kernel = {"name": "python3", "display_name": "Python 3"}
    book = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(book, folder / "widgets.ipynb")


def measure(frames: int, changes: int) -> dict[str, Any]:
    chromium = find_browser()
    if chromium is None:
        raise SystemExit("No Chromium, Chrome or Edge was found.")
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = Path(temporary, "notebooks")
        folder.mkdir()
        notebook(folder)
        browser = playwright.chromium.launch(executable_path=chromium, args=lab_server.BROWSER)
        with lab_server.open_lab(folder, browser, Path(temporary)) as lab:
            page, traffic = lab.page, Traffic(lab.page)
            lab.open("widgets.ipynb")
            _, received = traffic.of(lab.run_all)
            page.wait_for_timeout(2000)
            page.locator(".stage").first.scroll_into_view_if_needed()
            (drawing, between), scrub = traffic.of(lambda: page.evaluate(SCRUB, [0, frames]))
            stage = "[...document.querySelectorAll('.stage')].map(e => e.stage)[1]"
            change, exchanged = traffic.of(
                lambda: key_to_picture(
                    page, f"{stage}.controls.sigma.input", "stage", changes, index=1
                )
            )
            sliders = "[...document.querySelectorAll('.widget-slider [role=slider]')]"
            inline, sent = traffic.of(
                lambda: key_to_picture(page, f"{sliders}[0]", "image", changes)
            )
            ipympl, sent_too = traffic.of(
                lambda: key_to_picture(page, f"{sliders}[1]", "canvas", changes)
            )
        browser.close()
    scene = int(PARTICLES * FRAMES * 2 * 2)
    return {
        "load s": load(),
        "particles": PARTICLES,
        "frames": FRAMES,
        "bytes of all": received,
        "ours": {
            "drawing ms": summary(drawing),
            "frame ms": summary(between),
            "bytes of the scene": scene,
            "bytes a frame": scrub / frames,
        },
        "interact": {"frame ms": summary(inline), "bytes a frame": sent / (changes + 2)},
        "ipympl": {"frame ms": summary(ipympl), "bytes a frame": sent_too / (changes + 2)},
        "change": {"picture ms": summary(change), "bytes": exchanged / (changes + 2)},
    }


def show(report: dict[str, Any]) -> None:
    ours = report["ours"]
    print(f"{PARTICLES:,} particles, {FRAMES} frames; milliseconds\n")
    print("| scrubbing | median | 95 % | most | bytes a frame |\n|---|---|---|---|---|")
    rows = [
        ("ours, drawing alone", ours["drawing ms"], ours["bytes a frame"]),
        ("ours, from picture to picture", ours["frame ms"], ours["bytes a frame"]),
        ("matplotlib, ipywidgets.interact", report["interact"]["frame ms"],
         report["interact"]["bytes a frame"]),
        ("matplotlib, ipympl", report["ipympl"]["frame ms"], report["ipympl"]["bytes a frame"]),
    ]  # fmt: skip
    for name, times, size in rows:
        print(f"| {name} | {' | '.join(f'{v:.1f}' for v in times.values())} | {size:,.0f} |")
    print(f"\nOurs sends the scene once: {ours['bytes of the scene'] / 1e6:.2f} MB.")
    times = report["change"]["picture ms"]
    print("\n| a new picture, 2,000 particles × 100 steps | median | 95 % | most | bytes |")
    print("|---|---|---|---|---|")
    values = " | ".join(f"{v:.0f}" for v in times.values())
    print(f"| slider of `ProcessExplorer` | {values} | {report['change']['bytes']:,.0f} |")
    print("\n| what widgets add to a lab, seconds | import | first scenes | together |")
    print("|---|---|---|---|")
    for lab, seconds in report["load s"].items():
        scenes = sum(seconds.values()) - seconds["import"]
        print(f"| {lab} | {seconds['import']:.2f} | {scenes:.2f} | {sum(seconds.values()):.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=600, help="frames of the scrub")
    parser.add_argument("--changes", type=int, default=20, help="keys pressed on each slider")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    report = measure(arguments.frames, arguments.changes)
    print(json.dumps(report)) if arguments.json else show(report)


if __name__ == "__main__":
    main()
