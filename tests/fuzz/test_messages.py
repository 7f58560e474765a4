"""Forged messages of a kernel: whatever comes, the cell's run stays small, whole and writable."""

import json
import random
from types import SimpleNamespace
from typing import Any

import nbformat
from amount import times
from hypothesis import given
from hypothesis import strategies as st
from jupyter_client.session import Session
from odd_json import ODD_VALUES

from course_lib.checks.outcome import OUTCOME_MIME
from course_lib.grading.kernel import LARGEST_IMAGE, LONGEST_TEXT, CellRun, Kernel, _keep, _part

KINDS = (
    "stream",
    "display_data",
    "execute_result",
    "error",
    "clear_output",
    "status",
    "",
    "comm_open",
)
KEYS = (
    "name",
    "text",
    "data",
    "metadata",
    "ename",
    "evalue",
    "traceback",
    "execution_count",
    "wait",
)
MIMES = ("text/plain", "image/png", "image/jpeg", "text/html", OUTCOME_MIME, "", "application/json")
BIG = ["x" * 90_000, "é" * 200_000, ["x" * 1000] * 200, [1, None, "a"], "A" * (LARGEST_IMAGE + 1)]


def odd(draw: random.Random) -> Any:
    return draw.choice([*ODD_VALUES, *BIG])


def forged(draw: random.Random) -> tuple[str, dict[str, Any]]:
    kind = draw.choice(KINDS)
    content = {key: odd(draw) for key in draw.sample(KEYS, draw.randrange(len(KEYS)))}
    if draw.random() < 0.6:
        content["data"] = {mime: odd(draw) for mime in draw.sample(MIMES, draw.randrange(5))}
    if draw.random() < 0.3:
        content["text"] = draw.choice(["words\n", "\x1b[31m", "\ud83d", "\r", "\0"])
    return kind, content


def sound(ran: CellRun) -> None:
    """The outputs can be put into a notebook, written and read again, and are not too much."""
    cell = nbformat.v4.new_code_cell("1", outputs=ran.outputs)
    notebook = nbformat.v4.new_notebook(cells=[cell])
    nbformat.validate(notebook)
    text = nbformat.writes(notebook)
    assert nbformat.reads(text.encode("utf-8").decode("utf-8"), as_version=4) == notebook
    words = sum(len(o.get("text", "")) for o in ran.outputs)
    words += sum(len(line) for o in ran.outputs for line in o.get("traceback", []))
    assert words <= 4 * (LONGEST_TEXT + 100)
    kinds = {mime for o in ran.outputs for mime in o.get("data", {})}
    assert kinds <= {"text/plain", "image/png", "image/jpeg"}


def test_what_is_kept_of_forged_messages():
    kept = outcomes = 0
    for number in range(times(200)):
        draw = random.Random(f"messages {number}")
        ran, texts = CellRun(), {}
        for _ in range(draw.choice([1, 5, 20])):
            _keep(*forged(draw), ran, texts)
        sound(ran)
        kept += len(ran.outputs)
        outcomes += len(ran.outcomes)
    assert kept > times(200)
    assert outcomes > times(50)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(KEYS), JSON))
def test_any_content(kind, content):
    ran = CellRun()
    _keep(kind, content, ran, {})
    sound(ran)


@given(JSON)
def test_any_message_has_parts_that_are_dicts(message):
    if isinstance(message, dict):
        assert isinstance(_part(message, "content"), dict)


def reader(key: bytes = b"key") -> Any:
    """A kernel's client without sockets."""
    kernel = Kernel.__new__(Kernel)
    kernel.session = Session(key=key)
    return kernel


def frames(session: Session, **changes: Any) -> list[bytes]:
    """A message as the kernel sends it, with parts exchanged before it is signed."""
    message = session.msg("stream", {"name": "stdout", "text": "a"})
    parts = {"header": message["header"], "parent_header": {}, "metadata": {}, "content": {}}
    raw = [
        json.dumps(changes.get(name, part), default=str).encode() for name, part in parts.items()
    ]
    return [b"<IDS|MSG>", session.sign(raw), *raw]


def test_forged_frames_are_messages_or_nothing():
    forger, ours = Session(key=b"key"), reader()
    read = 0
    for number in range(times(600)):
        draw = random.Random(f"frames {number}")
        changes = {
            name: draw.choice(
                [*ODD_VALUES, {"msg_type": odd(draw), "msg_id": odd(draw), "date": odd(draw)}]
            )
            for name in ("header", "parent_header", "metadata", "content")
            if draw.random() < 0.4
        }
        parts = frames(forger, **changes)
        if draw.random() < 0.3:
            del parts[draw.randrange(len(parts))]
        if draw.random() < 0.3:
            parts[draw.randrange(len(parts))] = draw.choice(
                [b"", b"\0", b"\xff" * 100, b"[" * 100_000, b"NaN", b'"\\ud800"', b"{" * 5]
            )
        if draw.random() < 0.2:
            parts += [b"x"] * draw.choice([1, 50])
        message = ours._read(parts)
        assert message == {} or isinstance(message["msg_type"], str)
        _keep(str(message.get("msg_type")), _part(message, "content"), CellRun(), {})
        read += bool(message)
    assert times(60) < read < times(540)


def test_a_message_signed_with_another_key_is_nothing():
    assert reader()._read(frames(Session(key=b"other"))) == {}
    assert reader()._read(frames(Session(key=b"key")))["msg_type"] == "stream"


def test_a_flood_ends():
    """More than is allowed is not even looked at."""
    limits = SimpleNamespace(output=1000)
    kernel = reader()
    kernel.place, kernel.received = SimpleNamespace(limits=limits), 0
    channel = SimpleNamespace(recv_multipart=lambda _: [b"x" * 500])
    kernel.poller = SimpleNamespace(poll=lambda _: [(channel, 1)])
    assert len(list(kernel._messages(0.1))) == 9
    assert kernel.received == 4500
