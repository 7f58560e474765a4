"""`course demo` in a browser: every control of every widget, with Python behind it."""

import urllib.error
import urllib.request

import pytest
from seen import Seen, new_page
from use import plays, scrubs, settings_change_the_picture

from course_lib.widgets import CATALOGUE

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(browser):
    with new_page(browser) as page:
        yield page


@pytest.mark.parametrize("name", CATALOGUE)
def test_it_works(site, page, name):
    seen = Seen(page)
    seen.open(site + name)
    if seen.frames() > 1:
        plays(seen)
        scrubs(seen)
    settings_change_the_picture(seen)
    seen.root.focus()
    page.keyboard.press("r")
    seen.wait()
    assert seen.js("stage => stage.values") == seen.js("stage => stage.face.values")
    seen.quiet()


def test_full_screen_lasts_and_the_address_is_that_of_the_page(site, page):
    seen, names = Seen(page), list(CATALOGUE)
    seen.open(site + names[0])
    page.keyboard.press("f")
    page.wait_for_function("Boolean(document.fullscreenElement)")
    page.keyboard.press("n")
    page.wait_for_url(f"**/{names[1]}")
    assert page.evaluate("Boolean(document.fullscreenElement)")
    page.keyboard.press("f")
    page.wait_for_function("!document.fullscreenElement")
    seen.open(page.url)
    assert seen.root.locator("h3").inner_text() == CATALOGUE[names[1]].title
    seen.quiet()


def test_contents(site, page):
    seen = Seen(page)
    page.goto(site)
    assert page.locator("li a").all_inner_texts() == [c.title for c in CATALOGUE.values()]
    seen.quiet()


def test_an_address_that_there_is_not(site):
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(site + "nothing")
    assert error.value.code == 404
