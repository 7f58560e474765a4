"""The chessboard: uniform on the black squares, p = 1 / (black area), and 0 on the white."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course_lib.distributions.base import Density
from course_lib.noise import uniform
from course_lib.shapes import check_count, check_number, check_points

__all__ = ["Chessboard"]


class Chessboard(Density):
    """Uniform on the black squares of a board that covers [-half_width, half_width]².

    The square in the corner of the smallest coordinates is black.

    Args:
        squares: squares along one side.
        half_width: half the side of the board.

    Raises:
        ValueError: `squares` below 1, or a `half_width` that is not positive.
    """

    dim = 2

    def __init__(
        self,
        squares: int = 4,
        half_width: float = 2.0,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        self.squares = check_count("squares", squares)
        self.half_width = check_number("half_width", half_width, positive=True)
        self.side = 2 * self.half_width / squares
        rows, columns = torch.meshgrid(*[torch.arange(squares, device=device)] * 2, indexing="ij")
        black = (rows + columns) % 2 == 0
        corners = torch.stack([rows[black], columns[black]], dim=-1)
        self._corners = corners.to(dtype or torch.get_default_dtype())

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw `n` points on black squares, shape (n, 2)."""
        draws = uniform((check_count("n", n), 3), self._corners, generator)
        square = (draws[:, 0] * len(self._corners)).long().clamp(max=len(self._corners) - 1)
        # A hair's breadth from the edges, so that rounding never puts a point on white.
        edge = 4 * self.squares * torch.finfo(draws.dtype).eps
        points = self._corners[square] + draws[:, 1:].clamp(edge, 1 - edge)
        return points * self.side - self.half_width

    def contains(self, x: Tensor) -> Tensor:
        """Whether `x` (..., 2) lies on a black square; shape (...), bool."""
        check_points(x, self.dim)
        square = ((x + self.half_width) / self.side).floor()
        on_board = ((square >= 0) & (square < self.squares)).all(-1)
        return on_board & (square.sum(-1) % 2 == 0)

    def log_prob(self, x: Tensor) -> Tensor:
        """Log density at `x` (..., 2): the same on every black square, -inf elsewhere."""
        area = len(self._corners) * self.side**2
        on_black = torch.full_like(x[..., 0], -math.log(area))
        return on_black.masked_fill(~self.contains(x), -math.inf)

    def score(self, x: Tensor) -> Tensor:
        """Not defined: the density jumps at the edges of the squares."""
        raise NotImplementedError("a chessboard has no score: its density jumps at every edge")
