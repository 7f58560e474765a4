"""The warm parent: it has imported what every hand-in imports, and forks a kernel for each.

    python -I warm.py SOCKET VIEW

It knows no secret: its library is the view (see `view`), it gets neither seeds nor hand-ins, and
no stranger's code ever runs in it. Each request names a sandbox; a child of this process goes into
it, gives up its rights and becomes an ordinary Jupyter kernel. What that kernel does to its memory
stays in its own copy.

Start-up is most of what a hand-in costs: a kernel by itself imports for seconds, a fork of this
process takes a few hundredths of one.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import select
import shutil
import signal
import site
import socket
import sys
import traceback
import warnings
from pathlib import Path

IMPORTS = (
    "torch", "torch.func", "torch.nn.functional", "torch.optim", "torch.utils.data", "numpy",
    "matplotlib.pyplot", "matplotlib_inline.backend_inline", "matplotlib.backends.backend_agg",
    "safetensors.torch", "ipywidgets", "tqdm.auto", "tqdm.notebook", "pyseccomp", "unittest.mock",
    "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell", "IPython.core.completer",
)  # fmt: skip
LONGEST_REQUEST = 2**16


def main(path: Path, view: Path) -> None:
    """Import everything, then fork a clone for each connection, until stdin ends."""
    import enter  # beside this file, which is in no package here

    sys.path[:] = [str(view), *(p for p in sys.path[1:] if not _is_a_checkout(p))]
    _import_everything(path, view)
    _touch()
    if len(os.listdir("/proc/self/task")) != 1:
        sys.exit("Error: the warm parent has threads, and a fork would not take them along")
    gc.collect()
    gc.freeze()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(path))
    listener.listen(64)
    while True:
        select.select([listener.fileno(), 0], [], [])
        _reap()
        _end_if_unwanted(path)
        channel, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _serve(enter, channel)
            os._exit(0)
        channel.close()


def _serve(enter, channel: socket.socket) -> None:  # type: ignore[no-untyped-def]
    """In a clone: fork a kernel for each request, until the other side hangs up."""
    while True:
        try:
            message, files, _, _ = socket.recv_fds(channel, LONGEST_REQUEST, 2)
        except OSError:
            return
        if not message:
            return
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = _become_a_kernel(enter, json.loads(message), *files)
            except Exception:
                traceback.print_exc()
            finally:
                os._exit(code)
        socket.send_fds(channel, [b"forked"], [watched := os.pidfd_open(child)])
        for number in (watched, *files):
            os.close(number)
        _reap()


def _is_a_checkout(folder: str) -> bool:
    """Whether another copy of the library would be imported from there."""
    installed = {os.path.realpath(p) for p in (*site.getsitepackages(), site.getusersitepackages())}
    return os.path.isdir(os.path.join(folder, "course_lib")) and (
        os.path.realpath(folder) not in installed
    )


def _end_if_unwanted(path: Path) -> None:
    """The grader has ended, however it did, if stdin has."""
    if select.select([0], [], [], 0)[0]:
        shutil.rmtree(path.parent, ignore_errors=True)
        sys.exit()


def _import_everything(path: Path, view: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in IMPORTS:
            _end_if_unwanted(path)
            importlib.import_module(name)
        import course_lib

        assert Path(course_lib.__file__).parent == view / "course_lib", course_lib.__file__
        for module in pkgutil.walk_packages(course_lib.__path__, "course_lib."):
            if not module.name.rpartition(".")[2].startswith(("train_", "__")):
                importlib.import_module(module.name)


def _touch() -> None:
    """Do once what is slow the first time: a gradient, a figure with text."""
    import matplotlib
    import matplotlib.pyplot as plt
    import torch

    torch.set_num_threads(1)
    weight = torch.zeros(2, 2, requires_grad=True)
    torch.nn.functional.silu(weight @ weight).square().sum().backward()
    matplotlib.use("agg")
    figure, axes = plt.subplots()
    axes.set_title(r"$x_t$")
    figure.canvas.draw()
    plt.close(figure)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        pass


def _become_a_kernel(enter, request: dict, sandbox: int, folder: int) -> int:  # type: ignore[no-untyped-def]
    """In a child of the warm parent. Returns the exit code once the kernel has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    enter.join(sandbox, request["user"] is None)
    kernel = os.fork()  # the first that is inside; this process waits outside
    if kernel:
        enter.shut([])
        _, status = os.waitpid(kernel, 0)
        return 1 if status else 0
    report = os.dup(2)
    enter.new_session()
    enter.shut([report, folder])
    try:
        app = _initialized(enter, request, folder)
    except BaseException:
        os.write(report, traceback.format_exc().encode())
        raise
    os.close(folder)  # the sockets are there: nothing of the grader's side stays open
    os.close(report)
    app.start()
    return 0


def _initialized(enter, request: dict, folder: int):  # type: ignore[no-untyped-def]
    """A kernel without rights, that listens in `folder` and has not yet run anything."""
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["directory"])
    sys.path.insert(0, "")
    enter.keep_to(request["limits"])
    enter.give_up_rights(request["user"])
    enter.die_with_parent()
    sys.modules.pop("enter")
    _fresh_randomness()
    file = Path("/tmp/kernel.json")  # the sandbox's own /tmp
    connection = {**request["connection"], "ip": f"/proc/self/fd/{folder}/k"}
    file.write_text(json.dumps(connection), encoding="utf-8")
    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance()
    app.initialize(["-f", str(file), "--HistoryManager.enabled=False", "--quiet"])
    # `quit()` ends at once: ipykernel would run some of the next cells first
    assert app.shell is not None
    app.shell.observe(lambda change: os._exit(0), "exit_now")
    return app


def _fresh_randomness() -> None:
    """Two hand-ins shall not draw the same 'random' numbers because one process bore them."""
    import random

    import numpy as np
    import torch

    random.seed()
    np.random.seed(int.from_bytes(os.urandom(4), "big"))  # noqa: NPY002
    torch.manual_seed(int.from_bytes(os.urandom(7), "big"))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main(Path(sys.argv[1]), Path(sys.argv[2]))
