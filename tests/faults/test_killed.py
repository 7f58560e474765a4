"""A hundred kills: wherever a run ends, the next one makes of it what it would have been.

Before every single write of a run over changed hand-ins it is killed once. Then the run is
repeated, or the old versions are put back and those are graded; both must give what a run gives
that nobody disturbed. Kills at random times, one after another, come on top.
"""

import os
import random

import pytest
from state import difference, state_of

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="only on POSIX can a run be forked"),
]

ALL = os.environ.get("COURSE_FAULTS") == "all"
RANDOM_CHAINS, KILLS_EACH = (40, 10) if ALL else (5, 8)


def test_the_rounds_are_what_they_should_be(undisturbed):
    _, states, count = undisturbed
    scores = {name: [row[2] for row in state["table"]] for name, state in states.items()}
    assert scores == {
        "first": ["3.5", "2.5", "0", "0.75", "2", ""],
        "second": ["0.5", "3.5", "", "0.75", "", "2"],
        "again": ["3.5", "2.5", "0", "0.75", "2", ""],
    }
    assert count > 40
    assert difference(states["again"], states["first"]) == []
    assert len(difference(states["second"], states["first"])) > 10


def test_killed_before_every_write(undisturbed, classroom, victims):
    graded, states, count = undisturbed
    kills, wrong = 0, []
    for number in range(count):
        for rerun, wanted in ((1, "second"), (2, "again")):
            if ALL or rerun == 1 + number % 2:
                course = classroom.copy(graded)
                kills += victims.grade(course, classroom.rounds[1], kill_at=number).killed
                ended = victims.grade(course, classroom.rounds[rerun])
                apart = difference(state_of(course), states[wanted])
                if apart or ended.stderr:
                    wrong.append(f"{wanted} after write {number}: {apart} {ended.stderr}")
    assert not wrong, "\n".join(wrong)
    assert kills == count * (2 if ALL else 1)


def test_killed_at_random_times_again_and_again(undisturbed, classroom, victims):
    graded, states, _ = undisturbed
    first, second, _ = classroom.rounds
    seconds = min(  # a machine may be busy for a moment, but hardly for three
        victims.grade(classroom.copy(graded), second, pause=0.01, entered=False).seconds
        for _ in range(3)
    )
    draw, kills, wrong = random.Random(20), 0, []
    for chain in range(RANDOM_CHAINS):
        course, killed = classroom.copy(graded), 0
        for _ in range(5 * KILLS_EACH):  # some end before they are killed
            place = draw.choice([first, second])
            after = draw.uniform(0, seconds)
            killed += victims.grade(
                course, place, pause=0.01, entered=False, kill_after=after
            ).killed
            if killed == KILLS_EACH:
                break
        victims.grade(course, second)
        apart = difference(state_of(course), states["second"])
        if apart:
            wrong.append(f"chain {chain}: {apart}")
        kills += killed
    assert not wrong, "\n".join(wrong)
    assert kills == RANDOM_CHAINS * KILLS_EACH
