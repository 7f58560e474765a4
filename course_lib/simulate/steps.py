"""One step of a simulation: Euler moves by h u_t(x), Notes (4); noise adds √h σ_t ε, Notes (9)."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.processes import Diffusion, Field
from course_lib.shapes import expand_time

__all__ = ["euler_maruyama_step", "euler_step", "heun_step", "midpoint_step", "rk4_step"]


def euler_step(velocity: Field, x: Tensor, t: Tensor, h: float) -> Tensor:
    """Euler's step x + h u_t(x), Notes (4): error of order h² in a step.

    Args:
        velocity: `velocity(x, t)`, shaped like `x`.
        x: state, shape (batch, ...).
        t: time, shape () or (batch,).
        h: length of the step in time, a number or a tensor ().

    Returns:
        The state at t + h, shaped like `x`.

    Raises:
        ValueError: the velocity is not shaped like `x`.
    """
    return torch.add(x, _at(velocity, x, t), alpha=h)  # x + h u in one pass over memory


def heun_step(velocity: Field, x: Tensor, t: Tensor, h: float) -> Tensor:
    """Heun's step: Euler guesses, then the mean of both ends' velocities; error of order h³.

    Arguments, result and errors as in `euler_step`.
    """
    start = _at(velocity, x, t)
    end = _at(velocity, x + h * start, t + h)
    return x + h / 2 * (start + end)


def midpoint_step(velocity: Field, x: Tensor, t: Tensor, h: float) -> Tensor:
    """The midpoint step: Euler to t + h/2, then the velocity there; error of order h³.

    Arguments, result and errors as in `euler_step`.
    """
    middle = x + h / 2 * _at(velocity, x, t)
    return x + h * _at(velocity, middle, t + h / 2)


def rk4_step(velocity: Field, x: Tensor, t: Tensor, h: float) -> Tensor:
    """The classical Runge-Kutta step with four velocities; error of order h⁵.

    Arguments, result and errors as in `euler_step`.
    """
    k1 = _at(velocity, x, t)
    k2 = _at(velocity, x + h / 2 * k1, t + h / 2)
    k3 = _at(velocity, x + h / 2 * k2, t + h / 2)
    k4 = _at(velocity, x + h * k3, t + h)
    return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def euler_maruyama_step(
    drift: Field, diffusion: Diffusion, x: Tensor, t: Tensor, h: float, noise: Tensor
) -> Tensor:
    """The Euler-Maruyama step x + h u_t(x) + √h σ_t ε, Notes (9).

    Args:
        drift: `drift(x, t)`, shaped like `x`.
        diffusion: `diffusion(t)`, shaped like `t`.
        x: state, shape (batch, ...).
        t: time, shape () or (batch,).
        h: length of the step in time, positive, a number or a tensor ().
        noise: ε ~ N(0, I), shaped like `x`.

    Returns:
        The state at t + h, shaped like `x`.

    Raises:
        ValueError: the drift, the diffusion or the noise has a wrong shape.
    """
    if noise.shape != x.shape:
        raise ValueError(f"noise has shape {tuple(noise.shape)}; expected x's, {tuple(x.shape)}")
    scale = h**0.5 * expand_time(diffusion(t), x)
    return torch.add(x, _at(drift, x, t), alpha=h).addcmul(scale, noise)


def _at(field: Field, x: Tensor, t: Tensor) -> Tensor:
    """field(x, t), refused unless shaped like `x`: broadcasting would hide the mistake."""
    value = field(x, t)
    if value.shape != x.shape:
        raise ValueError(
            f"the velocity or drift has shape {tuple(value.shape)}; expected x's, {tuple(x.shape)}"
        )
    return value
