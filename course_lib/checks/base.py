"""A check is an answer and its named mistakes, both as formulas.

    class EulerStep(Check):
        '''Euler step: Notes (4).'''
        points = 1

        def inputs(self, rng):
            return dict(x=rng.normal(64, 2), h=rng.number(0.05, 0.2), ...)

        def run(self, euler_step, velocity, x, t, h):      # the only line that calls a student
            return euler_step(velocity, x, t, h)

        def answer(self, velocity, x, t, h):
            return x + h * velocity(x, t)

        mistakes = [Mistake("no-step-size", lambda velocity, x, t: x + velocity(x, t),
                            "The velocity is multiplied by h: a step lasts h, not 1.")]

`run` happens in the student's kernel, `judge` wherever the points are given.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from course_lib.checks.rng import Rng

__all__ = ["Check", "Mistake", "call_with"]


def call_with(function: Callable[..., Any], inputs: dict[str, Any], *leading: Any) -> Any:
    """Call a formula with the inputs that it names, after any leading arguments."""
    parameters = inspect.signature(function).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return function(*leading, **inputs)
    wanted = [p.name for p in parameters][len(leading) :]
    return function(*leading, **{name: inputs[name] for name in wanted if name in inputs})


@dataclass(frozen=True)
class Mistake:
    """A mistake that people make, as a formula, and the sentence that helps.

    Attributes:
        name: Short: `noise-scaled-by-h`. Two formulas of one mistake share name and sentence.
        formula: Takes (some of) the check's inputs and returns what the mistake would return.
        sentence: What the student reads: why it is wrong, without the finished line of code.
    """

    name: str
    formula: Callable[..., Any]
    sentence: str


class Check:
    """One graded exercise. Subclasses give `inputs`, `run`, `answer` and `mistakes`.

    Class attributes:
        points: What a right answer earns.
        mistakes: The named mistakes; no two may give the same output.
        also: Formulas of answers that are right too, though their numbers differ a little.
        rtol: Largest error allowed, relative to the largest number of the answer. The default
            allows for a constant rounded to float32, and for nothing else.
        depends_on: Names of inputs that a right output must react to.
        differentiable: Names of inputs through which gradients must flow.
        reference: Library functions that do the exercise: an answer may not call them.
        repeatable: Whether the same inputs must give the same output.
        if_random: What to say if they do not.
        seconds: How long one call may take.
        costly: Whether one call takes seconds rather than milliseconds: tests then make few.
        parts: Names of the outputs, where `run` returns several.
    """

    points: float = 1
    mistakes: Sequence[Mistake] = ()
    also: Sequence[Callable[..., Any]] = ()
    rtol: float = 1e-6
    depends_on: Sequence[str] = ()
    differentiable: Sequence[str] = ()
    reference: Sequence[Callable[..., Any]] = ()
    repeatable: bool = True
    if_random: str = (
        "Use the noise that is passed in; draw none of your own, keep nothing between calls."
    )
    seconds: float = 10.0
    costly: bool = False
    parts: Sequence[str] = ()

    @property
    def name(self) -> str:
        """The class name in kebab case: `EulerStep` is `euler-step`. Also the cell's grade_id."""
        return re.sub(
            r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", type(self).__name__
        ).lower()

    @property
    def title(self) -> str:
        """The first line of the class's docstring."""
        return (inspect.getdoc(type(self)) or type(self).__name__).splitlines()[0].rstrip(".")

    def inputs(self, rng: Rng) -> dict[str, Any]:
        """Fresh inputs, by name. The default is none: the answer is a value, not a function."""
        return {}

    def run(self, *args: Any, **inputs: Any) -> Any:
        """Call the student's code on the inputs. The default hands the student's value on."""
        return args[0] if len(args) == 1 else list(args)

    def answer(self, *args: Any, **inputs: Any) -> Any:
        """What a right answer returns."""
        raise NotImplementedError(f"{type(self).__name__} has neither an answer nor a judge")

    def judge(self, inputs: dict[str, Any], output: Any) -> Any:
        """Override for an answer that no formula gives (samples, a trained model).

        Args:
            inputs: What `inputs` drew.
            output: The student's output as plain data.

        Returns:
            None to compare with `answer` and the mistakes (the default); or a
            `Judgement` from `course_lib.checks.judge`.
        """
        return None
