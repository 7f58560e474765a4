"""A flow in training: its particles, its arrows beside the exact ones, and its loss."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.networks import MLP
from course_lib.training import budget
from course_lib.widgets.cloud import FEWEST, SHAPES
from course_lib.widgets.controls import Action, Choice, Toggle
from course_lib.widgets.explorer import Explorer
from course_lib.widgets.flow_picture import picture
from course_lib.widgets.flow_truth import HALF, truth_of
from course_lib.widgets.live_training import BATCH, LiveTraining, Look, cfm_loss
from course_lib.widgets.plain_torch import plain_torch
from course_lib.widgets.scene import Scene
from course_lib.widgets.yours import Own, kind_of

__all__ = ["FlowTrainer"]

DRAWN = "drawn"
PAUSE = 0.25  # seconds from one picture to the next, at least
SHARE = 4  # … and so many times as long as the picture takes
LONGEST = 60.0  # seconds that one press of the button trains
LOOKS = 20  # in the training of a frozen page

Points = tuple[tuple[float, float], ...]


class FlowTrainer(Explorer):
    """Conditional flow matching on a shape or a drawing, watched while it trains.

    Args:
        loss: a reader's own function of (model, schedule, z, t, noise), Notes (44), that returns
            a scalar; None for the library's.
        network: a module of (x, t), with x (batch, 2) and t (batch,), of which a copy is trained;
            None for the library's.
        values: initial values of controls.

    Raises:
        ValueError: `network` is no module with parameters, or a value is outside its range.
    """

    title = "Train a flow, and compare it with the exact one"
    question = (
        "When does the loss stand still, and what gets better after that? "
        "Scrub t: when is the error largest, and how do the exact arrows look then?"
    )
    controls = (
        Choice("data", "data", (*SHAPES, DRAWN), SHAPES[0]),
        Action("train", "Train"),
        Action("anew", "Start anew"),
        Action("sheet", "New drawing"),
        Toggle("exact", "exact arrows", True, local=True),
    )
    points = {"drawing": ()}
    frozen = {"data": ("chessboard", "moons", "five modes")}

    def __init__(
        self,
        loss: Callable[..., Tensor] | None = None,
        network: nn.Module | None = None,
        **values: Any,
    ) -> None:
        if network is not None and not isinstance(network, nn.Module):
            raise ValueError(f"network is {kind_of(network)}; expected a torch module")
        if network is not None and not list(network.parameters()):
            raise ValueError(f"network is {kind_of(network)} without a parameter to train")
        takes = "(model, schedule, z, t, noise)"
        self.loss = Own(cfm_loss if loss is None else loss, "loss", takes)
        self.network = _network() if network is None else network
        given = {"loss": loss, "network": network}
        theirs = " and ".join(name for name, it in given.items() if it is not None)
        self.theirs = f" with your {theirs}" if theirs else ""
        self._training: LiveTraining | None = None  # on the data that are shown
        self._lock = threading.Lock()  # held to change it, and to show its pictures
        super().__init__(**values)

    def checked(self, values: Mapping[str, Any]) -> dict[str, Any]:
        fitting = super().checked(values)
        return {**fitting, "drawing": _points(fitting["drawing"])}

    def scene(self, data: str, drawing: Points, exact: bool) -> Scene:
        if data == DRAWN and len(drawing) < FEWEST:
            with self._lock:
                self._training = None
            note = (
                f"Draw in the panel on the left: {FEWEST} points or more. "
                "On a keyboard, arrows move the pen and space makes a point. Backspace takes the "
                "last line back."
            )
            return picture(None, None, drawing=drawing, theirs=self.theirs, note=note)
        training = self._training_on(data, drawing)
        try:
            look, error = training.last, training.broken or training.fault()
        except ValueError as fault:
            look, error = None, str(fault)
        return self._picture(data, drawing, training, look, error=error)

    def still(self, data: str, drawing: Points, exact: bool) -> Scene:
        training = LiveTraining(self.network, self.loss, truth_of(data, drawing))
        training.look()
        for _ in range(LOOKS):
            for _ in range(budget(full=100, quick=5)):
                training.step()
            training.look()
        note = f"This network was trained before, on {BATCH} points in a step."
        return replace(self._picture(data, drawing, training, training.last), note=note)

    def act(
        self,
        action: str,
        values: Mapping[str, Any],
        show: Callable[..., None],
        stopped: Callable[[], bool],
    ) -> None:
        if action == "train":
            self._train(values["data"], values["drawing"], show, stopped)
            return
        with self._lock:
            self._training = None
        if action == "sheet":
            values = {**values, "data": DRAWN, "drawing": ()}
        show(self.scene(**values), values=values)

    def _train(
        self, data: str, drawing: Points, show: Callable[..., None], stopped: Callable[[], bool]
    ) -> None:
        """Train until it is stopped, for a while at most, or until other data are asked for."""
        training = self._training_on(data, drawing)
        if training.broken:
            raise ValueError(training.broken)
        began = time.monotonic()
        before, pause = training.seconds, PAUSE

        def over() -> bool:
            return stopped() or self._training is not training or time.monotonic() - began > LONGEST

        def put(live: bool) -> None:
            with self._lock:  # after other data are asked for, nothing of these is shown
                if self._training is training:
                    show(self._picture(data, drawing, training, training.last, live=live))

        put(live=True)  # or say at once that the network is of no use
        try:
            while not over():
                until = time.monotonic() + pause
                while time.monotonic() < until and not over():
                    training.step()
                paused = time.monotonic()
                training.seconds = before + paused - began
                training.look()
                put(live=True)
                pause = max(PAUSE, SHARE * (time.monotonic() - paused))
        finally:
            put(live=False)

    def _training_on(self, data: str, drawing: Points) -> LiveTraining:
        """The present training, or a new one where the data are others."""
        truth = truth_of(data, drawing if data == DRAWN else ())
        with self._lock:
            if self._training is None or self._training.truth is not truth:
                self._training = LiveTraining(self.network, self.loss, truth)
            return self._training

    def _picture(
        self,
        data: str,
        drawing: Points,
        training: LiveTraining,
        look: Look | None,
        live: bool = False,
        error: str = "",
    ) -> Scene:
        return picture(
            training.truth,
            look,
            drawing=drawing if data == DRAWN else None,
            live=live,
            theirs=self.theirs,
            note=_NOTE,
            error=error,
        )


_NOTE = (
    "Train runs for a minute at most, and goes on where it stopped. Other data begin with a new "
    "network. A batch may lie a little below the floor; far below it, the loss is another one."
)


def _network() -> nn.Module:
    """The same untrained network each time, whatever was drawn at random before."""
    with torch.random.fork_rng(devices=[]), plain_torch():
        torch.default_generator.manual_seed(0)
        return MLP(dim=2, width=128, depth=2, fourier=64, scale=2.0)


def _points(drawing: Any) -> Points:
    """A drawing as a page sends it."""
    try:
        points = tuple((float(x), float(y)) for x, y in drawing)
    except (TypeError, ValueError):
        raise ValueError(f"drawing is {drawing!r}; expected a list of points (x, y)") from None
    if not all(math.hypot(*point) < 2 * HALF for point in points):
        raise ValueError(f"drawing leaves the panel; expected points within {HALF:g}")
    return points
