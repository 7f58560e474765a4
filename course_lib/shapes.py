"""Broadcasting and input checks that every module shares: t (batch,) -> (batch, 1, ..., 1)."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

__all__ = [
    "as_floats",
    "check_alike",
    "check_count",
    "check_number",
    "check_points",
    "check_time",
    "expand_time",
]


def expand_time(t: Tensor | float, x: Tensor) -> Tensor:
    """View the time `t` so that it broadcasts against the state `x`.

    Args:
        t: shape () or (batch,); a plain number is taken as shape ().
        x: shape (batch, ...): points (batch, d), images (batch, c, h, w).

    Returns:
        A view of `t`, shape () or (batch, 1, ..., 1) with as many axes as `x`.

    Raises:
        ValueError: `t` has another shape, or is not a tensor.
    """
    if isinstance(t, int | float):
        return torch.as_tensor(t, dtype=x.dtype, device=x.device)
    if not isinstance(t, Tensor):
        raise ValueError(f"t is a {type(t).__name__}; expected a tensor of shape () or (batch,)")
    if t.ndim == 0:
        return t
    if t.ndim != 1 or x.ndim == 0 or t.shape[0] != x.shape[0]:
        raise ValueError(
            f"t has shape {tuple(t.shape)}; expected () or (batch,) beside x {tuple(x.shape)}"
        )
    return t.reshape(-1, *(1,) * (x.ndim - 1))


def check_points(x: Tensor, dim: int) -> None:
    """Raise ValueError unless `x` is a non-empty float tensor of shape (..., dim)."""
    if not isinstance(x, Tensor) or not x.is_floating_point():
        kind = x.dtype if isinstance(x, Tensor) else type(x).__name__
        raise ValueError(f"x is {kind}; expected a tensor of floating-point numbers")
    if x.ndim == 0 or x.shape[-1] != dim:
        raise ValueError(f"x has shape {tuple(x.shape)}; expected (..., {dim})")
    if x.numel() == 0:
        raise ValueError(f"x has shape {tuple(x.shape)}; expected at least one point")


def check_alike(**states: Tensor) -> None:
    """Raise ValueError unless the states are non-empty float tensors of one shape (batch, ...)."""
    first, *_ = states
    for name, state in states.items():
        if not isinstance(state, Tensor) or not state.is_floating_point():
            kind = state.dtype if isinstance(state, Tensor) else type(state).__name__
            raise ValueError(f"{name} is {kind}; expected a tensor of floating-point numbers")
        shape, expected = tuple(state.shape), tuple(states[first].shape)
        if state.ndim == 0 or state.numel() == 0:
            raise ValueError(f"{name} has shape {shape}; expected (batch, ...), and not empty")
        if shape != expected:
            raise ValueError(f"{name} has shape {shape}; expected {expected}, as {first} has")


def check_time(t: Tensor | float) -> Tensor:
    """Return `t`, of any shape, as floats if all of it lies in [0, 1], else raise ValueError."""
    time = t if isinstance(t, Tensor) else torch.as_tensor(t)
    if not time.is_floating_point():
        time = time.to(torch.get_default_dtype())
    if time.numel() == 0:
        raise ValueError(f"t has shape {tuple(time.shape)}; expected at least one time")
    if not ((time >= 0) & (time <= 1)).all():
        raise ValueError(
            f"t runs from {time.min().item()} to {time.max().item()}; expected times in [0, 1]"
        )
    return time


def check_count(name: str, value: int, least: int = 1) -> int:
    """Return `value` if it is a whole number of at least `least`, else raise ValueError."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} is {value!r}; expected a whole number, {least} or more")
    return value


def check_number(
    name: str, value: float, *, positive: bool = False, least: float | None = None
) -> float:
    """Return `value` as a finite float in its range, else raise ValueError."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} is {number}; expected a finite number")
    if positive and number <= 0:
        raise ValueError(f"{name} is {number}; expected a positive number")
    if least is not None and number < least:
        raise ValueError(f"{name} is {number}; expected {least} or more")
    return number


def as_floats(
    name: str,
    value: Any,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    """Return `value` as a finite floating-point tensor; whole numbers get the default dtype."""
    tensor = torch.as_tensor(value, dtype=dtype, device=device)
    if not tensor.is_floating_point():
        tensor = tensor.to(torch.get_default_dtype())
    if not torch.isfinite(tensor).all():
        raise ValueError(f"{name} has NaN or infinite entries; expected finite numbers")
    return tensor
