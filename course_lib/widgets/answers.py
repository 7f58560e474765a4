"""What a page asks, answered: scenes, errors in words, and long work on a thread of its own."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch

from course_lib.widgets.explorer import Explorer
from course_lib.widgets.heard import heard
from course_lib.widgets.plain_torch import plain_torch
from course_lib.widgets.scene import Scene, packed
from course_lib.widgets.yours import Own

__all__ = ["Answers"]


class Answers:
    """Answers the messages of one page; `send` is given each new state of its scene.

    A state is {"spec", "arrays", "number", "serial", "error", "running", "values"}: the last scene
    that could be made, the number of the question it answers, and what went wrong, if anything.
    """

    def __init__(self, explorer: Explorer, send: Callable[[dict[str, Any]], None]) -> None:
        self.explorer = explorer
        self.send = send
        self.state: dict[str, Any] = dict(
            spec=None, arrays=[], number=0, serial=0, error=None, running=None, values={}
        )
        self._stop = threading.Event()
        self._lock = threading.Lock()

    def begin(self) -> dict[str, Any]:
        """The first state, for the initial values."""
        self.ask(self.explorer.start, 0)
        return self.state

    def receive(self, message: Mapping[str, Any]) -> None:
        """Answer a message of the page."""
        if message.get("kind") == "ask":
            with heard() as ear:
                self.ask(message.get("values", {}), int(message.get("serial", 0)))
            if ear.words:
                self._change(error=_lines(self.state["error"], ear.words))
        elif message.get("kind") == "start" and self.state["running"] is None:
            self.start(str(message.get("action")), message.get("values", {}))
        elif message.get("kind") == "stop":
            self._stop.set()

    def ask(self, values: Mapping[str, Any], serial: int) -> None:
        """Compute the scene for `values`. An error leaves the last scene where it is."""
        try:
            fitting = self.explorer.checked({**self.explorer.start, **values})
            with plain_torch():
                scene = self.explorer.scene(**fitting)
        except (Exception, KeyboardInterrupt) as error:
            self._change(error=words(error), serial=serial)
        else:
            self._show(scene, serial=serial, values=fitting)

    def start(self, action: str, values: Mapping[str, Any]) -> None:
        """Do the explorer's `action` on a thread."""
        self._stop.clear()
        self._change(running=action, error=None)
        work = (action, dict(values), torch.get_num_threads())
        threading.Thread(target=self._act, args=work, daemon=True).start()

    def _act(self, action: str, values: dict[str, Any], threads: int) -> None:
        with heard() as ear:

            def show(scene: Scene, **changes: Any) -> None:
                self._show(replace(scene, error=_lines(scene.error, ear.words)), **changes)

            try:
                fitting = self.explorer.checked({**self.explorer.start, **values})
                with plain_torch(usual=threads):
                    self.explorer.act(action, fitting, show, self._stop.is_set)
            except Exception as error:
                self._change(running=None, error=_lines(words(error), ear.words))
            else:
                self._change(running=None)

    def _show(self, scene: Scene, **changes: Any) -> None:
        try:
            spec, arrays = packed(scene)
        except ValueError as error:
            self._change(error=words(error), **changes)
        else:
            shown = dict(spec=spec, arrays=arrays, number=self.state["number"] + 1)
            told = _lines(scene.error, *_replaced(self.explorer))
            self._change(error=told or None, **shown, **changes)

    def _change(self, **changes: Any) -> None:
        with self._lock:
            self.state = {**self.state, **changes}
            self.send(self.state)


def _replaced(explorer: Explorer) -> list[str]:
    """What to say of a reader's functions that were written again since."""
    return [
        f"{own.name} was written again since: run this cell again to see the new one."
        for own in vars(explorer).values()
        if isinstance(own, Own) and own.replaced
    ]


def _lines(*sentences: str | None) -> str:
    return "\n".join(filter(None, sentences))


def words(error: BaseException) -> str:
    """An error as a reader should see it: a ValueError explains itself, others say their name."""
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted: the picture is that of the values before."
    if isinstance(error, ValueError) and str(error):
        return str(error)
    line = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error}\nin {line.name}, line {line.lineno}: {line.line}"
