"""What the student's version shows in place of an answer."""

import nbformat
import pytest

from course_lib.notebooks.release import KeepRunning, RemoveAnswers


def released(source: str) -> str:
    cell = nbformat.v4.new_code_cell(source)
    assert RemoveAnswers()._replace_solution_region(cell, "python")
    return cell.source


def test_a_function_keeps_its_signature_and_says_its_name():
    source = 'def f(x):\n    """Doc."""\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION'
    assert released(source) == (
        'def f(x):\n    """Doc."""\n    # Your code here\n    raise NotImplementedError("f")'
    )


def test_two_functions_in_a_cell_each_have_their_own_name():
    one = "def {}(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION\n"
    text = released(one.format("f") + one.format("g"))
    assert text.index('("f")') < text.index("def g") < text.index('("g")')


def test_a_value_becomes_dots_under_the_last_name():
    source = "### BEGIN SOLUTION\nhelp = 3\nanswer = f(\n    help\n)\n### END SOLUTION"
    assert released(source) == "answer = ...  # your answer here"


def test_a_choice_becomes_a_request_for_a_letter():
    source = '### BEGIN SOLUTION\nchoice = "b"\n### END SOLUTION'
    assert released(source) == "choice = ...  # a letter in quotes"


def test_anything_else_is_not_implemented():
    assert "NotImplementedError()" in released("### BEGIN SOLUTION\nprint(3)\n### END SOLUTION")


@pytest.mark.parametrize("source", ["### BEGIN SOLUTION\nx = 1", "### BEGIN SOLUTION\n" * 2])
def test_unbalanced_marks_are_refused(source):
    with pytest.raises(RuntimeError, match="solution"):
        released(source)


def test_cells_from_the_first_exercise_on_may_fail():
    cells = [nbformat.v4.new_code_cell(source) for source in ("import torch", "f = ...", "f(1)")]
    cells[1].metadata["nbgrader"] = {"solution": True}
    notebook, _ = KeepRunning().preprocess(nbformat.v4.new_notebook(cells=cells), {})
    tag = ["raises-exception"]
    assert [c.metadata.get("tags", []) for c in notebook.cells] == [[], tag, tag]
