"""An explorer in a notebook: the engine through anywidget, the explorer's answers behind it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from course_lib.widgets.answers import Answers
from course_lib.widgets.explorer import Explorer

__all__ = ["ENGINE", "Stage", "script", "style"]

ENGINE = Path(__file__).parent / "engine"


@cache
def script() -> str:
    """The engine as one module: its files one after another, in the order of their numbers."""
    files = sorted(ENGINE.glob("*.js"))
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


@cache
def style() -> str:
    """The engine's style sheet."""
    return (ENGINE / "stage.css").read_text(encoding="utf-8")


class Stage(anywidget.AnyWidget):
    """The widget of Jupyter that shows an explorer."""

    _esm = script()
    _css = style()
    face = traitlets.Dict().tag(sync=True)
    scene = traitlets.Dict().tag(sync=True)

    def __init__(self, explorer: Explorer) -> None:
        self.answers = Answers(explorer, self._put)
        super().__init__(face=explorer.face(), scene=self.answers.begin())
        self.on_msg(lambda _, message, buffers: self.answers.receive(message))

    def _put(self, state: dict[str, Any]) -> None:
        if self.comm is not None:
            self.scene = state
