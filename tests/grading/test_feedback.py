"""A student's page: what it says, and that nothing in it is anybody's program."""

import base64
import re

import nbformat
import pytest
from handins import SOLUTIONS, cell_of, handin
from nbformat.v4 import new_output

from course_lib.checks import Verdict, checks_of
from course_lib.checks.card import card
from course_lib.grading.answers import comments_of
from course_lib.grading.feedback import feedback_page
from course_lib.grading.highlight import code_block
from course_lib.grading.outputs import outputs
from course_lib.grading.page import write_page

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"pixels").decode()
HOSTILE = "</style></code><script>alert(1)</script><img src=http://evil.example/x onerror=go()>"


def verdict(name: str, share: float = 1, fault: str | None = None, message: str = "") -> Verdict:
    check = checks_of("lab1")[name]()
    return Verdict(name, check.title, check.points * share, check.points, fault, message)


@pytest.fixture
def written(tmp_path):
    """Write a page for ada and give its text."""

    def write(notebook, verdicts, **options) -> str:
        path = tmp_path / "feedback" / "ada" / "lab1" / "lab1.html"
        score = sum(v.points for v in verdicts)
        arguments = {"score": score, "max_score": 40, **options}
        write_page(path, feedback_page("lab1", "ada", notebook, verdicts, **arguments))
        return path.read_text(encoding="utf-8")

    return write


def harmless(text: str) -> None:
    """No script, no handler, nothing from another host, one style sheet."""
    tags = re.findall(r"<[a-z][^>]*>", text)
    assert not re.search(r"<script|<iframe|<object|<svg onload|javascript:", text)
    links = r'\s(?:src|href)(?!="(?:#|data:image/png;base64,|\.\./feedback/))'
    assert not [tag for tag in tags if re.search(links, tag)]
    assert not [tag for tag in tags if re.search(r"\son\w+=", tag)]
    assert text.count("</style>") == text.count("<style>") == 1
    assert "@import" not in text
    assert "url(" not in text


def test_everything_that_belongs_there(written):
    notebook = handin({"euler-step": "def euler_step(velocity, x, t, h):\n    return x + 7"})
    verdicts = [
        verdict("euler-step", 0, "no-step-size", "The velocity is multiplied by h."),
        verdict("heun-step", 0.5, "wrong", "Nearly."),
        verdict("predict-order"),
        verdict("endpoint-error", 0, "not-written", "There is no answer here yet."),
    ]
    text = written(
        notebook,
        verdicts,
        notes=["2 other files left out"],
        comments={"heun-step": "See me\non <Monday>."},
    )
    harmless(text)
    assert "<h1>Lab 1 · Simulating ODEs and SDEs</h1>" in text
    assert "<dd>2 of 40</dd>" in text
    assert "<dd>1 of 4</dd>" in text
    assert "2 other files left out" in text
    assert '<a href="#exercise-2">Heun step' in text
    for sign, words in (
        ("✓", "right"),
        ("◐", "partly right"),
        ("✗", "not yet"),
        ("○", "no answer"),
    ):
        assert text.count(f">{sign}</span> {words}</td>") == 1
    assert "See me\non &lt;Monday&gt;." in text
    assert re.sub("<[^>]*>", "", text).count("return x + 7") == 1
    own = card(verdicts[0]).partition("</style>")[2].replace(' role="alert"', "", 1)
    assert own in text
    assert "set by hand" not in text


def test_no_solution_is_shown(written):
    verdicts = [verdict(name, 0, "not-written") for name in checks_of("lab1")]
    text = re.sub("<[^>]*>", "", written(handin({}), verdicts))
    for name, solution in SOLUTIONS.items():
        secret = solution.split("### BEGIN SOLUTION")[1].split("### END SOLUTION")[0]
        assert secret.strip() not in text, name


def test_points_set_by_hand(written):
    text = written(handin({}), [verdict("euler-step", 0, "wrong", "No.")], score=1)
    assert "<dd>1 of 40</dd>" in text
    assert "The total contains points that were set by hand." in text


def test_a_hostile_notebook(written):
    notebook = handin({"euler-step": f"# {HOSTILE}\nx = '{HOSTILE}'\n\x00\x1b[31m\u202e"})
    notebook.cells[0].source = f"# {HOSTILE}"
    cell = cell_of(notebook, "euler-step-answer")
    cell.outputs = [
        new_output("stream", name="stdout", text=HOSTILE),
        new_output("error", ename=HOSTILE, evalue=HOSTILE, traceback=[HOSTILE]),
        new_output("display_data", {"text/html": HOSTILE, "image/svg+xml": HOSTILE}),
        new_output("display_data", {"application/javascript": "alert(2)", "text/plain": HOSTILE}),
        new_output("display_data", {"image/png": f'{PNG}" onerror="go()'}),
        new_output("display_data", {"image/png": PNG}),
    ]
    hostile = verdict("euler-step", 0, HOSTILE, f"{HOSTILE}\ud800\u202e\x00")
    text = written(notebook, [hostile], notes=[HOSTILE], comments={"euler-step": HOSTILE})
    harmless(text)
    assert f'src="data:image/png;base64,{PNG}"' in text
    assert "alert(2)" not in text
    assert not re.search("[\x00\x1b\u202e\ud800]", text)


def test_a_notebook_with_nothing_in_it(written):
    text = written(nbformat.v4.new_notebook(), [verdict("euler-step", 0, "no-outcome", "Not run.")])
    harmless(text)
    assert "<h1>lab1</h1>" in text
    assert "There is no answer cell." in text


def test_huge_code_and_huge_output_are_cut():
    assert len(code_block("x" * 10**6)) < 25_000
    assert "… 9800 more lines" in code_block("x = 1\n" * 9_999 + "y")
    assert len(outputs([{"outputs": [{"output_type": "stream", "text": "y" * 10**6}]}])) < 2_100


@pytest.mark.parametrize(
    "picture",
    ["", "no base64!", base64.b64encode(b"GIF89a").decode(), PNG + "A" * 400_000, None, 7],
)
def test_only_small_png_pictures(picture):
    assert "<img" not in outputs([{"outputs": [{"data": {"image/png": picture}}]}])


def test_colours_do_not_change_the_code():
    for source in SOLUTIONS.values():
        shown = re.sub("<[^>]*>", "", code_block(source))
        for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#x27;", "'")):
            shown = shown.replace(entity, sign)
        assert shown.replace("&amp;", "&") == source.strip("\n")
    assert '<span class="k">def </span><span class="f">f</span>' in code_block("def f(): pass")


def test_comments_on_every_cell_of_an_exercise_are_told():
    told = comments_of(
        [("a-answer", "one"), ("a-answer-2", "two"), ("a", ""), ("b", None), ("c-answer", None),
         ("c", "at the check")]
    )  # fmt: skip
    assert told == {"a": "one\ntwo", "c": "at the check"}
