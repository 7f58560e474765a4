"""A reader's own function in a widget: what it returns, or a sentence about what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

__all__ = ["finite_result_of", "loss_of", "name_of", "result_of"]


def name_of(function: Callable[..., Any]) -> str:
    """What the function is called."""
    return getattr(function, "__name__", type(function).__name__)


def result_of(function: Callable[..., Any], like: Tensor, *args: Any, **named: Any) -> Tensor:
    """`function(*args, **named)`, which must be a tensor shaped like `like`.

    Numbers that are not finite are left in: the picture shows where they begin.

    Raises:
        ValueError: it raised an exception, or returned something else; named in the message.
    """
    name = name_of(function)
    try:
        with torch.no_grad():
            result = function(*args, **named)
    except Exception as error:
        raise ValueError(f"{name} raised {type(error).__name__}: {error}") from error
    if not isinstance(result, Tensor):
        raise ValueError(
            f"{name} returned a {type(result).__name__}; expected a tensor of shape "
            f"{tuple(like.shape)}"
        )
    if result.shape != like.shape:
        raise ValueError(
            f"{name} returned shape {tuple(result.shape)}; expected {tuple(like.shape)}"
        )
    return result.detach().to(like)


def finite_result_of(
    function: Callable[..., Any], like: Tensor, *args: Any, **named: Any
) -> Tensor:
    """As `result_of`, but what is not finite raises ValueError too."""
    result = result_of(function, like, *args, **named)
    if not result.isfinite().all():
        what = "NaN" if result.isnan().any() else "infinite numbers"
        raise ValueError(f"{name_of(function)} returned {what}")
    return result


def loss_of(function: Callable[..., Any], *args: Any) -> Tensor:
    """`function(*args)`, which must be a finite number of shape () with a gradient.

    Raises:
        ValueError: it raised an exception, or returned something else; named in the message.
    """
    name = name_of(function)
    try:
        result = function(*args)
    except Exception as error:
        raise ValueError(f"{name} raised {type(error).__name__}: {error}") from error
    if not isinstance(result, Tensor):
        raise ValueError(f"{name} returned a {type(result).__name__}; expected a scalar tensor")
    if result.ndim != 0:
        raise ValueError(f"{name} returned shape {tuple(result.shape)}; expected (), a scalar")
    if not result.requires_grad:
        raise ValueError(
            f"{name} returned a number without a gradient; expected one computed from the model"
        )
    if not result.isfinite():
        raise ValueError(f"{name} returned {result.item()}; expected a finite number")
    return result
