"""The student's side of a check: run their code on fresh inputs and bring home plain data."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from course_lib.checks.base import Check, call_with
from course_lib.checks.compare import kind_of
from course_lib.checks.guard import StudentError, guarded
from course_lib.checks.outcome import Fault, Outcome
from course_lib.checks.plain import Array, NotPlain, to_plain
from course_lib.checks.rng import Rng

__all__ = ["execute"]


def execute(check: Check, args: tuple[Any, ...], seed: int) -> Outcome:
    """Run a check's `run` on the student's `args` and say what came of it.

    The common faults that only show while the code runs are found here: not written yet,
    an exception, a call that hangs, an input changed in place, an answer that forwards to
    the library, a missing gradient, an output that ignores an input or draws its own noise.
    """
    if any(arg is None or arg is Ellipsis for arg in args):
        return Outcome(check.name, fault=Fault("not-written", "There is no answer here yet."))

    def once(inputs: dict[str, Any]) -> tuple[Any, set[str]]:
        return guarded(lambda: call_with(check.run, inputs, *args), check.seconds, check.reference)

    inputs, pristine = _draw(check, seed), _draw(check, seed)
    miscounted = _miscounted(check, args, inputs)
    if miscounted is not None:
        return Outcome(check.name, fault=miscounted)
    try:
        raw, reached = once(inputs)
        output = _plain(raw)
    except StudentError as error:
        fault = error.fault
        if isinstance(error.__cause__, TypeError):
            fault = _miscalled(check, args, seed) or fault
        if isinstance(error.__cause__, RuntimeError):
            fault = _with_shapes(fault, inputs)
        return Outcome(check.name, fault=fault)

    failings, hints = [], []
    for name in _changed(inputs, pristine):
        failings.append(
            Fault("changed-in-place", f"Your code changes its argument `{name}` in place. "
                  "Leave it as it is: give the result a new name.")
        )  # fmt: skip
    for name in sorted(reached):
        failings.append(
            Fault("forwards", f"Your code calls the library's own `{name}`. "
                  "Here the point is to write it.")
        )  # fmt: skip
    if check.differentiable:
        failings += _gradient_faults(check, once, seed)
    if check.repeatable:
        hints += _stray_randomness(check, once, seed, output)
    for name in check.depends_on:
        hints += _ignored(check, once, seed, output, name)
    return Outcome(check.name, output, None, tuple(failings), tuple(hints))


def _miscounted(check: Check, args: tuple[Any, ...], inputs: dict[str, Any]) -> Fault | None:
    """The fault if `check` was handed too few or too many answers."""
    parameters = inspect.signature(check.run).parameters.values()
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        names, right = ["your_answer"], len(args) > 0
    else:
        names = [p.name for p in parameters if p.name not in inputs]
        right = len(args) == len(names)
    if right:
        return None
    call = ", ".join(["…", *names])
    count = f"{len(names)} answer{'s' * (len(names) > 1)}"
    message = f"This check takes {count} (`check({call})`), and {len(args) or 'none'} came."
    return Fault("arguments", message)


def _miscalled(check: Check, args: tuple[Any, ...], seed: int) -> Fault | None:
    """After a TypeError: the fault if an answer is not a function, or takes other arguments."""
    probes = [_probe(arg) for arg in args]
    try:
        guarded(lambda: call_with(check.run, _draw(check, seed), *probes), check.seconds)
    except StudentError as error:
        if error.fault.name in ("not-a-function", "arguments"):
            return error.fault
    return None


def _with_shapes(fault: Fault, inputs: dict[str, Any]) -> Fault:
    """The fault, and the two shapes where t, one time for each point, met the points as it is."""
    sizes = re.search(r"tensor a \((\d+)\) must match .* tensor b \((\d+)\)", fault.message)
    t = inputs.get("t")
    if sizes is None or not isinstance(t, torch.Tensor) or t.ndim != 1:
        return fault
    met = {int(size) for size in sizes.groups()}
    for name, x in inputs.items():
        if isinstance(x, torch.Tensor) and x.ndim > 1 and met == {len(t), x.shape[-1]}:
            shapes = f"t has shape {tuple(t.shape)}, {name} has {tuple(x.shape)}"
            return replace(fault, message=f"{fault.message}. {shapes}: see `expand_time`.")
    return fault


def _probe(answer: Any) -> Callable[..., Any]:
    def called(*args: Any, **kwargs: Any) -> Any:
        if not callable(answer):
            try:
                came = kind_of(to_plain(answer))
            except NotPlain as error:
                came = str(error)
            message = f"A function was expected, and {came} came."
            hint = "Hand over the function itself, its name without brackets: do not call it."
            raise StudentError(Fault("not-a-function", message, hint))
        try:
            is_module = isinstance(answer, torch.nn.Module)
            signature = inspect.signature(answer.forward if is_module else answer)
        except ValueError:  # some functions written in C have none
            return answer(*args, **kwargs)
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            name, count = (
                getattr(answer, "__name__", type(answer).__name__),
                len(args) + len(kwargs),
            )
            message = f"`{name}` is called with {count} arguments, and takes {signature}."
            raise StudentError(Fault("arguments", message, f"Python says: {error}.")) from None
        return answer(*args, **kwargs)

    return called


def _draw(check: Check, seed: int) -> dict[str, Any]:
    return check.inputs(Rng(seed))


def _plain(raw: Any) -> Any:
    if raw is None or (isinstance(raw, list | tuple) and any(part is None for part in raw)):
        raise StudentError(
            Fault("nothing", "Your function returned nothing. Does it end with `return …`?")
        )
    try:
        return to_plain(raw)
    except NotPlain as error:
        message = f"A tensor or a number was expected, and {error} came."
        if hasattr(raw, "final"):
            message += " The points where a simulation ends are its `.final`."
        raise StudentError(Fault("type", message)) from None


def _changed(inputs: dict[str, Any], pristine: dict[str, Any]) -> list[str]:
    tensors = {k: v for k, v in inputs.items() if isinstance(v, torch.Tensor)}
    return [
        name
        for name, value in tensors.items()
        if value.shape != pristine[name].shape
        or not torch.equal(value.detach().nan_to_num(), pristine[name].nan_to_num())
    ]


def _stray_randomness(check: Check, once: Any, seed: int, output: Any) -> list[Fault]:
    try:
        again = _plain(once(_draw(check, seed))[0])
    except StudentError as error:
        return [Fault("second-call", "A second call with the same inputs failed.", str(error))]
    if _same(output, again):
        return []
    message = "Two calls with the same arguments gave different results."
    return [Fault("not-repeatable", f"{message} {check.if_random}")]


def _ignored(check: Check, once: Any, seed: int, output: Any, name: str) -> list[Fault]:
    inputs = _draw(check, seed)
    inputs[name] = check.inputs(Rng(seed + 1))[name]
    try:
        other = _plain(once(inputs)[0])
    except StudentError:
        return []
    if not _same(output, other):
        return []
    return [Fault(f"ignores-{name}", f"Your result does not depend on `{name}`, and it should.")]


def _gradient_faults(check: Check, once: Any, seed: int) -> list[Fault]:
    faults = []
    for name in check.differentiable:
        inputs = _draw(check, seed)
        leaf = inputs[name] = inputs[name].clone().requires_grad_(True)
        try:
            raw = once(inputs)[0]
        except StudentError as error:
            message = f"With `{name}.requires_grad` your code fails."
            return [Fault("no-gradient", message, str(error))]
        several = isinstance(raw, list | tuple)
        parts = list(check.parts) or [f"result {i + 1}" for i in range(len(raw))] if several else []
        for part, result in zip(parts, raw, strict=False) if several else [("the result", raw)]:
            try:
                flows = _gradient_flows(result, leaf)
            except RuntimeError as error:
                message = f"The gradient of {part} by `{name}` cannot be computed."
                return [Fault("no-gradient", message, str(error).splitlines()[0])]
            if not flows:
                faults.append(
                    Fault("no-gradient", f"No gradient flows from {part} back to `{name}`. "
                          "Stay in torch: no .item(), .numpy(), .detach() or torch.no_grad().")
                )  # fmt: skip
    return faults


def _gradient_flows(result: Any, leaf: torch.Tensor) -> bool:
    if not isinstance(result, torch.Tensor) or not result.requires_grad:
        return False
    (grad,) = torch.autograd.grad(result.sum(), leaf, allow_unused=True, retain_graph=True)
    return grad is not None


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Array) and isinstance(b, Array):
        return a.values.shape == b.values.shape and np.array_equal(
            a.values, b.values, equal_nan=True
        )
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    return bool(a == b) or (a != a and b != b)
