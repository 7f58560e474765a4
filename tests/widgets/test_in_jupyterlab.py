"""Every widget in a notebook of JupyterLab, with a kernel behind it."""

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
    cells = [nbformat.v4.new_code_cell("from course_lib import widgets")]
    cells += [
        nbformat.v4.new_code_cell(f"widgets.{explorer.__name__}()")
        for explorer in CATALOGUE.values()
    ]
    kernel = {"name": "python3", "display_name": "Python 3"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, folder / "widgets.ipynb")
    return folder


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


def test_keys_of_jupyterlab_rest_inside(open_lab, notebook):
    """In command mode "l" numbers lines and "r" makes a cell raw; inside a widget they do not."""
    lab = open_lab(notebook)
    lab.open("widgets.ipynb")
    lab.run_all()
    seen = Seen(lab.page, 0)
    seen.wait()
    kinds = "() => [...document.querySelectorAll('.jp-Cell')].map(c => c.className)"
    before = lab.page.evaluate(kinds)
    seen.root.focus()
    for key in ("l", "r", "Home", "]", "Space", "Space"):
        lab.page.keyboard.press(key)
    seen.wait()
    assert not seen.js("stage => stage.clock.loop")
    assert seen.js("stage => stage.clock.speed") == 2
    after = lab.page.evaluate(kinds)
    assert len(after) == len(before)
    assert not any("jp-RawCell" in name for name in after)
    assert lab.errors == []


def test_dark_theme(open_lab, notebook):
    lab = open_lab(notebook)
    lab.open("widgets.ipynb")
    lab.run_all()
    seen = Seen(lab.page, 0)
    seen.wait()
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
