"""Keep nbgrader's, alembic's and asyncio's talk out of the terminal and in a log file."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path

__all__ = ["quiet"]


@contextlib.contextmanager
def quiet(path: Path) -> Iterator[logging.Logger]:
    """Send all log records and warnings to a file; yields the logger to hand to nbgrader.

    The interpreter's own scripts come first on PATH: nbgrader starts `alembic` by its name.
    """
    handler = logging.FileHandler(path, mode="w", encoding="utf-8", errors="backslashreplace")
    handler.handleError = lambda record: None  # type: ignore[method-assign]  # a full disk, say
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root, log = logging.getLogger(), logging.getLogger("course.grading")
    kept, root.handlers = root.handlers, [handler]
    log.setLevel(logging.INFO)
    before = os.environ.get("PATH")
    scripts = [str(Path(sys.executable).parent), sysconfig.get_path("scripts")]
    os.environ["PATH"] = os.pathsep.join([*scripts, *([before] if before else [])])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.showwarning = lambda message, category, filename, lineno, *_: log.debug(
                "%s:%s: %s: %s", filename, lineno, category.__name__, message
            )
            yield log
    finally:
        root.handlers = kept
        with contextlib.suppress(OSError):  # a full disk, which the run has spoken of already
            handler.close()
        if before is None:
            del os.environ["PATH"]
        else:
            os.environ["PATH"] = before
