"""docs/errata.md: every entry's code runs, and its assertions tell printed from corrected."""

import ast
import re
from pathlib import Path

import pytest
import torch

PAGE = (Path(__file__).parents[2] / "docs/errata.md").read_text("utf-8")
ENTRIES = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", PAGE, re.M | re.S))
NAMES = [*(f"N{i}" for i in range(1, 10)), *(f"S{i}" for i in range(1, 5))]


def code_of(name: str) -> str:
    (block,) = re.findall(r"^```python\n(.*?)^```", ENTRIES[name], re.M | re.S)
    return block


def assertions(code: str, names: dict) -> None:
    """Run only the asserts of `code`, on values that are already there."""
    tree = ast.parse(code)
    tree.body = [node for node in tree.body if isinstance(node, ast.Assert)]
    exec(compile(tree, "asserts", "exec"), names)


def run(name: str) -> dict:
    names: dict = {}
    torch.manual_seed(0)
    exec(compile(code_of(name), f"docs/errata.md {name}", "exec"), names)
    return names


def test_the_page_holds_the_entries_and_lists_them():
    assert list(ENTRIES) == NAMES
    assert re.findall(r"^\| \[(\S+)\]\(#(\S+)\) \|", PAGE, re.M) == [(n, n.lower()) for n in NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_an_entry_says_where_what_and_why(name):
    for field in ("Where", "Printed", "Read", "Why"):
        assert f"- **{field}:** " in ENTRIES[name]


@pytest.mark.parametrize("name", NAMES)
def test_the_printed_version_fails_and_the_corrected_one_holds(name):
    names = run(name)
    printed, corrected, truth = (
        torch.as_tensor(names[key], dtype=torch.float64)
        for key in ("printed", "corrected", "truth")
    )
    assert corrected.shape == truth.shape
    assert torch.allclose(corrected, truth, rtol=1e-10, atol=1e-10)
    assert not torch.allclose(printed, truth, rtol=0.05, atol=0.05)


@pytest.mark.parametrize("name", NAMES)
def test_its_assertions_would_notice(name):
    code, names = code_of(name), run(name)
    for right, wrong in (("printed", "corrected"), ("corrected", "printed")):
        with pytest.raises(AssertionError):
            assertions(code, {**names, right: names[wrong]})
