"""Hand-ins of Lab 1 that no editor would write, the same ones in every run."""

import json
import random
from collections.abc import Iterator

from odd_bytes import BYTE_CHANGES
from odd_cells import CELL_CHANGES
from odd_json import JSON_CHANGES, dumped

__all__ = ["of_bytes", "of_cells", "of_json"]


def of_bytes(original: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    """Damaged as bytes: a name, and the file."""
    for number in range(count):
        draw = random.Random(f"bytes {number}")
        change = draw.choice(BYTE_CHANGES)
        yield f"bytes-{number}{change.__name__}", change(draw, original)


def of_json(original: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    """Damaged as JSON."""
    for number in range(count):
        draw = random.Random(f"json {number}")
        change = draw.choice(JSON_CHANGES)
        yield f"json-{number}{change.__name__}", dumped(change(draw, json.loads(original)))


def of_cells(original: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    """Damaged as a notebook: one change, or several."""
    for number in range(count):
        draw = random.Random(f"cells {number}")
        notebook = json.loads(original)
        changes = draw.sample(CELL_CHANGES, draw.choice([1, 1, 2, 3]))
        for change in changes:
            try:
                change(draw, notebook["cells"])
            except (IndexError, KeyError, TypeError, ValueError):  # after what was done before
                break
        names = "".join(change.__name__ for change in changes)
        yield f"cells-{number}{names}", dumped(notebook)
