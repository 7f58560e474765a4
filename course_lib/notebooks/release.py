"""nbgrader preprocessors for the student's version of a lab."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import textwrap
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearSolutions, NbGraderPreprocessor

from course_lib.notebooks.annotate import BEGIN_SOLUTION, END_SOLUTION

__all__ = ["Fingerprint", "KeepRunning", "RemoveAnswers", "holds_work"]


class RemoveAnswers(ClearSolutions):
    """Take the answers out, and leave in their place what fits there.

    In a function: `raise NotImplementedError("euler_step")`, which a notebook shows as one line.
    At the top of a cell, where a name gets its value: `order_prediction = ...`.
    """

    def _replace_solution_region(self, cell: NotebookNode, language: str) -> bool:
        if cell.cell_type != "code":
            return super()._replace_solution_region(cell, language)
        lines: list[str] = []
        region: list[str] | None = None
        replaced = False
        for line in cell.source.split("\n"):
            if BEGIN_SOLUTION in line:
                if region is not None:
                    raise RuntimeError(f"a solution begins inside a solution:\n{cell.source}")
                region = []
                indent = line[: len(line) - len(line.lstrip())]
            elif END_SOLUTION in line and region is not None:
                lines += [indent + stub for stub in _stub(region, indent, lines)]
                region, replaced = None, True
            elif region is not None:
                region.append(line)
            else:
                lines.append(line)
        if region is not None:
            raise RuntimeError(f"a solution does not end:\n{cell.source}")
        cell.source = "\n".join(lines)
        return replaced


def _stub(region: list[str], indent: str, before: list[str]) -> list[str]:
    if indent:
        names = [m[1] for line in before if (m := re.match(r"\s*def (\w+)", line))]
        classes = [m[1] for line in before if (m := re.match(r"class (\w+)", line))]
        name = ".".join([*classes[-1:], *names[-1:]])  # UNet.forward: a lab may have two `forward`
        return ["# Your code here", f'raise NotImplementedError("{name}")']
    last = ast.parse(textwrap.dedent("\n".join(region))).body[-1]
    if isinstance(last, ast.Assign) and isinstance(last.targets[0], ast.Name):
        letter = isinstance(last.value, ast.Constant) and isinstance(last.value.value, str)
        what = "a letter in quotes" if letter else "your answer here"
        return [f"{last.targets[0].id} = ...  # {what}"]
    return ["# Your code here", "raise NotImplementedError()"]


class KeepRunning(NbGraderPreprocessor):
    """Tag the cells so that Run All goes on past an exercise that is not right yet.

    JupyterLab and nbclient know the tag `raises-exception`. The cells before the first exercise
    are left alone: where they fail, nothing else can work.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        started = False
        for cell in nb.cells:
            if cell.cell_type != "code":
                continue
            started = started or cell.metadata.get("nbgrader", {}).get("solution", False)
            if started:
                tags = cell.metadata.setdefault("tags", [])
                if "raises-exception" not in tags:
                    tags.append("raises-exception")
        return nb, resources


class Fingerprint(NbGraderPreprocessor):
    """Note in the notebook what its cells said when it was made."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        nb.metadata["course"] = {"made": _digest(nb)}
        return nb, resources


def holds_work(notebook: NotebookNode) -> bool:
    """Whether someone has changed a released notebook's cells since it was made.

    Outputs do not count. A notebook without a fingerprint is somebody's own.
    """
    return notebook.metadata.get("course", {}).get("made") != _digest(notebook)


def _digest(notebook: NotebookNode) -> str:
    sources = json.dumps([cell.source for cell in notebook.cells])
    return hashlib.sha256(sources.encode()).hexdigest()[:16]
