"""JupyterLab on a copy of a folder, in a real browser: `with open_lab(folder, ...) as lab`."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Locator, Page, WebSocket

__all__ = ["Lab", "open_lab", "serve"]

BROWSER = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Whatever asks for another machine is recorded by Lab.foreign, and gets no answer.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
HERE = ("127.0.0.1", "localhost")
ANNOUNCEMENTS = "@jupyterlab/apputils-extension:announcements"
TRACKER = "@jupyterlab/notebook-extension/tracker.jupyterlab-settings"


def configure(home: Path) -> dict[str, str]:
    """Jupyter folders under `home`, without news and with every cell in the page: environment."""
    settings = {
        home / "config/labconfig/page_config.json": {"disabledExtensions": {ANNOUNCEMENTS: True}},
        home / "config/lab/user-settings" / TRACKER: {"windowingMode": "none"},
    }
    for path, content in settings.items():
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    folders = {
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
    }
    return {**os.environ, **folders}


@contextmanager
def serve(root: Path, home: Path, timeout: float = 60) -> Iterator[tuple[str, str]]:
    """Serve `root` with JupyterLab, its settings under `home`; yields (url, token).

    Raises a RuntimeError with the server's log when it does not answer within `timeout` seconds.
    """
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--port=0", "--ip=127.0.0.1"]
    command += ["--allow-root", "--LabApp.expose_app_in_browser=True"]
    command += ["--LabApp.extension_manager=readonly", f"--ServerApp.root_dir={root}"]
    log = home / "server.log"
    with log.open("wb") as sink:
        server = subprocess.Popen(
            command, cwd=root, env=configure(home), stdout=sink, stderr=subprocess.STDOUT
        )
    try:
        url, token = wait_until_up(server, home / "runtime", timeout)
    except RuntimeError as error:
        server.kill()
        server.wait()
        raise RuntimeError(f"{error}\n{log.read_text(errors='replace')}") from None
    try:
        yield url, token
    finally:
        stop(server, url, token)


def wait_until_up(server: subprocess.Popen, runtime: Path, timeout: float) -> tuple[str, str]:
    """Wait for the file in which the server says where it is, and for its first answer."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"jupyter lab ended with exit code {server.returncode}")
        for path in runtime.glob("jpserver-*.json"):
            try:
                info = json.loads(path.read_text(encoding="utf-8"))
                request(info["url"] + "api/status", info["token"])
            except (OSError, ValueError):
                continue
            return info["url"], info["token"]
        time.sleep(0.1)
    raise RuntimeError(f"jupyter lab did not answer within {timeout} s")


def request(url: str, token: str, method: str = "GET") -> None:
    headers = {"Authorization": f"token {token}"}
    with urllib.request.urlopen(
        urllib.request.Request(url, method=method, headers=headers), timeout=5
    ) as response:
        response.read()


def stop(server: subprocess.Popen, url: str, token: str) -> None:
    """Ask the server to end, its kernels with it; insist after ten seconds."""
    try:
        request(url + "api/shutdown", token, "POST")
        server.wait(10)
    except (OSError, subprocess.TimeoutExpired):
        server.kill()
        server.wait()


class Lab:
    """A page with JupyterLab: open a notebook, run it, read what a student would see.

    `errors` lists what the page wrote to the console as an error, and exceptions nobody caught;
    `foreign` lists the addresses of other machines that the page asked for.
    """

    def __init__(self, page: Page, url: str, token: str, root: Path) -> None:
        self.page, self.url, self.token, self.root = page, url, token, root
        self.errors: list[str] = []
        self.foreign: list[str] = []
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.context.on("request", lambda request: self.note(request.url))
        page.on("websocket", lambda socket: self.note_socket(socket))

    def note(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob", "about") and parts.hostname not in HERE:
            self.foreign.append(url)

    def note_socket(self, socket: WebSocket) -> None:
        self.note(socket.url)

    def open(self, notebook: str, timeout: float = 60) -> None:
        """Open `notebook`, a path inside the served folder, and wait until its kernel is idle."""
        self.page.goto(f"{self.url}lab/tree/{notebook}?reset&token={self.token}")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=timeout * 1000)
        self.wait_until_idle(timeout)

    def wait_until_idle(self, timeout: float = 60) -> None:
        self.page.wait_for_function(
            """() => window.jupyterapp?.shell.currentWidget?.sessionContext
                 ?.session?.kernel?.status === 'idle'""",
            timeout=timeout * 1000,
        )

    def run_all(self, timeout: float = 120) -> None:
        """Run > Run All Cells, and wait until the last cell has ended."""
        self.page.evaluate(
            """() => { window.ranAll = false;
                 window.jupyterapp.commands.execute('notebook:run-all-cells')
                   .finally(() => { window.ranAll = true; }); }"""
        )
        self.page.wait_for_function("() => window.ranAll", timeout=timeout * 1000)
        self.wait_until_idle(timeout)

    def cell(self, index: int) -> Locator:
        """The cell of this index, prose included, counted from 0."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def outputs(self) -> list[str]:
        """The text shown under each code cell, in order; empty where a cell shows none."""
        cells = self.page.locator(".jp-Notebook .jp-CodeCell")
        return [
            "\n".join(cells.nth(i).locator(".jp-OutputArea-output").all_inner_texts()).strip()
            for i in range(cells.count())
        ]

    def screenshot(self, target: str | Locator, path: Path) -> Path:
        """Save a picture of one element, given as a locator or a CSS selector."""
        locator = self.page.locator(target).first if isinstance(target, str) else target
        locator.screenshot(path=path)
        return path


@contextmanager
def open_lab(folder: Path, browser: Browser, home: Path, timeout: float = 60) -> Iterator[Lab]:
    """JupyterLab on a copy of `folder` made under `home`, and a page on it in `browser`."""
    root = Path(shutil.copytree(folder, home / "root"))
    with serve(root, home, timeout) as (url, token):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        yield Lab(page, url, token, root)
        page.context.close()
