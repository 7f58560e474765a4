"""Hostile hand-ins: none earns more than its honest part, reaches outside, or harms a neighbour."""

import re

import pytest
from attack import POINTS
from batch import ATTACKS, HONEST, told

pytestmark = pytest.mark.kernel

NAMES = [attack.name for attack in ATTACKS]
SCORED = [attack for attack in ATTACKS if attack.scored]
NO_PRELUDE = ("fifty-checks", "format-3")
LARGEST = 2**20  # bytes of an autograded notebook; an honest one has a tenth of it


def each(attacks):
    return pytest.mark.parametrize("attack", [pytest.param(a, id=a.name) for a in attacks])


def test_there_are_many_and_each_has_a_row(batch):
    assert len(NAMES) == len({*NAMES}) > 36
    assert batch.rows.keys() == {*NAMES, *HONEST}
    assert batch.code == 1


@each(ATTACKS)
def test_it_earns_what_its_honest_part_deserves(batch, attack):
    row = batch.rows[attack.name]
    if not attack.scored:
        assert {row[name] for name in (*POINTS, "score")} == {""}
        return
    earned = {name: points * (name in attack.earned) for name, points in POINTS.items()}
    assert {name: float(row[name]) for name in POINTS} == earned
    assert float(row["score"]) == sum(earned.values())


@each(ATTACKS)
def test_it_gains_nothing(batch, attack):
    row = batch.rows[attack.name]
    assert row["status"] in attack.status
    assert attack.reason in row["reason"]
    assert not re.search(r"[\x00-\x1f\x7f]", batch.line(attack.name))
    if attack.scored:
        assert "ATTACK-SUCCEEDED" not in batch.printed(attack.name)
        assert batch.size(attack.name) < LARGEST
        assert batch.no_pictures(attack.name) == []
        faults = {name: v["fault"] for name, v in batch.verdicts(attack.name).items()}
        assert dict(attack.faults).items() <= faults.items()


@each(attack for attack in SCORED if attack.tried)
def test_it_was_really_tried(batch, attack):
    printed = batch.printed(attack.name)
    ran = set(re.findall(r"^attack-ran (.+)$", printed, re.MULTILINE))
    assert {*attack.tried} <= ran


@each(attack for attack in SCORED if attack.name not in NO_PRELUDE)
def test_what_ran_before_it_left_nothing_behind(batch, attack):
    assert re.search(r"^untouched *$", batch.printed(attack.name), re.MULTILINE)


@each(SCORED)
def test_nothing_that_a_browser_would_run(batch, attack):
    kinds = {
        mime
        for cell in batch.autograded(attack.name).cells
        for output in cell.get("outputs", [])
        for mime in output.get("data", {})
        if "nbgrader" not in cell.metadata or not cell.metadata.nbgrader.grade
    }
    assert kinds <= {"text/plain", "image/png", "image/jpeg"}
    page = batch.page(attack.name)
    assert "<script" not in page
    assert not re.search(r"<[^>]*(onerror|onload|javascript:)", page)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy[1].startswith("default-src 'none'")
    assert "script-src" not in policy[1]


@pytest.mark.parametrize("student", HONEST)
def test_a_neighbour_gets_what_it_gets_alone(batch, student):
    assert batch.rows[student] == batch.alone[student]
    assert told(batch.verdicts(student)) == batch.verdicts_alone[student]
    expected = {"perfect": 7.0, "half-done": 4.0, "mistaken": 0.0}
    assert float(batch.rows[student]["score"]) == expected[student]


def test_what_lies_around_it_is_as_it_was(batch):
    outside = batch.outside
    assert [path.read_text("utf-8") for path in outside.canaries] == [outside.secret] * 4
    assert batch.before == batch.after
    assert batch.homes[0] == batch.homes[1]


def test_nobody_came_in_from_the_sandboxes(batch):
    assert batch.outside.heard == ["tcp", "udp", "abstract", "file"]  # the test's own, at the end


def test_the_secret_is_in_nothing_that_was_written(batch):
    secret = batch.outside.secret.encode()
    files = list(batch.written())
    assert len(files) > 3 * len(SCORED)
    assert [path for path in files if secret in path.read_bytes()] == []
    assert batch.outside.secret not in "\n".join(batch.lines)


def test_nothing_is_left_behind(batch):
    kept = [name for name in batch.left_behind if not name.startswith("course-view-")]
    assert kept == ["canary"]
    assert len(batch.left_behind) == 2
