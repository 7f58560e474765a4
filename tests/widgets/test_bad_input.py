"""What goes wrong is said in the widget's own frame, and the widget goes on working."""

import asyncio
import functools
import sys
import threading

import numpy as np
import pytest
import torch
from seen import Seen, new_page

from course_lib.widgets.answers import Answers
from course_lib.widgets.controls import Action, Choice, Slider
from course_lib.widgets.demo.server import serve
from course_lib.widgets.explorer import Explorer
from course_lib.widgets.heard import heard
from course_lib.widgets.scene import Panel, Points, Scene
from course_lib.widgets.yours import Own

pytestmark = pytest.mark.browser
FRAMES = 4
FAULTS = {
    "raises": "my_step raised KeyError: 'h'",
    "shape": "my_step returned shape (3, 1); expected (3, 2)",
    "type": "my_step returned None; expected a tensor of shape (3, 2)",
    "layer": "panel: xy of points has shape (7, 3, 2); expected 2 axes, or 4 frames of them",
    "bug": "ZeroDivisionError: integer division or modulo by zero",
}


def my_step(x, fault):
    if fault == "raises":
        raise KeyError("h")
    return x[:, :1] if fault == "shape" else None if fault == "type" else x


class Faulty(Explorer):
    title, question = "Faults", "What happens?"
    controls = (
        Choice("fault", "fault", ("none", "nan", *FAULTS), "none"),
        Action("work", "Work"),
    )

    def scene(self, fault):
        x = torch.tensor([[0.0, 0.0], [0.5, 0.5], [-0.5, 0.5]])
        x = Own(my_step, "step", "(x, fault)").result(x, x, fault)
        xy = np.stack([x + 0.1 * k for k in range(7 if fault == "layer" else FRAMES)])
        if fault == "nan":
            xy[2:, 0] = np.nan
        if fault == "bug":
            xy = xy / (0 // 0)
        panel = Panel([Points(xy, size=20, alpha=1.0)], title="panel", x=(-1, 1), y=(-1, 1))
        return Scene([panel], times=np.arange(FRAMES))

    def act(self, action, values, show, stopped):
        show(self.scene("none"))
        raise ValueError("the loss is NaN")


@pytest.fixture(scope="module")
def site():
    """The faulty widget, served by a thread."""
    found, ready, loop = [], threading.Event(), asyncio.new_event_loop()

    def listen(address):
        found.append(address)
        ready.set()

    def run():
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(serve({"faulty": Faulty}, "Faults", 0, listen))
        except asyncio.CancelledError:
            loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(20)
    yield found[0]
    loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(loop)])
    thread.join(10)


@pytest.fixture
def seen(browser, site):
    with new_page(browser) as page:
        seen = Seen(page)
        seen.open(site + "faulty")
        yield seen
        seen.quiet()


def choose(seen, fault):
    seen.root.locator(".options label", has_text=fault).first.click()
    seen.wait()


@pytest.mark.parametrize("fault", FAULTS)
def test_an_error_is_a_sentence_and_the_picture_stays(seen, fault):
    number = seen.js("stage => stage.number")
    choose(seen, fault)
    error = seen.root.locator(".error")
    assert error.is_visible()
    assert error.inner_text().startswith(FAULTS[fault])
    assert seen.js("stage => stage.number") == number
    assert (seen.pixels(0)[..., 3] == 255).any()
    before = seen.picture()
    seen.seek(2)
    assert seen.picture() != before
    choose(seen, "none")
    assert error.is_hidden()


def test_a_nan_is_not_drawn_and_all_others_are(seen):
    whole = (seen.pixels(0)[..., 3] > 0).sum()
    choose(seen, "nan")
    assert seen.root.locator(".error").is_hidden()
    seen.seek(1)
    assert (seen.pixels(0)[..., 3] > 0).sum() == pytest.approx(whole, rel=0.1)
    seen.seek(3)
    assert (seen.pixels(0)[..., 3] > 0).sum() == pytest.approx(2 / 3 * whole, rel=0.1)


def test_long_work_that_fails_gives_the_button_back(seen):
    button = seen.root.locator("button.action")
    button.click()
    seen.until("stage => !stage.error.hidden && !stage.running")
    assert seen.root.locator(".error").inner_text() == "the loss is NaN"
    assert button.inner_text() == "Work"
    choose(seen, "nan")
    assert seen.root.locator(".error").is_hidden()


def gradient_of_log_density(x, t):
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(-(x**2).sum() / 2, x)
    return gradient


def writes_into_x(x, t):
    x -= x
    return x


@pytest.mark.parametrize("function", [gradient_of_log_density, writes_into_x])
def test_a_right_function_may_differentiate_and_may_write_into_its_arguments(function):
    x = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    before = x.clone()
    with torch.no_grad():
        result = Own(function, "score", "(x, t)").result(x, x, torch.tensor(0.5))
    assert torch.equal(x, before)
    assert not result.requires_grad
    assert torch.allclose(result, torch.zeros(5, 2) if function is writes_into_x else -x)


def unfinished(x, t):
    raise NotImplementedError("mixture_score")


def leaves(x, t):
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (unfinished, r"mixture_score is not written yet"),
        (leaves, r"leaves raised SystemExit: 3, in line \d+: raise SystemExit\(3\)"),
        (functools.partial(leaves, t=0), r"leaves raised SystemExit.*"),
        (lambda x: x, r"<lambda> takes \(x\); expected a function of \(x, t\)"),
        (torch.nn.Linear(2, 2), r"Linear takes \(input\); expected a function of \(x, t\)"),
        (lambda x, t: x.to(torch.complex64), r"<lambda> returned complex numbers; expected real.*"),
        (lambda x, t: x.numpy(), r"<lambda> returned an ndarray; expected a tensor of shape .*"),
    ],
)
def test_what_a_function_did_is_said(function, words):
    x = torch.ones(5, 2)
    args = (x,) if isinstance(function, functools.partial) else (x, torch.tensor(0.5))
    with pytest.raises(ValueError, match=f"^{words}$"):
        Own(function, "score", "(x, t)").result(x, *args)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (3, "score is an int; expected a function of"),
        (dict, "score is the class dict; expected"),
        (..., "score is not written yet"),
    ],
)
def test_what_cannot_be_called_says_so_when_it_is_called(function, words):
    own = Own(function, "score", "(x, t)")
    with pytest.raises(ValueError, match=words):
        own.result(torch.ones(2), torch.ones(2))


def test_only_what_one_thread_prints_is_kept(capsys):
    def talk(words):
        thread = threading.Thread(target=print, args=(words,))
        thread.start()
        thread.join()

    with heard() as outer:
        print("a")
        talk("elsewhere")
        with heard() as inner:
            print("b" * 500)
        print("c")
        first = outer.words
        print("d", "e", sep="\n")
    print("after")
    assert first == "Printed: a\nc"
    assert outer.words == "Printed: … c\nd\ne"
    assert inner.words == f"Printed: … {'b' * 400}"
    assert capsys.readouterr().out == "elsewhere\nafter\n"


class Mine(Explorer):
    title, question = "Mine", "Whose?"
    controls = (Choice("fault", "fault", ("none", "other"), "none"),)

    def __init__(self, step):
        self.step = Own(step, "step", "(x)")
        super().__init__()

    def scene(self, fault):
        x = torch.zeros(1, 2)
        return Scene([Panel([Points(self.step.result(x, x))], x=(-1, 1), y=(-1, 1))])


def in_a_notebook(source, monkeypatch):
    """Run a cell; the function `mine` that it defines."""
    notebook = sys.modules["__main__"]
    names = {"__name__": "__main__"}
    exec(source, names)
    monkeypatch.setattr(notebook, "mine", names["mine"], raising=False)
    return names["mine"]


def test_a_function_that_was_written_again_is_named(monkeypatch):
    answers = Answers(Mine(in_a_notebook("def mine(x): return x", monkeypatch)), lambda state: None)
    assert answers.begin()["error"] is None
    in_a_notebook("def mine(x): return x", monkeypatch)
    answers.receive({"kind": "ask", "values": {"fault": "other"}, "serial": 1})
    assert answers.state["error"] is None  # its cell was only run again
    in_a_notebook("def mine(x): return 2 * x", monkeypatch)
    answers.receive({"kind": "ask", "values": {"fault": "other"}, "serial": 1})
    assert answers.state["error"].startswith("mine was written again since: run this cell again")


def test_what_a_function_prints_is_shown(monkeypatch, capsys):
    def chatty(x):
        print("shape", tuple(x.shape))
        return x

    answers = Answers(Mine(chatty), lambda state: None)
    answers.begin()
    assert capsys.readouterr().out == "shape (1, 2)\n"  # where the cell's own words are
    answers.receive({"kind": "ask", "values": {"fault": "other"}, "serial": 1})
    assert answers.state["error"] == "Printed: shape (1, 2)"
    assert capsys.readouterr().out == ""


def test_whole_numbers_of_any_kind_are_taken():
    assert Choice("digit", "digit", ("3", "4"), "3").check(4) == "4"
    assert Slider("n", "steps", 1, 9, 3, whole=True).check(np.int64(4)) == 4
    assert Slider("w", "w", 0.0, 8.0, 3.0).check(np.float32(2.5)) == 2.5
