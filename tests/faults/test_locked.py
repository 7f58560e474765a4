"""A gradebook that another program has locked: one sentence, and nothing is lost."""

import os

import pytest
from state import difference, state_of

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="only on POSIX can a run be forked"),
]
FOREVER = 30.0


def finished_by_a_rerun(undisturbed, classroom, victims, course):
    assert victims.grade(course, classroom.rounds[1]).stderr == ""
    assert difference(state_of(course), undisturbed.states["second"]) == []


@pytest.mark.parametrize("kind", ["EXCLUSIVE", "IMMEDIATE"])
@pytest.mark.parametrize("before", [-1, 0, 1, 2])
def test_locked_from_some_moment_on(undisturbed, classroom, victims, kind, before):
    course = classroom.copy(undisturbed.graded)
    ended = victims.grade(course, classroom.rounds[1], lock=(kind, before, FOREVER))
    assert (ended.code, ended.stderr) == (1, "")
    stopped = [line for line in ended.lines if line.startswith("Stopped: ")]
    assert stopped == [
        "Stopped: the gradebook cannot be written: database is locked. "
        "Mend that and run the command again; nothing is lost."
    ]
    assert "the grader failed" not in ended.text
    assert ended.seconds < 5
    finished_by_a_rerun(undisturbed, classroom, victims, course)


@pytest.mark.parametrize("seconds", [0.05, 0.12, 0.15, 0.18, 0.25])
def test_a_moment_of_being_locked_costs_nobody_a_grade(undisturbed, classroom, victims, seconds):
    """One query gives up after 0.1 s; what is then done about it must not remove a grade."""
    course = classroom.copy(undisturbed.graded)
    victims.grade(course, classroom.rounds[0], lock=("EXCLUSIVE", -1, seconds))
    victims.grade(course, classroom.rounds[0])
    assert difference(state_of(course), undisturbed.states["first"]) == []


def test_locked_before_it_begins(undisturbed, classroom, victims):
    course = classroom.copy(undisturbed.graded)
    before = state_of(course)
    ended = victims.grade(course, classroom.rounds[1], locked_first=True, entered=False)
    assert (ended.code, ended.lines, ended.stderr) == (2, [], "")
    assert "database is locked" in ended.sentence
    assert "\n" not in ended.sentence
    assert difference(state_of(course), before) == []
    finished_by_a_rerun(undisturbed, classroom, victims, course)
