"""A mixture p = Σ_k w_k p_k: its score is Σ_k r_k(x) ∇ log p_k(x), with responsibilities r_k."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from course_lib.distributions.base import Density
from course_lib.noise import categorical
from course_lib.shapes import as_floats, check_count

__all__ = ["Mixture", "normalised_weights"]


class Mixture(Density):
    """A weighted sum of k densities, each with a known score. `weights` (k,) sum to 1."""

    weights: Tensor

    @abstractmethod
    def component_log_prob(self, x: Tensor) -> Tensor:
        """Log density log p_k(x) of every component at `x` (..., d); shape (..., k)."""

    @abstractmethod
    def component_score(self, x: Tensor) -> Tensor:
        """Score ∇ log p_k(x) of every component at `x` (..., d); shape (..., k, d)."""

    @abstractmethod
    def sample_components(self, labels: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """One sample of component `labels[i]` for each i; labels (n,), result (n, d)."""

    def sample_labelled(
        self, n: int, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Draw `n` samples (n, d) and the components (n,) they come from."""
        labels = categorical(self.weights, check_count("n", n), generator)
        return self.sample_components(labels, generator), labels

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw `n` samples, shape (n, d)."""
        return self.sample_labelled(n, generator)[0]

    def responsibilities(self, x: Tensor) -> Tensor:
        """Posterior probability r_k(x) = w_k p_k(x) / p(x) of each component; shape (..., k)."""
        return self._weighted(x).softmax(-1)

    def log_prob(self, x: Tensor) -> Tensor:
        """Log density log Σ_k w_k p_k(x) at `x` (..., d); shape (...)."""
        return self._weighted(x).logsumexp(-1)

    def score(self, x: Tensor) -> Tensor:
        """Score Σ_k r_k(x) ∇ log p_k(x) at `x` (..., d), shaped like `x`."""
        shares = self.responsibilities(x).unsqueeze(-2)
        return (shares @ self.component_score(x)).squeeze(-2)

    def _weighted(self, x: Tensor) -> Tensor:
        return self.component_log_prob(x) + self.weights.to(x).log()


def normalised_weights(weights: object, like: Tensor, k: int) -> Tensor:
    """Relative `weights` (k,), or equal ones for None, scaled to sum to 1."""
    given = as_floats("weights", [1.0] * k if weights is None else weights, like.dtype, like.device)
    if given.shape != (k,):
        raise ValueError(f"weights has shape {tuple(given.shape)}; expected ({k},)")
    if (given < 0).any() or given.sum() <= 0:
        raise ValueError(f"weights are {given.tolist()}; expected none negative and one positive")
    return given / given.sum()
