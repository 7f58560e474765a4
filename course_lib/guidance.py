"""Classifier-free guidance: ũ_t(x|y) = (1 - w) u_t(x) + w u_t(x|y), Notes (70).

One network gives both fields, trained on labels of which some are dropped. To sample from it:

    velocity = guided(model, y, 2.0)
    simulate(ODE(velocity), noise, time_grid(12), step=heun_step).final

The same with noise on the way, Notes (77) and below:

    def drift(x, t):
        u = velocity(x, t)
        return u + sigma**2 / 2 * path.convert(u, x, t, given="velocity", wanted="score")

    simulate(SDE(drift, lambda t: sigma), noise, time_grid(100)).final

For w ≠ 1 the two sample different laws, and neither that of p(x|y)^w p(x)^(1-w): the guided score
is no score of the guided flow.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from course_lib.processes import Field
from course_lib.shapes import check_alike, check_number

__all__ = ["LabelledField", "drop_labels", "guided"]

LabelledField = Callable[[Tensor, Tensor, Tensor | None], Tensor]
"""field(x, t, y), shaped like x (batch, ...), for labels y (batch,), or y = None for no label."""


def drop_labels(y: Tensor, rate: float, null_label: int, uniform: Tensor) -> Tensor:
    """Replace each label by the null label with probability `rate`: the ∅ of Notes (69).

    Args:
        y: labels, integers (batch,).
        rate: probability η of dropping a label, in [0, 1].
        null_label: the integer that stands for "no label".
        uniform: numbers in [0, 1), shape (batch,); label i is dropped where uniform[i] < rate.

    Returns:
        New labels, of the shape, dtype and device of `y`.

    Raises:
        ValueError: a wrong shape or dtype, or a number outside its range.
    """
    _check_labels(y)
    if not isinstance(rate, int | float) or not 0 <= rate <= 1:
        raise ValueError(f"rate is {rate!r}; expected a probability in [0, 1]")
    if isinstance(null_label, bool) or not isinstance(null_label, int) or null_label < 0:
        raise ValueError(f"null_label is {null_label!r}; expected a whole number, 0 or more")
    check_alike(uniform=uniform)
    if uniform.shape != y.shape:
        raise ValueError(f"uniform has shape {tuple(uniform.shape)}; expected y's {tuple(y.shape)}")
    if not ((uniform >= 0) & (uniform < 1)).all():
        raise ValueError(
            f"uniform runs from {uniform.min().item()} to {uniform.max().item()}; "
            "expected numbers in [0, 1)"
        )
    return y.masked_fill(uniform < rate, null_label)


def guided(field: LabelledField, y: Tensor, scale: float) -> Field:
    """The guided field (1 - w) field(x, t, None) + w field(x, t, y), Notes (70) and (77).

    The field may predict velocity, score, noise or data, and all four describe one guided flow:
    each is an affine function of another, and the coefficients 1 - w and w sum to 1.

    Args:
        field: `field(x, t, y)`, shaped like `x`, with y = None for the field without a label.
        y: labels, integers (batch,), one for each state.
        scale: guidance scale w. At 0 the label counts for nothing and at 1 as in the data: there
            `field` is called once, and what it returns is returned. Else it is called twice.

    Returns:
        A function of x (batch, ...) and t, shaped like `x`: the velocity of an `ODE`, say. It
        raises ValueError for another batch than that of `y`, or a field not shaped like `x`.

    Raises:
        ValueError: labels that are no integers (batch,), or a scale that is not finite.
    """
    _check_labels(y)
    w = check_number("scale", scale)

    def at(x: Tensor, t: Tensor, y: Tensor | None) -> Tensor:
        value = field(x, t, y)
        if value.shape != x.shape:
            raise ValueError(
                f"the field has shape {tuple(value.shape)}; expected x's, {tuple(x.shape)}"
            )
        return value

    def mix(x: Tensor, t: Tensor) -> Tensor:
        if x.shape[:1] != y.shape:
            raise ValueError(f"x has shape {tuple(x.shape)}; expected a batch of {len(y)}, as y")
        if w == 0 or w == 1:
            return at(x, t, y if w else None)
        return (1 - w) * at(x, t, None) + w * at(x, t, y)

    return mix


def _check_labels(y: Tensor) -> None:
    if not isinstance(y, Tensor):
        raise ValueError(f"y is a {type(y).__name__}; expected a tensor of labels (batch,)")
    kind = str(y.dtype).removeprefix("torch.")
    if not kind.startswith(("int", "uint")) or y.ndim != 1 or len(y) == 0:
        raise ValueError(f"y is {kind} of shape {tuple(y.shape)}; expected integers (batch,)")
