"""The widgets for a lecture: served, with Python behind them, or frozen into files."""

from __future__ import annotations

import asyncio
import webbrowser
from collections.abc import Callable
from pathlib import Path

from course_lib.widgets.catalogue import CATALOGUE
from course_lib.widgets.demo.freeze import freeze
from course_lib.widgets.demo.server import serve

__all__ = ["show", "write"]

TITLE = "Flow matching and diffusion: the widgets"
MOST_MB = 3.0  # of a frozen page


def show(port: int, browser: bool, say: Callable[[str], None]) -> None:
    """Serve the widgets on this machine until Ctrl-C.

    Raises:
        OSError: the port is taken.
    """

    def ready(address: str) -> None:
        say(f"The widgets are at {address}  Stop with Ctrl-C.")
        if browser:
            webbrowser.open(address)

    try:
        asyncio.run(serve(CATALOGUE, TITLE, port, ready))
    except KeyboardInterrupt:
        say("Stopped.")


def write(folder: Path, say: Callable[[str], None]) -> None:
    """Write static pages into `folder`, and say how large each is.

    Raises:
        OSError: `folder` is a file, or cannot be written to.
    """
    for path in freeze(CATALOGUE, folder, TITLE):
        say(f"{path}  {path.stat().st_size / 1e6:.2f} MB")
