"""Weights in a file: safetensors, which holds numbers and names and nothing that could run.

>>> import tempfile
>>> from course_lib.networks import MLP
>>> with tempfile.TemporaryDirectory() as folder:
...     save_weights(MLP(dim=2), f"{folder}/mlp.safetensors")
...     load_weights(MLP(dim=2), f"{folder}/mlp.safetensors")
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

__all__ = ["load_weights", "read_weights", "save_weights"]


def save_weights(
    model: nn.Module, file: str | Path, metadata: Mapping[str, str] | None = None
) -> None:
    """Write the weights of `model` to a safetensors `file`, in float32, over what is there.

    Args:
        model: any module; it stays as it is, on its device.
        file: ends in .safetensors.
        metadata: words to keep with the weights, by name.

    Raises:
        ValueError: another ending, or a weight that is NaN or infinite.
        OSError: the file cannot be written.
    """
    if Path(file).suffix != ".safetensors":
        raise ValueError(f"file is {str(file)!r}; expected a name that ends in .safetensors")
    weights = {name: _for_a_file(weight) for name, weight in model.state_dict().items()}
    _check_finite("the model", weights)
    Path(file).write_bytes(save(weights, dict(metadata or {})))  # save_file hides it from others


def load_weights(model: nn.Module, file: str | Path) -> None:
    """Fill `model`, in place, from a safetensors `file`; numbers take the model's own dtype.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not a safetensors file, weights of another network, NaN or infinite weights.
    """
    weights = read_weights(file)
    _check_names_and_shapes(type(model).__name__, model.state_dict(), Path(file).name, weights)
    model.load_state_dict(weights)


def read_weights(file: str | Path) -> dict[str, Tensor]:
    """The tensors of a safetensors `file`, by name, on the CPU.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not a safetensors file, NaN or infinite weights.
    """
    path = Path(file)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path.name} in {path.resolve().parent}.")
    try:
        with safe_open(path, "pt") as stored:
            weights = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path.name} {_what_it_is(path)} ({error}).") from error
    _check_finite(path.name, weights)
    return weights


def _for_a_file(weight: Tensor) -> Tensor:
    weight = weight.detach().cpu()
    return (weight.float() if weight.is_floating_point() else weight).clone().contiguous()


def _check_finite(owner: str, weights: Mapping[str, Tensor]) -> None:
    for name, weight in weights.items():
        if not torch.isfinite(weight).all():
            raise ValueError(f"In {owner} the weight {name} is NaN or infinite.")


def _what_it_is(path: Path) -> str:
    with path.open("rb") as stream:
        start = stream.read(4)
    if start == b"PK\3\4" or start[:1] == b"\x80":
        return (
            "is a pickle, as torch.save writes it, not a safetensors file: to load a stranger's "
            "pickle is to run a stranger's code"
        )
    return "is damaged, or no safetensors file" if start else "is empty"


def _check_names_and_shapes(
    network: str, own: Mapping[str, Tensor], file: str, weights: Mapping[str, Tensor]
) -> None:
    """ValueError with the first weight that does not fit."""
    for name, weight in own.items():
        if name not in weights:
            raise ValueError(f"{file} does not fit {network}: it has no weight {name}.")
        came, wanted = tuple(weights[name].shape), tuple(weight.shape)
        if came != wanted:
            raise ValueError(
                f"{file} does not fit {network}: its {name} has shape {came}, expected {wanted}."
            )
    for name in weights:
        if name not in own:
            raise ValueError(f"{file} does not fit {network}, which has no weight {name}.")
