"""Velocity, score, noise and data say the same about x = α z + β ε: each gives the others.

u = α̇ z + β̇ ε and s = -ε / β, in expectation given x; so do Notes (54) and (55) follow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from course_lib.paths.schedule import Schedule
from course_lib.shapes import check_alike, expand_time

__all__ = ["Quantity", "convert"]

Quantity = Literal["velocity", "score", "noise", "data"]


def convert(
    schedule: Schedule,
    value: Tensor,
    x: Tensor,
    t: Tensor | float,
    *,
    given: Quantity,
    wanted: Quantity,
) -> Tensor:
    """Turn one prediction about `x` at time `t` into another, Notes (54), (55).

    Exact at both ends of time wherever the answer needs no more than is given: the velocity at
    t = 0, say, gives the noise, x / β, but the noise does not give the velocity.

    Args:
        schedule: α, β and their derivatives.
        value: the quantity that is known at `x`, shaped like it.
        x: where, shape (batch, ...).
        t: when, in [0, 1], a number or shape () or (batch,).
        given: what `value` is: "velocity" u, "score" ∇ log p, "noise" E[ε|x] or "data" E[z|x].
        wanted: what to return, one of the same four.

    Returns:
        The quantity wanted, shaped like `x`.

    Raises:
        ValueError: an unknown name, a wrong shape, a time outside [0, 1], or one at which the
            answer does not follow from what is given.
    """
    for role, name in {"given": given, "wanted": wanted}.items():
        if name not in get_args(Quantity):
            raise ValueError(f"{role} is {name!r}; expected one of {', '.join(get_args(Quantity))}")
    check_alike(x=x, value=value)
    time = expand_time(t, x)
    at = _coefficients(schedule, time, x)
    if given == wanted:
        return value
    numerator, denominator = _QUOTIENTS[given, wanted](value, x, at)
    undefined = denominator == 0
    if undefined.any():
        first = time[undefined].flatten()[0].item()
        cause = (
            "alpha is 0, so x is noise alone and says nothing of the data"
            if (at.alpha[undefined] == 0).any()
            else "beta is 0, so x is the data alone and says nothing of the noise"
        )
        raise ValueError(f"the {wanted} does not follow from the {given} at t = {first:g}: {cause}")
    return numerator / denominator


class _At(NamedTuple):
    """A schedule at the times of x. `scale` is 1, or β where β̇ is infinite at the end."""

    one: Tensor
    alpha: Tensor
    beta: Tensor
    alpha_dot: Tensor
    beta_beta_dot: Tensor
    scale: Tensor
    scaled_beta_dot: Tensor  # scale · β̇

    @property
    def scaled_determinant(self) -> Tensor:
        """scale · (α̇ β - α β̇), positive everywhere."""
        return self.scale * self.alpha_dot * self.beta - self.alpha * self.scaled_beta_dot

    @property
    def beta_determinant(self) -> Tensor:
        """β (α̇ β - α β̇), the denominator of Notes (55)."""
        return self.alpha_dot * self.beta.square() - self.alpha * self.beta_beta_dot


def _coefficients(schedule: Schedule, time: Tensor, x: Tensor) -> _At:
    alpha, beta = schedule.alpha(time).to(x), schedule.beta(time).to(x)
    beta_beta_dot = schedule.beta_squared_dot(time).to(x) / 2
    one = torch.ones_like(beta)
    finite = schedule.beta_dot_is_finite
    return _At(
        one=one,
        alpha=alpha,
        beta=beta,
        alpha_dot=schedule.alpha_dot(time).to(x),
        beta_beta_dot=beta_beta_dot,
        scale=one if finite else beta,
        scaled_beta_dot=schedule.beta_dot(time).to(x) if finite else beta_beta_dot,
    )


# (given, wanted): numerator and denominator, from the value v given and a = the schedule at t.
_QUOTIENTS: dict[tuple[str, str], Callable[[Tensor, Tensor, _At], tuple[Tensor, Tensor]]] = {
    ("noise", "score"): lambda v, x, a: (-v, a.beta),
    ("noise", "data"): lambda v, x, a: (x - a.beta * v, a.alpha),
    ("noise", "velocity"): lambda v, x, a: (
        a.scale * a.alpha_dot * x - a.scaled_determinant * v,
        a.scale * a.alpha,
    ),
    ("score", "noise"): lambda v, x, a: (-a.beta * v, a.one),
    ("score", "data"): lambda v, x, a: (x + a.beta.square() * v, a.alpha),
    ("score", "velocity"): lambda v, x, a: (a.alpha_dot * x + a.beta_determinant * v, a.alpha),
    ("data", "noise"): lambda v, x, a: (x - a.alpha * v, a.beta),
    ("data", "score"): lambda v, x, a: (a.alpha * v - x, a.beta.square()),
    ("data", "velocity"): lambda v, x, a: (
        a.alpha_dot * a.beta.square() * v + a.beta_beta_dot * (x - a.alpha * v),
        a.beta.square(),
    ),
    ("velocity", "score"): lambda v, x, a: (a.alpha * v - a.alpha_dot * x, a.beta_determinant),
    ("velocity", "noise"): lambda v, x, a: (
        a.scale * (a.alpha_dot * x - a.alpha * v),
        a.scaled_determinant,
    ),
    ("velocity", "data"): lambda v, x, a: (
        a.scale * a.beta * v - a.scaled_beta_dot * x,
        a.scaled_determinant,
    ),
}
