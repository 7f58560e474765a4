"""A network that starts from an exact answer: u(x, t, y) = v(x, t) + c(t) F((x - t μ) / σ, t, y).

v is the velocity of the linear path to N(μ, s² I), the Gaussian nearest to the data, and c its
root mean square error. So with F = 0 the light and the size of the data are right already, and F
learns only what makes them digits, from inputs and for outputs of size 1.
"""

from __future__ import annotations

from torch import Tensor, nn

from course_lib.shapes import check_number, expand_time

__all__ = ["GaussianStart"]


class GaussianStart(nn.Module):
    """A velocity from a `network` F(x, t, y) that starts as zero.

    Args:
        network: F; called with images or points of mean 0 and variance 1 at every time.
        mean: μ, the mean of all numbers of the data.
        std: s, their standard deviation.

    Raises:
        ValueError: `mean` not finite or `std` not positive.
    """

    def __init__(self, network: nn.Module, mean: float = -0.74, std: float = 0.62) -> None:
        super().__init__()
        self.network = network
        self.mean, self.std = check_number("mean", mean), check_number("std", std, positive=True)

    def forward(self, x: Tensor, t: Tensor | float, y: Tensor | None = None) -> Tensor:
        """The velocity at states `x` and times `t` for labels `y`; shaped like `x`.

        Raises:
            ValueError: what the network raises.
        """
        velocity, scaled, error = self.gaussian(x, t)
        return velocity + error * self.network(scaled, t, y)

    def gaussian(self, x: Tensor, t: Tensor | float) -> tuple[Tensor, Tensor, Tensor]:
        """The path x_t = (1 - t) ε + t z from noise to z ~ N(μ, s²): x_t ~ N(t μ, σ²).

        Here σ² = (1 - t)² + t² s².

        Returns:
            E[z - ε | x], the velocity, Notes (24); (x - t μ) / σ; and s / σ, the standard
            deviation of z - ε about its mean, given x.
        """
        t = expand_time(t, x).to(x)
        sigma = ((1 - t) ** 2 + (t * self.std) ** 2).sqrt()
        scaled = (x - t * self.mean) / sigma
        velocity = self.mean + (t * self.std**2 - (1 - t)) / sigma * scaled
        return velocity, scaled, self.std / sigma
