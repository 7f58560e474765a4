"""PyTorch as widgets want it: on one core, in float32.

Several cores would wait for each other longer than they work on small arrays.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["plain_torch"]


@contextmanager
def plain_torch(usual: int | None = None) -> Iterator[None]:
    """Inside, this thread of Python uses one core; afterwards `usual` ones, or as many as before.

    On a machine whose cores have other work, a step of a small network takes a hundred times as
    long on two. New tensors are of float32 meanwhile, in all threads, whatever was chosen before.
    """
    before = torch.get_num_threads() if usual is None else usual
    dtype = torch.get_default_dtype()
    torch.set_num_threads(1)
    if dtype is not torch.float32:
        torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        if dtype is not torch.float32:
            torch.set_default_dtype(dtype)
