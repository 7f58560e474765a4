"""A kernel that dies, hangs or never ends stops the run, keeps what was before and says where."""

import pytest
from nbformat import from_dict
from nbformat.v4 import new_code_cell, new_notebook

from course_lib.checks import find_check
from course_lib.grading.execute import Run, _first_line, run_notebook
from course_lib.grading.judge import judge_cell
from course_lib.grading.kernel import CellRun
from course_lib.grading.sandbox import Limits, open_isolation

pytestmark = pytest.mark.kernel

STUBBORN = """
while True:
    try:
        while True:
            pass
    except KeyboardInterrupt:
        pass
"""


@pytest.fixture(scope="module", params=["bubblewrap", "none"])
def run(request):
    """Run cells: what each printed, and how it went; in the sandbox, and without."""
    if request.param == "bubblewrap":
        request.getfixturevalue("bwrap")
    isolation = open_isolation(request.param)

    def run(*sources: str, **limits: float):
        notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
        how = run_notebook(notebook, "lab1", isolation, limits=Limits(**limits))
        cells = [how.cells.get(index, CellRun()) for index in range(len(sources))]
        return cells, ["".join(o.get("text", "") for o in cell.outputs) for cell in cells], how

    yield run
    isolation.close()


def test_errors_do_not_stop_it_and_the_environment_is_the_grader_s(run):
    names = ["COURSE_GRADING_SEED", "COURSE_QUICK", "MPLBACKEND"]
    seen = f"import os\nprint(*[os.environ[n] for n in {names}])"
    cells, texts, how = run("1 / 0", seen, "import sys; print(sys.executable)")
    assert cells[0].outputs[-1].ename == "ZeroDivisionError"
    assert texts[1].split() == [str(how.seed), "1", "Agg"]
    import sys

    assert texts[2].strip() == sys.executable
    assert how.stop == ""


def test_each_run_has_a_seed_of_its_own(run):
    assert run("1")[2].seed != run("1")[2].seed


def test_a_dead_kernel(run):
    _, texts, how = run("print(1)", "\nimport os; os._exit(3)", "print(3)")
    assert texts == ["1\n", "", ""]
    assert how.stop == "the kernel died in cell 2 (import os; os._exit(3))"


@pytest.mark.parametrize("command", ["quit()", "exit"])
def test_quit_ends_at_once(run, command):
    """ipykernel itself goes on for a tenth of a second, in which the next cells run."""
    _, texts, how = run("print(1)", command, *[f"print({i})" for i in range(20)])
    assert texts == ["1\n", *[""] * 21]
    assert how.stop == f"the kernel died in cell 2 ({command})"


def test_a_cell_that_defines_a_function_goes_by_its_name():
    assert _first_line(new_code_cell("\ndef heun_step(velocity, x, t):\n    pass")) == "heun_step"
    assert _first_line(new_code_cell("default = 1")) == "default = 1"


def test_an_endless_cell_is_stopped_and_the_next_one_runs(run):
    cells, texts, how = run("while True: pass", "print(2)", cell=2)
    assert cells[0].outputs[-1].ename == "CellTimeoutError"
    assert texts[1] == "2\n"
    assert (how.stop, how.timed_out) == ("", 1)


def test_a_cell_that_cannot_be_interrupted_ends_the_run(run):
    _, texts, how = run("print(1)", STUBBORN, "print(3)", cell=2)
    assert texts == ["1\n", "", ""]
    assert how.stop == "the kernel stopped answering in cell 2 (while True:)"


def test_the_wall_clock(run):
    _, texts, how = run("import time; time.sleep(9)", "print(2)", notebook=1)
    assert texts[1] == ""
    assert how.stop.startswith("the notebook had run for 1 s in cell 1")


CHECK = find_check("lab1", "predict-order")


def judged(*outcomes: object, at: int = 5, run: Run | None = None, outputs: tuple = ()):
    return judge_cell(CHECK, CellRun(list(outputs), list(outcomes)), at, run or Run(1))[0]


RIGHT = {"check": "predict-order", "output": "b", "fault": None, "failings": [], "hints": []}


def test_an_outcome_is_judged():
    assert judged(RIGHT).passed
    assert judged({**RIGHT, "output": "a"}).fault == "chose-a"


@pytest.mark.parametrize(
    "data",
    [None, 1, [], {}, {**RIGHT, "output": {"array": "!", "kind": "", "device": ""}}, "x" * 1000],
)
def test_what_cannot_be_read_earns_nothing(data):
    verdict = judged(data)
    assert (verdict.fault, verdict.points) == ("malformed-outcome", 0)


def test_another_check_s_outcome_earns_nothing():
    assert judged({**RIGHT, "check": "euler-step"}).fault == "other-check"


def test_two_outcomes_are_not_chosen_between():
    verdict = judged(RIGHT, RIGHT)
    assert (verdict.fault, verdict.points) == ("several-outcomes", 0)


def test_no_outcome_says_why():
    error = {"output_type": "error", "ename": "NameError", "evalue": "name 'f' is not defined"}
    verdict = judged(outputs=(from_dict({**error, "traceback": []}),))
    assert verdict.fault == "no-outcome"
    assert "name 'f' is not defined" in verdict.message
    assert "has the name not been changed?" in verdict.detail
    dead = Run(1, stopped_at=2, why="the kernel died", cell="boom()")
    assert judged(run=dead).message == "Not run: the kernel died before this check."
    assert judged(run=dead, at=2).message == "Not run: the kernel died in this check."
    assert "cell 3: boom()" in judged(run=dead).detail
    assert judged().message == "This check handed over no answer."


def test_a_warning_on_stderr_costs_nothing():
    noise = from_dict({"output_type": "stream", "name": "stderr", "text": "UserWarning: hm"})
    assert judged(RIGHT, outputs=(noise,)).passed
