"""PyTorch on one core: several would wait for each other longer than they work on small arrays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["one_thread"]


@contextmanager
def one_thread(usual: int | None = None) -> Iterator[None]:
    """Inside, this thread of Python uses one core; afterwards `usual` ones, or as many as before.

    On a machine whose cores have other work, a step of a small network takes a hundred times as
    long on two.
    """
    before = torch.get_num_threads() if usual is None else usual
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
