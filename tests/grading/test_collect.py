"""Folders and zips as platforms export them; nothing is written outside, nothing is guessed."""

import json
import stat
import zipfile
from pathlib import Path

import pytest
from handins import LAB, ROOT, handin, put
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook, writes

from course_lib.grading.collect import NOTHING, collect, store
from course_lib.grading.names import platform_sender, read_roster, safe_id
from course_lib.notebooks.course import Course, CourseError

NOTEBOOK = handin({})
TEXT = writes(NOTEBOOK)


@pytest.fixture
def found(tmp_path):
    """Collect `tmp_path/in`, or another place; returns the hand-ins by student, and the rest."""

    def collect_it(place: Path = tmp_path / "in"):
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        collected = collect(place, LAB, scratch, [LAB, "lab2"])
        return {h.student: h for h in collected.handins}, collected

    return collect_it


def zipped(path: Path, members: dict[str, str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def test_folders_of_any_depth_and_name(found, tmp_path):
    home = tmp_path / "in"
    put(home / "ada", NOTEBOOK)
    put(home / "bob" / LAB, NOTEBOOK)
    put(home / "bob" / "lab2", NOTEBOOK, "lab2.ipynb")
    put(home / "carol" / "a" / "b", NOTEBOOK, "my homework.ipynb")
    put(home / "dan", NOTEBOOK)
    put(home / "dan", NOTEBOOK, "draft.ipynb")
    put(home / "dan" / "course_lib", "raise SystemExit", "__init__.py")
    put(home / "eve", NOTEBOOK, "one.ipynb")
    put(home / "eve", new_notebook(cells=[new_code_cell("2")]), "two.ipynb")
    put(home / "fay", None)
    put(home / "gus", "words", "essay.pdf")
    put(home / "hal" / "lab2", NOTEBOOK, "lab2.ipynb")
    put(home / ".ipynb_checkpoints", NOTEBOOK)
    handins, _ = found()
    assert list(handins) == ["ada", "bob", "carol", "dan", "eve", "fay", "gus", "hal"]
    assert all(handins[student].notebook for student in ("ada", "bob", "carol", "dan"))
    assert handins["bob"].notebook == home / "bob" / LAB / f"{LAB}.ipynb"
    assert handins["dan"].left_out == ("draft.ipynb", "course_lib/__init__.py")
    assert handins["eve"].reason == "2 notebooks where one was expected: one.ipynb, two.ipynb"
    assert handins["fay"].reason == handins["hal"].reason == NOTHING
    assert handins["gus"].reason == "no notebook among the files: essay.pdf"


def test_a_notebook_of_another_lab_is_known_by_its_exercises(found, tmp_path):
    lab2 = (ROOT / "labs/lab2/lab2.ipynb").read_text("utf-8")
    put(tmp_path / "in" / "ada", None)
    (tmp_path / "in" / "ada" / f"{LAB}.ipynb").write_text(lab2, "utf-8")
    put(tmp_path / "in" / "bob", NOTEBOOK)
    handins, _ = found()
    assert handins["ada"].reason == "not lab1: it is the notebook of lab2"
    assert handins["ada"].notebook is None
    assert handins["bob"].notebook


def moodle(name: str, number: int) -> str:
    return f"{name}_{number}_assignsubmission_file_"


def test_a_namesake_in_a_later_export_does_not_take_the_place(tmp_path):
    def students(numbers: dict[str, str], *folders: str) -> set[tuple[str, str]]:
        place = tmp_path / "-".join(folders)
        for folder in folders:
            put(place / folder, NOTEBOOK)
        found = collect(place, LAB, tmp_path / "scratch", [LAB], lambda s: numbers.get(s, ""))
        return {(h.student, h.number) for h in found.handins}

    first, second = moodle("Kim Lee", 7), moodle("Kim Lee", 8)
    assert students({}, first) == {("Kim_Lee", "7")}
    assert students({"Kim_Lee": "7"}, second) == {("Kim_Lee_8", "8")}
    both = {("Kim_Lee", "7"), ("Kim_Lee_8", "8")}
    assert students({"Kim_Lee": "7", "Kim_Lee_8": "8"}, first, second) == both
    assert students({}, moodle("Participant", 3)) == {("Participant_3", "3")}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "not a notebook: the file is empty"),
        ("hello", "not a notebook: the file is not JSON"),
        ("[" * 100_000, "not a notebook: the file is not JSON"),
        ("\ud83d", "not a notebook: the file is not JSON"),
        ("[1, 2]", "not a notebook: JSON, but not of Jupyter's form"),
        ('{"cells": []}', "not a notebook: "),
        (writes(new_notebook()), "not a notebook: it has no cells"),
        (TEXT.replace('"source"', '"sauce"'), "not a notebook: "),
        (writes(new_notebook(cells=[new_code_cell("1 + 1")])), "not lab1: none of its exercises"),
    ],
)
def test_what_is_no_notebook_has_a_reason(found, tmp_path, content, reason):
    path = put(tmp_path / "in" / "ada", None)
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    handins, _ = found()
    assert handins["ada"].notebook is None
    assert handins["ada"].reason.startswith(reason)


def test_a_huge_file_is_not_read(found, tmp_path):
    path = put(tmp_path / "in" / "ada", None)
    with path.open("wb") as file:
        file.truncate(21 * 2**20)
    assert found()[0]["ada"].reason == "too large: 21 MiB, and at most 20 are read"


def test_links_are_not_followed(found, tmp_path):
    outside = put(tmp_path / "elsewhere", NOTEBOOK)
    put(tmp_path / "in" / "ada", None)
    (tmp_path / "in" / "ada" / "lab1.ipynb").symlink_to(outside)
    assert found()[0]["ada"].reason == NOTHING


def test_moodle(found, tmp_path):
    zipped(
        tmp_path / "in.zip",
        {
            "Ada Lovelace_12345_assignsubmission_file_/lab1.ipynb": TEXT,
            "Bob Ray_12346_assignsubmission_file_lab1.ipynb": TEXT,
            "Zoë O'Neil_12347_assignsubmission_file_/homework.zip": "no zip at all",
            "Kim Lee_12348_assignsubmission_file_/lab1.ipynb": TEXT,
            "Kim Lee_12349_assignsubmission_file_/lab1.ipynb": "another Kim",
        },
    )
    handins, _ = found(tmp_path / "in.zip")
    assert list(handins) == [
        "Ada_Lovelace",
        "Bob_Ray",
        "Kim_Lee_12348",
        "Kim_Lee_12349",
        "Zoë_O_Neil",
    ]
    assert handins["Ada_Lovelace"].notebook.read_text("utf-8") == TEXT
    assert handins["Bob_Ray"].notebook
    assert handins["Kim_Lee_12348"].notebook
    assert handins["Kim_Lee_12349"].reason == "not a notebook: the file is not JSON"
    assert handins["Zoë_O_Neil"].reason.startswith("homework.zip cannot be unpacked: ")


def test_canvas(found, tmp_path):
    zipped(
        tmp_path / "in" / "submissions.zip",
        {
            "lovelaceada_123_456_lab1.ipynb": TEXT,
            "raybob_LATE_124_457_lab1-1.ipynb": TEXT,
            "raybob_LATE_124_458_notes.txt": "notes",
            "smithkim_125_459_report.pdf": "pdf",
        },
    )
    handins, _ = found()
    assert list(handins) == ["lovelaceada", "raybob", "smithkim"]
    assert handins["lovelaceada"].notebook
    assert handins["raybob"].notebook
    assert handins["raybob"].left_out == ("notes.txt",)
    assert handins["smithkim"].reason == "no notebook among the files: report.pdf"


def test_zips_of_single_students(found, tmp_path):
    zipped(tmp_path / "in" / "ada.zip", {"lab1.ipynb": TEXT, "data.csv": "1"})
    zipped(tmp_path / "in" / "bob.zip", {"lab1/lab1.ipynb": TEXT})
    zipped(tmp_path / "in" / "carol.zip", {"work/lab1.ipynb": TEXT, "work/data/a.csv": "1"})
    zipped(tmp_path / "in" / "dan.zip", {"work/lab1.ipynb": TEXT, "notes/a.txt": "1"})
    zipped(tmp_path / "in" / "fay.zip", {"one.ipynb": TEXT, "two.ipynb": "another"})
    zipped(tmp_path / "in" / "Gus Oh_77_assignsubmission_file_x.zip", {"work/lab1.ipynb": TEXT})
    put(tmp_path / "in", "no zip", "eve.zip")
    handins, _ = found()
    assert list(handins) == ["Gus_Oh", "ada", "bob", "carol", "dan", "eve", "fay"]
    assert all(handins[s].notebook for s in ("Gus_Oh", "ada", "bob", "carol", "dan"))
    assert handins["ada"].left_out == ("data.csv",)
    assert handins["fay"].reason == "2 notebooks where one was expected: one.ipynb, two.ipynb"
    assert handins["eve"].reason.startswith("a zip that cannot be unpacked: ")


def test_a_zip_of_single_students_zips(found, tmp_path):
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as file:
        for student in ("ada", "bob"):
            one = zipped(tmp_path / "one" / f"{student}.zip", {"work/lab1.ipynb": TEXT})
            file.write(one, one.name)
    assert list(found(tmp_path / "in.zip")[0]) == ["ada", "bob"]


def test_notebooks_beside_the_graded_one(found, tmp_path):
    ada = tmp_path / "in" / "ada"
    other = new_notebook(cells=[new_code_cell("2")])
    put(ada, NOTEBOOK)
    put(ada, other, "lab1-Copy1.ipynb")
    put(ada, NOTEBOOK, "the same.ipynb")
    put(ada, other, "lab2.ipynb")
    put(ada / ".ipynb_checkpoints", other, "lab1-checkpoint.ipynb")
    handin = found()[0]["ada"]
    assert handin.notebook == ada / "lab1.ipynb"
    assert handin.left_out == ("lab1-Copy1.ipynb", "lab2.ipynb", "the same.ipynb")
    assert (handin.name, handin.rivals) == ("lab1.ipynb", ("lab1-Copy1.ipynb",))


@pytest.mark.parametrize(
    "name",
    ["../evil.ipynb", "/evil.ipynb", "ada/../../evil.ipynb", "..\\evil.ipynb", "C:\\e.ipynb"],
)
def test_members_that_leave_the_folder_are_refused(found, tmp_path, name):
    zipped(tmp_path / "in.zip", {"ada/lab1.ipynb": TEXT, name: "gotcha"})
    before = set(tmp_path.rglob("*"))
    handins, collected = found(tmp_path / "in.zip")
    assert list(handins) == ["ada"]
    assert len(collected.refused) == 1
    assert "was refused: its path" in collected.refused[0]
    new = {p for p in tmp_path.rglob("*") if p not in before}
    assert all(p.is_relative_to(tmp_path / "scratch") for p in new)
    assert not any(p.is_file() and p.read_bytes() == b"gotcha" for p in new)
    assert not Path("/evil.ipynb").exists()


def test_a_link_in_a_zip_is_refused(found, tmp_path):
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as file:
        link = zipfile.ZipInfo("ada/lab1.ipynb")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")
        file.writestr("bob/lab1.ipynb", TEXT)
    handins, collected = found(tmp_path / "in.zip")
    assert list(handins) == ["bob"]
    assert collected.refused[0].endswith("was refused: it is a link")


def test_a_bomb_is_not_unpacked(found, tmp_path):
    zipped(tmp_path / "in.zip", {"ada/lab1.ipynb": TEXT})
    with zipfile.ZipFile(tmp_path / "in.zip", "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr("ada/big.bin", b"\0" * (65 * 2**20))
    handins, collected = found(tmp_path / "in.zip")
    assert handins["ada"].left_out == ()
    assert "larger than 64 MiB" in collected.refused[0]


def test_two_hand_ins_under_one_name_are_not_guessed_between(found, tmp_path):
    put(tmp_path / "in" / "Ada L", NOTEBOOK)
    put(tmp_path / "in" / "Ada+L", NOTEBOOK)
    put(tmp_path / "in" / "José 😀", NOTEBOOK)
    put(tmp_path / "in" / "José 😎", NOTEBOOK)
    handins, _ = found()
    assert list(handins) == ["Ada_L", "José"]
    assert handins["Ada_L"].notebook is None
    assert handins["Ada_L"].reason == "two hand-ins under one name, Ada_L: Ada L, Ada+L"
    assert handins["José"].reason == "two hand-ins under one name, José: José 😀, José 😎"


def test_files_of_nobody(found, tmp_path):
    put(tmp_path / "in" / "ada", NOTEBOOK)
    put(tmp_path / "in", NOTEBOOK)
    put(tmp_path / "in", "a,b", "overview.csv")
    _, collected = found()
    assert collected.refused == ["lab1.ipynb lies in no student's folder"]
    assert collected.passed_over == ["overview.csv"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: None, "does not exist"),
        (lambda p: p.mkdir(), "holds no hand-ins"),
        (lambda p: p.write_text("x"), "is neither a folder nor a .zip"),
    ],
)
def test_a_place_without_hand_ins_is_an_error(found, tmp_path, make, message):
    make(tmp_path / "in")
    with pytest.raises(CourseError, match=message):
        found()


def test_only_the_notebook_is_stored(found, tmp_path):
    course = Course(tmp_path / "course")
    put(tmp_path / "in" / "ada", NOTEBOOK, "homework.ipynb")
    put(tmp_path / "in" / "ada" / "course_lib", "raise SystemExit", "__init__.py")
    put(course.root / "submitted" / "ada" / LAB, "stale", "old.txt")
    target = store(course, LAB, found()[0]["ada"])
    assert target == course.root / "submitted" / "ada" / LAB / "lab1.ipynb"
    assert [p for p in (course.root / "submitted").rglob("*") if p.is_file()] == [target]
    assert json.loads(target.read_text("utf-8"))["cells"]


@given(st.text(max_size=150))
def test_ids_suit_file_systems_and_nbgrader(name):
    student = safe_id(name)
    assert student
    assert not set(student) & set('+/\\:*?"<>|{}[], \t\n\0')
    assert student == student.strip(".")
    assert student[0] != "-"
    assert safe_id(student) == student


@pytest.mark.parametrize("name", ["ada", "ada_lovelace", "lab1.ipynb", "ada_1.ipynb"])
def test_ordinary_names_are_of_no_platform(name):
    assert platform_sender(name) is None


@pytest.mark.parametrize(
    "text",
    [
        "ada\nbob\n",
        "id,name\nada,A\nbob,B\n",
        "\ufeffada\n\nbob\nada",
        "# the class of 2026\n\nid;name\nada;Ada\n  # bob is late\nbob;Bob\n;Nobody\n",
        'ada\tAda, L.\n"bob","Bob"\n',
    ],
)
def test_roster(tmp_path, text):
    (tmp_path / "roster.csv").write_text(text, encoding="utf-8")
    assert read_roster(tmp_path / "roster.csv") == ["ada", "bob"]


@pytest.mark.parametrize("content", [None, b"", b"student\n", b"\xff\xfe\x00"])
def test_bad_rosters(tmp_path, content):
    if content is not None:
        (tmp_path / "roster.csv").write_bytes(content)
    with pytest.raises(CourseError, match="roster"):
        read_roster(tmp_path / "roster.csv")


@pytest.mark.parametrize(
    ("name", "sender"),
    [
        ("o_brienzoe_LATE_125_458_lab1.ipynb", ("o_brienzoe", "125", "lab1.ipynb")),
        ("anon_Ab1cD_456_lab1.ipynb", ("anon", "Ab1cD", "lab1.ipynb")),
        ("LATE_anon_Ab1cD_456_lab1.ipynb", ("anon", "Ab1cD", "lab1.ipynb")),
        ("lovelaceada_123_text.html", ("lovelaceada", "123", "text.html")),
        ("Default group_assignsubmission_file", ("Default group", "", "")),
    ],
)
def test_less_usual_names_of_the_platforms(name, sender):
    assert platform_sender(name) == sender


def test_a_name_with_an_underscore_does_not_make_an_export_one_student_s(tmp_path):
    with zipfile.ZipFile(tmp_path / "submissions.zip", "w") as file:
        for name in ("lovelaceada_123_456", "o_brienzoe_LATE_125_458", "hopper_7_8"):
            file.writestr(f"{name}_{LAB}.ipynb", writes(handin({})))
    (tmp_path / "scratch").mkdir()
    found = collect(tmp_path / "submissions.zip", LAB, tmp_path / "scratch", [LAB]).handins
    assert [handin.student for handin in found] == ["hopper", "lovelaceada", "o_brienzoe"]
    assert all(handin.notebook for handin in found)
