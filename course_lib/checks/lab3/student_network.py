"""A student's network in float64, with weights that the check has drawn: found by their names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from course_lib.checks.guard import StudentError
from course_lib.checks.outcome import Fault
from course_lib.checks.rng import Rng

__all__ = ["call", "drawn", "load"]

Module = TypeVar("Module", bound=nn.Module)


@lru_cache(maxsize=4)
def drawn(build: Callable[[], Module], seed: int) -> Module:
    """What `build` makes, in float64, with weights drawn from the seed; it is shared, so read it.

    None of its layers is silent, none drowns the others.
    """
    rng = Rng(seed)
    with torch.random.fork_rng(devices=[]):  # a check leaves the notebook's own draws alone
        network = build().double().requires_grad_(False)
    weights = network.state_dict()
    network.load_state_dict({name: _draw(rng, name, value) for name, value in weights.items()})
    return network


def _draw(rng: Rng, name: str, value: Tensor) -> Tensor:
    if value.ndim > 1:
        return rng.normal(*value.shape, scale=value[0].numel() ** -0.5)
    around = 1.0 if name.endswith("weight") else 0.0  # the factors of a norm
    return around + rng.normal(*value.shape, scale=0.5)


def load(network: Any, like: nn.Module, *sizes: Any, **more: Any) -> nn.Module:
    """Build a student's network of these sizes, in float64, with the weights of another.

    Args:
        network: A class; an instance stands for its class.
        like: Has the weights, under the same names.
        *sizes: The arguments of its class.
        **more: Likewise, by name.

    Raises:
        StudentError: A layer is missing, has another name or another shape.
        TypeError: What was built is no network.
    """
    build = type(network) if isinstance(network, nn.Module) else network
    with torch.random.fork_rng(devices=[]):
        built = build(*sizes, **more)
    if not isinstance(built, nn.Module):
        raise TypeError(f"a class of networks was expected, and {build!r} is none")
    _compare(built, like.state_dict())
    built.double().requires_grad_(False).load_state_dict(like.state_dict())
    return built


def _compare(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Raise StudentError, in one sentence, unless the network has weights of these names."""
    own, name = network.state_dict(), type(network).__name__
    missing = [key for key in weights if key not in own]
    further = [key for key in own if key not in weights]
    if missing and _layer(missing[0]) in map(_layer, own):
        message = f"In `{name}` there is no `{missing[0]}`."
        raise StudentError(Fault("missing-weight", message, _AS_GIVEN))
    if missing:
        guess = f" Is it the one called `{_layer(further[0])}`?" if further else ""
        message = f"`{name}` has no layer `{_layer(missing[0])}`.{guess}"
        raise StudentError(Fault("missing-layer", message, _AS_GIVEN))
    if further:
        message = f"`{name}` has `{_layer(further[0])}`, a layer too many."
        raise StudentError(Fault("further-layer", message, _AS_GIVEN))
    for key, weight in weights.items():
        came, wanted = tuple(own[key].shape), tuple(weight.shape)
        if came != wanted:
            message = f"In `{name}` the shape of `{key}` is {came}, and {wanted} was expected."
            raise StudentError(Fault("other-shape", message, _AS_GIVEN))


_AS_GIVEN = "Leave `__init__` as it was given: weights find their layers by name and shape."


def _layer(key: str) -> str:
    return key.rpartition(".")[0] or key


def call(network: nn.Module, *args: Tensor) -> Any:
    """What the network returns.

    Raises:
        StudentError: Its `forward` takes other arguments.
    """
    signature = inspect.signature(network.forward)
    try:
        signature.bind(*args)
    except TypeError as error:
        message = f"`forward` is called with {len(args)} arguments, and takes {signature}."
        raise StudentError(Fault("arguments", message, f"Python says: {error}.")) from None
    return network(*args)
