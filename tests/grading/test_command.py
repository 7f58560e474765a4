"""The command: one clear sentence and exit code 2 where nothing can be graded; errors contained."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
from handins import LAB, SOLUTIONS, copy_course, handin, insert, put, read_csv

from course_lib import cli
from course_lib.grading import grade as grade_file
from course_lib.grading import session as session_file
from course_lib.grading.scores import Row, line, write_scores
from course_lib.grading.work import Graded


@pytest.fixture
def course(tmp_path) -> Path:
    put(tmp_path / "in" / "ada", handin({}))
    return copy_course(tmp_path / "course", "euler-step")


@pytest.fixture
def command(course, tmp_path, monkeypatch, capfd):
    """Run `course grade …` in this process: exit code, what it printed, what it wrote to stderr."""

    def run(*args: str, lab: str = LAB, submitted: Path = tmp_path / "in"):
        line = ["course", "grade", lab, "--submitted", str(submitted), "--course", str(course)]
        monkeypatch.setattr(sys, "argv", [*line, *args])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return end.value.code, *capfd.readouterr()

    return run


def everything(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
    }


def refuses(command, course, sentence, *args, **options):
    """Exit code 2, one sentence, nothing changed."""
    before = everything(course)
    code, out, err = command(*args, **options)
    assert (code, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert everything(course) == before


def test_a_wrong_lab(command, course):
    refuses(command, course, "There is no lab 'lab9'. There are: lab1.", lab="lab9")


def test_a_missing_folder(command, course, tmp_path):
    refuses(command, course, "nowhere does not exist.", submitted=tmp_path / "nowhere")


def test_an_empty_folder(command, course, tmp_path):
    (tmp_path / "none").mkdir()
    refuses(command, course, "holds no hand-ins", submitted=tmp_path / "none")


def test_a_damaged_zip(command, course, tmp_path):
    (tmp_path / "in.zip").write_bytes(b"PK\x03\x04 and no more")
    refuses(command, course, "cannot be unpacked", submitted=tmp_path / "in.zip")


def test_a_roster_that_is_not_there(command, course, tmp_path):
    refuses(command, course, "cannot be read", "--roster", str(tmp_path / "none.csv"))


def test_a_roster_of_others(command, course, tmp_path):
    (tmp_path / "table.csv").write_text("First name,Surname\nAda,Lovelace\n", encoding="utf-8")
    sentence = "It begins with First_name, Ada; ids as the hand-ins have them were expected"
    refuses(command, course, sentence, "--roster", str(tmp_path / "table.csv"))


@pytest.mark.parametrize("place", ["", "labs", "solutions/lab1", "feedback"])
def test_the_course_s_own_folders(command, course, place):
    sentence = "is a part of the course itself; a folder or a zip of hand-ins was expected"
    refuses(command, course, sentence, submitted=course / place)


def test_no_time(command, course):
    refuses(command, course, "at least 1 second", "--timeout", "0")


@pytest.mark.parametrize("name", ["grades", "autograded", "submitted", "feedback"])
def test_a_file_where_a_folder_should_be(command, course, name):
    (course / name).write_text("in the way")
    refuses(command, course, "should be a folder, and is a file")


def test_a_folder_where_the_gradebook_should_be(command, course):
    (course / "gradebook.db").mkdir()
    refuses(command, course, "gradebook.db cannot be written")


@pytest.mark.parametrize("content", [b"not a database" * 99, b"SQLite format 3\0" + b"x" * 5000])
def test_a_corrupt_gradebook(command, course, content):
    (course / "gradebook.db").write_bytes(content)
    refuses(command, course, "gradebook.db cannot be read (file is not a database); move it away")


def test_a_gradebook_in_use(command, course, monkeypatch):
    def refuse(*args):
        raise grade_file.sqlite3.OperationalError("database is locked")

    (course / "gradebook.db").touch()
    monkeypatch.setattr(grade_file.sqlite3, "connect", refuse)
    refuses(command, course, "gradebook.db cannot be opened: database is locked.")


def test_an_unwritable_course(command, course, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(grade_file.tempfile, "TemporaryFile", refuse)
    refuses(command, course, "cannot be written: Permission denied.")


def test_half_installed(command, course, monkeypatch):
    monkeypatch.setitem(sys.modules, "course_lib.grading.grade", None)
    refuses(command, course, "`make env` repairs it")


def test_a_missing_kernel_package(command, course, monkeypatch):
    find = grade_file.importlib.util.find_spec
    monkeypatch.setattr(
        grade_file.importlib.util, "find_spec", lambda n: None if n == "ipykernel" else find(n)
    )
    refuses(command, course, "The package ipykernel is missing")


def test_a_source_that_changed_since_the_build(command, course):
    path = course / "solutions" / LAB / f"{LAB}.py"
    path.write_text(path.read_text("utf-8").replace("Drop a leaf", "Drop a cork"), "utf-8")
    refuses(command, course, "is out of date; run `course build`, then grade.")


def test_no_course(command, course, monkeypatch, tmp_path):
    (tmp_path / "empty").mkdir()
    code, _, err = command("--course", str(tmp_path / "empty"))
    assert code == 2
    assert "No course in" in err


def test_one_failure_does_not_stop_the_others(command, course, monkeypatch, tmp_path):
    def fail(jobs, make, workers):
        for job in jobs:
            yield Graded(job.student, failure=f"the grader failed: cannot do {job.student}")

    put(tmp_path / "in" / "bob", handin({}))
    monkeypatch.setattr(session_file, "grade_all", fail)
    code, out, err = command()
    assert (code, err) == (1, "")
    assert "ada            —   not graded: the grader failed: cannot do ada\n" in out
    assert "bob            —   not graded: the grader failed: cannot do bob\n" in out
    assert "2 hand-ins: 2 not graded. 2 to look at: ada, bob." in out
    assert "cannot do ada" in (course / "grades" / "lab1.log").read_text("utf-8")
    assert [row["score"] for row in read_csv(course).values()] == ["", ""]


def test_ctrl_c_keeps_what_is_graded(command, course, monkeypatch, tmp_path):
    def interrupt(jobs, make, workers):
        raise KeyboardInterrupt

    put(tmp_path / "in" / "bob", handin({}))
    monkeypatch.setattr(session_file, "grade_all", interrupt)
    code, out, _ = command()
    assert code == 130
    assert "Interrupted. 2 hand-ins: 2 not reached. What is graded stays graded." in out
    statuses = {student: row["status"] for student, row in read_csv(course).items()}
    assert statuses == {"ada": "not reached", "bob": "not reached"}


@pytest.mark.kernel
def test_a_run_says_one_line_a_student_and_nothing_else(command, course, tmp_path):
    put(tmp_path / "in" / "bob", handin(SOLUTIONS, course))
    before, path = everything(course), os.environ["PATH"]
    code, out, err = command()
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "ada        0 / 1   graded; 1 check not right (1 not answered)",
        "bob        1 / 1   graded",
        "",
        "2 hand-ins: 2 graded.",
        f"Scores: {course / 'grades' / 'lab1.csv'}",
        f"Feedback: {course / 'feedback'}   Log: {course / 'grades' / 'lab1.log'}",
    ]
    after = everything(course)
    assert {name: after[name] for name in before} == before
    scripts = str(Path(sys.executable).parent)  # nbgrader_config.py sees to it that they are there
    assert os.environ["PATH"] == (path if scripts in path.split(":") else f"{scripts}:{path}")


def test_the_table_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "lab1.csv"
    path.write_text("old", encoding="utf-8")

    def rows():
        yield Row("ada", "graded", 1, 2, {"a": 1, "b": 0.5})
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_scores(path, rows(), ["a", "b"])
    assert path.read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]
    write_scores(
        path, [Row("ada", "graded", 1.5, 2, {"a": 1, "b": 0.5}, {}, ("=1+1",))], ["a", "b"]
    )
    with path.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["student", "status", "score", "max_score", "a", "b", "reason"],
            ["ada", "graded", "1.5", "2", "1", "0.5", "'=1+1"],
        ]


def test_a_line_stays_one_line():
    faults = {f"check-{i}": f"fault-{i % 6}" for i in range(12)}
    text = line(Row("ada", "graded", 3, 40, {}, faults, ("a reason",)), 6)
    assert text == (
        "ada          3 / 40   graded: a reason; 12 checks not right "
        "(fault-0 ×2, fault-1 ×2, fault-2 ×2, fault-3 ×2, 2 more)"
    )
    faults = {"a": "no-outcome", "b": "no-outcome", "c": "not-written", "d": "chose-a"}
    assert line(Row("ada", "graded", 3, 40, {}, faults), 3).endswith(
        "4 checks not right (2 not run, 1 not answered, chose-a)"
    )


def test_the_summary_adds_up():
    statuses = ["graded"] * 2 + ["cut short", "nothing handed in", "kept from before", "missing"]
    rows = [Row(f"s{i}", status) for i, status in enumerate(statuses)]
    assert grade_file._summary(rows, False) == (
        "4 hand-ins: 2 graded, 1 cut short, 1 empty. 1 to look at: s2. "
        "Not in this run: 1 kept from before, 1 missing."
    )


@pytest.mark.kernel
def test_what_a_person_should_know_is_in_the_row(command, course, tmp_path):
    put(tmp_path / "in" / "ada", handin(SOLUTIONS, course), "lab1-Copy1.ipynb")
    bob = handin(SOLUTIONS, course)
    insert(bob, "euler-step", "while True: pass")
    put(tmp_path / "in" / "bob", bob)
    code, out, _ = command("--timeout", "20")
    assert code == 1
    assert "2 hand-ins: 2 graded. 1 to look at: ada." in out.splitlines()
    rows = read_csv(course)
    assert rows["ada"]["reason"] == "graded lab1.ipynb; also there: lab1-Copy1.ipynb"
    assert (rows["bob"]["score"], rows["bob"]["reason"]) == ("1", "1 cell stopped after 20 s")


def test_nothing_is_imported_from_the_current_folder(course, tmp_path):
    """The instructor may stand in a folder of hand-ins, or in another copy of the course."""
    here = tmp_path / "downloads"
    trap = f"open({str(here / 'sprung')!r}, 'w').close()\nraise RuntimeError\n"
    for name in ("torch.py", "signal.py", "nbgrader/__init__.py", "course_lib/__init__.py"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(trap)
    put(tmp_path / "in" / "emmy", handin({"euler-step": SOLUTIONS["euler-step"]}))
    course_command = Path(sys.executable).with_name("course")
    end = subprocess.run(
        [course_command, "grade", LAB, "--submitted", tmp_path / "in", "--course", course],
        cwd=here, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert end.returncode == 0, end.stderr
    scores = {student: row["score"] for student, row in read_csv(course).items()}
    assert scores == {"ada": "0", "emmy": "1"}
    assert not (here / "sprung").exists()
