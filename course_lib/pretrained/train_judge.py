"""Train the judge of digits: `python -m course_lib.pretrained.train_judge`, about five minutes.

Cross-entropy with smoothed labels on digits that are turned, stretched and shifted a little.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from course_lib.datasets import MNIST
from course_lib.metrics.digits import digit_features, frechet_distance
from course_lib.networks.digit_classifier import DigitClassifier
from course_lib.networks.weights import save_weights
from course_lib.pretrained.load import FOLDER
from course_lib.training import fit

__all__ = ["train_judge", "write_statistics"]


def train_judge(file: Path, steps: int = 5000, batch: int = 128, seed: int = 0) -> float:
    """Train for `steps` batches, write the weights to `file`, return the test set's accuracy."""
    torch.manual_seed(seed)
    digits, test = MNIST("train"), MNIST("test")

    def loss(model: DigitClassifier, generator: torch.Generator) -> Tensor:
        x, y = digits.sample(batch, generator)
        return F.cross_entropy(model(distorted(x, generator)), y, label_smoothing=0.1)

    run = fit(DigitClassifier(), loss, steps=steps, lr=5e-3, warmup=200, ema=0.998, seed=seed)
    x, y = test.first(len(test))
    with torch.no_grad():
        guesses = torch.cat([run.model(part).argmax(1) for part in x.split(1000)])
    accuracy = (guesses == y).double().mean().item()
    metadata = {"seed": str(seed), "steps": str(steps), "test_accuracy": f"{accuracy:.4f}"}
    save_weights(run.model, file, metadata)
    print(f"loss of the last 100 steps  {run.history.losses[-100:].mean():.4f}")
    print(f"accuracy on the test set    {accuracy:.2%}")
    for digit in range(10):
        print(f"  of the digit {digit}            {(guesses == y)[y == digit].double().mean():.2%}")
    print(f"size of the file            {file.stat().st_size / 1e6:.2f} MB")
    return accuracy


def write_statistics(file: Path) -> None:
    """Write mean and covariance of the test set's features, which every judgement needs."""
    features = digit_features(MNIST("test").first(10_000)[0])
    halves = halves_distance(features, torch.Generator().manual_seed(0))
    mean, covariance = features.double().mean(0), features.double().mT.cov().contiguous()
    scalar = torch.tensor(halves, dtype=torch.float64)
    save_file({"mean": mean, "covariance": covariance, "halves": scalar}, file)
    print(f"distance between the halves {halves:.3f}")


def halves_distance(features: Tensor, generator: torch.Generator, n: int = 20) -> float:
    """Mean Fréchet distance between two halves of the features, over `n` random halvings."""
    orders = [torch.randperm(len(features), generator=generator) for _ in range(n)]
    return sum(frechet_distance(*features[order].chunk(2)) for order in orders) / n


def distorted(x: Tensor, generator: torch.Generator) -> Tensor:
    """Images (batch, 1, h, w), each turned up to 12°, stretched 10 %, shifted 2 pixels."""
    angle, stretch, right, down = 2 * torch.rand(4, len(x), generator=generator) - 1
    angle, stretch = math.radians(12) * angle, 1 + 0.1 * stretch
    cos, sin = stretch * angle.cos(), stretch * angle.sin()
    rows = [cos, -sin, 4 / x.shape[-1] * right, sin, cos, 4 / x.shape[-2] * down]
    grid = F.affine_grid(torch.stack(rows, 1).view(-1, 2, 3), list(x.shape), align_corners=False)
    return F.grid_sample(x + 1, grid, align_corners=False) - 1  # paper, -1, beyond the edge


if __name__ == "__main__":
    train_judge(FOLDER / "digit_judge.safetensors")
    write_statistics(FOLDER / "digit_statistics.safetensors")
