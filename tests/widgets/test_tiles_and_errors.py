"""Images travel in bytes; what is wrong with a reader's function is told beside the picture."""

import numpy as np

from course_lib.widgets.answers import Answers
from course_lib.widgets.demo.pages import frozen
from course_lib.widgets.explorer import Explorer
from course_lib.widgets.scene import Panel, Scene, Tiles, packed


class Faulty(Explorer):
    title, question = "t", "q"

    def scene(self):
        return Scene([Panel([])], error="broken returned NaN")


def test_a_pixel_is_a_byte():
    values = np.array([-1.0, 0.0, 1.0, 9.0, -np.inf, np.nan]).reshape(1, 2, 3)
    spec, (codes,) = packed(Scene([Panel([Tiles(values, columns=1)])]))
    assert list(codes) == [0, 127, 254, 254, 255, 255]
    entry = spec["panels"][0]["layers"][0]["values"]
    assert entry["type"] == "grey"
    assert entry["low"] + 254 * entry["step"] == 1.0


def test_captions_of_each_frame_travel_as_they_are():
    tiles = Tiles(np.zeros((2, 1, 2, 2)), 1, [["a"], ["b"]], [[True], [False]])
    spec, _ = packed(Scene([Panel([tiles])], times=[0.0, 1.0]))
    layer = spec["panels"][0]["layers"][0]
    assert (layer["captions"], layer["flagged"]) == ([["a"], ["b"]], [[True], [False]])


def test_an_error_comes_with_the_scene():
    state = Answers(Faulty(), lambda state: None).begin()
    assert state["error"] == "broken returned NaN"
    assert state["spec"] is not None
    assert '"error": "broken returned NaN"' in frozen(Faulty(), {})
