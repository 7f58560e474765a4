"""Frozen pages in a browser without any network: they play, scrub and offer their variants."""

from itertools import pairwise

import pytest
from seen import Seen, address, new_page
from use import plays, scrubs, settings_change_the_picture

from course_lib.widgets import CATALOGUE
from course_lib.widgets.demo import MOST_MB
from course_lib.widgets.demo.freeze import freeze

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("frozen")
    paths = list(freeze(CATALOGUE, folder, "Widgets"))
    assert [path.name for path in paths] == ["index.html", *(f"{name}.html" for name in CATALOGUE)]
    return folder


@pytest.fixture(scope="module")
def page(browser):
    with new_page(browser, offline=True) as page:
        yield page


@pytest.mark.parametrize("name", CATALOGUE)
def test_it_is_small(folder, name):
    assert (folder / f"{name}.html").stat().st_size <= MOST_MB * 1e6


@pytest.mark.parametrize("name", CATALOGUE)
def test_it_works(folder, page, name):
    seen = Seen(page)
    seen.open(address(folder / f"{name}.html"))
    if seen.frames() > 1:
        plays(seen)
        scrubs(seen)
    settings_change_the_picture(seen)
    seen.quiet()


@pytest.mark.parametrize("name", CATALOGUE)
@pytest.mark.parametrize("size", [(640, 360), (800, 600), (1280, 720), (1920, 1080)])
def test_nothing_lies_over_anything_else(folder, page, name, size):
    """At 1280 × 720 enlarged to twice its size, 640 × 360, one scrolls; from 1280 × 720 on not."""
    seen = Seen(page)
    was = page.viewport_size
    page.set_viewport_size({"width": size[0], "height": size[1]})
    seen.open(address(folder / f"{name}.html"))
    seen.wait()
    ends = page.evaluate(
        """() => ["header", ".figure", ".legend", ".transport", ".controls", ".readouts", ".note",
                  "nav"]
            .map((name) => document.querySelector(name))
            .filter((part) => part?.offsetHeight)
            .map((part) => part.getBoundingClientRect())
            .map((r) => [r.top, r.bottom])"""
    )
    assert all(end <= start + 1 for (_, end), (start, _) in pairwise(ends))
    page.set_viewport_size(was)
    if size[0] >= 1280:
        assert ends[-1][1] <= size[1] + 1
    seen.quiet()


def test_presenter_keys(folder, page):
    seen = Seen(page)
    names = list(CATALOGUE)
    page.goto(address(folder / "index.html"))
    assert page.locator("li a").all_inner_texts() == [c.title for c in CATALOGUE.values()]
    page.keyboard.press("n")
    for name in names:
        page.wait_for_url(f"**/{name}.html")
        seen.wait()
        page.keyboard.press("n")
    page.keyboard.press("PageUp")
    if len(names) > 1:
        page.wait_for_url(f"**/{names[-2]}.html")
        seen.wait()
    page.keyboard.press("c")
    page.wait_for_url("**/index.html")
    theme = page.evaluate("document.documentElement.dataset.theme")
    page.keyboard.press("d")
    assert page.evaluate("document.documentElement.dataset.theme") != theme
    page.keyboard.press("d")
    seen.quiet()
