"""Every widget in a notebook of JupyterLab, with a kernel behind it."""

from itertools import pairwise

import nbformat
import pytest
from seen import Seen
from use import plays, scrubs, settings_change_the_picture

from course_lib.widgets import CATALOGUE

pytestmark = [pytest.mark.browser, pytest.mark.kernel]


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """A notebook with a cell for each widget."""
    folder = tmp_path_factory.mktemp("notebook")
    shown = [f"widgets.{explorer.__name__}()" for explorer in CATALOGUE.values()]
    write(folder / "widgets.ipynb", ["from course_lib import widgets", *shown])
    return folder


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """A notebook with one widget."""
    folder = tmp_path_factory.mktemp("one")
    write(
        folder / "one.ipynb", ["from course_lib.widgets import ProcessExplorer\nProcessExplorer()"]
    )
    return folder


def shown(open_lab, folder):
    """The lab with that notebook run, and its widget."""
    lab = open_lab(folder)
    lab.open("one.ipynb")
    lab.run_all()
    seen = Seen(lab.page)
    seen.wait()
    return lab, seen


def write(path, sources):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    kernel = {"name": "python3", "display_name": "Python 3"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, path)


def test_every_widget(open_lab, notebook):
    lab = open_lab(notebook)
    lab.open("widgets.ipynb")
    lab.run_all()
    stages = lab.page.locator(".stage")
    for i, name in enumerate(CATALOGUE):
        stages.nth(i).wait_for()
        seen = Seen(lab.page, i)
        seen.wait()
        if seen.frames() > 1:
            plays(seen)
            scrubs(seen)
        settings_change_the_picture(seen)
        assert lab.errors == [], name
    assert stages.count() == len(CATALOGUE)
    assert lab.foreign == []


def test_keys_of_jupyterlab_rest_inside(open_lab, one):
    """In command mode "l" numbers lines and "r" makes a cell raw; inside a widget they do not."""
    lab, seen = shown(open_lab, one)
    kinds = "() => [...document.querySelectorAll('.jp-Cell')].map(c => c.className)"
    before = lab.page.evaluate(kinds)
    seen.root.focus()
    for key in ("r", "l", "Home", "]", "Space", "Space"):
        lab.page.keyboard.press(key)
    seen.wait()
    assert not seen.js("stage => stage.clock.loop")
    assert seen.js("stage => stage.clock.speed") == 2
    after = lab.page.evaluate(kinds)
    assert len(after) == len(before)
    assert not any("jp-RawCell" in name for name in after)
    assert lab.errors == []


def test_dark_theme(open_lab, one):
    lab, seen = shown(open_lab, one)
    page = "stage => getComputedStyle(stage.root).backgroundColor"
    assert seen.js(page) == "rgb(255, 255, 255)"
    seen.seek(50)
    light = seen.picture()
    lab.page.evaluate(
        "() => window.jupyterapp.commands.execute('apputils:change-theme', "
        "{theme: 'JupyterLab Dark'})"
    )
    lab.page.wait_for_selector("body[data-jp-theme-light=false]", state="attached")
    seen.until("stage => stage.colors.rgb('simulated')[0] === 77 && !stage.pending")
    assert seen.js(page) == "rgb(21, 23, 26)"
    assert seen.picture() != light


def test_after_a_restart_it_says_what_to_do_and_still_plays(open_lab, one):
    lab, seen = shown(open_lab, one)
    lab.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    lab.wait_until_idle()
    seen.root.locator(".control.slider input").first.focus()
    lab.page.keyboard.press("ArrowRight")
    error = seen.root.locator(".error")
    error.wait_for()
    assert error.inner_text().endswith("Run its cell again.")
    plays(seen)
    lab.run_all()
    seen = Seen(lab.page, 0)
    seen.wait()
    assert seen.root.locator(".error").is_hidden()
    settings_change_the_picture(seen)


def test_a_kernel_that_is_busy_is_waited_for_aloud(open_lab, tmp_path):
    cells = [
        "from course_lib.widgets import ProcessExplorer\nProcessExplorer()",
        "import time\ntime.sleep(5)",
    ]
    write(tmp_path / "busy.ipynb", cells)
    lab = open_lab(tmp_path)
    lab.open("busy.ipynb")
    lab.page.evaluate("() => { jupyterapp.commands.execute('notebook:run-all-cells'); }")
    lab.page.locator(".stage canvas").first.wait_for()
    seen = Seen(lab.page, 0)
    assert seen.js("stage => stage.patience") == 10
    seen.js("stage => (stage.patience = 1)")
    seen.root.locator(".control.slider input").first.focus()
    lab.page.keyboard.press("ArrowRight")
    error = seen.root.locator(".error")
    error.wait_for()
    assert "Is another cell running? Then wait." in error.inner_text()
    seen.wait()
    assert error.is_hidden()
    assert lab.errors == []


def test_a_training_ends_with_its_widget_and_a_slow_function_with_an_interrupt(open_lab, tmp_path):
    cells = [
        "import threading, time\nfrom course_lib.widgets import FlowTrainer, SolverExplorer\n"
        "pause = 0\n"
        "def slow(velocity, x, t, h):\n    time.sleep(pause)\n    return x + h * velocity(x, t)",
        "FlowTrainer()",
        "SolverExplorer(step=slow)",
        "print([t.name for t in threading.enumerate() if '_act' in t.name])",
        "pause = 2",
    ]
    write(tmp_path / "one.ipynb", cells)
    lab, trainer = shown(open_lab, tmp_path)
    trainer.root.get_by_role("button", name="Train").click()
    trainer.until("stage => stage.running && stage.number > 1")

    def run(index):
        lab.page.evaluate(
            """async index => {
              const {content} = jupyterapp.shell.currentWidget;
              content.activeCellIndex = index;
              await jupyterapp.commands.execute("notebook:run-cell"); }""",
            index,
        )
        return lab.page.locator(".jp-Cell").nth(index).locator(".jp-OutputArea").inner_text()

    assert "_act" in run(3)
    run(1)
    lab.page.wait_for_timeout(1500)
    assert run(3).strip().endswith("[]")

    run(4)
    solver = Seen(lab.page, 1)
    solver.root.locator(".options label", has_text="tide").click()
    lab.page.wait_for_timeout(1000)
    lab.page.evaluate("() => jupyterapp.commands.execute('notebook:interrupt-kernel')")
    error = solver.root.locator(".error")
    error.wait_for()
    assert error.inner_text().startswith("Interrupted")
    solver.wait()


def test_a_narrow_page_has_one_panel_under_another(open_lab, notebook):
    lab = open_lab(notebook)
    lab.page.set_viewport_size({"width": 800, "height": 900})
    lab.open("widgets.ipynb")
    lab.run_all()
    stages = lab.page.locator(".stage")
    for i, name in enumerate(CATALOGUE):
        seen = Seen(lab.page, i)
        seen.wait()
        right = stages.nth(i).bounding_box()
        for part in stages.nth(i).locator("canvas, button, select, input, .readout").all():
            box = part.bounding_box()
            if box and box["width"] > 1:
                assert box["x"] + box["width"] <= right["x"] + right["width"] + 1, name
        boxes = [c.bounding_box() for c in stages.nth(i).locator("canvas").all()]
        assert all(box["width"] >= 120 for box in boxes), name
        assert all(a["y"] + a["height"] <= b["y"] for a, b in pairwise(boxes)), name
