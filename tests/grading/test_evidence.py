"""Honest hand-ins leave nothing to look at; what somebody should look at is found, and named."""

import ast
import copy
import random
import re
import time

import nbformat
import pytest
from handins import LAB, ROOT, SOLUTIONS, cell_of, handin, index_of, insert, name_of
from mistaken import MISTAKEN
from nbformat.v4 import new_code_cell, new_notebook

from course_lib.grading.evidence import Evidence, among, of_one
from course_lib.grading.evidence.cells import MAX_CELL, parsed
from course_lib.grading.evidence.item import shown
from course_lib.notebooks.course import Course, CourseError

COURSE = Course(ROOT)
LABS = sorted(path.name for path in (ROOT / "solutions").glob("lab*"))


def look(notebook, lab=LAB):
    return of_one(lab, "ada", notebook, COURSE)


def solved(lab):
    return nbformat.read(ROOT / "solutions" / lab / f"{lab}.ipynb", as_version=4)


def kinds(found):
    return {item.kind for item in found}


def with_answer(check, source):
    return handin({**SOLUTIONS, check: source})


def with_cell(source, before="euler-step"):
    notebook = handin(SOLUTIONS)
    insert(notebook, before, source)
    return notebook


# Honest hand-ins


@pytest.mark.parametrize("lab", LABS)
def test_the_released_lab_and_its_solution_are_clean(lab):
    built = nbformat.read(ROOT / "labs" / lab / f"{lab}.ipynb", as_version=4)
    assert look(built, lab) == []
    assert look(solved(lab), lab) == []


@pytest.mark.parametrize("lab", LABS)
def test_the_labs_own_code_is_clean_when_it_counts_as_a_students(lab):
    notebook = solved(lab)
    for cell in notebook.cells:
        if cell.cell_type == "code" and "points" not in cell.metadata.get("nbgrader", {}):
            cell.source += "\nown = 1"
    assert look(notebook, lab) == []


@pytest.mark.parametrize("lab", LABS)
def test_every_right_answer_is_clean(lab):
    text = (ROOT / "solutions" / lab / "right_answers.py").read_text(encoding="utf-8")
    tried = 0
    for choice in range(5):  # the first answer to every exercise, then the second, …
        notebook = solved(lab)
        for check, answers in right_answers(text).items():
            handed = handed_over(cell_of(notebook, check).source)
            if choice < len(answers) and len(answers[choice]) == len(handed):
                pairs = zip(handed, answers[choice], strict=True)
                lines = [f"{name} = {answer}" for name, answer in pairs]
                cell_of(notebook, f"{check}-answer").source = "\n".join(lines)
                tried += 1
        insert(notebook, next(iter(right_answers(text))), text)
        assert look(notebook, lab) == []
    assert tried > 40


def right_answers(text):
    """The table of right answers, as text: check name -> a tuple of expressions for each."""
    found = {}
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Dict):
            continue
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None or not isinstance(value, ast.List):
                continue
            name = ast.unparse(key).split(".")[-1]
            check = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()
            found[check] = [tuple(map(ast.unparse, a.elts)) for a in value.elts]
    return found


def handed_over(source):
    (call,) = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call)]
    return [a.id for a in call.args[1:] if isinstance(a, ast.Name)]


def test_mistakes_are_no_evidence():
    assert look(handin({name: source for name, (source, _) in MISTAKEN.items()})) == []


HONEST = {
    "magics": "%matplotlib inline\n%load_ext autoreload\n!pip install numpy\nimport numpy as np",
    "timing": "%%timeit\neuler_step(spiral.velocity, start, 0.0, 0.1)",
    "help": "simulate?\ntorch.softmax??\n?plots.paths",
    "caught": "files = !ls",
    "plot": "import matplotlib.pyplot as plt\nplt.rcParams['figure.dpi'] = 90\n"
    "fig, ax = plt.subplots()\nax.plot([1, 2])\nax.title.set_text('x')",
    "compare": "from course_lib import simulate as library\n"
    "x = torch.randn(5, 2)\n"
    "print((euler_step(spiral.velocity, x, 0.0, 0.1)"
    " - library.euler_step(spiral.velocity, x, 0.0, 0.1)).abs().max())",
    "seeds": "import numpy as np, random\nnp.random.seed(0)\nrandom.seed(0)\ntorch.manual_seed(1)",
    "switches": "torch.backends.cudnn.benchmark = True\ntorch.set_default_dtype(torch.float64)",
    "environment": "import os, warnings\nos.environ['KMP_DUPLICATE_LIB_OK'] = 'TRUE'\n"
    "warnings.filterwarnings('ignore')",
    "class": "class Net(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "    def forward(self, x):\n        return x\n"
    "net = Net()\nNet.extra = 3\nnet.weight = None\nnet.eval()",
    "shadowing": "signal = [1, 2]\nsum(signal)\nsubprocess = signal\nanswer = lab1\nmock = 1",
    "equal": "class Box:\n    def __eq__(self, other):\n        return self.x == other.x",
    "check again": "check(lab1.EulerStep, lambda v, x, t, h: x + h * v(x, t))\nprogress('lab1')",
    "help with a class": "print(lab1.EulerStep.__doc__)\nlab1.EulerStep.points",
    "show": "from IPython.display import HTML, clear_output, display\ndisplay(HTML('<b>x</b>'))",
    "widgets": "import ipywidgets\nfrom tqdm.auto import tqdm\nfor _ in tqdm(range(3)): pass",
    "cores": "import os, multiprocessing\nprint(os.cpu_count(), multiprocessing.cpu_count())",
    "proc": "# see /proc/self and COURSE_GRADING_SEED\nwords = 'a /process of thought'",
    "broken": "def f(:\n  this is no python 'at all",
    "empty": "\n\n",
    "time": "import time\nbegan = time.perf_counter()\nprint(time.perf_counter() - began)",
    "scipy": "from scipy import signal\nsignal.convolve([1], [2])",
    "data": "near_modes.means.shape\nmode = near_modes\nmode.note = 'x'\nnear_modes.score(start)",
    "nested": "def outer(simulate=None):\n    import math\n    return [math.sqrt(2)]",
}


@pytest.mark.parametrize("name", HONEST)
def test_what_people_write_in_notebooks_is_no_evidence(name):
    assert look(with_cell(HONEST[name], "five-mode-sample")) == []
    check = "total-variation"
    assert look(with_answer(check, f"{HONEST[name]}\n{SOLUTIONS[check]}")) == []


def test_a_reference_that_the_answer_does_not_use_is_no_evidence():
    own = "from course_lib.simulate import heun_step as theirs\n" + SOLUTIONS["heun-step"]
    assert look(with_answer("heun-step", own)) == []
    later = handin(SOLUTIONS)
    insert(later, "predict-order", "from course_lib.simulate import heun_step")
    assert look(later) == []
    before = "from course_lib.simulate import heun_step\n" + SOLUTIONS["heun-step"]
    assert look(with_answer("heun-step", before)) == []
    edited = handin(SOLUTIONS)
    header = next(c for c in edited.cells if "time_grid" in c.source and c.cell_type == "code")
    header.source = header.source.replace("import Trajectory,", "import Trajectory, euler_step,")
    assert "euler_step" in header.source
    assert look(edited) == []


# Answers that name the library's own solution

FORWARDED = {
    "attribute": "from course_lib import simulate as s\n"
    "def euler_step(velocity, x, t, h):\n    return s.euler_step(velocity, x, t, h)",
    "import": "from course_lib.simulate import euler_step",
    "alias": "from course_lib.simulate import euler_step as library\neuler_step = library",
    "deep import": "import course_lib.simulate.steps as s\neuler_step = s.euler_step",
    "import inside": "def euler_step(velocity, x, t, h):\n"
    "    from course_lib.simulate.steps import euler_step\n"
    "    return euler_step(velocity, x, t, h)",
    "star": "from course_lib.simulate import *",
    "getattr": "import course_lib.simulate\n"
    "euler_step = getattr(course_lib.simulate, 'euler' + '_step')",
    "vars": "import course_lib.simulate as s\neuler_step = vars(s)['euler_step']",
    "dict": "import course_lib.simulate as s\neuler_step = s.__dict__['euler_step']",
    "import_module": "import importlib\n"
    "euler_step = importlib.import_module('course_lib.simulate').euler_step",
    "__import__": "euler_step = __import__('course_lib.simulate').simulate.euler_step",
    "sys.modules": "import sys\neuler_step = sys.modules['course_lib.simulate'].euler_step",
    "partial": "from functools import partial\nfrom course_lib import simulate as s\n"
    "euler_step = partial(s.euler_step)",
    "lambda": "from course_lib import simulate as s\neuler_step = lambda *a: s.euler_step(*a)",
    "default": "from course_lib import simulate as s\n"
    "def euler_step(velocity, x, t, h, f=s.euler_step):\n    return f(velocity, x, t, h)",
    "table": "from course_lib import simulate as s\nsteps = {'euler': s.euler_step}\n"
    "def euler_step(*args):\n    return steps['euler'](*args)",
    "class": "from course_lib import simulate as s\nclass Step:\n"
    "    def __call__(self, *args):\n        return s.euler_step(*args)\neuler_step = Step()",
    "condition": "from course_lib import simulate as s\nif True:\n    euler_step = s.euler_step",
    "decorator": "from course_lib import simulate as s\ndef twice(f):\n    return s.euler_step\n"
    "@twice\ndef euler_step(velocity, x, t, h):\n    return x",
    "code": "from course_lib import simulate as s\ndef euler_step(velocity, x, t, h):\n    pass\n"
    "euler_step.__code__ = s.euler_step.__code__",
    "comprehension": "from course_lib import simulate as s\n"
    "def euler_step(*a):\n    return [f(*a) for f in [s.euler_step]][0]",
    "module under another name": "from course_lib import processes\n"
    "import course_lib.simulate.loop as loop\nhelper = loop\n"
    "def euler_step(*a):\n    import course_lib\n    return course_lib.simulate.euler_step(*a)",
}


@pytest.mark.parametrize("name", FORWARDED)
def test_an_answer_that_names_the_reference_is_found(name):
    found = [e for e in look(with_answer("euler-step", FORWARDED[name])) if e.kind == "forwards"]
    assert [e.check for e in found] == ["euler-step"]
    assert found[0].students == ("ada",)
    assert found[0].sentence == (
        "The answer names euler_step, which does this exercise in the library."
    )
    assert found[0].lines


def test_through_helpers_in_other_cells():
    notebook = with_answer(
        "euler-step", "def euler_step(velocity, x, t, h):\n    return move(velocity, x, t, h)"
    )
    insert(notebook, "euler-step-answer", "from course_lib import simulate as library")
    insert(notebook, "euler-step", "def move(*args):\n    return library.euler_step(*args)")
    (found,) = look(notebook)
    assert (found.kind, found.check) == ("forwards", "euler-step")
    assert "return library.euler_step(*args)" in found.lines[0]


def test_a_method_of_the_library_by_an_object_of_the_notebook():
    body = "def mixture_score(x, means, stds, weights):\n    return {}"
    for call in (
        "GaussianMixture(means, stds, weights).score(x)",
        "near_modes.score(x)",
        "GaussianMixture.ring().score(x)",
    ):
        (found,) = look(with_answer("mixture-score", body.format(call)))
        assert (found.kind, found.check) == ("forwards", "mixture-score")
        assert "GaussianMixture.score" in found.sentence


@pytest.mark.parametrize(
    ("lab", "check", "source", "name"),
    [
        ("lab2", "cosine-schedule", "cosine = Cosine()", "Schedule.alpha"),
        ("lab2", "cosine-schedule", "def cosine(t):\n    return Cosine()(t)", "Schedule.alpha"),
        (
            "lab2",
            "marginal-velocity",
            "def marginal_velocity(schedule, x, t, means, stds, weights):\n"
            "    data = GaussianMixture(means, stds, weights)\n"
            "    return Marginal(GaussianPath(schedule), data).velocity(x, t)",
            "Marginal.velocity",
        ),
        ("lab3", "u-net-forward", "from course_lib.networks import UNet", "UNet.forward"),
        (
            "lab3",
            "u-net-forward",
            "import course_lib.networks as n\nclass UNet(n.UNet):\n    pass",
            "UNet.forward",
        ),
        (
            "lab3",
            "guided-velocity",
            "from course_lib.guidance import guided\n"
            "def guided_velocity(velocity, x, t, y, w, null_label):\n"
            "    return guided(velocity, w, null_label)(x, t, y)",
            "guided",
        ),
    ],
)
def test_in_the_other_labs(lab, check, source, name):
    notebook = solved(lab)
    cell_of(notebook, f"{check}-answer").source = source
    found = {(e.kind, e.check): e for e in look(notebook, lab)}
    assert f"names {name}" in found["forwards", check].sentence


# Code that changes the machinery or reaches outside

REACHING = {
    "torch.allclose = lambda *a: True": "patches",
    "import torch.nn.functional as F\nF.mse_loss = None": "patches",
    "import numpy as np\nnp.array_equal = lambda *a, **k: True": "patches",
    "import builtins\nbuiltins.abs = float": "patches",
    "__builtins__.abs = float": "patches",
    "lab1.EulerStep.judge = lambda *a: None": "patches",
    "import course_lib.checks.judge as j": "reaches-out",
    "from course_lib.checks import judge as module": "reaches-out",
    "setattr(torch, 'allclose', lambda *a: True)": "patches",
    "torch.__dict__['allclose'] = 1": "patches",
    "vars(torch)['allclose'] = 1": "patches",
    "vars(torch).update(allclose=1)": "patches",
    "type.__setattr__(torch.Tensor, 'sum', 1)": "patches",
    "torch.Tensor.sum = lambda self: 0": "patches",
    "del torch.softmax": "patches",
    "def f():\n    torch.exp = torch.sin": "patches",
    "t = torch\nt.exp = t.sin": "patches",
    "from unittest.mock import patch": "patches",
    "from unittest import mock": "patches",
    "get_ipython().set_custom_exc((), None)": "patches",
    "ip = get_ipython()\nip.events.register('post_run_cell', print)": "patches",
    "get_ipython().display_pub.publish = print": "patches",
    "get_ipython().ast_transformers.append(1)": "patches",
    "from IPython.core.interactiveshell import InteractiveShell": "patches",
    "import ctypes": "reaches-out",
    "from ctypes import pythonapi": "reaches-out",
    "import gc\ngc.get_objects()": "reaches-out",
    "from gc import get_referrers as g\ng(1)": "reaches-out",
    "import sys\nsys.setprofile(None)": "patches",
    "from sys import settrace": "patches",
    "import sys\nsys.modules['torch'] = 1": "patches",
    "import sys\nsys.modules.update(a=1)": "patches",
    "import sys\nsys.modules.pop('torch')": "patches",
    "import inspect\ninspect.stack()": "reaches-out",
    "import sys\nsys._getframe(1).f_back": "reaches-out",
    "try:\n    1 / 0\nexcept Exception as e:\n    e.__traceback__.tb_frame": "reaches-out",
    "check.__globals__": "reaches-out",
    "getattr(check, '__glob' + 'als__')": "reaches-out",
    "import os\nos._exit(0)": "reaches-out",
    "import os\nos.fork()": "reaches-out",
    "import os\nos.execv('/bin/sh', [])": "reaches-out",
    "import subprocess": "reaches-out",
    "import socket": "reaches-out",
    "import os\nos.environ['COURSE_GRADING_SEED']": "reaches-out",
    "import os\nos.getenv('COURSE_' + 'GRADING_SEED')": "reaches-out",
    "%env COURSE_GRADING_SEED": "reaches-out",
    "!cat /etc/passwd": "reaches-out",
    "%%bash\nkill -9 1": "reaches-out",
    "display({'application/vnd.course-lib.outcome+json': 1}, raw=True)": "reaches-out",
    "open('/proc/self/environ').read()": "reaches-out",
    "pid = 1\nopen(f'/proc/{pid}/mem')": "reaches-out",
    "exec('import ' + name)": "reaches-out",
    "exec('import ctypes')": "reaches-out",
    "class A:\n    def __eq__(self, other):\n        return True": "agrees-with-all",
    "class A:\n    __eq__ = lambda *a: True": "agrees-with-all",
    "class A(torch.Tensor):\n    pass": "agrees-with-all",
    "class A:\n    @classmethod\n    def __torch_function__(cls, *a):\n        pass": (
        "agrees-with-all"
    ),
    "print(lab1.PredictOrder.key)": "reads-a-key",
    "lab1.EulerStep().answer(1, 2, 3, 4)": "reads-a-key",
    "getattr(lab1.EulerStep, 'mistakes')": "reads-a-key",
    "for c in vars(lab1).values():\n    c.mistakes": "reads-a-key",
    "import signal\nsignal.signal(2, print)": "patches",
    "import os\ndict(os.environ.items())": "reaches-out",
}


@pytest.mark.parametrize("source", REACHING)
def test_what_reaches_outside_is_found(source):
    found = look(with_cell(source))
    assert REACHING[source] in kinds(found), found
    assert all(e.sentence.endswith(".") and e.lines for e in found)
    inside = look(with_answer("total-variation", f"{source}\n{SOLUTIONS['total-variation']}"))
    assert REACHING[source] in kinds(inside)
    assert "total-variation" in {e.check for e in inside}


# Check cells


def test_changed_deleted_and_doubled_check_cells():
    notebook = handin(SOLUTIONS)
    cell_of(notebook, "euler-step").source += "\nprint('hello')"
    notebook.cells.pop(index_of(notebook, "heun-step"))
    twice = copy.deepcopy(cell_of(notebook, "mode-shares"))
    notebook.cells.append(twice)
    found = {e.check: e for e in look(notebook)}
    assert list(found) == ["euler-step", "heun-step", "mode-shares"]
    assert kinds(found.values()) == {"check-cell"}
    assert found["euler-step"].sentence == (
        "The check cell was changed; it is graded as it was released."
    )
    assert "print('hello')" in found["euler-step"].lines[0]
    assert found["heun-step"].sentence == "The check cell is gone."
    assert found["mode-shares"].sentence == "The check cell is there 2 times."


def test_spacing_comments_and_lost_metadata_are_no_change():
    notebook = handin(SOLUTIONS)
    cell_of(notebook, "euler-step").source = "check( lab1.EulerStep,\n\n   euler_step )  # passed!"
    del cell_of(notebook, "heun-step").metadata["nbgrader"]
    assert look(notebook) == []


# Malformed hand-ins

MALFORMED = {
    "null bytes": "x = 1\x00",
    "surrogates": "x = '\ud800'",
    "brackets": "(" * 20_000,
    "lists": "[" * 90 + "]" * 90,
    "unary": "-" * 50_000 + "1",
    "sums": "x = " + "+".join(["1"] * 20_000),
    "attributes": "x" + ".a" * 20_000,
    "lambdas": "lambda: " * 1_000 + "1",
    "calls": "f(" * 150 + ")" * 150,
    "doubling": "\n".join(
        ["x0 = [torch]"] + [f"x{i} = [x{i - 1}, x{i - 1}]" for i in range(1, 60)]
    ),
    "circle": "a = b\nb = a\na = b or a\nf = f",
    "spaces": "a" + " " * 90_000 + "?",
    "long line": "a = " + "b " * 40_000,
    "blank": " " * 90_000 + "!",
    "nested functions": "\n".join(" " * i + "def f():" for i in range(95)) + "\n" + " " * 95 + "1",
    "numbers": "x = " + "9" * 50_000,
    "escapes": "x = '\\d'",
    "too long": "x = 1\n" * 30_000,
}


@pytest.mark.parametrize("name", MALFORMED)
def test_no_text_stops_the_reader(name, recwarn):
    began = time.perf_counter()
    notebook = with_cell(MALFORMED[name])
    found = look(notebook)
    assert kinds(found) <= {"not-read"}
    assert time.perf_counter() - began < 10
    assert not recwarn.list
    if name == "too long":
        place = index_of(notebook, "euler-step")
        assert found[0].sentence == f"Cell {place} was not read: it has 180,000 characters."


def test_whatever_is_not_a_notebook_has_nothing_in_it():
    strange = [None, [], {}, {"cells": None}, {"cells": [1, None, {"cell_type": "code"}]}]
    strange.append({"cells": [{"cell_type": "code", "source": 3, "metadata": {"nbgrader": 1}}]})
    for notebook in strange:
        assert kinds(look(notebook)) == {"check-cell"}  # all of them are gone
    assert among(LAB, dict(enumerate(map(str, strange))), COURSE) == []
    assert among(LAB, {str(i): n for i, n in enumerate(strange)}, COURSE) == []
    assert look(new_notebook(cells=[new_code_cell("1")]))


def test_an_unknown_lab_is_an_error():
    with pytest.raises(ValueError, match="no lab 'lab9'"):
        of_one("lab9", "ada", handin({}), COURSE)
    with pytest.raises(CourseError, match="no lab 'lab9'"):
        among("lab9", {}, COURSE)


def test_lines_are_safe_to_print():
    assert shown("a\x1b[31m\u202eb\u200b\n c") == "a\\u001b[31m\\u202eb\\u200b c"
    assert len(shown("x" * 10_000)) == 120
    notebook = with_cell("import ctypes  # \x1b[2J\u202e" + "y" * 500)
    (found,) = look(notebook)
    assert len(found.lines[0]) < 150
    assert "\x1b" not in found.lines[0]


def test_magic_lines_are_set_aside():
    tree, special, unread = parsed("%%time\nx = !ls\n!pip install y\nz = 1\nmax?")
    assert special == ("%%time", "!ls", "!pip install y", "max?")
    assert unread == ""
    assert [type(s).__name__ for s in tree.body] == ["Pass", "Assign", "Pass", "Assign", "Pass"]
    assert parsed("%%html\n<b>x</b>")[0] is None
    assert MAX_CELL == 100_000


# Among several

HEUN = """def heun_step(velocity, x, t, h):
    # first I look where the wind blows, then I look again
    first = velocity(x, t)
    k2 = velocity(first * h + x, h + t)
    total = first + k2
    return x + total * h * 0.5
"""


def crowd(count, **answers):
    """Students with the solution's answers, and for some of them others."""
    found = {f"s{i:03d}": handin(SOLUTIONS) for i in range(count)}
    for student, own in answers.items():
        found[student] = handin({**SOLUTIONS, **own})
    return found


def test_the_solution_the_right_answers_and_blanks_are_nobodys_own():
    assert among(LAB, crowd(12), COURSE) == []
    assert among(LAB, {f"s{i}": handin({}) for i in range(9)}, COURSE) == []
    mistaken = {name: source for name, (source, _) in MISTAKEN.items()}
    assert among(LAB, {f"s{i}": handin(mistaken) for i in range(9)}, COURSE) == []


def test_the_same_text_with_comments():
    found = among(LAB, crowd(8, ada={"heun-step": HEUN}, bob={"heun-step": HEUN + "\n\n"}), COURSE)
    assert found == [
        Evidence(
            ("ada", "bob"),
            "heun-step",
            "same-text",
            "The same text, comments included, in one exercise.",
            ("# first I look where the wind blows, then I look again",),
        )
    ]


def test_the_same_text_without_anything_of_ones_own_is_no_evidence():
    plain = "\n".join(line for line in HEUN.splitlines() if "#" not in line)
    found = among(LAB, crowd(8, ada={"heun-step": plain}, bob={"heun-step": plain}), COURSE)
    assert found == []
    odd = plain.replace("total", "windbeutel").replace("k2", "pusteblume")
    (found,) = among(LAB, crowd(8, ada={"heun-step": odd}, bob={"heun-step": odd}), COURSE)
    assert found.sentence == "The same text, unusual names included, in one exercise."
    assert found.lines == ("pusteblume", "windbeutel")


def test_what_a_third_of_the_class_wrote_is_no_evidence():
    many = {f"a{i}": {"heun-step": HEUN} for i in range(5)}
    assert among(LAB, crowd(9, **many), COURSE) == []
    assert len(among(LAB, crowd(11, **many), COURSE)) == 1


def own_forms(seed, **names):
    """Three answers in forms of somebody's own."""
    draw = random.Random(seed)
    n = {name: name for name in ("wind", "later", "both")} | names
    extra = [f"    spare{k} = {draw.randint(1, 10**6)} * h\n" for k in range(draw.randint(1, 4))]
    heun = (
        "def heun_step(velocity, x, t, h):\n"
        + "".join(extra)
        + f"    {n['wind']} = velocity(x, t)\n"
        f"    {n['later']} = velocity(x + {n['wind']} * h, t + h)\n"
        f"    {n['both']} = ({n['wind']} + {n['later']}) / 2\n    return x + {n['both']} * h\n"
    )
    brownian = (
        "def brownian_paths(noise, h):\n"
        + "".join(extra)
        + f"    {n['wind']} = [torch.zeros_like(noise[0])]\n    for {n['later']} in noise:\n"
        f"        {n['wind']}.append({n['wind']}[-1] + {n['later']} * h ** 0.5)\n"
        f"    return torch.stack({n['wind']})\n"
    )
    rescale = (
        "def rescale(times, states, theta, sigma):\n"
        + "".join(extra)
        + f"    {n['wind']} = 2 * theta\n"
        f"    {n['later']} = sigma / {n['wind']} ** 0.5\n"
        f"    return theta * times, states * (1 / {n['later']})\n"
    )
    return {"heun-step": heun, "brownian-paths": brownian, "collapse-paths": rescale}


def test_the_same_code_under_other_names_in_three_exercises():
    renamed = own_forms(1, wind="arrow", later="second", both="mean")
    two_alike = {k: v for k, v in own_forms(3).items() if k != "heun-step"}
    students = crowd(
        12, ada=own_forms(1), bob=renamed, cleo=own_forms(2), dan=own_forms(3), eve=two_alike
    )
    (found,) = among(LAB, students, COURSE)
    assert found.students == ("ada", "bob")
    assert (found.kind, found.check) == ("same-code", "heun-step, brownian-paths, collapse-paths")
    assert found.sentence == "The same code but for names and comments, in 3 exercises."


def test_three_who_share_are_one_entry():
    students = crowd(12, ada=own_forms(1), bob=own_forms(1, wind="a1"), cleo=own_forms(1, both="m"))
    (found,) = among(LAB, students, COURSE)
    assert found.students == ("ada", "bob", "cleo")


def test_a_class_that_chooses_among_a_few_forms_is_no_evidence():
    draw = random.Random(0)
    students = {}
    for i in range(60):
        own = {}
        for check, source in SOLUTIONS.items():
            if "def " in source:
                own[check] = source + f"\nspare = [{draw.randint(0, 3)}] * {draw.randint(0, 2)}\n"
        students[f"s{i}"] = handin({**SOLUTIONS, **own})
    assert among(LAB, students, COURSE) == []


def test_three_hundred_students_take_seconds():
    draw, solved_cells = random.Random(0), handin(SOLUTIONS).cells
    students = {}
    for i in range(300):
        own = f"spare_{i} = [{draw.random()}]  # the spare part of student {i}\n"
        cells = [
            {**cell, "source": f"{cell.source}\n{own}"}
            if name_of(cell).endswith("-answer")
            else cell
            for cell in solved_cells
        ]
        students[f"s{i:03d}"] = {"cells": cells}
    began = time.process_time()
    assert among(LAB, students, COURSE) == []
    assert time.process_time() - began < 15  # 2 s on an idle core
