"""Checks in a real notebook: what a cell shows, and what stock nbgrader makes of it."""

import json

import nbformat
import pytest
from nbclient import NotebookClient
from nbgrader.utils import determine_grade

from course_lib.checks import Outcome, find_check, judge
from course_lib.checks.notebook import GRADING_SEED
from course_lib.checks.outcome import OUTCOME_MIME
from course_lib.checks.rng import derive_seed
from course_lib.checks.verdict import VERDICT_MIME

pytestmark = pytest.mark.kernel

CELLS = {
    "setup": """
        import os, sys, warnings
        import torch
        from course_lib.checks import check, lab1, progress
        from course_lib.distributions import GaussianMixture
        from course_lib.processes import Langevin
    """,
    "right": "check(lab1.EulerStep, lambda velocity, x, t, h: x + h * velocity(x, t))",
    "wrong": "check(lab1.EulerStep, lambda velocity, x, t, h: x + velocity(x, t), seed=3)",
    "hostile": "check(lab1.PredictOrder, '<script>alert(1)</script>')",
    "partial": """
        target = lab1.FiveModeSample.target()
        target.weights = torch.full_like(target.weights, 0.2)
        check(lab1.FiveModeSample, target.sample(2000))
    """,
    "stub": """
        def heun_step(velocity, x, t, h):
            # YOUR CODE HERE
            raise NotImplementedError()
    """,
    "check stub": "check(lab1.HeunStep, heun_step)",
    "use stub": """
        from course_lib.simulate import simulate, time_grid
        from course_lib.processes import LinearODE
        simulate(LinearODE([[0.0]]), torch.ones(2, 1), time_grid(2), step=heun_step)
    """,
    "library": "Langevin(GaussianMixture.ring()).transition(torch.ones(1, 2), 1.0)",
    "bug": "1 / 0",
    "open answer": "answer = ...\nanswer(3)",
    "wrong types": "3 + 'a'",
    "prints": """
        def loud(velocity, x, t, h):
            print("x has shape", tuple(x.shape))
            print("mind the step", file=sys.stderr)
            warnings.warn("a warning of the student's own")
            return x + h * velocity(x, t)
        check(lab1.EulerStep, loud)
    """,
    "hang": """
        class Impatient(lab1.EulerStep):
            seconds = 0.3
        def forever(velocity, x, t, h):
            while True:
                pass
        check(Impatient, forever)
    """,
    "after": "print('still alive')",
    "progress": 'progress("lab1")',
    "grading right": f"""
        os.environ["{GRADING_SEED}"] = "123"
        check(lab1.EulerStep, lambda velocity, x, t, h: x + h * velocity(x, t))
    """,
    "grading wrong": "check(lab1.EulerStep, lambda velocity, x, t, h: x + velocity(x, t))",
    "grading stub": "check(lab1.HeunStep, heun_step)",
}


def cell_of(name, source):
    lines = source.strip("\n").splitlines()
    indent = len(lines[0]) - len(lines[0].lstrip())
    cell = nbformat.v4.new_code_cell("\n".join(line[indent:] for line in lines).rstrip())
    cell.metadata.nbgrader = {"grade": True, "solution": False, "points": 3, "grade_id": name}
    return cell


@pytest.fixture(scope="module")
def cells(private_jupyter):
    notebook = nbformat.v4.new_notebook(
        cells=[cell_of(name, source) for name, source in CELLS.items()],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    NotebookClient(notebook, timeout=120, allow_errors=True).execute()
    return dict(zip(CELLS, notebook.cells, strict=True))


def outputs(cell, kind):
    return [output for output in cell.outputs if output.output_type == kind]


def data(cell):
    (display,) = outputs(cell, "display_data")
    return display.data


def error_line(cell):
    (error,) = outputs(cell, "error")
    (line,) = error.traceback
    assert "Traceback" not in line
    assert "\n" not in line
    assert len(line) < 120
    return line


def test_a_right_answer_is_a_card_and_nothing_else(cells):
    assert cells["setup"].outputs == []
    (output,) = cells["right"].outputs
    assert "Euler step" in output.data["text/html"]
    assert output.data[VERDICT_MIME]["passed"] is True
    assert determine_grade(cells["right"]) == (3, 3)


def test_a_wrong_answer_is_a_card_a_picture_and_one_line(cells):
    bundle = data(cells["wrong"])
    assert bundle[VERDICT_MIME]["fault"] == "no-step-size"
    assert bundle[VERDICT_MIME]["seed"] == 3
    assert "The velocity is a speed." in bundle["text/html"]
    assert 'src="data:image/png;base64,' in bundle["text/html"]
    assert error_line(cells["wrong"]) == "Euler step: Notes (4): not yet (0 of 1 point)"
    assert determine_grade(cells["wrong"]) == (0, 3)


def test_a_students_words_stay_words(cells):
    assert "<script" not in data(cells["hostile"])["text/html"]
    assert "&lt;script&gt;" in data(cells["hostile"])["text/html"]


def test_partial_credit_reaches_nbgrader(cells):
    assert data(cells["partial"])[VERDICT_MIME]["points"] == 1.5
    (result,) = outputs(cells["partial"], "execute_result")
    assert float(result.data["text/plain"]) == 1.5
    assert not outputs(cells["partial"], "error")
    assert determine_grade(cells["partial"]) == (1.5, 3)


def test_a_stub_is_one_friendly_line(cells):
    assert data(cells["check stub"])[VERDICT_MIME]["fault"] == "not-written"
    assert "not yet" in error_line(cells["check stub"])
    assert error_line(cells["use stub"]) == "Something this cell needs is not written yet."
    assert determine_grade(cells["check stub"]) == (0, 3)


def test_an_answer_that_still_is_dots_is_one_friendly_line(cells):
    (error,) = cells["open answer"].outputs
    assert len(error.traceback) == 1
    assert "still `...`" in error.traceback[0]
    (error,) = cells["wrong types"].outputs
    assert error.ename == "TypeError"
    assert len(error.traceback) > 1


def test_what_the_library_does_not_offer_is_an_error_like_others(cells):
    (error,) = outputs(cells["library"], "error")
    assert error.ename == "NotImplementedError"
    assert "no known transition law" in error.evalue
    assert len(error.traceback) > 2
    assert "not written" not in "".join(error.traceback)
    (error,) = outputs(cells["bug"], "error")
    assert len(error.traceback) > 2


def test_prints_and_warnings_show_and_cost_nothing(cells):
    text = "".join(stream.text for stream in outputs(cells["prints"], "stream"))
    for words in ("x has shape (64, 2)", "mind the step", "a warning of the student's own"):
        assert words in text
    assert {stream.name for stream in outputs(cells["prints"], "stream")} == {"stdout"}
    assert determine_grade(cells["prints"]) == (3, 3)


def test_a_hang_is_stopped_and_the_kernel_lives(cells):
    assert data(cells["hang"])[VERDICT_MIME]["fault"] == "hang"
    assert outputs(cells["after"], "stream")[0].text == "still alive\n"


def test_progress_shows_the_lab(cells):
    page = data(cells["progress"])["text/html"]
    assert "Heun step" in page
    assert 'role="progressbar"' in page


def test_grading_leaves_an_outcome_that_is_judged_elsewhere(cells):
    earned = {}
    for name in ("grading right", "grading wrong", "grading stub"):
        (output,) = cells[name].outputs
        assert VERDICT_MIME not in output.data
        assert "text/html" not in output.data
        outcome = Outcome.from_json(json.loads(json.dumps(output.data[OUTCOME_MIME])))
        verdict = judge(find_check("lab1", outcome.check), outcome, derive_seed(123, outcome.check))
        earned[name] = (verdict.points, verdict.fault)
    assert earned == {
        "grading right": (1, None),
        "grading wrong": (0, "no-step-size"),
        "grading stub": (0, "not-written"),
    }
