"""The loop of Notes, Algorithms 1 and 2: from each time to the next by one step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from tqdm.auto import tqdm

from course_lib.noise import normal
from course_lib.processes import ODE, SDE
from course_lib.shapes import check_count
from course_lib.simulate.steps import euler_maruyama_step, euler_step
from course_lib.simulate.trajectory import Trajectory

__all__ = ["simulate"]


def simulate(
    process: ODE | SDE,
    x: Tensor,
    times: Tensor,
    *,
    step: Callable[..., Tensor] | str | None = None,
    noise: Tensor | None = None,
    generator: torch.Generator | None = None,
    record: int | None = None,
    progress: bool = False,
) -> Trajectory:
    """Simulate an ODE (Notes, Algorithm 1) or an SDE (Algorithm 2) from `x` over `times`.

    Args:
        process: the equation.
        x: state at `times[0]`, shape (batch, ...).
        times: increasing, shape (n_steps + 1,), for example a `time_grid`.
        step: None for Euler's or Euler-Maruyama's; a function with the signature of `euler_step`
            or `euler_maruyama_step`; or "exact", to draw from the process's own transition law.
        noise: standard normal, shape (n_steps, *x.shape), for an SDE; None draws it step by step.
        generator: what the noise is drawn from.
        record: None keeps every state. A number keeps that many (or all, if there are fewer),
            evenly spaced in steps, first and last included; 1 keeps the last alone. Memory then
            does not grow with the number of steps.
        progress: whether to show a progress bar.

    Returns:
        The recorded times and states. NaN and infinity are results like any other.

    Raises:
        ValueError: times that are not one-dimensional and increasing, a wrong shape of `noise`,
            noise for an ODE, a step that does not return a tensor like `x`.
        NotImplementedError: "exact" where no law is known.
    """
    if not isinstance(process, ODE | SDE):
        raise ValueError(f"process is a {type(process).__name__}; expected an ODE or an SDE")
    if not isinstance(x, Tensor) or not x.is_floating_point() or x.ndim == 0 or x.numel() == 0:
        raise ValueError(f"x is {_describe(x)}; expected floating point, (batch, ...), not empty")
    lengths = _step_lengths(times)
    draw = _noise_source(process, x, len(lengths), noise, generator)
    advance = _stepper(process, step, draw)
    clock = times.to(x)
    kept = _kept_steps(len(lengths), record)
    row_of = {step_index: row for row, step_index in enumerate(kept)}
    states = x.new_empty(len(kept), *x.shape)
    rows = list(states)  # views to copy into; where a gradient flows, the states themselves

    def keep(i: int, x: Tensor) -> None:
        if i in row_of and x.requires_grad:
            rows[row_of[i]] = x
        elif i in row_of:
            rows[row_of[i]].copy_(x)

    keep(0, x)
    for i, h in enumerate(tqdm(lengths, desc="simulate", disable=not progress)):
        new = advance(i, x, clock[i], h)
        if not isinstance(new, Tensor) or new.shape != x.shape or new.dtype != x.dtype:
            raise ValueError(f"the step returned {_describe(new)}; expected {_describe(x)}")
        x = new
        keep(i + 1, x)
    if any(state.requires_grad for state in rows):
        states = torch.stack(rows)
    return Trajectory(clock[kept], states)


def _step_lengths(times: Tensor) -> list[float]:
    if not isinstance(times, Tensor) or times.ndim != 1 or len(times) < 2:
        raise ValueError(f"times is {_describe(times)}; expected shape (n,), two or more times")
    lengths = times.detach().double().diff()
    if not times.isfinite().all() or not (lengths > 0).all():
        raise ValueError("times are not finite and increasing; expected for example time_grid(100)")
    return lengths.tolist()


def _kept_steps(n_steps: int, record: int | None) -> list[int]:
    if record is None:
        return list(range(n_steps + 1))
    count = min(check_count("record", record), n_steps + 1)
    if count == 1:
        return [n_steps]
    return [round(k * n_steps / (count - 1)) for k in range(count)]


def _noise_source(
    process: ODE | SDE,
    x: Tensor,
    n_steps: int,
    noise: Tensor | None,
    generator: torch.Generator | None,
) -> Callable[[int], Tensor]:
    if noise is None:
        return lambda i: normal(x.shape, x, generator)
    if isinstance(process, ODE):
        raise ValueError("noise was given for an ODE; expected none")
    if noise.shape != (n_steps, *x.shape):
        raise ValueError(
            f"noise has shape {tuple(noise.shape)}; expected {(n_steps, *x.shape)}, one per step"
        )
    return lambda i: noise[i]


def _stepper(
    process: ODE | SDE, step: Callable[..., Tensor] | str | None, draw: Callable[[int], Tensor]
) -> Callable[[int, Tensor, Tensor, float], Tensor]:
    """A function (i, x, t, h) that makes step i, whatever the kind of process and of step."""
    if step is not None and step != "exact" and not callable(step):
        raise ValueError(f"step is {step!r}; expected a function, 'exact' or None")
    if isinstance(process, ODE):
        if step == "exact":
            return lambda i, x, t, h: process.transition(x, h).mean
        ode_step: Callable[..., Tensor] = step if callable(step) else euler_step
        return lambda i, x, t, h: ode_step(process.velocity, x, t, h)
    if step == "exact":
        return lambda i, x, t, h: process.transition(x, h).sample(draw(i))
    sde_step: Callable[..., Tensor] = step if callable(step) else euler_maruyama_step
    return lambda i, x, t, h: sde_step(process.drift, process.diffusion, x, t, h, draw(i))


def _describe(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a {value.dtype} tensor of shape {tuple(value.shape)}"
    return f"a {type(value).__name__}"
