"""Forged outcomes, files, names and texts, where the grader's own process reads them."""

import base64
import io
import json
import os
import pickle
import signal
import struct
import time
import zipfile

import numpy as np
import pytest
from handins import LAB, ROOT, SOLUTIONS, handin, put
from nbformat import writes

from course_lib.checks import find_check
from course_lib.checks.registry import files_of
from course_lib.checks.rng import Rng, derive_seed
from course_lib.grading.collect import collect
from course_lib.grading.evidence.cells import parsed
from course_lib.grading.execute import Run
from course_lib.grading.judge import judge_cell
from course_lib.grading.kernel import CellRun
from course_lib.grading.names import safe_id
from course_lib.networks.weights import read_weights

CHECK = find_check(LAB, "euler-step")
RUN = Run(7)


def expected() -> np.ndarray:
    inputs = CHECK.inputs(Rng(derive_seed(RUN.seed, CHECK.name)))
    return CHECK.answer(**inputs).numpy()


def npy(values: np.ndarray, pickled: bool = False) -> bytes:
    file = io.BytesIO()
    np.save(file, values, allow_pickle=pickled)
    return file.getvalue()


def header(text: str, data: bytes = b"") -> bytes:
    """An .npy file with a header of one's own."""
    text = text.ljust(118) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + data


def judged(output):
    """The verdict on a forged outcome of `euler-step`."""
    if isinstance(output, bytes):
        array = base64.b64encode(output).decode()
        output = {"array": array, "kind": "tensor", "device": "cpu"}
    outcome = {"check": CHECK.name, "output": output, "fault": None, "failings": [], "hints": []}
    return judge_cell(CHECK, CellRun([], [outcome]), 3, RUN)[0]


class Runs:
    def __reduce__(self):
        return os.mkdir, (os.environ["PWNED"],)


def test_the_true_array_is_right():
    assert judged(npy(expected())).points == 1


SHAPE = "{'descr': '<f8', 'fortran_order': False, 'shape': %s, }"


@pytest.mark.parametrize(
    "data",
    [
        header(SHAPE % "(10**9, 10**9)"),
        header(SHAPE % "(1000000000, 1000000000)"),
        header(SHAPE % "(64, -2)", bytes(1024)),
        header(SHAPE % "(64, 2)", bytes(8)),
        header(SHAPE % "(64, 2)", bytes(2048)),
        header(SHAPE % "(64.0, 2)", bytes(1024)),
        header(SHAPE % "[64, 2]", bytes(1024)),
        header(SHAPE % ("(" * 60 + "64" + ")" * 60)),
        header("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", pickle.dumps([1])),
        header("{'descr': [('a', '<f8', (2,))], 'fortran_order': False, 'shape': (64,), }"),
        header("{'descr': '<c16', 'fortran_order': False, 'shape': (64, 2), }", bytes(2048)),
        header("{'descr': '<M8[s]', 'fortran_order': False, 'shape': (128,), }", bytes(1024)),
        header("__import__('os').system('false')"),
        header("{'descr': '<f8'}"),
        b"\x93NUMPY\x02\x00" + bytes(200),
        b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535,
        b"PK\x03\x04" + bytes(100),
        b"",
        npy(np.array([[object()]], dtype=object), pickled=True)[:60],
    ],
)
def test_an_array_that_lies_is_malformed(data):
    verdict = judged(data)
    assert (verdict.points, verdict.fault) == (0, "malformed-outcome")


@pytest.mark.parametrize("wrap", ["array", "words", "bytes"])
def test_a_pickle_is_never_opened(tmp_path, monkeypatch, wrap):
    monkeypatch.setenv("PWNED", str(tmp_path / "pwned"))
    raw = npy(np.array([Runs()], dtype=object), pickled=True)
    pickle.loads(pickle.dumps(Runs()))  # it works where it is opened
    (tmp_path / "pwned").rmdir()
    forms = {"array": raw, "words": pickle.dumps(Runs(), 0).decode(), "bytes": pickle.dumps(Runs())}
    assert judged(forms[wrap]).points == 0
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e308, 0.0])
@pytest.mark.parametrize("shape", [(64, 2), (1, 2), (64, 2, 1), (0, 2), (500_000,)])
def test_numbers_that_are_none_earn_nothing(value, shape):
    assert judged(npy(np.full(shape, value))).points == 0


def test_a_right_array_with_one_nan_earns_nothing():
    values = expected()
    values[3, 1] = np.nan
    assert judged(npy(values)).points == 0


@pytest.mark.parametrize("output", [True, {"dict": {"__class__": "x"}}, [[[]]] * 9, "right", 1e308])
def test_other_things_earn_nothing(output):
    assert judged(output).points == 0


def nested(depth: int):
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


def test_deep_data_is_malformed():
    assert judged(nested(500)).fault == "malformed-outcome"
    assert judged(json.loads("[" * 400 + "]" * 400)).fault == "malformed-outcome"


def safetensors(head: dict | bytes, data: bytes = b"", length: int | None = None) -> bytes:
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


TENSOR = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        safetensors({"a": TENSOR}, length=2**63),
        safetensors({"a": TENSOR}, length=2**40),
        safetensors({"a": {**TENSOR, "shape": [2**32, 2**32]}}, bytes(16)),
        safetensors({"a": {**TENSOR, "data_offsets": [0, 2**60]}}, bytes(16)),
        safetensors({"a": {**TENSOR, "data_offsets": [16, 0]}}, bytes(16)),
        safetensors(b"[" * 10_000, bytes(16)),
        pickle.dumps({"a": [1.0]}),
    ],
)
def test_weights_that_lie_are_refused_where_they_are_read(tmp_path, data):
    """The grader hands such a file on without reading it; in the sandbox, reading it fails."""
    (name,) = files_of("lab3")
    notebook = (ROOT / "labs" / "lab3" / "lab3.ipynb").read_text("utf-8")
    put(tmp_path / "in" / "eve", notebook, "lab3.ipynb")
    (tmp_path / "in" / "eve" / name).write_bytes(data)
    (tmp_path / "scratch").mkdir()
    (one,) = collect(tmp_path / "in", "lab3", tmp_path / "scratch", ["lab1", "lab3"]).handins
    assert one.files[name].read_bytes() == data
    with pytest.raises(ValueError, match=r"digits\.safetensors"):
        read_weights(one.files[name])


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "/", "..", ".", "", "\0", "=cmd|' /C calc'!A0", "x" * 300, "é" * 300,
     "\ufacf" * 85],
)  # fmt: skip
def test_a_name_is_a_folder_s(name, tmp_path):
    made = safe_id(name)
    assert "/" not in made
    assert made.strip(".")
    (tmp_path / made).mkdir()
    assert [path.name for path in tmp_path.iterdir()] == [made]


@pytest.mark.parametrize(
    "members",
    [
        pytest.param(["é" * 200 + ".txt"], id="a long name"),
        pytest.param(["a", "a/b"], id="a file that is a folder"),
        pytest.param(["../x", "/x", "a/../../x"], id="paths that leave"),
    ],
)
def test_one_student_s_files_do_not_stop_the_class(tmp_path, members):
    notebook = writes(handin(SOLUTIONS))
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as file:
        file.writestr("Ada_1_assignsubmission_file_/lab1.ipynb", notebook)
        for name in members:
            file.writestr(f"Eve_2_assignsubmission_file_/{name}", "x")
        file.writestr("Eve_2_assignsubmission_file_/lab1.ipynb", notebook)
    (tmp_path / "scratch").mkdir()
    found = collect(tmp_path / "export.zip", LAB, tmp_path / "scratch").handins
    assert [(one.student, one.notebook is not None) for one in found] == [
        ("Ada", True),
        ("Eve", True),
    ]


class TooLongError(Exception):
    pass


def test_a_pipe_is_no_notebook(tmp_path):
    def too_long(*_):
        raise TooLongError

    put(tmp_path / "in" / "ada", handin(SOLUTIONS))
    (tmp_path / "in" / "eve").mkdir()
    os.mkfifo(tmp_path / "in" / "eve" / "lab1.ipynb")
    (tmp_path / "scratch").mkdir()
    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(5)
    try:
        found = collect(tmp_path / "in", LAB, tmp_path / "scratch").handins
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    assert [(one.student, one.notebook is not None) for one in found] == [
        ("ada", True),
        ("eve", False),
    ]


@pytest.mark.parametrize(
    "text",
    [
        " " * 90_000 + "x",
        "a" + " " * 90_000 + "x",
        "?" * 90_000 + "x",
        "-" * 90_000 + "1",
        "(" * 90_000,
        "a" + "()" * 40_000,
    ],
)
def test_a_text_is_read_in_no_time(text):
    started = time.process_time()
    parsed(f"{text}\nthis is not Python")
    assert time.process_time() - started < 1
