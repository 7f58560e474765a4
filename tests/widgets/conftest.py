"""The fixture `site`: the address at which `course demo` serves the widgets."""

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """Started as a person would start it."""
    command = [sys.executable, "-m", "course_lib.cli", "demo", "--no-browser", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        line = server.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert found, line
        yield found[0]
        server.terminate()
