"""Grade all attacks in one batch, with honest neighbours, canaries and listeners around it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import resource
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from archives import ARCHIVES
from attack import RIGHT
from escape import ESCAPES
from forgery import FORGERIES
from handins import LAB, copy_course, handin, put, read_csv, verdicts_of
from mistaken import MISTAKEN
from notebooks import NOTEBOOKS
from resources import RESOURCES

import course_lib

__all__ = ["ATTACKS", "HONEST", "Batch", "run_batch", "told"]

WRITTEN = ("submitted", "autograded", "feedback", "grades")  # by the grader
HERE = Path(__file__).parent
ATTACKS = [*RESOURCES, *ESCAPES, *FORGERIES, *NOTEBOOKS, *ARCHIVES]
HONEST = {
    "perfect": dict(RIGHT),
    "half-done": {name: RIGHT[name] for name in ("euler-step", "predict-order", "endpoint-error")},
    "mistaken": {name: MISTAKEN[name][0] for name in RIGHT},
}


@dataclass
class Outside:
    """What an attack must not reach. `heard` is what came in from the sandboxes."""

    home: Path
    temp: Path
    secret: str
    canaries: list[Path] = field(default_factory=list)
    port: int = 0
    abstract: str = ""
    heard: list[str] = field(default_factory=list)

    def fill(self, notebook: str) -> str:
        """Fill in the places where an attack has to look."""
        in_sandbox = [p for p in self.temp.parts[2:3] if self.temp.is_relative_to("/tmp")]
        known = {
            "CANARIES": [str(path) for path in self.canaries],
            "PORT": self.port,
            "ABSTRACT": self.abstract,
            "SOCKET": self.temp / "s",
            "TMP": self.temp,
            "VIEW": in_sandbox,
        }
        for name, value in known.items():
            notebook = notebook.replace(f"@{name}@", str(value))
        return notebook


@dataclass
class Batch:
    """What came of it."""

    course: Path
    outside: Outside
    rows: dict[str, dict[str, str]]
    alone: dict[str, dict[str, str]]
    verdicts_alone: dict[str, dict[str, tuple]]
    lines: list[str]
    code: int
    seconds: float
    cpu: float
    left_behind: list[str]
    before: dict[str, str]
    after: dict[str, str]
    homes: list[list[str]]

    def printed(self, student: str) -> str:
        """What a hand-in's cells printed, as the autograded notebook has it."""
        texts = [
            output.text
            for cell in self.autograded(student).cells
            for output in cell.get("outputs", [])
            if output.output_type == "stream"
        ]
        return "\n".join(texts)

    def autograded(self, student: str) -> nbformat.NotebookNode:
        path = self.course / "autograded" / student / LAB / f"{LAB}.ipynb"
        return nbformat.read(path, as_version=4)

    def size(self, student: str) -> int:
        """Bytes of the autograded notebook."""
        return (self.course / "autograded" / student / LAB / f"{LAB}.ipynb").stat().st_size

    def no_pictures(self, student: str) -> list[str]:
        """What the notebook shows as a picture, and is none."""
        shown = [
            text
            for cell in self.autograded(student).cells
            for output in cell.get("outputs", [])
            for mime, text in output.get("data", {}).items()
            if mime.startswith("image/")
        ]
        return [text for text in shown if not re.fullmatch(r"[A-Za-z0-9+/=\s]*", text)]

    def page(self, student: str) -> str:
        path = self.course / "feedback" / student / LAB / f"{LAB}.html"
        return path.read_text(encoding="utf-8")

    def line(self, student: str) -> str:
        """What the terminal says of a student."""
        (line,) = (line for line in self.lines if line.split(" ")[0] == student)
        return line

    def verdicts(self, student: str) -> dict[str, dict]:
        return verdicts_of(self.course, student)

    def written(self) -> Iterator[Path]:
        """Every file that the grader wrote."""
        for name in WRITTEN:
            yield from (p for p in (self.course / name).rglob("*") if p.is_file())
        yield self.course / "gradebook.db"


def run_batch(home: Path) -> Batch:
    """See `Batch`. The grader is a process of its own, whose environment holds a secret."""
    outside = _outside(home)
    course, alone = copy_course(home / "course", "convergence-order"), home / "alone"
    copy_course(alone, "convergence-order")
    outside.canaries.append(course / "canary")
    for path in outside.canaries:
        path.write_text(outside.secret, encoding="utf-8")
    for place in (home / "hand-ins", home / "honest"):
        for student, answers in HONEST.items():
            put(place / student, handin(answers, course))
    with _listening(outside):
        for attack in ATTACKS:
            attack.files(attack, course, home / "hand-ins", outside.fill)
        before, used = _digests(home), resource.getrusage(resource.RUSAGE_CHILDREN)
        said = _grade(course, home / "hand-ins", outside, outside.home)
        after, now = _digests(home), resource.getrusage(resource.RUSAGE_CHILDREN)
    left = [*sorted(os.listdir(outside.temp)), *_processes(outside)]
    (home / "home of the honest").mkdir()
    said_alone = _grade(alone, home / "honest", outside, home / "home of the honest")
    assert said_alone["code"] == 0, said_alone
    homes = [outside.home, home / "home of the honest"]
    return Batch(
        course,
        outside,
        {name.lstrip("'"): row for name, row in read_csv(course).items()},
        read_csv(alone),
        {student: told(verdicts_of(alone, student)) for student in HONEST},
        said["lines"],
        said["code"],
        said["seconds"],
        now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime,
        left,
        before,
        after,
        [sorted(p.name for p in place.iterdir() if p.name != "canary") for place in homes],
    )


def _digests(home: Path) -> dict[str, str]:
    """What nobody may change: canaries, hand-ins, the course's own notebooks and settings."""
    course = home / "course"
    kept = ("hand-ins", "course/labs", "course/solutions", "honest", "alone")
    paths = [p for name in kept for p in (home / name).rglob("*")]
    paths += [*home.iterdir(), *home.glob("*/canary"), *course.iterdir()]
    paths += Path(course_lib.__file__).parent.rglob("*.py")
    return {
        str(p): hashlib.sha256(p.read_bytes()).hexdigest() if p.is_file() else ""
        for p in paths
        if p.name not in ("gradebook.db", *WRITTEN) and not p.is_symlink()
    }


def told(verdicts: dict[str, dict]) -> dict[str, tuple]:
    return {name: (v["points"], v["fault"]) for name, v in verdicts.items()}


def _outside(home: Path) -> Outside:
    user, temp = home / "home", home / "tmp"
    user.mkdir()
    temp.mkdir()
    outside = Outside(user, temp, f"swordfish-{secrets.token_hex(8)}")
    outside.canaries += [user / "canary", temp / "canary", home / "hand-ins" / "canary"]
    (home / "hand-ins").mkdir()
    return outside


@contextlib.contextmanager
def _listening(outside: Outside) -> Iterator[None]:
    """Sockets of the machine that write down whoever comes."""
    tcp = socket.create_server(("127.0.0.1", 0))
    outside.port = tcp.getsockname()[1]
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", outside.port))
    outside.abstract = f"course-{secrets.token_hex(8)}"
    abstract, file = (socket.socket(socket.AF_UNIX) for _ in range(2))
    abstract.bind(f"\0{outside.abstract}")
    file.bind(str(outside.temp / "s"))
    os.chmod(outside.temp / "s", 0o777)
    listeners = {"tcp": tcp, "abstract": abstract, "file": file}
    for one in (abstract, file):
        one.listen()

    def accept(name: str, one: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                one.accept()
                outside.heard.append(name)

    def receive() -> None:
        with contextlib.suppress(OSError):
            while udp.recv(100):
                outside.heard.append("udp")

    for name, one in listeners.items():
        threading.Thread(target=accept, args=[name, one], daemon=True).start()
    threading.Thread(target=receive, daemon=True).start()
    try:
        yield
        _knock(outside)
    finally:
        for one in (*listeners.values(), udp):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        (outside.temp / "s").unlink()


def _knock(outside: Outside) -> None:
    """Each socket would have heard whoever came: it hears the test."""
    address = ("127.0.0.1", outside.port)
    for family, kind, where in (
        (socket.AF_INET, socket.SOCK_STREAM, address),
        (socket.AF_INET, socket.SOCK_DGRAM, address),
        (socket.AF_UNIX, socket.SOCK_STREAM, f"\0{outside.abstract}"),
        (socket.AF_UNIX, socket.SOCK_STREAM, str(outside.temp / "s")),
    ):
        before, end = len(outside.heard), time.monotonic() + 10
        with socket.socket(family, kind) as one:
            one.connect(where)
            if kind == socket.SOCK_DGRAM:
                one.send(b"x")
            while len(outside.heard) == before and time.monotonic() < end:
                time.sleep(0.01)


def _grade(course: Path, handins: Path, outside: Outside, home: Path) -> dict:
    environment = {
        **os.environ,
        "HOME": str(home),
        "TMPDIR": str(outside.temp),
        "ATTACK_SECRET": outside.secret,
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, HERE / "run_grader.py", course, handins],
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def _processes(outside: Outside) -> list[str]:
    """Processes that belong to the grader: it ran in this temporary folder."""
    found = []
    for number in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            told = b"".join(
                Path("/proc", number, name).read_bytes() for name in ("cmdline", "environ")
            )
            if str(outside.temp).encode() in told and int(number) != os.getpid():
                found.append(number)
    return found
