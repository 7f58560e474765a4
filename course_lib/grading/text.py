"""Strangers' words, made fit to be written down."""

from __future__ import annotations

__all__ = ["printable", "whole"]


def whole(text: str) -> str:
    """A text without lone surrogates, which no file in UTF-8 can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def printable(text: str) -> str:
    """A text in which nothing speaks to the terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
