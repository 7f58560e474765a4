"""Train the generator of digits: `python -m course_lib.pretrained.train_digits`, about six minutes.

The guided flow matching loss, Notes (69): E |u(x_t, t, y) - (z - ε)|² over x_t = t z + (1 - t) ε,
where one label in ten is replaced by the null label.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn

from course_lib.datasets import MNIST
from course_lib.guidance import drop_labels, guided
from course_lib.metrics.digits import digit_quality
from course_lib.networks import UNet
from course_lib.paths import LinearPath
from course_lib.pretrained.load import FOLDER
from course_lib.processes import ODE
from course_lib.simulate import midpoint_step, simulate, time_grid
from course_lib.training import fit

__all__ = [
    "BATCH",
    "DROP",
    "LEARNING_RATE",
    "OPTIMIZER",
    "digit_loss",
    "sample_digits",
    "train_digits",
]

BATCH, DROP = 64, 0.1
OPTIMIZER, LEARNING_RATE = "muon", 6e-3


def digit_loss(
    batch: int = BATCH, drop: float = DROP
) -> Callable[[nn.Module, torch.Generator], Tensor]:
    """A loss for `fit`: the guided flow matching loss on `batch` digits of MNIST."""
    digits, path = MNIST(), LinearPath()

    def loss(model: nn.Module, generator: torch.Generator) -> Tensor:
        z, y = digits.sample(batch, generator)
        uniform, t = torch.rand(2, batch, generator=generator, device=z.device)
        noise = torch.randn(z.shape, generator=generator, device=z.device)
        y = drop_labels(y, drop, null_label=10, uniform=uniform)
        return (model(path.sample(z, t, noise), t, y) - path.target(z, t, noise)).square().mean()

    return loss


def sample_digits(
    model: nn.Module, y: Tensor, scale: float, generator: torch.Generator, n_steps: int = 6
) -> Tensor:
    """Digits `y`, shape (len(y), 1, 28, 28): the guided flow by `n_steps` of the midpoint rule."""
    noise = torch.randn(len(y), 1, 28, 28, generator=generator)
    with torch.no_grad():
        return simulate(
            ODE(guided(model, y, scale)), noise, time_grid(n_steps), step=midpoint_step
        ).final


def train_digits(file: Path, steps: int = 6000, seed: int = 0) -> None:
    """Train for `steps` batches, write the weights to `file`, print what the judge says."""
    torch.manual_seed(seed)
    run = fit(UNet(), digit_loss(), steps=steps, optimizer=OPTIMIZER, lr=LEARNING_RATE, seed=seed)
    weights = {name: weight.half() for name, weight in run.model.state_dict().items()}
    metadata = {"network": "UNet()", "seed": str(seed), "steps": str(steps)}
    file.write_bytes(save(weights, metadata))
    print(f"loss of the last 500 steps  {run.history.losses[-500:].mean():.4f}")
    print(f"size of the file            {file.stat().st_size / 1e6:.2f} MB")
    y = torch.arange(1000) % 10
    for scale in (0.0, 1.0, 2.0, 4.0, 8.0):
        digits = sample_digits(run.model, y, scale, torch.Generator().manual_seed(seed))
        print(f"w = {scale:g}: {digit_quality(digits, y)}")


if __name__ == "__main__":
    train_digits(FOLDER / "digits.safetensors")
