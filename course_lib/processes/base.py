"""ODE: dX = u_t(X) dt, Notes (1a). SDE: dX = u_t(X) dt + σ_t dW, Notes (7a)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from course_lib.distributions import Density
from course_lib.processes.transition import Transition

__all__ = ["ODE", "SDE", "Diffusion", "Field", "Process"]

Field = Callable[[Tensor, Tensor], Tensor]
"""A velocity or drift: x (batch, ...) and t, () or (batch,), to a tensor shaped like x."""

Diffusion = Callable[[Tensor], Tensor]
"""A diffusion coefficient σ_t: t, () or (batch,), to a tensor shaped like t."""


class Process:
    """What an ODE and an SDE share: laws that some of them know in closed form."""

    def transition(self, x: Tensor, elapsed: float | Tensor) -> Transition:
        """Law of the state `elapsed` after it was `x`, where that is known.

        Args:
            x: the state now, shape (batch, ...).
            elapsed: time that passes, zero or more, a number or shape () or (batch,).

        Raises:
            NotImplementedError: no closed form is known.
            ValueError: `elapsed` is negative or of another shape.
        """
        raise NotImplementedError(f"{type(self).__name__} has no known transition law")

    def stationary(
        self,
        dim: int,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> Density:
        """Law that the process keeps, and tends to, in `dim` dimensions, where there is one.

        Raises:
            NotImplementedError: there is none, or none is known.
        """
        raise NotImplementedError(f"{type(self).__name__} has no known stationary law")


class ODE(Process):
    """The equation dX = u_t(X) dt of Notes (1a).

    Args:
        velocity: `velocity(x, t)`, shaped like `x` (batch, ...), for t of shape () or (batch,).
    """

    def __init__(self, velocity: Field) -> None:
        self._velocity = velocity

    def velocity(self, x: Tensor, t: Tensor) -> Tensor:
        """u_t(x), shaped like `x`."""
        return self._velocity(x, t)


class SDE(Process):
    """The equation dX = u_t(X) dt + σ_t dW of Notes (7a).

    Args:
        drift: `drift(x, t)`, shaped like `x` (batch, ...), for t of shape () or (batch,).
        diffusion: `diffusion(t)`, shaped like `t`.
    """

    def __init__(self, drift: Field, diffusion: Diffusion) -> None:
        self._drift = drift
        self._diffusion = diffusion

    def drift(self, x: Tensor, t: Tensor) -> Tensor:
        """u_t(x), shaped like `x`."""
        return self._drift(x, t)

    def diffusion(self, t: Tensor) -> Tensor:
        """σ_t, shaped like `t`."""
        return self._diffusion(t)
