"""The widgets as files: static pages that play and scrub without Python and without a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from course_lib.widgets.demo.pages import contents, frozen, links
from course_lib.widgets.explorer import Explorer

__all__ = ["freeze"]


def freeze(catalogue: Mapping[str, type[Explorer]], folder: Path, title: str) -> Iterator[Path]:
    """Write index.html and a page for each explorer of `catalogue` into `folder`; yield each path.

    Raises:
        OSError: `folder` is a file, or cannot be written to.
    """
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; expected a folder, or a name for a new one")
    folder.mkdir(parents=True, exist_ok=True)
    pages = [(f"{name}.html", explorer) for name, explorer in catalogue.items()]
    index = folder / "index.html"
    index.write_text(contents(pages, title), encoding="utf-8")
    yield index
    addresses = [address for address, _ in pages]
    for i, (address, explorer) in enumerate(pages):
        path = folder / address
        path.write_text(frozen(explorer(), links(addresses, i, "index.html")), encoding="utf-8")
        yield path
