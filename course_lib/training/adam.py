"""Adam: θ ← θ - lr m̂ / (√v̂ + ε), where m and v are running means of the gradient and its square.

`torch.optim.Adam` takes the same steps, to the last bit. But the first optimizer that a process
makes of torch.optim imports torch's compiler as well, which takes seconds; this one does not.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim.adam import adam

__all__ = ["Adam"]


class Adam:
    """Steps for `weights`, down the gradients that they have; a weight without one stays.

    Args:
        weights: the tensors to train, of one device.
        betas: how much the running means keep in a step.
    """

    def __init__(
        self, weights: Iterable[Tensor], betas: tuple[float, float] = (0.9, 0.999)
    ) -> None:
        self.weights, self.betas = list(weights), betas
        self.means = [torch.zeros_like(weight) for weight in self.weights]
        self.squares = [torch.zeros_like(weight) for weight in self.weights]
        self.counts = [torch.zeros((), device=weight.device) for weight in self.weights]

    @torch.no_grad()
    def step(self, lr: float) -> None:
        """Change the weights in place, at the learning rate `lr`."""
        state = zip(self.weights, self.means, self.squares, self.counts, strict=True)
        rows = [(row[0], row[0].grad, *row[1:]) for row in state if row[0].grad is not None]
        if not rows:
            return
        weights, gradients, means, squares, counts = (
            list(column) for column in zip(*rows, strict=True)
        )
        adam(
            weights,
            gradients,
            means,
            squares,
            [],
            counts,
            fused=all(weight.device.type in {"cpu", "cuda"} for weight in weights),  # one pass
            amsgrad=False,
            beta1=self.betas[0],
            beta2=self.betas[1],
            lr=lr,
            weight_decay=0.0,
            eps=1e-8,
            maximize=False,
        )
