"""The training loop: θ ← step(θ, ∇_θ loss(θ)), by Adam or Muon, until its budget is used up."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm.auto import tqdm

from course_lib.shapes import check_count, check_number
from course_lib.training.adam import Adam
from course_lib.training.muon import Muon

__all__ = ["Fit", "History", "fit"]

Model = TypeVar("Model", bound=nn.Module)

_OPTIMIZERS = {"adam": Adam, "muon": Muon}

_NO_GRADIENT = "the loss has no gradient for the model; expected one computed from loss(model, ...)"


@dataclass(frozen=True)
class History:
    """How the training went, an entry a step.

    Attributes:
        steps: number of the step, from 1, shape (n,).
        losses: loss before the step, shape (n,).
        seconds: wall-clock time from the start to the end of the step, shape (n,).
    """

    steps: Tensor
    losses: Tensor
    seconds: Tensor


@dataclass(frozen=True)
class Fit(Generic[Model]):
    """What `fit` returns: the averaged `model`, in eval mode and frozen, and the `history`."""

    model: Model
    history: History


def fit(
    model: Model,
    loss: Callable[[Model, torch.Generator], Tensor],
    *,
    steps: int | None = None,
    seconds: float | None = None,
    optimizer: str = "adam",
    lr: float = 2e-3,
    warmup: int = 20,
    ema: float = 0.999,
    seed: int = 0,
    progress: bool = True,
) -> Fit[Model]:
    """Train `model`, in place, to lower `loss`; return a copy of it averaged over the last steps.

    The learning rate rises over the first `warmup` steps and then falls to 0 as half a
    cosine. Given `steps`, the same seed gives the same result, bit for bit, if `loss` draws all
    that is random from its generator.

    An interrupt (the stop button, Ctrl-C) ends the training early and returns what was learned.

    Args:
        model: any module with parameters; it ends with the last, not the averaged, weights.
        loss: `loss(model, generator)`, a scalar to be made small. The generator is on the
            model's device.
        steps: number of steps.
        seconds: wall-clock time to stop at. With both, whichever comes first.
        optimizer: "adam", or "muon", which for convolutions needs fewer steps.
        lr: highest learning rate.
        warmup: number of steps before the learning rate is highest.
        ema: decay of the exponential moving average of the weights, in [0, 1).
        seed: of the generator.
        progress: whether to show a progress bar.

    Returns:
        The averaged model, and the history.

    Raises:
        ValueError: neither steps nor seconds, an argument outside its range, a model without
            parameters, a loss that is not a scalar tensor with a gradient, or not finite.
    """
    if steps is None and seconds is None:
        raise ValueError("neither steps nor seconds is given; expected at least one")
    most_steps = math.inf if steps is None else check_count("steps", steps)
    most_seconds = math.inf if seconds is None else check_number("seconds", seconds, positive=True)
    check_number("lr", lr, positive=True)
    check_count("warmup", warmup, least=0)
    if optimizer not in _OPTIMIZERS:
        raise ValueError(f"optimizer is {optimizer!r}; expected one of {', '.join(_OPTIMIZERS)}")
    if not 0 <= ema < 1:
        raise ValueError(f"ema is {ema}; expected a number in [0, 1)")
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    if not weights:
        raise ValueError(f"{type(model).__name__} has no parameter to train; expected one or more")

    generator = torch.Generator(weights[0].device).manual_seed(seed)
    descend = _OPTIMIZERS[optimizer](weights).step
    averaged = AveragedModel(model, multi_avg_fn=_averaging(ema))
    rows: list[tuple[float, float]] = []  # loss and time, together however a run is interrupted
    used = 0.0  # share of the budget
    model.train()
    start = time.perf_counter()
    layout = "{l_bar}{bar}| {elapsed}<{remaining}{postfix}"
    bar = tqdm(total=1.0, desc="fit", bar_format=layout, disable=not progress)
    try:
        while used < 1:
            step = len(rows) + 1
            rise, fall = min(1.0, step / (warmup + 1)), (1 + math.cos(math.pi * used)) / 2
            value = loss(model, generator)
            number = _checked(value, step)
            model.zero_grad()
            value.backward()
            if all(weight.grad is None for weight in weights):
                raise ValueError(_NO_GRADIENT)
            descend(lr * rise * fall)
            averaged.update_parameters(model)
            rows.append((number, time.perf_counter() - start))
            used = max(step / most_steps, rows[-1][1] / most_seconds)
            bar.set_postfix_str(f"step {step}, loss {number:.4g}", refresh=False)
            bar.update(min(used, 1.0) - bar.n)
    except KeyboardInterrupt:
        warnings.warn(f"interrupted after {len(rows)} steps", stacklevel=2)
    finally:
        bar.close()
    average: Any = averaged.module.eval().requires_grad_(False)
    losses, times = torch.tensor(rows, dtype=torch.float64).reshape(-1, 2).unbind(1)
    return Fit(average, History(torch.arange(1, len(rows) + 1), losses, times))


def _averaging(ema: float) -> Callable[..., None]:
    """The moving average of torch, over the last tenth of the run while that is still short.

    With a constant decay of 0.999 the first weights would still have a share of 74 % after 300
    steps; with (1 + n) / (10 + n) after n steps they are soon forgotten.
    """

    def average(averaged: list[Tensor], current: list[Tensor], n: Tensor | int) -> None:
        decay = min(ema, (1 + int(n)) / (10 + int(n)))
        get_ema_multi_avg_fn(decay)(averaged, current, n)

    return average


def _checked(loss: object, step: int) -> float:
    """The value of a loss that can be lowered."""
    if not isinstance(loss, Tensor):
        raise ValueError(f"the loss is a {type(loss).__name__}; expected a scalar tensor")
    if loss.ndim != 0:
        raise ValueError(f"the loss has shape {tuple(loss.shape)}; expected (), a scalar")
    if not loss.requires_grad:
        raise ValueError(_NO_GRADIENT)
    if not math.isfinite(value := loss.item()):
        raise ValueError(f"the loss is {value} at step {step}; expected a finite number")
    return value
