"""A file that a lab asks for beside its notebook: found, measured, stored, and nobody else's."""

import os
from pathlib import Path

import pytest
from handins import LAB, ROOT, SOLUTIONS, copy_course, handin, put, read_csv
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from course_lib.checks import lab1, labs_with_checks
from course_lib.checks.registry import files_of
from course_lib.grading.autograde import declared_files
from course_lib.grading.beside import find_beside
from course_lib.grading.collect import collect, store
from course_lib.grading.grade import grade
from course_lib.notebooks.build import build, load_config
from course_lib.notebooks.course import Course, CourseError

NAME, LIMIT = "digits.safetensors", 10
NOTEBOOK = handin({})
READS_ITS_FILE = f"""
def euler_step(velocity, x, t, h):
    assert open("{NAME}").read() == "theirs"
    return x + h * velocity(x, t)
"""


@pytest.fixture(autouse=True)
def declared(monkeypatch):
    """Lab 1 asks for a file, in this process."""
    monkeypatch.setattr(lab1, "FILES", {NAME: LIMIT}, raising=False)


@pytest.fixture
def home(tmp_path) -> Path:
    """A student's folder with a notebook."""
    put(tmp_path / "in" / "ada", NOTEBOOK)
    return tmp_path / "in" / "ada"


def found(home: Path):
    scratch = home.parents[1] / "scratch"
    scratch.mkdir()
    (one,) = collect(home.parent, LAB, scratch, [LAB, "lab2"]).handins
    assert one.notebook
    return one


def beside(folder: Path, files: dict[str, str], notebook: str = f"{LAB}.ipynb", declared=None):
    """What is found among files of this content; names of what was taken, notes, doubts."""
    paths = {
        name: put((folder / name).parent, text, Path(name).name) for name, text in files.items()
    }
    paths[notebook] = put((folder / notebook).parent, "{}", Path(notebook).name)
    result = find_beside(paths, notebook, declared or {NAME: LIMIT})
    taken = {name: p.relative_to(folder).as_posix() for name, p in result.files.items()}
    return taken, result.notes, result.doubts


def test_a_lab_declares_its_files(monkeypatch):
    assert files_of(LAB) == {NAME: LIMIT}
    monkeypatch.delattr(lab1, "FILES")
    assert files_of(LAB) == {}
    with pytest.raises(ValueError, match="There is no lab 'lab77'"):
        files_of("lab77")


def test_the_exact_name_is_taken_without_a_word(home):
    put(home, "w", NAME)
    put(home, "old", "digits (1).safetensors")
    put(home / "runs", "old", NAME)
    one = found(home)
    assert one.files == {NAME: home / NAME}
    assert (one.notes, one.doubts) == ((), ())
    assert one.left_out == ("digits (1).safetensors", f"runs/{NAME}")


def test_a_lab_that_declares_none_takes_none(home, monkeypatch):
    monkeypatch.delattr(lab1, "FILES")
    put(home, "w", NAME)
    one = found(home)
    assert (one.files, one.left_out) == ({}, (NAME,))


def test_to_have_none_is_no_fault(home):
    one = found(home)
    assert (one.files, one.notes, one.doubts, one.left_out) == ({}, (), (), ())


@pytest.mark.parametrize(
    "name",
    [
        "digits (1).safetensors",
        "digits(1).safetensors",
        "digits-1.safetensors",
        "digits_2.safetensors",
        "digits 2.safetensors",
        "digits-Copy1.safetensors",
        "digits - Copy (2).safetensors",
        "Copy of digits.safetensors",
        "Digits.SafeTensors",
        "lovelaceada_123_456_digits.safetensors",
        "lovelaceada_LATE_123_456_digits-1.safetensors",
        "Ada Lovelace_12345_assignsubmission_file_digits.safetensors",
        "work/digits (1).safetensors",
    ],
)
def test_a_name_that_software_has_changed(tmp_path, name):
    files = {name: "w", "other.safetensors": "x", "digits.txt": "y"}
    assert beside(tmp_path, files) == ({NAME: name}, [f"{name} was taken as {NAME}"], [])


def test_an_exact_name_in_another_folder_needs_no_word(tmp_path):
    assert beside(tmp_path, {f"work/{NAME}": "w"}) == ({NAME: f"work/{NAME}"}, [], [])


def test_the_only_file_of_that_ending(tmp_path):
    taken, notes, doubts = beside(tmp_path, {"my net.safetensors": "w", "a.pt": "x"})
    assert taken == {NAME: "my net.safetensors"}
    assert notes == [f"my net.safetensors was taken as {NAME}"]
    assert doubts == []
    assert beside(tmp_path / "2", {"digits.pt": "w", "digits.safetensors.bak": "x"})[0] == {}


@pytest.mark.parametrize(
    "names",
    [
        ("one.safetensors", "two.safetensors"),
        ("digits (1).safetensors", "digits (2).safetensors"),
        (f"a/{NAME}", f"b/{NAME}"),
    ],
)
def test_several_are_not_guessed_between(tmp_path, names):
    taken, notes, doubts = beside(tmp_path / "1", dict(zip(names, "ab", strict=True)))
    assert (taken, notes) == ({}, [])
    assert doubts == [f"2 files may be {NAME}, so none was taken: {', '.join(names)}"]
    taken, _, doubts = beside(tmp_path / "2", dict.fromkeys(names, "the same"))
    assert (taken, doubts) == ({NAME: names[0]}, [])


def test_of_several_the_one_beside_the_notebook(tmp_path):
    files = {"a/one.safetensors": "1", "lab/two.safetensors": "2"}
    taken, notes, doubts = beside(tmp_path, files, "lab/homework.ipynb")
    assert (taken, notes) == ({NAME: "lab/two.safetensors"}, [])
    assert doubts == [f"lab/two.safetensors was taken as {NAME}; also there: a/one.safetensors"]


def test_two_declared_files_are_not_taken_for_each_other(tmp_path):
    declared = {"a.safetensors": 9, "b.safetensors": 9}
    assert beside(tmp_path, {"a-1.safetensors": "1"}, declared=declared)[0] == {
        "a.safetensors": "a-1.safetensors"
    }


def test_too_large_is_said_and_not_taken(home):
    put(home, "w" * LIMIT, NAME)
    put(home, "notes", "notes.txt")
    assert found(home).files
    (home.parents[1] / "scratch").rmdir()
    put(home, "w" * (LIMIT + 1), NAME)
    one = found(home)
    assert (one.files, one.left_out) == ({}, ("notes.txt",))
    assert one.doubts == (f"{NAME} was not taken: it has 11 bytes, and at most 10 are allowed",)


def test_links_and_pipes_are_not_taken(tmp_path):
    secret = put(tmp_path, "key", "secret")
    (tmp_path / NAME).symlink_to(secret)
    files = {f"{LAB}.ipynb": secret, NAME: tmp_path / NAME}
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "digits-1.safetensors")
        files["digits-1.safetensors"] = tmp_path / "digits-1.safetensors"
    assert find_beside(files, f"{LAB}.ipynb", {NAME: LIMIT}).files == {}


def test_canvas_sends_each_file_by_itself(tmp_path):
    for name, content in {
        "lovelaceada_123_456_lab1.ipynb": NOTEBOOK,
        "lovelaceada_123_457_digits-1.safetensors": "w",
    }.items():
        put(tmp_path / "in", content, name)
    one = found(tmp_path / "in" / "any")
    assert one.student == "lovelaceada"
    assert one.files[NAME].read_text("utf-8") == "w"


def test_it_is_stored_under_its_own_name_and_nothing_else_is(home, tmp_path):
    course = Course(tmp_path / "course")
    stored = course.root / "submitted" / "ada" / LAB
    put(stored, "stale", NAME)
    put(home, "w", "digits (1).safetensors")
    put(home, "x", "helper.py")
    target = store(course, LAB, found(home))
    assert target == stored / f"{LAB}.ipynb"
    assert {p.name: p.read_text("utf-8") for p in stored.iterdir() if p != target} == {NAME: "w"}
    (home / "digits (1).safetensors").unlink()
    (home.parents[1] / "scratch").rmdir()
    store(course, LAB, found(home))
    assert list(stored.iterdir()) == [target]


def test_in_submitted_itself_files_stay_where_they_are(tmp_path):
    course = Course(tmp_path)
    folder = course.root / "submitted" / "ada" / LAB
    put(folder, NOTEBOOK)
    put(folder, "w", "mine.safetensors")
    one = found(course.root / "submitted" / "ada")
    assert one.files[NAME] == folder / "mine.safetensors"
    store(course, LAB, one)
    store(course, LAB, one)
    assert sorted(p.name for p in folder.iterdir()) == [NAME, f"{LAB}.ipynb", "mine.safetensors"]

    secret = put(tmp_path, "key", "secret")
    (folder / NAME).unlink()
    (folder / NAME).symlink_to(secret)
    store(course, LAB, one)
    assert secret.read_text("utf-8") == "key"
    (folder / NAME).unlink()

    (folder / f"{LAB}.ipynb").rename(folder.parent / f"{LAB}.ipynb")
    (tmp_path / "scratch").rmdir()
    with pytest.raises(CourseError, match="submitted"):
        store(course, LAB, found(course.root / "submitted" / "ada"))
    assert (folder / "mine.safetensors").exists()


def test_nbgrader_alone_puts_no_solution_over_theirs(monkeypatch):
    monkeypatch.delattr(lab1, "FILES")
    spared = load_config(Course(ROOT)).Autograde.exclude_overwriting
    for lab in labs_with_checks():
        assert set(files_of(lab)) <= set(spared.get(lab, [])), "name it in nbgrader_config.py"


def test_what_people_hand_in_is_never_released(tmp_path):
    course = Course(copy_course(tmp_path / "course"))
    put(course.solutions / LAB, "ours", NAME)
    put(course.solutions / LAB, "ours", "w2.safetensors")
    theirs = put(course.labs / LAB, "theirs", NAME)
    (course.labs / LAB / f"{LAB}.ipynb").unlink()
    assert build(course).stale == [f"labs/{LAB}/{LAB}.ipynb"]
    released = [p.name for p in (course.labs / LAB).iterdir() if p.is_file()]
    assert sorted(released) == [NAME, f"{LAB}.ipynb"]
    assert theirs.read_text("utf-8") == "theirs"


@pytest.mark.kernel
def test_the_kernel_finds_it_and_the_feedback_leaves_it(tmp_path):
    course = Course(copy_course(tmp_path / "course", "euler-step"))
    put(course.solutions / LAB, "ours", NAME)
    hers = handin({**SOLUTIONS, "euler-step": READS_ITS_FILE}, course.root)
    put(tmp_path / "in" / "ada", hers)
    put(tmp_path / "in" / "ada", "theirs", "digits (1).safetensors")
    put(tmp_path / "in" / "ada", "too much of it", "old.safetensors")
    assert grade(course, LAB, tmp_path / "in", say=lambda line: None) == 0
    row = read_csv(course.root)["ada"]
    assert (row["status"], row["score"]) == ("graded", "1")
    taken = f"digits (1).safetensors was taken as {NAME}"
    assert row["reason"] == f"{taken}; 1 other file left out"
    assert files_in(course, "autograded") == {f"{LAB}.ipynb", "verdicts.json"}
    assert files_in(course, "feedback") == {f"{LAB}.html"}

    # nbgrader alone, and what its preprocessor takes: no file that is too large, no link
    config = load_config(course)
    config.Autograde.exclude_overwriting = {LAB: [NAME]}
    assert prepared(Autograde, course, config) == "theirs"
    folder = course.root / "submitted" / "ada" / LAB
    assert declared_files(folder, LAB) == {NAME: b"theirs"}
    submitted = course.root / "submitted" / "ada" / LAB / NAME
    submitted.write_text("w" * (LIMIT + 1), "utf-8")
    assert declared_files(folder, LAB) == {}
    submitted.unlink()
    assert declared_files(folder, LAB) == {}
    submitted.symlink_to(put(tmp_path, "key", "secret"))
    assert declared_files(folder, LAB) == {}


def files_in(course: Course, step: str) -> set[str]:
    folder = course.root / step / "ada" / LAB
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def prepared(kind: type[Autograde], course: Course, config: Config) -> str | None:
    """What the file beside the notebook says just before the notebook is executed."""
    directory = CourseDirectory(config=config, assignment_id=LAB, student_id="ada")
    converter = kind(coursedir=directory, config=config, force=True)
    converter.init_notebooks()
    converter.init_destination(LAB, "ada")
    (converter.notebooks,) = converter.assignments.values()
    converter.init_assignment(LAB, "ada")
    path = course.root / "autograded" / "ada" / LAB / NAME
    return path.read_text("utf-8") if path.exists() else None
