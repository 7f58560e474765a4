"""The marginal p_t(x) = ∫ N(x; α z, β² I) p_data(z) dz, Notes (14), in closed form.

Given x, component k of the data has the posterior probability r_k(x). From E[z|x] and the score
s = -E[ε|x] / β, all else follows: the velocity E[α̇ z + β̇ ε|x] is α̇ E[z|x] - β β̇ s.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from course_lib.distributions import Distribution, Empirical, Gaussian, GaussianMixture
from course_lib.noise import categorical, normal
from course_lib.oracles.components import (
    Components,
    GaussianComponents,
    PointComponents,
    precise,
)
from course_lib.paths import GaussianPath
from course_lib.shapes import check_alike, check_count, check_time, expand_time

__all__ = ["Marginal"]

_LARGEST = 2**27  # entries of the covariance matrices that `at` builds: 1 GiB in float64
_NO_DENSITY = (
    "t is 1, where finite data are points without a density, score or velocity; expected t below 1"
)


class Marginal:
    """The exact law of x_t = α z + β ε, and all that a network could learn about it.

    Every method takes points or images `x` (batch, ...) shaped like the data and times `t` in
    [0, 1], a number or of shape () or (batch,). With labels `y` (batch,), row i is about the data
    of label y[i] alone: Notes §5.1 calls these quantities guided. All is computed in float64 and
    returned in the dtype of x; gradients flow through x and t.

    Finite data have no density, score or velocity at t = 1, where every method but `sample`
    raises ValueError. So does a wrong shape, a time outside [0, 1] or an unknown label.

    Args:
        path: the Gaussian path.
        data: a Gaussian, a GaussianMixture, or Empirical points of any shape.
        labels: integers (k,), one a component or point; None takes the labels that Empirical
            data have, and numbers the components of a mixture 0..k-1.

    Attributes:
        labels: shape (k,), or None for data without.

    Raises:
        ValueError: a path or data of another kind, or labels of another shape.
    """

    def __init__(self, path: GaussianPath, data: Distribution, labels: Any = None) -> None:
        if not isinstance(path, GaussianPath):
            raise ValueError(f"path is a {type(path).__name__}; expected a GaussianPath")
        self.path = path
        self._components: Components
        self._data: GaussianMixture | Empirical
        if isinstance(data, Gaussian):
            data = GaussianMixture(data.mean[None], data.covariance[None])
        if isinstance(data, GaussianMixture):
            self._data, self._shape = data, data.means.shape[1:]
            self._components = GaussianComponents(data.means, data.covariances, data.weights)
            given = torch.arange(len(data.means)) if labels is None else labels
        elif isinstance(data, Empirical):
            self._data, self._shape = data, data.points.shape[1:]
            self._components = PointComponents(data.points.flatten(1))
            given = data.labels if labels is None else labels
        else:
            raise ValueError(
                f"data is a {type(data).__name__}; expected Gaussian, GaussianMixture or Empirical"
            )
        device = self._components.weights.device
        self.labels = None if given is None else torch.as_tensor(given, device=device)
        if self.labels is not None:
            _check_integers("labels", self.labels, len(self._components.weights))

    def log_prob(self, x: Tensor, t: Tensor | float, y: Tensor | None = None) -> Tensor:
        """log p_t(x), Notes (14); shape (batch,)."""
        return self._given(x, t, y).log_joint.logsumexp(-1).to(x)

    def responsibilities(self, x: Tensor, t: Tensor | float, y: Tensor | None = None) -> Tensor:
        """Posterior probability r_k(x) of each component or point; shape (batch, k)."""
        return self._given(x, t, y).shares.to(x)

    def denoiser(self, x: Tensor, t: Tensor | float, y: Tensor | None = None) -> Tensor:
        """E[z|x], the mean of the data that may have led to x; shaped like `x`."""
        denoised, _ = self._components.expectations(*self._given(x, t, y).posterior)
        return denoised.reshape(x.shape).to(x)

    def score(self, x: Tensor, t: Tensor | float, y: Tensor | None = None) -> Tensor:
        """∇ log p_t(x), Notes (51); shaped like `x`."""
        _, score = self._components.expectations(*self._given(x, t, y).posterior)
        return score.reshape(x.shape).to(x)

    def noise(self, x: Tensor, t: Tensor | float, y: Tensor | None = None) -> Tensor:
        """E[ε|x] = -β ∇ log p_t(x); shaped like `x`."""
        at = self._given(x, t, y)
        _, score = self._components.expectations(*at.posterior)
        return (-at.beta * score).reshape(x.shape).to(x)

    def velocity(self, x: Tensor, t: Tensor | float, y: Tensor | None = None) -> Tensor:
        """u_t(x) = E[α̇ z + β̇ ε|x], Notes (19); shaped like `x`."""
        at = self._given(x, t, y)
        denoised, score = self._components.expectations(*at.posterior)
        return (at.alpha_dot * denoised - at.beta_beta_dot * score).reshape(x.shape).to(x)

    def posterior_variance(self, x: Tensor, t: Tensor | float, y: Tensor | None = None) -> Tensor:
        """Trace of Cov(z|x), the mean squared error of the denoiser at x; shape (batch,)."""
        return self._components.variance(*self._given(x, t, y).posterior).to(x)

    def sample(
        self,
        n: int,
        t: Tensor | float,
        generator: torch.Generator | None = None,
        y: Tensor | None = None,
    ) -> Tensor:
        """Draw `n` samples x = α z + β ε, Notes (17), shape (n, ...); `t` and `y` may be (n,)."""
        chosen = self._draw(check_count("n", n), generator, y)
        if isinstance(self._data, GaussianMixture):
            z = self._data.sample_components(chosen, generator)
        else:
            z = self._data.points[chosen]
        return self.path.sample(z, t, normal(z.shape, z, generator))

    def at(self, t: float, y: int | None = None) -> GaussianMixture:
        """The law of x_t at one time `t`, of the data with label `y` if given, as a Density.

        Images are flattened. ValueError for so many points in so many dimensions that a matrix
        for each is too large; the other methods need none.
        """
        time = check_time(torch.as_tensor(t, dtype=torch.float64, device="cpu"))
        if time.ndim != 0:
            raise ValueError(f"t has shape {tuple(time.shape)}; expected one number")
        weights = self._log_weights(None if y is None else torch.tensor([y]), 1).exp().flatten()
        chosen = weights > 0
        alpha, beta = self.path.schedule.alpha(time).item(), self.path.schedule.beta(time).item()
        if isinstance(self._data, GaussianMixture):
            means, covariances = self._data.means[chosen], self._data.covariances[chosen]
            noise = beta**2 * torch.eye(means.shape[1]).to(means)
            return GaussianMixture(alpha * means, alpha**2 * covariances + noise, weights[chosen])
        if beta == 0:
            raise ValueError(_NO_DENSITY)
        means = self._data.points[chosen].flatten(1)
        if means.numel() * means.shape[1] > _LARGEST:
            raise ValueError(
                f"{len(means)} points in {means.shape[1]} dimensions need too many matrices of "
                "that size; expected fewer, or call log_prob and score"
            )
        return GaussianMixture(alpha * means, beta**2, weights[chosen])

    def _given(self, x: Tensor, t: Tensor | float, y: Tensor | None) -> _Given:
        check_alike(x=x)
        if x.shape[1:] != self._shape:
            expected = ", ".join(["batch", *map(str, self._shape)])
            raise ValueError(f"x has shape {tuple(x.shape)}; expected ({expected})")
        flat, schedule = precise(x.flatten(1)), self.path.schedule
        time = precise(check_time(expand_time(t, flat))).to(flat.device).reshape(-1, 1)
        alpha, beta = schedule.alpha(time), schedule.beta(time)
        if isinstance(self._data, Empirical) and (beta == 0).any():
            raise ValueError(_NO_DENSITY)
        log_weights = self._log_weights(y, len(x)).to(flat)
        return _Given(
            x=flat,
            alpha=alpha,
            beta=beta,
            alpha_dot=schedule.alpha_dot(time),
            beta_beta_dot=schedule.beta_squared_dot(time) / 2,
            log_joint=self._components.log_prob(flat, alpha, beta) + log_weights,
        )

    def _log_weights(self, y: Tensor | None, batch: int) -> Tensor:
        """Log prior weights of the components (k,), or given the labels y, (batch, k)."""
        weights = self._components.weights.log()
        if y is None:
            return weights
        if self.labels is None:
            raise ValueError("y was given, but these data have no labels; expected y=None")
        y = torch.as_tensor(y, device=weights.device)
        _check_integers("y", y, batch)
        known = self.labels[weights > -torch.inf]
        if not torch.isin(y, known).all():
            raise ValueError(f"y has {y.unique().tolist()}; expected {known.unique().tolist()}")
        weights = weights.masked_fill(self.labels != y[:, None], -torch.inf)
        return weights.log_softmax(-1)

    def _draw(self, n: int, generator: torch.Generator | None, y: Tensor | None) -> Tensor:
        """Components (n,) drawn by their weights, or by their weights given y."""
        if y is None:
            return categorical(self._components.weights, n, generator)
        chosen = torch.empty(n, dtype=torch.long, device=self._components.weights.device)
        y = torch.as_tensor(y, device=chosen.device)
        _check_integers("y", y, n)
        for label in y.unique():
            rows = y == label
            weights = self._log_weights(label[None], 1)[0].exp()
            chosen[rows] = categorical(weights, int(rows.sum()), generator)
        return chosen


class _Given(NamedTuple):
    """x (batch, d) in float64, the schedule (batch, 1) or (1, 1), and log w_k p_k(x) (batch, k)."""

    x: Tensor
    alpha: Tensor
    beta: Tensor
    alpha_dot: Tensor
    beta_beta_dot: Tensor
    log_joint: Tensor

    @property
    def shares(self) -> Tensor:
        return self.log_joint.softmax(-1)

    @property
    def posterior(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return self.x, self.alpha, self.beta, self.shares


def _check_integers(name: str, value: Tensor, count: int) -> None:
    if value.shape != (count,) or value.is_floating_point() or value.is_complex():
        raise ValueError(
            f"{name} is {value.dtype} of shape {tuple(value.shape)}; expected ({count},) integers"
        )
