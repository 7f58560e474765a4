"""Damage a file as a sequence of bytes."""

import random
from collections.abc import Callable

__all__ = ["BYTE_CHANGES"]


def _flips(draw: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.choice([1, 1, 2, 8, 64, 1024])):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _ascii_flips(draw: random.Random, data: bytes) -> bytes:
    """Other letters: what comes out mostly is JSON still."""
    changed = bytearray(data)
    for _ in range(draw.choice([1, 2, 8, 64])):
        place = draw.randrange(len(changed))
        if chr(changed[place]).isalnum():
            changed[place] = draw.choice(b"abcxyzABC0123456789_")
    return bytes(changed)


def _cut(draw: random.Random, data: bytes) -> bytes:
    return data[: draw.choice([1, 2, draw.randrange(len(data)), len(data) - 1, len(data) - 2])]


def _cut_out(draw: random.Random, data: bytes) -> bytes:
    start = draw.randrange(len(data))
    return data[:start] + data[start + draw.choice([1, 2, 10, 1000]) :]


def _insert(draw: random.Random, data: bytes) -> bytes:
    start = draw.randrange(len(data))
    what = draw.choice(
        [
            b"\x00",
            b"\x00" * 1000,
            b"\xff",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
            b"\xc0\xaf",
            b"\x1b[31m",
            b"\r",
            b"\xe2\x80\xae",
            b"\\ud800",
            b"\\u0000",
            b'"',
            b"}",
            b"]",
            b",",
            b"NaN",
            b"1e999",
        ]
    )
    return data[:start] + what + data[start:]


def _repeat(draw: random.Random, data: bytes) -> bytes:
    start = draw.randrange(len(data))
    piece = data[start : start + draw.choice([1, 10, 1000, 30_000])]
    return data[:start] + piece * draw.choice([2, 3, 20]) + data[start:]


def _bom(draw: random.Random, data: bytes) -> bytes:
    return draw.choice([b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf" * 2]) + data


def _other_encoding(draw: random.Random, data: bytes) -> bytes:
    name = draw.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "latin-1", "cp037"])
    return data.decode("utf-8").encode(name, "replace")


def _line_ends(draw: random.Random, data: bytes) -> bytes:
    return data.replace(b"\n", draw.choice([b"\r\n", b"\r", b"", b"\n\n", b"\0"]))


def _around(draw: random.Random, data: bytes) -> bytes:
    before, after = draw.choice(
        [
            (b"\n" * 9, b"\n" * 9),
            (b"", b"\x00" * 5000),
            (b"", data),
            (b"[", b"]"),
            (b"<html>", b""),
            (b'{"a": ', b"}"),
            (b"<<<<<<< HEAD\n", b"=======\n>>>>>>> main\n"),
            (b"PK\x03\x04", b""),
        ]
    )
    return before + data + after


BYTE_CHANGES: list[Callable[[random.Random, bytes], bytes]] = [
    _flips, _flips, _ascii_flips, _ascii_flips, _cut, _cut_out, _insert, _insert, _repeat, _bom,
    _other_encoding, _line_ends, _around,
]  # fmt: skip
