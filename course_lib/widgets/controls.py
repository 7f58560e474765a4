"""What a reader can set in a widget: sliders, choices, switches, buttons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar

__all__ = ["Action", "Choice", "Control", "Slider", "Toggle", "step_slider"]


@dataclass(frozen=True)
class Control:
    """A named value of an explorer. `label` stands beside it."""

    kind: ClassVar[str]
    name: str
    label: str

    @property
    def start(self) -> Any:
        """The initial value."""
        return vars(self).get("value")

    def check(self, value: Any) -> Any:
        """`value` as the explorer gets it, or a ValueError that says what was expected."""
        return value

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind, **vars(self)}


@dataclass(frozen=True)
class Slider(Control):
    """A number from `low` to `high` in steps; `logarithmic` in equal ratios, `steps` of them.

    `steps` counts the positions between the ends; whole-numbered steps give whole numbers. With
    `among` these are the only positions, and any other number becomes the nearest of them.
    """

    kind = "slider"
    low: float
    high: float
    value: float
    steps: int = 40
    logarithmic: bool = False
    whole: bool = False
    among: Sequence[float] = ()

    def check(self, value: Any) -> float:
        number = isinstance(value, Real) and not isinstance(value, bool)
        slack = 1e-6 * (self.high - self.low)
        if not number or not self.low - slack <= value <= self.high + slack:
            raise ValueError(f"{self.name} is {value!r}; expected {self.low:g} to {self.high:g}")
        value = min(max(value, self.low), self.high)
        if self.among:
            return min(self.among, key=lambda position: abs(position - value))
        return round(value) if self.whole else float(value)


def step_slider(end: float, counts: Sequence[int], value: float) -> Slider:
    """The step h of a simulation until `end`, from those that fit into it: end / n for counts n."""
    steps = tuple(sorted(end / n for n in counts))
    return Slider("h", "step h", steps[0], steps[-1], value, among=steps)


@dataclass(frozen=True)
class Choice(Control):
    """One of `options`."""

    kind = "choice"
    options: Sequence[str]
    value: str

    def check(self, value: Any) -> str:
        if isinstance(value, int) and str(value) in self.options:
            return str(value)
        if value not in self.options:
            raise ValueError(f"{self.name} is {value!r}; expected one of {', '.join(self.options)}")
        return value


@dataclass(frozen=True)
class Toggle(Control):
    """On or off. With `local`, it shows and hides the layers with `only=name`, without Python."""

    kind = "toggle"
    value: bool = True
    local: bool = False

    def check(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValueError(f"{self.name} is {value!r}; expected True or False")
        return value


@dataclass(frozen=True)
class Action(Control):
    """A button that starts something long, and stops it while it runs."""

    kind = "action"
    stop: str = "Stop"
    value: None = None
