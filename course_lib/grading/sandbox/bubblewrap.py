"""Hand-ins in bubblewrap: each in namespaces of its own, entered by a fork of the warm parent.

    worker ── bwrap ── sh                       makes the sandbox, and holds it open
    grader ── warm parent ── clone ── kernel    which enters it before it runs anything

In the sandbox there is no network, no process but its own, no capability, and of the file system
the environment, read-only, and a scratch directory. As root, where a user namespace would still
be root's, the kernel takes an unused user id instead.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import course_lib
from course_lib.grading.sandbox.isolation import Place, SandboxError
from course_lib.grading.sandbox.limits import Limits
from course_lib.grading.sandbox.memory import descendants, memory_of
from course_lib.grading.sandbox.parent import Line, WarmParent
from course_lib.grading.sandbox.view import make_view

__all__ = ["Bubblewrap", "environment", "missing"]

WORK, HOME = "/tmp/work", "/tmp/home"  # in the sandbox
NOBODY = 65534
FIRST_USER = 2_000_000  # as root: this plus the number of the thread that grades
ETC = (
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "timezone",
    "fonts",
    "alternatives",
)
PREFIX = ("bin", "lib", "lib32", "lib64", "include", "share", "etc", "pyvenv.cfg")
HOLD = "echo; read _"  # says that the sandbox stands; ends when the grader closes its side


def missing() -> str:
    """Why bubblewrap cannot be used here and what to do about it; empty if it can."""
    if sys.platform != "linux":
        return "bubblewrap is a program for Linux"
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed; `apt-get install bubblewrap` or the like installs it"
    try:
        import pyseccomp  # noqa: F401
    except Exception as error:
        return f"the package pyseccomp cannot be used ({error}); it needs the library libseccomp"
    command = ["bwrap", *_namespaces(), "--ro-bind", "/", "/", "true"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return f"bubblewrap does not work here: {done.stderr.strip() or done.returncode}"
    return ""


class Bubblewrap:
    """Isolation by bubblewrap. One object serves one thread.

    Args:
        parent: The socket of a warm parent that is shared with others. Without one, or where it
            cannot be reached, this object starts its own when it first needs one.
        warm: Whether a warm parent of its own serves all hand-ins. Otherwise each hand-in has a
            new one, and pays for all imports.

    Raises:
        SandboxError: If there is no bubblewrap here, or it does not work.
    """

    def __init__(self, parent: Path | None = None, warm: bool = True):
        if why := missing():
            raise SandboxError(why)
        self.shared, self.warm = parent, warm
        self.user = FIRST_USER + threading.get_native_id() if os.geteuid() == 0 else None
        self._view = make_view()
        self._own: WarmParent | None = None
        self._line: Line | None = None

    @contextlib.contextmanager
    def start(self, place: Place) -> Iterator[_Kernel]:
        """See `Isolation`."""
        if self._line is None:
            self._line = self._connect()
        try:
            with _Sandbox(self._view, place, self.user) as sandbox:
                kernel = self._line.fork(sandbox.init, place, self.user, WORK, environment())
                try:
                    yield _Kernel(sandbox, kernel, place.limits)
                finally:
                    os.close(kernel)
        finally:
            if not self.warm:
                self.close()

    def _connect(self) -> Line:
        if self.shared is not None and self.shared.exists():
            return Line(self.shared)
        self._own = WarmParent(self._view, environment())
        return Line(self._own.path)

    def close(self) -> None:
        """See `Isolation`."""
        if self._line is not None:
            self._line.close()
            self._line = None
        if self._own is not None:
            self._own.end()
            self._own = None


class _Sandbox:
    """A sandbox without a kernel in it. `init` is a pidfd of its first process."""

    def __init__(self, view: Path, place: Place, user: int | None):
        self.arguments = [*_namespaces(), *_file_system(view, place.limits)]
        self.files, self.limits = {**place.files}, place.limits
        self.passwd = f"student:x:{NOBODY if user is None else user}:{NOBODY}::{HOME}:/bin/sh\n"
        self.first = self.init = -1

    def __enter__(self) -> _Sandbox:
        from course_lib.grading.sandbox import enter  # for Linux alone

        inside = {"/etc/passwd": self.passwd.encode()}
        inside |= {f"{WORK}/{name}": content for name, content in self.files.items()}
        with contextlib.ExitStack() as stack:
            told, tell = os.pipe()
            stack.callback(os.close, told)
            arguments, passed = list(self.arguments), [tell]
            for path, content in inside.items():
                number = stack.enter_context(_holding(content)).fileno()
                arguments += ["--perms", "0666", "--file", str(number), path]
                passed.append(number)
            # a hand-in may write to the memory of the two that hold the sandbox: where a user
            # namespace has one user, they are that user's
            rules = stack.enter_context(tempfile.TemporaryFile())
            enter.forbidden().export_bpf(rules)
            rules.seek(0)
            passed.append(rules.fileno())
            arguments += ["--remount-ro", "/", "--info-fd", str(tell)]
            arguments += ["--seccomp", str(rules.fileno())]
            self.process = subprocess.Popen(
                ["bwrap", *arguments, "--", "/bin/sh", "-c", HOLD],
                pass_fds=passed,
                env={"PATH": os.environ.get("PATH", os.defpath)},  # all of it can be read inside
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            os.close(tell)
            assert self.process.stdout is not None
            assert self.process.stderr is not None
            if self.process.stdout.read(1) != b"\n":
                said = self.process.stderr.read(2000).decode(errors="replace").strip()
                self.process.kill()
                self._wait()
                raise SandboxError(f"bubblewrap could not start: {said}")
            self.first = json.loads(os.read(told, 4096))["child-pid"]
            self.init = os.pidfd_open(self.first)
            for process in (self.first, *descendants(self.first)):
                enter.keep_to(asdict(self.limits), process)
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        os.close(self.init)

    def kill(self) -> None:
        """End every process in it; returns when they are gone."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.init, signal.SIGKILL)
        self.process.kill()
        self._wait()
        select.select([self.init], [], [], 10)

    def _wait(self) -> None:
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


class _Kernel:
    """See `Process`."""

    def __init__(self, sandbox: _Sandbox, kernel: int, limits: Limits):
        self.sandbox, self.kernel, self.limits = sandbox, kernel, limits

    def alive(self) -> bool:
        return not select.select([self.kernel], [], [], 0)[0]

    def excess(self) -> str:
        first = self.sandbox.first
        held = memory_of(first, _pid_of(self.kernel))
        if held > self.limits.memory:
            return f"used {held / 2**30:.1f} GiB of memory"
        with contextlib.suppress(OSError, LookupError, ValueError):
            told = Path(f"/proc/{first}/net/sockstat").read_text(encoding="ascii")
            if int(told.split()[2]) > self.limits.sockets:  # what lies in them is no one's memory
                return f"opened more than {self.limits.sockets:,} sockets"
        for folder in ("tmp", "dev/shm"):
            with contextlib.suppress(OSError):
                disk = os.statvfs(Path(f"/proc/{first}/root", folder))
                if disk.f_files - disk.f_ffree > self.limits.entries:
                    return f"made more than {self.limits.entries:,} files"
        return ""

    def kill(self) -> None:
        self.sandbox.kill()


def _pid_of(pidfd: int) -> int:
    """The process of a pidfd, as /proc tells it: -1 when it is gone."""
    lines = Path(f"/proc/self/fdinfo/{pidfd}").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pid:"))


def _namespaces() -> list[str]:
    arguments = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    arguments += ["--unshare-cgroup", "--die-with-parent", "--new-session", "--clearenv"]
    arguments += ["--cap-drop", "ALL", "--hostname", "lab"]
    if os.geteuid() != 0:
        arguments += ["--unshare-user", "--disable-userns"]
        arguments += ["--uid", str(NOBODY), "--gid", str(NOBODY)]
    return arguments


def _file_system(view: Path, limits: Limits) -> list[str]:
    arguments = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        path = Path("/", name)
        if path.is_symlink():
            arguments += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            arguments += ["--ro-bind", str(path), str(path)]
    for name in ETC:
        arguments += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    # scratch comes before what may lie in the grader's own /tmp: the view does
    size = str(limits.scratch)
    arguments += ["--perms", "1777", "--size", size, "--tmpfs", "/tmp"]
    for folder in (WORK, HOME):
        arguments += ["--perms", "1777", "--dir", folder]
    bound: list[Path] = [Path("/usr")]
    for prefix in dict.fromkeys((sys.base_prefix, sys.base_exec_prefix, sys.prefix)):
        path = Path(prefix).resolve()
        if not any(path.is_relative_to(other) for other in bound):
            bound.append(path)
            for name in PREFIX:  # no more: the course itself may lie there
                if (path / name).exists():
                    arguments += _read_only(path / name, path / name)
        if Path(prefix) != path:
            arguments += [*_parents(Path(prefix)), "--symlink", str(path), prefix]
    package = Path(course_lib.__file__).resolve().parent
    if any(package.is_relative_to(other) for other in bound):
        arguments += ["--tmpfs", str(package)]  # there the answers are
    arguments += _read_only(view, view)
    arguments += ["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]
    arguments += ["--perms", "1777", "--size", size, "--tmpfs", "/dev/shm"]
    return arguments


def _read_only(source: Path, place: Path) -> list[str]:
    return [*_parents(place), "--ro-bind", str(source), str(place)]


def _parents(place: Path) -> list[str]:
    """Folders above a place that anybody may pass: bubblewrap's own would be root's alone."""
    arguments: list[str] = []
    for parent in list(place.parents)[-2::-1]:
        arguments += ["--perms", "0755", "--dir", str(parent)]
    return arguments


def environment() -> Mapping[str, str]:
    """All variables that a kernel sees. None is the grader's own."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": HOME,
        "USER": "student",
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp",
        "IPYTHONDIR": f"{HOME}/ipython",
        "MPLBACKEND": "Agg",
        "COURSE_FIGURES": "0",
        "COURSE_QUICK": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",  # the same sums, and the same time, on a busy machine
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }


@contextlib.contextmanager
def _holding(content: bytes) -> Iterator[tempfile._TemporaryFileWrapper[bytes]]:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        yield file  # type: ignore[misc]
