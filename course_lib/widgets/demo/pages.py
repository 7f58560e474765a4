"""The pages of a lecture as HTML: one a widget, and their contents. They load nothing."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from course_lib.widgets.explorer import Explorer
from course_lib.widgets.plain_torch import plain_torch
from course_lib.widgets.scene import Scene, packed
from course_lib.widgets.stage import script, style

__all__ = ["contents", "frozen", "links", "live"]

HERE = Path(__file__).parent
PLAYING = (("space", "play"), ("← →", "frame"), ("r", "reset"), ("f", "full screen"))
MOVING = (
    ("n", "next"),
    ("p", "previous"),
    ("1 … 9", "that page"),
    ("c", "contents"),
    ("[ ]", "slower, faster"),
    ("l", "loop"),
    ("Home End", "first, last frame"),
)
THEME = '<span><kbd>d</kbd> <a href="#" data-key="d">dark or light</a></span>'

Links = Mapping[str, Any]


def links(pages: Sequence[str], place: int, contents: str) -> Links:
    """Where the keys of the page at `place` lead; all are addresses."""
    after = place + 1
    return {
        "pages": pages,
        "previous": pages[place - 1] if place else None,
        "contents": contents,
        "next": pages[after] if after < len(pages) else None,
    }


def contents(pages: Sequence[tuple[str, type[Explorer]]], title: str) -> str:
    """The page of contents: (address, explorer) each."""
    entries = "".join(
        f'<li><a href="{html.escape(address)}">{html.escape(explorer.title)}</a>'
        f"<p>{html.escape(explorer.question)}</p></li>"
        for address, explorer in pages
    )
    keys = f'<p class="keys">{_keys(MOVING + PLAYING)} {THEME}</p>'
    body = f"<main><h1>{html.escape(title)}</h1>{keys}<ol>{entries}</ol></main>"
    first = pages[0][0] if pages else None
    ways = {"pages": [address for address, _ in pages], "next": first}
    return _page(title, "contents", body, f"lecture({json.dumps(ways)});")


def live(explorer: Explorer, ways: Links, socket: str) -> str:
    """A page whose Python is at the other end of the web socket at the path `socket`."""
    address = f'location.origin.replace("http", "ws") + {json.dumps(socket)}'
    return _stage_page(explorer, ways, f"new SocketModel({address}, {_json(explorer.face())})")


def frozen(explorer: Explorer, ways: Links) -> str:
    """A page that needs no Python: every variant is in it, each array once.

    Controls whose values it does not have are left out.
    """
    arrays: dict[str, bytes] = {}
    variants: list[dict[str, Any]] = []
    for values in explorer.variants():
        scene = _scene(explorer, values)
        spec, parts = packed(scene)
        names = [hashlib.sha256(part).hexdigest() for part in parts]
        arrays |= dict(zip(names, parts, strict=True))
        error = scene.error or None
        variants.append({"values": values, "spec": spec, "arrays": names, "error": error})
    place = {name: i for i, name in enumerate(arrays)}
    variants = [{**v, "arrays": [place[name] for name in v["arrays"]]} for v in variants]
    face = explorer.face()
    offered = set(explorer.frozen)
    face["controls"] = [
        _among(control, explorer.frozen.get(control["name"]))
        for control in face["controls"]
        if control["name"] in offered or control.get("local")
    ]
    texts = [base64.b64encode(part).decode() for part in arrays.values()]
    return _stage_page(
        explorer,
        ways,
        f"new FrozenModel({_json(face)}, {_json(variants)}, {_json(texts)})",
        about="frozen: a selection of values",
    )


def _scene(explorer: Explorer, values: dict[str, Any]) -> Scene:
    with plain_torch():
        return explorer.still(**explorer.checked(values))


def _among(control: dict[str, Any], values: Sequence[Any] | None) -> dict[str, Any]:
    """A control that offers these values alone."""
    if control["kind"] == "slider" and values is not None:
        return {**control, "among": list(values)}
    if control["kind"] == "choice" and values is not None:
        return {**control, "options": list(values)}
    return control


def _stage_page(explorer: Explorer, ways: Links, model: str, about: str = "") -> str:
    moves = [
        f'<a href="{html.escape(href)}">{words}</a>'
        for words, href in (
            ("← previous", ways.get("previous")),
            ("contents", ways.get("contents")),
            ("next →", ways.get("next")),
        )
        if href
    ]
    nav = f'<nav>{"".join(moves)}<span class="keys">{about}</span>{_keys(PLAYING)} {THEME}</nav>'
    run = (
        f"{script().replace('export default { render };', '')}\n{_read('host.js')}\n"
        f"const fullScreen = lecture({json.dumps(ways)});\n"
        'const el = document.querySelector("#stage");\n'
        f"render({{ model: {model}, el, options: {{ fullScreen }} }});"
    )
    return _page(explorer.title, "lecture", f'<div id="stage"></div>{nav}', run, style())


def _keys(meanings: Sequence[tuple[str, str]]) -> str:
    """Keys and what they do."""
    entries = []
    for keys, words in meanings:
        parts = (key if key == "…" else f"<kbd>{html.escape(key)}</kbd>" for key in keys.split())
        entries.append(f"<span>{' '.join(parts)} {words}</span>")
    return " ".join(entries)


def _page(title: str, kind: str, body: str, run: str, css: str = "") -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,">'
        f"<title>{html.escape(title)}</title><style>{css}\n{_read('lecture.css')}</style></head>"
        f'<body class="{kind}">{body}\n'
        f'<script type="module">\n{_read("lecture.js")}\n{run}\n</script></body></html>\n'
    )


def _json(value: Any) -> str:
    """JSON that may stand inside a script element."""
    return json.dumps(value, allow_nan=False).replace("</", "<\\/")


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
