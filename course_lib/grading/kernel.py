"""Talk to a hand-in's kernel, and believe nothing that it says.

The kernel signs its messages with a key that the stranger's code can read, so every message may be
forged: one that cannot be read, is too large or comes too often must cost the stranger, and nobody
else. Of outputs, what a person needs to read is kept, and what a check handed over; anything that
a browser would run is not.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import zmq
from jupyter_client.session import Session
from nbformat import NotebookNode
from nbformat.v4 import new_output

from course_lib.checks.outcome import OUTCOME_MIME
from course_lib.grading.sandbox.isolation import Place, Process, SandboxError
from course_lib.grading.sandbox.limits import MIB
from course_lib.grading.text import whole

__all__ = ["TIMED_OUT", "CellRun", "Kernel"]

START_UP = 60.0  # seconds until a kernel answers
TICK = 0.1
GRACE = 5.0  # seconds to obey an interrupt
INTERRUPTS = 1.0  # seconds between two
LONGEST_TEXT = 100_000  # characters of one cell that are kept
LARGEST_IMAGE = 2 * MIB
MOST_LINES = 200  # of a traceback
MOST_OUTPUTS = 1000  # of a cell
MOST_PARTS = 2_000_000  # of one message's JSON: each becomes an object
MOST_GROWTH = 512 * MIB  # of this process, while a kernel talks to it
BASE64 = re.compile(r"[A-Za-z0-9+/\s]*=*\s*")
KEPT = ("text/plain", "image/png", "image/jpeg")
TIMED_OUT = "CellTimeoutError"


@dataclass
class CellRun:
    """What running one cell gave.

    Attributes:
        outputs: What is kept of its outputs.
        outcomes: What checks handed over in it.
        stopped: Why the notebook cannot go on, empty if it can.
        timed_out: Whether the cell was interrupted because it took too long.
    """

    outputs: list[NotebookNode] = field(default_factory=list)
    outcomes: list[Any] = field(default_factory=list)
    stopped: str = ""
    timed_out: bool = False


class Kernel:
    """A client of the kernel at `place`; as a context it is connected, and closed at the end.

    Raises:
        SandboxError: If the kernel does not begin to answer.
    """

    def __init__(self, place: Place, process: Process):
        self.place, self.process = place, process
        self.received = 0  # bytes, all messages of all cells
        self.session = Session(key=place.key)
        self._checked = 0.0
        self._resident = _resident()

    def __enter__(self) -> Kernel:
        self.context = zmq.Context()
        self.shell = self._connect(zmq.DEALER, 1)
        self.iopub = self._connect(zmq.SUB, 2)
        self.iopub.subscribe(b"")
        self.control = self._connect(zmq.DEALER, 4, most=64 * 1024)
        self.poller = zmq.Poller()
        for channel in (self.shell, self.iopub):
            self.poller.register(channel, zmq.POLLIN)
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.context.destroy(linger=0)

    def _connect(self, kind: int, port: int, most: int = 0) -> zmq.Socket[bytes]:
        channel = self.context.socket(kind)
        channel.setsockopt(zmq.MAXMSGSIZE, most or self.place.limits.message)
        channel.setsockopt(zmq.RCVHWM, 100)
        # a kernel that once sent too much is cut off, and what is sent to it would wait for ever
        channel.setsockopt(zmq.SNDTIMEO, round(1000 * GRACE))
        channel.connect(f"ipc://{self.place.folder}/k-{port}")
        return channel

    def _wait_until_it_answers(self) -> None:
        end = time.monotonic() + START_UP
        answered = published = False
        while not (answered and published):
            if not self.process.alive():
                raise SandboxError("the kernel ended before it answered")
            if time.monotonic() > end:
                raise SandboxError(f"the kernel did not answer within {START_UP:g} s")
            self._send(self.shell, self.session.msg("kernel_info_request"))
            for channel, message in self._messages(TICK):
                if message:
                    answered |= channel is self.shell
                    published |= channel is self.iopub

    def run(self, code: str, seconds: float, silent: bool = False) -> CellRun:
        """Run a cell.

        Args:
            code: Its source.
            seconds: After which it is interrupted.
            silent: Whether it counts as no cell, and its outputs go nowhere.
        """
        ran = CellRun()
        texts: dict[str, int] = {}
        content = {
            "code": code,
            "silent": silent,
            "store_history": not silent,
            "user_expressions": {},
        }
        content |= {"allow_stdin": False, "stop_on_error": False}
        request = self.session.msg("execute_request", content)
        if not self._send(self.shell, request):
            ran.stopped = self._trouble() or "the kernel stopped answering"
            return ran
        mine = request["header"]["msg_id"]
        end = time.monotonic() + seconds
        next_interrupt = end
        replied = idle = False
        while not (replied and idle):
            ran.stopped = self._trouble()
            if ran.stopped:
                break
            now = time.monotonic()
            if now > next_interrupt:
                ran.timed_out = True
                if now > end + GRACE:
                    ran.stopped = "the kernel stopped answering"
                    break
                interrupt = self.session.msg("interrupt_request", {})
                if not self._send(self.control, interrupt):
                    ran.stopped = "the kernel stopped answering"
                    break
                next_interrupt = now + INTERRUPTS
            for channel, message in self._messages(TICK):
                if _part(message, "parent_header").get("msg_id") != mine:
                    continue
                if channel is self.shell:
                    replied |= message["msg_type"] == "execute_reply"
                elif message["msg_type"] == "status":
                    idle |= _part(message, "content").get("execution_state") == "idle"
                elif not silent:
                    _keep(message["msg_type"], _part(message, "content"), ran, texts)
        if ran.timed_out:
            ran.outputs.append(_timed_out(seconds))
        return ran

    def _send(self, channel: zmq.Socket[bytes], message: dict[str, Any]) -> bool:
        """Whether there was anybody to send it to."""
        try:
            self.session.send(channel, message)
        except zmq.Again:
            return False
        return True

    def _trouble(self) -> str:
        """Why the run cannot go on."""
        if not self.process.alive():
            return "the kernel died"
        if self.received > 4 * self.place.limits.output:
            return f"printed or handed over more than {4 * self.place.limits.output // MIB} MiB"
        # one message may have any number of parts, and is here only when it is whole
        if _resident() - self._resident > MOST_GROWTH:
            return f"handed over more than {MOST_GROWTH // MIB} MiB"
        now = time.monotonic()
        if now - self._checked > 0.25:
            self._checked = now
            return self.process.excess()
        return ""

    def _messages(self, seconds: float) -> Iterator[tuple[zmq.Socket[bytes], dict[str, Any]]]:
        """What came within the time; an empty message stands for what cannot be read."""
        for channel, _ in self.poller.poll(round(1000 * seconds)):
            for _ in range(100):
                try:
                    frames = channel.recv_multipart(zmq.NOBLOCK)
                except zmq.Again:
                    break
                self.received += sum(map(len, frames))
                yield channel, self._read(frames)
                if self.received > 4 * self.place.limits.output:
                    return

    def _read(self, frames: list[bytes]) -> dict[str, Any]:
        try:
            if sum(frame.count(sign) for frame in frames for sign in b",[{") > MOST_PARTS:
                return {}
            _, parts = self.session.feed_identities(frames)
            message = self.session.deserialize(parts)
            if isinstance(message["msg_type"], str):
                return message
        except Exception:  # forged: there is no list of what may be wrong
            pass
        return {}


def _resident() -> int:
    """Bytes of memory that this process holds; 0 where that cannot be told."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _part(message: dict[str, Any], name: str) -> dict[str, Any]:
    part = message.get(name)
    return part if isinstance(part, dict) else {}


def _keep(kind: str, content: dict[str, Any], ran: CellRun, texts: dict[str, int]) -> None:
    """Add to the cell what is worth keeping of a message."""
    data = content.get("data")
    handed_over = isinstance(data, dict) and OUTCOME_MIME in data
    if len(ran.outputs) >= MOST_OUTPUTS and not handed_over:
        return
    if kind == "stream":
        name = "stderr" if content.get("name") == "stderr" else "stdout"
        text = _shortened(content.get("text"), name, texts)
        last = ran.outputs[-1] if ran.outputs else None
        if last is not None and last.output_type == "stream" and last.name == name:
            last.text += text
        elif text:
            ran.outputs.append(new_output("stream", name=name, text=text))
    elif kind in ("display_data", "execute_result"):
        if not isinstance(data, dict):
            return
        if handed_over:
            ran.outcomes.append(data[OUTCOME_MIME])
        kept: dict[str, str] = {}
        for mime in KEPT:
            shown = data.get(mime)
            if mime == "text/plain" and shown is not None:
                kept[mime] = _shortened(shown, "result", texts)
            elif isinstance(shown, str) and len(shown) <= LARGEST_IMAGE and BASE64.fullmatch(shown):
                kept[mime] = shown
        if kept and not handed_over:
            options = {"execution_count": None} if kind == "execute_result" else {}
            ran.outputs.append(new_output(kind, kept, **options))
    elif kind == "error":
        trace = content.get("traceback")
        trace = trace[-MOST_LINES:] if isinstance(trace, list) else []
        lines = [_shortened(line, "error", texts) for line in trace]
        name = whole(str(content.get("ename"))[:200])
        value = whole(str(content.get("evalue"))[:2000])
        ran.outputs.append(new_output("error", ename=name, evalue=value, traceback=lines))
    elif kind == "clear_output":
        ran.outputs[:] = [o for o in ran.outputs if o.output_type == "error"]


def _shortened(text: Any, name: str, texts: dict[str, int]) -> str:
    """A text, as long as the cell's texts of that name have not become too long."""
    before = texts.get(name, 0)
    if not isinstance(text, str) or before > LONGEST_TEXT:
        return ""
    text = whole(text)
    texts[name] = before + len(text)
    rest = LONGEST_TEXT - before
    return text if len(text) <= rest else f"{text[:rest]}\n… what followed was left out\n"


def _timed_out(seconds: float) -> NotebookNode:
    value = f"stopped after {seconds:g} s"
    trace = [f"This cell did not finish within {seconds:g} s and was stopped."]
    return new_output("error", ename=TIMED_OUT, evalue=value, traceback=trace)
