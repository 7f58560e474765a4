"""A training that can be watched, stopped and gone on with: the ingredients of `fit`, by steps."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor, nn

from course_lib.paths import GaussianPath, Linear, Schedule
from course_lib.training.adam import Adam
from course_lib.widgets.flow_truth import Learned, Truth
from course_lib.widgets.yours import Own

__all__ = ["LiveTraining", "Look", "cfm_loss"]

BATCH, RATE = 512, 0.01
WARMUP, SLOWER = 20, 200  # steps until the rate is highest, and until it falls
KEEP = 0.999  # of the running average of the weights in a step


def cfm_loss(model: nn.Module, schedule: Schedule, z: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    """The conditional flow matching loss, Notes (44); `z` and `noise` (n, 2), `t` (n,)."""
    path = GaussianPath(schedule)
    error = model(path.sample(z, t, noise), t) - path.target(z, t, noise)
    return error.square().sum(dim=1).mean()


@dataclass(frozen=True)
class Look:
    """How far a training is.

    Attributes:
        flow: of the present network.
        losses: of every step so far, (steps,).
        errors: of the flow at each look, (step, error) each, (looks, 2).
        seconds: spent, pictures included.
    """

    flow: Learned
    losses: Tensor
    errors: Tensor
    seconds: float


class LiveTraining:
    """Steps of Adam down a loss on fresh batches, by a network of its own.

    There is no last step that a learning rate could fall to 0 at, as in `fit`: it falls as
    1 / √step. As there, the model is a running average of the weights.

    Args:
        network: a module of (x, t), of which a copy is trained.
        loss: of (model, schedule, z, t, noise).
        truth: about the data.

    Attributes:
        model: the averaged network.
        losses: of every step.
        seconds: spent, as the caller counts them.
        broken: why the network is of no use any more, or "".
    """

    def __init__(self, network: nn.Module, loss: Own, truth: Truth) -> None:
        self.loss, self.truth = loss, truth
        self.losses: list[float] = []
        self.seconds, self.broken = 0.0, ""
        self.model = copy.deepcopy(network).cpu().eval().requires_grad_(False)
        self._network = copy.deepcopy(self.model).train().requires_grad_(True)
        self._optimizer = Adam(self._network.parameters())
        self._generator = torch.Generator().manual_seed(0)
        self._errors: list[tuple[int, float]] = []

    def step(self) -> None:
        """One step.

        Raises:
            ValueError: what the loss returned is no finite number that depends on the network.
        """
        loss = self._loss(BATCH, self._generator)
        self._network.zero_grad()
        loss.backward()
        if all(weight.grad is None for weight in self._network.parameters()):
            raise ValueError(f"{self.loss.name} does not depend on the model that it is given")
        self.losses.append(loss.item())
        n = len(self.losses)
        self._optimizer.step(RATE * min(1, n / WARMUP) / (1 + n / SLOWER) ** 0.5)
        share = 1 - min(KEEP, (1 + n) / (10 + n))
        with torch.no_grad():
            pairs = zip(self.model.parameters(), self._network.parameters(), strict=True)
            for average, weight in pairs:
                average.lerp_(weight, share)

    def fault(self) -> str:
        """What is wrong with the loss, found without a step; or ""."""
        try:
            self._loss(BATCH, torch.Generator().manual_seed(1))
        except ValueError as error:
            return str(error)
        return ""

    def _loss(self, n: int, generator: torch.Generator) -> Tensor:
        z = self.truth.cloud.sample(n, generator)
        t = torch.rand(n, generator=generator)
        noise = torch.randn(n, 2, generator=generator)
        return self.loss.loss(self._network, Linear(), z, t, noise)

    def look(self) -> Look:
        """The present state.

        Raises:
            ValueError: the network raises an exception, or returns no finite arrows.
        """
        try:
            flow = self.truth.learned(self.model)
        except ValueError as error:
            if not self.losses:
                raise
            self.broken = (
                f"After {len(self.losses):,} steps down {self.loss.name}: {error}. "
                "Start anew begins with a new network."
            )
            if known := vars(self).get("last"):
                losses = torch.tensor(self.losses)
                self.last = replace(known, losses=losses, seconds=self.seconds)
            raise ValueError(self.broken) from error
        self._errors.append((len(self.losses), flow.error))
        self.last = Look(flow, torch.tensor(self.losses), torch.tensor(self._errors), self.seconds)
        return self.last

    @cached_property
    def last(self) -> Look:
        """The state at the last look; the first is that of the untrained network."""
        return self.look()
