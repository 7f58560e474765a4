"""A multilayer perceptron for points: x, features of t and a label in, a vector like x out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from course_lib.networks.fourier_features import FourierFeatures
from course_lib.networks.time_features import TimeFeatures
from course_lib.shapes import check_count, check_points, expand_time

__all__ = ["MLP"]


class MLP(nn.Module):
    """`depth` hidden layers of `width` units with SiLU between them. It starts as zero everywhere.

    Args:
        dim: dimension d of a point.
        width: units of a hidden layer.
        depth: number of hidden layers.
        labels: number of labels y = 0 … labels - 1; None for a network without.
        fourier: number of random frequencies of x beside x itself; 0 for none.
        scale: of the frequencies: about 1 / the length over which the target changes, so larger
            where it has sharp edges.

    Raises:
        ValueError: an argument outside its range.
    """

    def __init__(
        self,
        dim: int = 2,
        width: int = 64,
        depth: int = 3,
        labels: int | None = None,
        fourier: int = 32,
        scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.dim = check_count("dim", dim)
        check_count("width", width)
        check_count("fourier", fourier, least=0)
        self.of_time = TimeFeatures()
        self.of_x = FourierFeatures(dim, fourier, scale) if fourier else None
        self.of_label = (
            nn.Embedding(check_count("labels", labels), width) if labels is not None else None
        )
        self.first = nn.Linear(dim + 2 * fourier + 2 * len(self.of_time.frequencies), width)
        layers: list[nn.Module] = [nn.SiLU()]
        for _ in range(check_count("depth", depth) - 1):
            layers += [nn.Linear(width, width), nn.SiLU()]
        self.rest = nn.Sequential(*layers, nn.Linear(width, dim))
        for weight in self.rest[-1].parameters():
            nn.init.zeros_(weight)

    def forward(self, x: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        """The network's value at points `x` (batch, dim); shaped like `x`.

        Args:
            x: points (batch, dim).
            t: times, shape () or (batch,).
            y: labels (batch,), whole numbers, if and only if the network has labels.

        Raises:
            ValueError: another shape, labels missing, not asked for or out of range.
        """
        check_points(x, self.dim)
        if x.ndim != 2:
            raise ValueError(f"x has shape {tuple(x.shape)}; expected (batch, {self.dim})")
        times = self.of_time(expand_time(t, x).to(x).expand(len(x), 1).squeeze(1))
        features = [x, times] if self.of_x is None else [x, times, self.of_x(x)]
        h = self.first(torch.cat(features, dim=1))
        if self.of_label is not None:
            h = h + self.of_label(_checked(y, len(x), self.of_label.num_embeddings))
        elif y is not None:
            raise ValueError("labels y were given to an MLP without; expected MLP(labels=...)")
        return self.rest(h)


def _checked(y: Tensor | None, batch: int, labels: int) -> Tensor:
    if not isinstance(y, Tensor) or y.is_floating_point() or y.shape != (batch,):
        got = f"{y.dtype} {tuple(y.shape)}" if isinstance(y, Tensor) else type(y).__name__
        raise ValueError(f"y is {got}; expected whole numbers of shape ({batch},)")
    if ((y < 0) | (y >= labels)).any():
        raise ValueError(f"y has labels from {y.min()} to {y.max()}; expected 0 to {labels - 1}")
    return y
