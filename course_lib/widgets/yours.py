"""A reader's own function in a widget: what it returns, or a sentence about what is wrong.

    mine = Own.of(score, "score", "(x, t)")  # None if there is none
    mine.finite(x, x, t)  # score(x, t), shaped like x

A Fault is the sentence.
"""

from __future__ import annotations

import functools
import inspect
import sys
import traceback
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["Fault", "Own", "kind_of"]

LONGEST = 400  # characters of an exception that are shown


class Fault(ValueError):
    """What is wrong with a function of a reader's."""


class Own:
    """A function that a reader wrote, called with copies of tensors, so that it spoils none.

    Gradients are on, since a score may be one of a log-density; for a network they are off. What
    cannot be called raises when it is called, so that the rest of a widget can be seen.

    Args:
        function: theirs.
        argument: what it is called where it was handed over.
        takes: what it is called with, in words: `"(x, t)"`.

    Attributes:
        name: what its author called it.
        problem: why it cannot be called, or "".
    """

    def __init__(self, function: Callable[..., Any], argument: str, takes: str) -> None:
        self.function, self.takes = function, takes
        self.problem = _problem(function, argument, takes)
        while isinstance(function, functools.partial):
            function = function.func
        self.name: str = getattr(function, "__name__", type(function).__name__)

    @classmethod
    def of(cls, function: Callable[..., Any] | None, argument: str, takes: str) -> Own | None:
        """The same, or None for None."""
        return None if function is None else cls(function, argument, takes)

    @property
    def replaced(self) -> bool:
        """Whether a notebook has defined another function by this name since."""
        known = vars(sys.modules["__main__"]).get(self.name, self.function)
        if getattr(self.function, "__module__", None) != "__main__" or not callable(known):
            return False
        old, new = (getattr(f, "__code__", f) for f in (self.function, known))
        return old != new  # a cell that was only run again defines the same

    def result(self, like: Tensor, *args: Any, **named: Any) -> Tensor:
        """What it returns for these arguments: a tensor shaped like `like`, of its dtype.

        Numbers that are not finite are left in: the picture shows where they begin.

        Raises:
            Fault: it raised an exception, or returned something else; named in the message.
        """
        with torch.set_grad_enabled(not isinstance(self.function, nn.Module)):
            result = self.call(*args, **named)
        shape = tuple(like.shape)
        if not isinstance(result, Tensor):
            kind = kind_of(result)
            raise Fault(f"{self.name} returned {kind}; expected a tensor of shape {shape}")
        if result.shape != like.shape:
            raise Fault(f"{self.name} returned shape {tuple(result.shape)}; expected {shape}")
        if result.is_complex():
            raise Fault(f"{self.name} returned complex numbers; expected real ones")
        return result.detach().to(like)

    def finite(
        self, like: Tensor, *args: Any, when: Tensor | float | None = None, **named: Any
    ) -> Tensor:
        """As `result`, but what is not finite raises Fault too.

        Args:
            when: the time, () or (batch,), for the message; None to leave it out.
        """
        result = self.result(like, *args, **named)
        off = ~result.isfinite()
        if off.any():
            what = "NaN" if result.isnan().any() else "infinite numbers"
            at = "" if when is None else f"At t = {_earliest(when, off):.2f}: "
            raise Fault(f"{at}{self.name} returned {what}")
        return result

    def loss(self, *args: Any) -> Tensor:
        """What it returns for these arguments: a finite number of shape () with a gradient.

        Raises:
            Fault: it raised an exception, or returned something else; named in the message.
        """
        result = self.call(*args)
        if not isinstance(result, Tensor):
            raise Fault(f"{self.name} returned {kind_of(result)}; expected a scalar tensor")
        if result.ndim != 0:
            shape = tuple(result.shape)
            raise Fault(f"{self.name} returned shape {shape}; expected (), a scalar")
        if not result.requires_grad:
            raise Fault(
                f"{self.name} returned a number without a gradient; "
                "expected one computed from the model"
            )
        if not result.isfinite():
            raise Fault(f"{self.name} returned {result.item()}; expected a finite number")
        return result

    def call(self, *args: Any, **named: Any) -> Any:
        """Whatever it returns for these arguments.

        Raises:
            Fault: it raised an exception, named in the message.
        """
        if self.problem:
            raise Fault(self.problem)
        copies = [a.clone() if isinstance(a, Tensor) else a for a in args]
        try:
            return self.function(*copies, **named)
        except Fault:  # of another function, which this one calls
            raise
        except (Exception, SystemExit) as error:
            raise Fault(self._fault(error, args, named)) from error

    def _fault(self, error: BaseException, args: Any, named: Any) -> str:
        """What the exception says to the function's author."""
        if isinstance(error, NotImplementedError) and (str(error) or self.name).isidentifier():
            return f"{str(error) or self.name} is not written yet"
        if isinstance(error, TypeError):
            try:
                signature = inspect.signature(_inner(self.function))
            except (TypeError, ValueError):
                signature = None
            if signature and not _binds(signature, args, named):
                return f"{self.name} takes {_bare(signature)}; expected a function of {self.takes}"
        said = str(error) if len(str(error)) <= LONGEST else str(error)[:LONGEST] + " …"
        words = ": ".join(filter(None, [type(error).__name__, said]))
        return f"{self.name} raised {words}{_line(error, self.function)}"


def _problem(function: object, argument: str, takes: str) -> str:
    if function is Ellipsis:
        return f"{argument} is not written yet"
    if isinstance(function, type):
        name = function.__name__
        return f"{argument} is the class {name}; expected an instance, {name}(...)"
    if not callable(function):
        return f"{argument} is {kind_of(function)}; expected a function of {takes}"
    return ""


def _earliest(when: Tensor | float, off: Tensor) -> float:
    """The first of the times () or (batch,) at which `off` (batch, ...) is true."""
    bad = off.flatten(1).any(1)
    return float(torch.as_tensor(when).expand(len(bad))[bad].min())


def _inner(function: Callable[..., Any]) -> Callable[..., Any]:
    return function.forward if isinstance(function, nn.Module) else function


def kind_of(value: object) -> str:
    """The kind of a value with its article: a tuple, an ndarray; None is None."""
    if value is None:
        return "None"
    name = type(value).__name__
    vowel = name.lower().startswith((*"aeio", "nd"))
    return f"{'an' if vowel else 'a'} {name}"


def _binds(signature: inspect.Signature, args: Any, named: Any) -> bool:
    try:
        signature.bind(*args, **named)
    except TypeError:
        return False
    return True


def _bare(signature: inspect.Signature) -> inspect.Signature:
    """Without annotations."""
    nothing = inspect.Signature.empty
    names = [p.replace(annotation=nothing) for p in signature.parameters.values()]
    return inspect.Signature(names)


def _line(error: BaseException, function: Callable[..., Any]) -> str:
    """Where in the author's own code it came from, if that is known."""
    while isinstance(function, functools.partial):
        function = function.func
    code = getattr(_inner(function), "__code__", None)
    lines = [
        line
        for line in traceback.extract_tb(error.__traceback__)
        if code is not None and line.filename == code.co_filename and line.line
    ]
    return f", in line {lines[-1].lineno}: {lines[-1].line}" if lines else ""
