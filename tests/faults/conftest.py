"""Hand-ins, their real results, and a process in which grading can be killed."""

import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "grading"))  # for `handins`

from classroom import Classroom
from state import set_by_hand, state_of
from victims import Victims


class Undisturbed(NamedTuple):
    """What happens if nothing happens.

    Attributes:
        graded: A copy of the course after the first round.
        states: What `state_of` sees after each round.
        writes: How many writes the second round takes.
    """

    graded: Path
    states: dict[str, dict]
    writes: int


@pytest.fixture(scope="session")
def classroom(tmp_path_factory) -> Classroom:
    """A course, its students' hand-ins in three rounds, and what becomes of each."""
    return Classroom(tmp_path_factory.mktemp("classroom"))


@pytest.fixture(scope="session")
def victims(classroom):
    """Runs of `grade` over those results, each in a process of its own."""
    with Victims(classroom.results) as running:
        yield running


@pytest.fixture(scope="session")
def undisturbed(classroom, victims) -> Undisturbed:
    """Three rounds of grading, with points set by hand after the first."""
    first, second, again = classroom.rounds
    course = classroom.copy(classroom.course)
    victims.grade(course, first, here=True, entered=False)
    set_by_hand(course, "ada", "predict-order", 0.5)
    set_by_hand(course, "bob", "heun-step", 1.5)
    set_by_hand(course, "dan", "euler-step", 0.5, extra=0.25)
    victims.grade(course, first, again=True)
    graded = shutil.copytree(course, classroom.home / "graded")
    states = {"first": state_of(course)}
    ended = victims.grade(course, second, count=True)
    states["second"] = state_of(course)
    victims.grade(course, again)
    states["again"] = state_of(course)
    return Undisturbed(graded, states, len(ended.writes))
