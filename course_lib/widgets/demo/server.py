"""`course demo`: the widgets on a local address, with Python behind them, and no notebook."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler
from tornado.websocket import WebSocketHandler

from course_lib.widgets.answers import Answers
from course_lib.widgets.demo.pages import contents, links, live
from course_lib.widgets.explorer import Explorer

__all__ = ["application", "serve"]

Catalogue = Mapping[str, type[Explorer]]


class _Contents(RequestHandler):
    def get(self) -> None:
        catalogue: Catalogue = self.settings["catalogue"]
        self.finish(contents(list(catalogue.items()), self.settings["title"]))


class _Page(RequestHandler):
    def get(self, name: str) -> None:
        catalogue: Catalogue = self.settings["catalogue"]
        if name not in catalogue:
            raise HTTPError(404, reason="there is no such widget")
        names = list(catalogue)
        ways = links(names, names.index(name), "./")
        self.finish(live(catalogue[name](), ways, f"/socket/{name}"))


class _Socket(WebSocketHandler):
    """One visit of a page: its answers are computed on a thread, one after another."""

    def open(self, name: str) -> None:
        self.loop = asyncio.get_running_loop()
        self.worker = ThreadPoolExecutor(1)
        self.sent = -1
        catalogue: Catalogue = self.settings["catalogue"]
        if name not in catalogue:
            self.close(reason="there is no such widget")
            return
        self.answers = Answers(catalogue[name](), self._put)
        self.worker.submit(self.answers.begin)

    def on_message(self, message: str | bytes) -> None:
        self.worker.submit(self.answers.receive, json.loads(message))

    def on_close(self) -> None:
        self.answers.receive({"kind": "stop"})
        self.worker.shutdown(wait=False, cancel_futures=True)

    def _put(self, state: dict[str, Any]) -> None:
        self.loop.call_soon_threadsafe(self._send, state)

    def _send(self, state: dict[str, Any]) -> None:
        if self.close_code is None and self.ws_connection is not None:
            self.write_message(_packed(state, self.sent), binary=True)
            self.sent = state["number"]


def _packed(state: dict[str, Any], sent: int) -> bytes:
    """A state as one message, without the scene if that was `sent` before."""
    head = {name: value for name, value in state.items() if name != "arrays"}
    arrays = state["arrays"]
    if state["number"] == sent:
        del head["spec"]
        arrays = []
    else:
        head["lengths"] = [len(array) for array in arrays]
    text = json.dumps(head, allow_nan=False).encode()
    text += b" " * (-len(text) % 4)  # the arrays begin at an even place
    return b"".join([struct.pack("<I", len(text)), text, *arrays])


def application(catalogue: Catalogue, title: str) -> Application:
    """The contents at /, a page for each explorer at /<name>."""
    return Application(
        [(r"/", _Contents), (r"/socket/([\w-]+)", _Socket), (r"/([\w-]+)", _Page)],
        catalogue=catalogue,
        title=title,
    )


async def serve(catalogue: Catalogue, title: str, port: int, ready: Any) -> None:
    """Serve on this machine alone until cancelled; `ready(address)` is called when it answers.

    Raises:
        OSError: the port is taken.
    """
    sockets = bind_sockets(port, "127.0.0.1")
    server = HTTPServer(application(catalogue, title))
    server.add_sockets(sockets)
    ready(f"http://127.0.0.1:{sockets[0].getsockname()[1]}/")
    try:
        await asyncio.Event().wait()
    finally:
        server.stop()
