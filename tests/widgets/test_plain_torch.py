"""Widgets compute on one core in float32, and leave a notebook's choices as they were."""

import threading

import pytest
import torch

from course_lib.widgets import CATALOGUE, Explorer
from course_lib.widgets.answers import Answers
from course_lib.widgets.controls import Action
from course_lib.widgets.demo.pages import frozen
from course_lib.widgets.plain_torch import plain_torch
from course_lib.widgets.scene import Scene


class Counting(Explorer):
    title, question, controls = "Threads", "How many?", (Action("count", "Count"),)

    def __init__(self):
        super().__init__()
        self.seen = []

    def scene(self):
        self.seen.append(torch.get_num_threads())
        return Scene([])

    def act(self, action, values, show, stopped):
        self.seen.append(torch.get_num_threads())


@pytest.fixture
def three():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def in_a_new_thread():
    seen = []
    thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return seen[0]


def test_scenes_pages_and_actions(three):
    explorer, ended = Counting(), threading.Event()
    states = []

    def send(state):
        states.append(state)
        if len(states) > 2 and state["running"] is None:
            ended.set()

    answers = Answers(explorer, send)
    answers.begin()
    frozen(explorer, {})
    answers.receive({"kind": "start", "action": "count", "values": {}})
    assert ended.wait(10)
    assert explorer.seen == [1, 1, 1]
    assert torch.get_num_threads() == 3
    assert in_a_new_thread() == 3


def test_an_error_leaves_the_number_as_it_was(three):
    with pytest.raises(KeyError), plain_torch():
        raise KeyError
    assert torch.get_num_threads() == 3


@pytest.fixture
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_notebook_in_float64_has_the_same_pictures(double, name):
    answers = Answers(CATALOGUE[name](), lambda state: None)
    state = answers.begin()
    assert state["error"] is None
    assert state["spec"]
    assert torch.get_default_dtype() is torch.float64
