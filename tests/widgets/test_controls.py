"""Controls: which values there are, and that every explorer starts at one of them."""

import math

import pytest

from course_lib.widgets import CATALOGUE
from course_lib.widgets.controls import Slider, step_slider

SLIDERS = [
    pytest.param(control, id=f"{name} {control.name}")
    for name, explorer in CATALOGUE.items()
    for control in explorer().controls
    if isinstance(control, Slider)
]


def positions(slider):
    if slider.among:
        return list(slider.among)
    shares = [k / slider.steps for k in range(slider.steps + 1)]
    if slider.logarithmic:
        return [slider.low * (slider.high / slider.low) ** share for share in shares]
    return [slider.low + share * (slider.high - slider.low) for share in shares]


@pytest.mark.parametrize("slider", SLIDERS)
def test_a_slider_that_is_moved_and_moved_back_has_its_first_value_again(slider):
    assert any(math.isclose(slider.value, p, abs_tol=1e-9) for p in positions(slider))


@pytest.mark.parametrize("slider", SLIDERS)
def test_what_a_slider_shows_is_what_the_explorer_gets(slider):
    for position in positions(slider):
        assert slider.check(position) == pytest.approx(
            round(position) if slider.whole else position
        )


def test_steps_that_fit_into_the_time():
    slider = step_slider(4.0, (10, 200, 4), 0.4)
    assert slider.among == (0.02, 0.4, 1.0)
    assert (slider.low, slider.high) == (0.02, 1.0)
    assert [slider.check(h) for h in (0.02, 0.3, 0.65, 1)] == [0.02, 0.4, 0.4, 1.0]
    with pytest.raises(ValueError, match=r"h is 2; expected 0\.02 to 1"):
        slider.check(2)
