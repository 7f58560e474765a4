"""Attacks by the notebook itself: its cells, its metadata, its format, its files."""

import copy
import json
from pathlib import Path

import nbformat
from attack import POINTS, RIGHT, Attack, Fill, in_folder, plain, released
from handins import LAB, cell_of, index_of, insert, name_of, put
from mistaken import MISTAKEN
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

__all__ = ["NOTEBOOKS"]

ALL = tuple(RIGHT.items())
EVERYTHING = tuple(POINTS)


def changed(change):
    """A right notebook after `change(notebook)`, which may return another content."""

    def make(attack: Attack, course: Path):
        notebook = plain(attack, course)
        return change(notebook) or notebook

    return make


def tampered(notebook) -> None:
    """Each check meets another fate."""
    del notebook.cells[index_of(notebook, "euler-step")]
    heun = cell_of(notebook, "heun-step")
    heun.source = "check = print\nprint('2.0')\n2.0"
    heun.metadata.nbgrader.update(points=100, locked=False, grade=False, solution=True)
    notebook.cells.insert(0, notebook.cells.pop(index_of(notebook, "predict-order")))
    twin = copy.deepcopy(cell_of(notebook, "endpoint-error-answer"))
    twin["id"] = "twin"
    twin.source = MISTAKEN["endpoint-error"][0]
    notebook.cells.append(twin)
    for name in ("convergence-order", "convergence-order-answer"):
        cell_of(notebook, name).metadata.nbgrader.grade_id += "-renamed"
    forged = copy.deepcopy(cell_of(notebook, "endpoint-error"))
    forged["id"] = "forged"
    forged.metadata.nbgrader.update(grade_id="free-points", points=1000)
    notebook.cells.append(forged)
    insert(notebook, "endpoint-error", "check = lambda *a: None\nlab1 = 7")


def with_kernel(notebook) -> None:
    notebook.metadata["kernelspec"] = {
        "name": "bash",
        "display_name": "sh -c 'touch @TMP@/pwned'",
        "language": "bash",
        "argv": ["sh", "-c", "touch @TMP@/pwned", "{connection_file}"],
        "env": {"LD_PRELOAD": "@TMP@/x.so"},
    }
    notebook.metadata["language_info"] = {"name": "bash", "file_extension": ".sh"}
    notebook.metadata["jupytext"] = {"formats": "ipynb,py:percent", "text_representation": {}}
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}


def of_format(major, minor=0):
    def change(notebook) -> str:
        data = json.loads(nbformat.writes(notebook))
        return json.dumps(data | {"nbformat": major, "nbformat_minor": minor})

    return changed(change)


def version_3(notebook) -> str:
    cells = [
        {"cell_type": "code", "input": c.source, "outputs": [], "language": "python",
         "metadata": c.metadata}
        for c in notebook.cells
        if c.cell_type == "code"
    ]  # fmt: skip
    data = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}
    return json.dumps(data)


def padded(notebook) -> None:
    notebook.cells.append(new_markdown_cell("x" * (21 * 2**20)))


def nested(notebook) -> str:
    return nbformat.writes(notebook).replace('"metadata": {', '"metadata": {"x": ' + "[" * 10**5, 1)


def deep_but_closed(notebook) -> str:
    deep: list = []
    for _ in range(200):
        deep = [deep]
    data = json.loads(nbformat.writes(notebook))
    data["metadata"]["x"] = data["cells"][0]["metadata"]["x"] = deep
    return json.dumps(data)


def strange_metadata(notebook) -> str:
    strange = [1, None, "x", [], {"grade_id": ["heun-step"]}, {"grade_id": {"a": 1}}]
    strange += [{"grade_id": "heun-step", "grade": True, "points": "1e9", "locked": "no"}]
    data = json.loads(nbformat.writes(notebook))
    for value in strange:
        metadata = {"nbgrader": value, "tags": {"a": 1}}
        data["cells"].append({**new_code_cell("1"), "metadata": metadata})
    data["cells"][-1]["id"] = data["cells"][0]["id"] = "../../x" * 50
    return json.dumps(data)


def with_html(notebook) -> None:
    script = "<script>attack()</script><img src=x onerror=attack()>"
    markdown = new_markdown_cell(f"# Lab {script}\n\n[x](javascript:attack())")
    markdown["attachments"] = {"x.svg": {"image/svg+xml": f"<svg>{script}</svg>"}}
    notebook.cells.insert(0, markdown)
    data = {"text/html": script, "application/javascript": "attack()", "image/svg+xml": script}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [new_output("display_data", data)]
    cell_of(notebook, "euler-step-answer").source += f"\n# </code></pre>{script}"
    cell_of(notebook, "heun-step-answer").source += f"\nraise ValueError('''{script}''')"


def shadowed(attack: Attack, course: Path, place: Path, fill: Fill) -> None:
    """Modules beside the notebook, which Python would import first."""
    in_folder(attack, course, place, fill)
    for name in ("torch.py", "sitecustomize.py", "usercustomize.py", "IPython.py", "numpy.py"):
        put(place / attack.name, "raise SystemExit('ATTACK-SUCCEEDED')", name)
    for name in ("course_lib", "ipykernel", "course_lib/checks"):
        put(place / attack.name / name, "raise SystemExit('ATTACK-SUCCEEDED')", "__init__.py")
    put(place / attack.name, "[x]\nx = 1", "ipython_config.py")
    put(place / attack.name / "__pycache__", "x", "torch.cpython-311.pyc")


def raw(content: str | bytes):
    def files(attack: Attack, course: Path, place: Path, fill: Fill) -> None:
        (place / attack.name).mkdir()
        data = content.encode() if isinstance(content, str) else content
        (place / attack.name / f"{LAB}.ipynb").write_bytes(data)

    return files


def linked(attack: Attack, course: Path, place: Path, fill: Fill) -> None:
    """The notebook is a link to a neighbour's."""
    (place / attack.name).mkdir()
    (place / attack.name / f"{LAB}.ipynb").symlink_to(f"../perfect/{LAB}.ipynb")


def only_checks(attack: Attack, course: Path):
    """Nothing but one graded cell, many times."""
    notebook = released(course, {})
    (check,) = (cell for cell in notebook.cells if name_of(cell) == "heun-step")
    notebook.cells = [nbformat.from_dict(check | {"id": f"check-{i}"}) for i in range(50)]
    return notebook


NOT_JSON = "not a notebook: the file is not JSON"
NOTEBOOKS = [
    Attack(
        "tampers-with-cells",
        answers=ALL,
        earned=("euler-step", "heun-step", "predict-order", "convergence-order"),
        make=changed(tampered),
        faults=(("endpoint-error", "starts-late"),),
    ),
    Attack("asks-for-bash", answers=ALL, earned=EVERYTHING, make=changed(with_kernel)),
    Attack("format-3", answers=ALL, earned=EVERYTHING, make=changed(version_3)),
    Attack("format-2", make=of_format(2), status=("not graded",), reason="not a notebook"),
    Attack("format-5", make=of_format(5), status=("not graded",), reason="not a notebook"),
    Attack("format-words", make=of_format("four"), status=("not graded",), reason="not a notebook"),
    Attack("huge-notebook", make=changed(padded), status=("not graded",), reason="too large: 21"),
    Attack("binary", files=raw(bytes(range(256)) * 99), status=("not graded",), reason=NOT_JSON),
    Attack("nested-json", make=changed(nested), status=("not graded",), reason=NOT_JSON),
    Attack("deep-metadata", make=changed(deep_but_closed)),
    Attack("not-utf-8", files=raw("{}".encode("utf-16")), status=("not graded",), reason=NOT_JSON),
    Attack("strange-metadata", make=changed(strange_metadata)),
    Attack("html-in-cells", make=changed(with_html)),
    Attack("shadows-modules", files=shadowed, reason="other files left out"),
    Attack("links-to-a-neighbour", files=linked, status=("nothing handed in",), earned=()),
    Attack("fifty-checks", earned=(), make=only_checks),
]
