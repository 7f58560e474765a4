import json
import re
from html.parser import HTMLParser

import pytest

from course_lib.checks import Verdict
from course_lib.checks.card import card, progress_card

RIGHT = Verdict("c", "One step", 2, 2, None, "Because it is so.")
WRONG = Verdict("c", "One step", 0, 2, "no-drift", "The drift is missing.", "Line 3", seed=9)
PARTLY = Verdict("c", "One step", 1.5, 2, "not-mixed", "Half right.")
EVIL = "<script>alert('x')</script>\"&amp;"


class Tags(HTMLParser):
    """All tags with their attributes, the words between them, and whether every tag closes."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.words, self.open = [], "", []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += "" if self.open[-1:] == ["style"] else data


@pytest.mark.parametrize("field", ["title", "message", "detail"])
@pytest.mark.parametrize("points", [0, 1, 2])
def test_a_students_text_stays_text(field, points):
    verdict = Verdict(**{**WRONG.__dict__, "points": points, field: EVIL})
    page = Tags(card(verdict))
    assert "script" not in [tag for tag, _ in page.tags]
    assert not page.open
    if not (verdict.passed and field == "detail"):
        assert EVIL in page.words


def test_right_is_one_quiet_line():
    page = Tags(card(RIGHT, b"png"))
    assert [tag for tag, _ in page.tags] == ["style", "div", "span", "div"]
    assert page.words == "✓ One step · 2 of 2 points Because it is so."
    assert page.tags[1][1]["role"] == "status"
    assert str(RIGHT).splitlines()[0] == "✓ One step: 2 of 2 points"


def test_wrong_says_what_and_where():
    page = Tags(card(WRONG))
    assert "Not yet · One step · 0 of 2 points" in page.words
    assert "The drift is missing." in page.words
    assert "Line 3" in page.words
    assert page.tags[1][1]["role"] == "alert"
    assert "img" not in [tag for tag, _ in page.tags]
    assert str(WRONG) == "✗ One step: 0 of 2 points\nThe drift is missing.\nLine 3"


def test_the_picture_has_words():
    (image,) = [attrs for tag, attrs in Tags(card(WRONG, b"\x89PNG")).tags if tag == "img"]
    assert "diagonal" in image["alt"]
    assert image["src"] == "data:image/png;base64,iVBORw=="


def test_partly_right_says_so():
    assert "Partly right · One step · 1.5 of 2 points" in Tags(card(PARTLY)).words
    assert not PARTLY.passed


def test_one_point_is_singular():
    assert Verdict("c", "t", 1, 1).score == "1 of 1 point"
    assert Verdict("c", "t", 0.33, 3).score == "0.33 of 3 points"


def test_the_verdict_as_json():
    data = json.loads(json.dumps(WRONG.to_json()))
    assert data["fault"] == "no-drift"
    assert data["passed"] is False
    assert data.pop("passed") is not None
    assert Verdict(**data) == WRONG


def test_progress_shows_every_state():
    rows = [
        ("Right", RIGHT, 2.0),
        ("Wrong", WRONG, 2.0),
        ("Partly", PARTLY, 2.0),
        ("Stub", Verdict("c", "Stub", 0, 1, "not-written"), 1.0),
        (EVIL, None, 3.0),
    ]
    html = progress_card(rows)
    page = Tags(html)
    assert not page.open
    states = [attrs["aria-label"] for tag, attrs in page.tags if "aria-label" in attrs]
    assert states == ["right", "not right yet", "not right yet", "not tried yet", "not tried yet"]
    assert "3.5 of 10 points" in page.words
    assert "1 of 5 checks passed" in page.words
    assert EVIL in page.words
    assert "width: 35.0%" in html
    assert re.findall(r"[\d.]+ / \d", page.words) == ["2 / 2", "0 / 2", "1.5 / 2"]


def test_progress_of_nothing():
    assert "0 of 0 points" in Tags(progress_card([])).words
