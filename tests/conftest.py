"""What every test stands on: quick mode, one thread, private Jupyter folders, a browser."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
from find_browser import find_browser
from hypothesis import settings

if TYPE_CHECKING:
    import lab_server
    from playwright.sync_api import Browser

# Before anything imports torch, matplotlib or course_lib; the kernels that tests start inherit it.
# torch takes its number of threads from OMP_NUM_THREADS: two workers on two cores, one thread each.
os.environ.update(COURSE_QUICK="1", MPLBACKEND="Agg", OMP_NUM_THREADS="1")

# Properties are tested on the same cases in every run, however slow the machine.
settings.register_profile("course", deadline=None, derandomize=True)
settings.load_profile("course")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "kernel: starts a Jupyter kernel")
    config.addinivalue_line("markers", "browser: drives a real browser")


def missing(what: str, commands: dict[str, str]) -> NoReturn:
    """Skip the test, naming the command that installs `what`; fail where COURSE_NO_SKIP=1.

    `commands` holds one command per `sys.platform`.
    """
    message = f"{what} is missing. To install it: {commands.get(sys.platform, commands['linux'])}"
    if os.environ.get("COURSE_NO_SKIP") == "1":
        pytest.fail(f"{message} (COURSE_NO_SKIP=1: nothing may be skipped here)", pytrace=False)
    pytest.skip(message)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the system's Chromium, Chrome or Edge."""
    if path := find_browser():
        return path
    missing(
        "A Chromium browser",
        {
            "linux": "apt-get install chromium",
            "darwin": "brew install --cask chromium",
            "win32": "winget install Google.Chrome",
        },
    )


@pytest.fixture(scope="session")
def bwrap() -> str:
    """Path of bubblewrap, the program that sandboxes the grader's kernels (Linux only)."""
    if path := shutil.which("bwrap"):
        return path
    missing("The sandbox bubblewrap (Linux only)", {"linux": "apt-get install bubblewrap"})


@pytest.fixture(scope="session", autouse=True)
def private_jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep tests out of the user's Jupyter and IPython folders (sys.prefix has the kernel)."""
    home = tmp_path_factory.mktemp("jupyter")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_CONFIG_DIR", str(home / "config"))
        patch.setenv("JUPYTER_DATA_DIR", str(home / "data"))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(home / "runtime"))
        patch.setenv("IPYTHONDIR", str(home / "ipython"))
        patch.delenv("JUPYTER_PATH", raising=False)
        patch.delenv("JUPYTER_CONFIG_PATH", raising=False)
        yield home


@pytest.fixture(scope="module")  # while it is there, an event loop runs: asyncio.run cannot
def browser(chromium: str) -> "Iterator[Browser]":
    """The system's browser, started."""
    from lab_server import BROWSER
    from playwright.sync_api import sync_playwright  # which most tests do not need

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=BROWSER)
        yield browser
        browser.close()


@pytest.fixture
def open_lab(
    browser: "Browser", tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[Callable[[Path], lab_server.Lab]]":
    """A function that serves a copy of a folder and returns its `Lab`; closed after the test."""
    import lab_server

    with ExitStack() as stack:

        def open_(folder: Path) -> "lab_server.Lab":
            home = tmp_path_factory.mktemp("lab")
            return stack.enter_context(lab_server.open_lab(folder, browser, home))

        yield open_
