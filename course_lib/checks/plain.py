"""Answers as plain data: what leaves a student's kernel is arrays, numbers and words, no objects.

A tensor becomes an `Array`; `encode` turns plain data into JSON and `decode` turns it back.
Nothing here unpickles, so decoding a stranger's answer runs none of a stranger's code.
"""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

__all__ = ["Array", "NotPlain", "decode", "encode", "to_plain"]

MAX_BYTES = 64 * 2**20
MAX_HEADER = 2**16
MAX_DEPTH = 8
MAX_BITS = 1000  # a whole number that still is a float


class NotPlain(ValueError):
    """Something that has no plain form, or bytes that are not a plain answer."""


@dataclass(frozen=True)
class Array:
    """The numbers of a tensor (or numpy array), and what kind of thing held them."""

    values: np.ndarray
    kind: str = "tensor"
    device: str = "cpu"

    @property
    def dtype(self) -> str:
        return str(self.values.dtype)


def to_plain(value: Any, depth: int = 0) -> Any:
    """Turn an answer into plain data.

    Args:
        value: A tensor, numpy array, number, bool, string, None, or a list, tuple or dict of these.

    Raises:
        NotPlain: If the value is anything else (a function, a module, an object).
    """
    if depth > MAX_DEPTH:
        raise NotPlain(f"lists nested more than {MAX_DEPTH} deep")
    if isinstance(value, torch.Tensor):
        return _tensor_to_plain(value)
    if isinstance(value, np.ndarray):
        return _array_to_plain(value)
    if isinstance(value, np.generic):
        return to_plain(value.item(), depth + 1)
    if value is None or isinstance(value, bool | float | str):
        return value
    if isinstance(value, int):
        return _checked_int(value)
    if isinstance(value, list | tuple):
        return [to_plain(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {str(key): to_plain(item, depth + 1) for key, item in value.items()}
    if value is Ellipsis:
        raise NotPlain("`...`, which stands for what is not written yet,")
    raise NotPlain(f"a {type(value).__name__}")


def _tensor_to_plain(value: torch.Tensor) -> Array:
    if value.numel() * value.element_size() > MAX_BYTES:  # before an expanded view is written out
        raise NotPlain(f"a tensor of more than {MAX_BYTES // 2**20} MiB")
    tensor = value.detach()
    if tensor.dtype in (torch.bfloat16, torch.float16):
        tensor = tensor.float()
    try:
        values = tensor.cpu().contiguous().numpy().copy()
    except (TypeError, RuntimeError):  # sparse, quantised, on no device, …
        raise NotPlain(f"a tensor of {value.dtype}, {value.layout}") from None
    if values.dtype.kind not in "fiub":
        raise NotPlain(f"a tensor of {value.dtype}")
    return Array(values, "tensor", value.device.type)


def _array_to_plain(value: np.ndarray) -> Array:
    if value.dtype.kind not in "fiub" or value.dtype.itemsize > 8:
        raise NotPlain(f"a numpy array of {value.dtype}")
    if value.nbytes > MAX_BYTES:
        raise NotPlain(f"a numpy array of more than {MAX_BYTES // 2**20} MiB")
    return Array(value.astype(value.dtype.newbyteorder("=")), "numpy array")


def _checked_int(value: int) -> int:
    if value.bit_length() > MAX_BITS:
        raise NotPlain(f"a whole number of {value.bit_length()} bits")
    return value


def encode(value: Any) -> Any:
    """Plain data as JSON-ready data; an array becomes its .npy bytes in base64."""
    if isinstance(value, Array):
        buffer = io.BytesIO()
        np.save(buffer, value.values, allow_pickle=False)
        text = base64.b64encode(buffer.getvalue()).decode("ascii")
        return {"array": text, "kind": value.kind, "device": value.device}
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        return {"dict": {key: encode(item) for key, item in value.items()}}
    return value


def decode(data: Any, depth: int = 0) -> Any:
    """The inverse of `encode`, for data that nobody vouches for.

    Raises:
        NotPlain: If the data is not what `encode` writes, or an array is over 64 MiB.
    """
    if depth > MAX_DEPTH:
        raise NotPlain(f"data nested more than {MAX_DEPTH} deep")
    if data is None or isinstance(data, bool | float | str):
        return data
    if isinstance(data, int):
        return _checked_int(data)
    if isinstance(data, list):
        return [decode(item, depth + 1) for item in data]
    if isinstance(data, dict) and set(data) == {"dict"} and isinstance(data["dict"], dict):
        return {str(key): decode(item, depth + 1) for key, item in data["dict"].items()}
    if isinstance(data, dict) and set(data) == {"float"} and str(data["float"]) in _FLOATS:
        return _FLOATS[str(data["float"])]
    if isinstance(data, dict) and set(data) == {"array", "kind", "device"}:
        return _decode_array(data)
    raise NotPlain(f"data of an unknown form ({type(data).__name__})")


_FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def _decode_array(data: dict[str, Any]) -> Array:
    text, kind, device = data["array"], data["kind"], data["device"]
    if not all(isinstance(part, str) for part in (text, kind, device)):
        raise NotPlain("an array whose parts are not text")
    if len(text) > (MAX_BYTES + MAX_HEADER) * 4 // 3:
        raise NotPlain(f"an array of more than {MAX_BYTES // 2**20} MiB")
    try:
        values = _read_npy(base64.b64decode(text, validate=True))
    except Exception as error:  # numpy's header reader keeps no list of what it may raise
        raise NotPlain(f"an array that cannot be read ({type(error).__name__})") from None
    return Array(values, kind[:20], device[:20])


def _read_npy(raw: bytes) -> np.ndarray:
    """Read an .npy file, whose header is believed only where it agrees with the bytes there are."""
    file = io.BytesIO(raw)
    if np.lib.format.read_magic(file) != (1, 0):
        raise NotPlain("an .npy version that `encode` does not write")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype.kind not in "fiub" or dtype.itemsize > 8:
        raise NotPlain(f"an array of {dtype}")
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(raw) - file.tell():
        raise NotPlain(f"an array whose header promises {shape}")
    values = np.frombuffer(raw, dtype, offset=file.tell())
    values = values.reshape(shape, order="F" if fortran else "C")
    return values.astype(dtype.newbyteorder("="))
