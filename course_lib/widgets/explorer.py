"""The mathematics behind a widget: values in, a scene out. It knows nothing of Jupyter.

    class Walk(Explorer):
        title = "A random walk"
        question = "How far does it get?"
        controls = (Slider("h", "step", 0.01, 1.0, 0.1),)

        def scene(self, h):
            ...
            return Scene([Panel([Lines(paths)], x=(0, 1), y=(-3, 3))], times=times)

As the last expression of a cell it shows itself; `course demo` serves it without a notebook, and
`course demo --freeze` writes it as a page that needs no Python.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import product
from typing import Any, ClassVar

from course_lib.widgets.controls import Control
from course_lib.widgets.scene import Scene

__all__ = ["Explorer"]


class Explorer:
    """A widget, without its picture.

    Args:
        values: initial values of controls, by name.

    Attributes:
        title: what it is about.
        question: what to find out with it.
        controls: what a reader can set.
        points: values that are set inside a panel, by dragging or drawing, and where they start.
        frozen: values that a page without Python offers, by name; all others stay as they are.

    Raises:
        ValueError: a value that there is not, or outside its range.
    """

    title: ClassVar[str]
    question: ClassVar[str]
    controls: Sequence[Control] = ()
    points: ClassVar[Mapping[str, Any]] = {}
    frozen: Mapping[str, Sequence[Any]] = {}

    def __init__(self, **values: Any) -> None:
        known = {control.name for control in self.controls if control.kind != "action"}
        known |= set(self.points)
        if unknown := set(values) - known:
            expected = ", ".join(sorted(known))
            raise ValueError(
                f"{type(self).__name__} has no {', '.join(unknown)}; expected {expected}"
            )
        start = {control.name: control.start for control in self.controls if control.name in known}
        start |= dict(self.points)
        self.start = self.checked({**start, **values})

    def scene(self, *args: Any, **values: Any) -> Scene:
        """What is shown for these values of the controls."""
        raise NotImplementedError

    def still(self, *args: Any, **values: Any) -> Scene:
        """The same on a frozen page, where no button can be pressed."""
        return self.scene(*args, **values)

    def act(
        self,
        action: str,
        values: Mapping[str, Any],
        show: Callable[..., None],
        stopped: Callable[[], bool],
    ) -> None:
        """Do what a button starts: show scenes on the way, and end soon after `stopped()`.

        `show(scene, values=...)` sets the page's controls as well.
        """
        raise NotImplementedError

    def checked(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values for `scene`, each in its range, those of `points` included.

        Raises:
            ValueError: a value outside its range.
        """
        fitting = {
            control.name: control.check(values[control.name])
            for control in self.controls
            if control.kind != "action" and control.name in values
        }
        return fitting | {n: values.get(n, start) for n, start in self.points.items()}

    def face(self) -> dict[str, Any]:
        """What never changes: the words, the controls, and where they start."""
        return {
            "title": self.title,
            "question": self.question,
            "controls": [control.as_json() for control in self.controls],
            "values": self.start,
        }

    def variants(self) -> Iterator[dict[str, Any]]:
        """Every combination of the values that a frozen page offers, the initial one first."""
        yield self.start
        names = list(self.frozen)
        for choice in product(*self.frozen.values()):
            values = {**self.start, **dict(zip(names, choice, strict=True))}
            if values != self.start:
                yield values

    @cached_property
    def stage(self) -> Any:
        """The widget of Jupyter that shows this explorer, made when it is first shown."""
        from course_lib.widgets.stage import Stage

        return Stage(self)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        if os.environ.get("COURSE_FIGURES") == "0":  # in the grader, where nobody would see it
            return {"text/plain": repr(self)}
        bundle = self.stage._repr_mimebundle_(**options)
        data, *metadata = bundle if isinstance(bundle, tuple) else (bundle,)
        return ({**data, "text/plain": repr(self)}, *metadata)

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.title}"
