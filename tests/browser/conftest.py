"""The fixture `open_lab(folder)`: JupyterLab in a real browser on a copy of a folder."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import lab_server
import pytest


@pytest.fixture
def open_lab(
    chromium: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Path], lab_server.Lab]]:
    """A function that serves a copy of a folder and returns its `Lab`; closed after the test."""
    with ExitStack() as stack:

        def open_(folder: Path) -> lab_server.Lab:
            home = tmp_path_factory.mktemp("lab")
            return stack.enter_context(lab_server.open_lab(folder, chromium, home))

        yield open_
