"""Scores in the forms of Canvas and Moodle: the right person's, or nobody's."""

import codecs
import csv
import io

import pytest

from course_lib.grading.export import export
from course_lib.grading.export.people import Person, match
from course_lib.grading.export.sheet import guarded, read_sheet
from course_lib.grading.scores import Row, write_scores
from course_lib.notebooks.course import Course, CourseError

CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Lab 1: ODEs (501),Lab 10 (510),Essay (77),Final Score
,,,,,Manual Posting,,,
    Points Possible,,,,,40.00,40.00,10.00,(read only)
"Lovelace, Ada",123,S123,ada,Mon,,,8.00,80.00
"Müller, Jürgen",124,S124,jm@example.org,Mon,12.00,,,
"O'Brien, Zoë",125,S125,zoe,Mon,,1.00,,
"Lee, Kim",126,S126,kim1,Mon,,,,
"Lee, Kim",127,S127,kim2,Mon,,,,
"Excused, Eve",128,S128,eve,Tue,EX,,,
"Elsewhere, Nan",129,S129,nan,Tue,N/A,,,
"Student, Test",199,,f00d,Mon,,,,
"""
MOODLE = """\
Identifier,"Full name","Email address",Status,Grade,"Maximum Grade","Grade can be changed",\
"Last modified (submission)","Last modified (grade)","Feedback comments"
"Participant 12345","Ada Lovelace",ada@example.org,"Submitted for grading - ",,40.00,Yes,x,-,
"Participant 12346","Jürgen Müller",jm@example.org,"Submitted - ",12.00,40.00,Yes,x,-,Fine
"Participant 12347","Zoë O'Brien",zoe@example.org,"Submitted for grading - ",,40.00,Yes,x,-,"a
b"
"Participant 12348","Kim Lee",k1@example.org,"No submission - ",,40.00,Yes,-,-,
"Participant 12349","Kim Lee",k2@example.org,"No submission - ",,40.00,Yes,-,-,
"Participant 12350","Locked Lou",lou@example.org,"Submitted for grading - ",3.00,40.00,No,x,-,
"""


@pytest.fixture
def course(tmp_path):
    (tmp_path / "grades").mkdir()
    return Course(tmp_path)


def table(course, scores, lab="lab1", most=40.0):
    """`grades/<lab>.csv` as `course grade` writes it; None is no grade."""
    rows = [
        Row(student, "missing" if score is None else "graded", score, most)
        for student, score in scores.items()
    ]
    write_scores(course.root / "grades" / f"{lab}.csv", rows, ["euler-step"])


def exported(course, scores, platform, text=None, lab="lab1", **more):
    """The rows of the file, and what was said."""
    table(course, scores, lab)
    template = None
    if text is not None:
        template = course.root / "template.csv"
        template.write_bytes(text.encode() if isinstance(text, str) else text)
    said: list[str] = []
    path = export(course, lab, platform, template, say=said.append, **more)
    return read_sheet(path).rows, "\n".join(said)


def cells(text):
    return list(csv.reader(io.StringIO(text)))


# Canvas


def test_canvas_fills_the_labs_column_and_nothing_else(course):
    scores = {"lovelaceada": 34.5, "müllerjürgen": 13.0, "obrienzoë": 0.0}
    rows, said = exported(course, scores, "canvas", CANVAS)
    expected = cells(CANVAS)
    for row, score in ((3, "34.5"), (4, "13"), (5, "0")):
        expected[row][5] = score
    assert rows == expected
    assert "lab1 for Canvas: 3 of 3 scores, in column 'Lab 1: ODEs (501)'." in said
    assert "1 of them replace another score that was there." in said
    assert "5 others in the template stay as they were." in said
    assert "Left out" not in said


@pytest.mark.parametrize(
    "student", ["ada", "ADA", "123", "S123", "lovelaceada", "Ada_Lovelace", "Lovelace_Ada"]
)
def test_canvas_by_login_number_or_name(course, student):
    rows, _ = exported(course, {student: 7.0}, "canvas", CANVAS)
    assert [row[0] for row in rows[3:] if row[5] == "7"] == ["Lovelace, Ada"]


@pytest.mark.parametrize("student", ["jm@example.org", "jm", "mullerjurgen", "müllerjürgen_124"])
def test_canvas_by_address_or_without_accents(course, student):
    rows, _ = exported(course, {student: 7.0}, "canvas", CANVAS)
    assert rows[4][5] == "7"


def test_nobody_is_guessed_and_nothing_is_lost_in_silence(course):
    scores = {
        "leekim": 1.0,
        "leekim_127": 2.0,
        "leekim_999": 3.0,
        "stranger": 4.0,
        "ada": 5.0,
        "lovelaceada": 6.0,
        "excusedeve": 7.0,
        "nan": 8.0,
        "zoe": None,
    }
    rows, said = exported(course, scores, "canvas", CANVAS)
    expected = cells(CANVAS)
    expected[7][5] = "2"
    assert rows == expected
    assert "1 of 8 scores" in said
    assert "1 without a score, so without a grade here: zoe." in said
    assert "Left out, 7:" in said
    for sentence in (
        "leekim may be any of 2 people, in rows 7 and 8.",
        "leekim_999 was not found.",
        "stranger was not found.",
        "ada and lovelaceada are one person, in row 4.",
        "lovelaceada and ada are one person, in row 4.",
        "excusedeve is excused in Canvas, and stays so.",
        "nan has not been given this assignment in Canvas.",
    ):
        assert f"  {sentence}" in said


def test_no_score_is_no_zero(course):
    rows, _ = exported(course, {"müllerjürgen": None, "ada": 1.0}, "canvas", CANVAS)
    assert rows[4][5] == "12.00"


def test_somebody_who_is_missing_on_a_roster_does_not_hide_the_hand_in(course):
    rows, said = exported(course, {"ada": None, "lovelaceada": 6.0}, "canvas", CANVAS)
    assert rows[3][5] == "6"
    assert "Left out" not in said


@pytest.mark.parametrize(
    ("titles", "column", "found"),
    [
        (["lab1 (1)", "Lab 1: ODEs (2)"], "", "lab1 (1)"),
        (["Lab 01 – flows (1)", "Lab 10 (2)", "Lab 1.5 (3)"], "", "Lab 01 – flows (1)"),
        (["Homework A (1)", "Homework B (2)"], "Homework B", "Homework B (2)"),
        (["Homework A (1)", "Homework B (2)"], "1", "Homework A (1)"),
        (["Lab 1 a (1)", "Lab 1 b (2)"], "", "2 columns that may be 'lab1'"),
        (["Homework (1)"], "", "no column for 'lab1'. Its assignments: 'Homework (1)'"),
        (["Final Score"], "", "Its assignments: none"),
    ],
)
def test_canvas_which_column(course, titles, column, found):
    text = f"Student,ID,SIS Login ID,Section,{','.join(titles)}\n"
    text += (
        f"    Points Possible,,,,{','.join('40' for _ in titles)}\nAda,1,ada,,{',' * len(titles)}\n"
    )
    if found in titles:
        rows, _ = exported(course, {"ada": 5.0}, "canvas", text, column=column)
        assert rows[2][4 + titles.index(found)] == "5"
    else:
        with pytest.raises(CourseError, match=found.replace("(", r"\(").replace(")", r"\)")):
            exported(course, {"ada": 5.0}, "canvas", text, column=column)


def test_canvas_with_first_and_last_names_and_more_columns(course):
    text = (
        "LastName,FirstName,ID,SIS User ID,SIS Login ID,Integration ID,Section,Notes,lab1 (5)\n"
        "    Points Possible,,,,,,,,40\n"
        "Lovelace,Ada,123,,ada,,Mon,x,\n"
    )
    rows, _ = exported(course, {"lovelaceada": 5.0}, "canvas", text)
    assert rows[2] == ["Lovelace", "Ada", "123", "", "ada", "", "Mon", "x", "5"]


def test_canvas_without_a_template(course):
    rows, said = exported(course, {"ada": 5.0, "bob": None, "@eve": 6.0}, "canvas")
    assert rows == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "lab1"],
        ["    Points Possible", "", "", "", "", "40"],
        ["ada", "", "", "ada", "", "5"],
    ]
    assert "Canvas will ask whether 'lab1' is a new assignment" in said
    assert "--template" in said
    assert "  @eve begins like a formula." in said


# Moodle


def test_moodle_fills_the_grade_and_nothing_else(course):
    scores = {"Ada_Lovelace": 34.5, "Jürgen_Müller": 13.0, "Zoë_OBrien": 0.25, "Locked_Lou": 9.0}
    rows, said = exported(course, scores, "moodle", MOODLE)
    expected = cells(MOODLE)
    for row, score in ((1, "34.5"), (2, "13"), (3, "0.25")):
        expected[row][4] = score
    assert rows == expected
    assert rows[3][9] == "a\nb"
    assert "lab1 for Moodle: 3 of 4 scores, in column 'Grade'." in said
    assert "1 of them replace another score that was there." in said
    assert "  Locked_Lou has a grade in Moodle that cannot be changed." in said
    assert "separator is a comma" in said


@pytest.mark.parametrize(
    "student", ["Ada_Lovelace_12345", "ada@example.org", "ada", "12345", "Lovelace_Ada"]
)
def test_moodle_by_number_address_or_name(course, student):
    if student in ("12345", "Lovelace_Ada"):  # 12345 may be the student number of anybody
        with pytest.raises(CourseError, match=f"{student} was not found"):
            exported(course, {student: 7.0}, "moodle", MOODLE)
        return
    rows, _ = exported(course, {student: 7.0}, "moodle", MOODLE)
    assert [row[1] for row in rows[1:] if row[4] == "7"] == ["Ada Lovelace"]


def test_moodle_by_student_number_where_the_worksheet_has_it(course):
    text = (
        "Identifier,Full name,ID number,Status,Grade,Maximum grade,Last modified (grade)\n"
        "Participant 7,Ada,8,x,,40,-\nParticipant 8,Bob,9,x,,40,-\nParticipant 5,C,6,x,,40,-\n"
    )
    rows, said = exported(course, {"8": 1.0, "9": 2.0, "5": 3.0}, "moodle", text)
    assert [row[4] for row in rows[1:]] == ["", "2", "3"]
    assert "8 may be any of 2 people" in said


def test_canvas_number_alone_says_nothing_where_student_numbers_are_hidden(course):
    text = "Student,ID,SIS Login ID,Section,lab1 (1)\n    Points Possible,,,,40\nAda,1,ada,,\n"
    with pytest.raises(CourseError, match="1 was not found"):
        exported(course, {"1": 5.0}, "canvas", text)


def test_moodle_tells_namesakes_apart_by_their_numbers_alone(course):
    scores = {"Kim_Lee": 1.0, "Kim_Lee_12349": 2.0, "Kim_Lee_12345": 3.0}
    rows, said = exported(course, scores, "moodle", MOODLE)
    assert [row[4] for row in rows[4:6]] == ["", "2"]
    assert "Kim_Lee may be any of 2 people, in rows 5 and 6." in said
    assert "Kim_Lee_12345 was not found." in said


def test_moodle_in_german_with_its_own_decimal_comma(course):
    text = (
        "ID;Vollständiger Name;E-Mail-Adresse;Status;Bewertung;Bestwertung;"
        "Bewertung kann geändert werden;Zuletzt geändert (Abgabe);Zuletzt geändert (Bewertung)\r\n"
        "Teilnehmer/in 7;Jörg Weiß;j@x.de;Abgegeben;;40,00;Ja;-;-\r\n"
        "Teilnehmer/in 8;Uta Ernst;u@x.de;Abgegeben;2,00;40,00;Nein;-;-\r\n"
    )
    rows, said = exported(course, {"Jörg_Weiß": 34.5, "u": 1.0}, "moodle", text)
    assert rows[1][4] == "34,5"
    assert rows[2][4] == "2,00"
    assert "separator is a semicolon" in said


def test_moodle_where_names_are_hidden(course):
    text = (
        "Identifier,Status,Grade,Maximum grade,Grade can be changed,Last modified (grade)\n"
        "Participant 7,x,,40.00,Yes,-\nParticipant 8,x,,40.00,Yes,-\n"
    )
    rows, _ = exported(course, {"Participant_8": 5.0}, "moodle", text)
    assert [row[2] for row in rows[1:]] == ["", "5"]


@pytest.mark.parametrize(
    ("students", "column", "words"),
    [
        (["ada", "bob"], "username", "user name"),
        (["ada@x.org", "bob@x.org"], "email", "e-mail address"),
        (["00123", "124"], "idnumber", "ID number"),
        (["ada", "124"], "username", "user name"),
    ],
)
def test_moodle_without_a_template(course, students, column, words):
    scores = {**dict.fromkeys(students, 5.0), "nobody": None}
    rows, said = exported(course, scores, "moodle")
    assert rows == [[column, "lab1"], *[[student, "5"] for student in students]]
    assert f"map {column} to the {words}" in said
    assert "1 without a score, so without a grade here: nobody." in said


# Files


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (b"", "cp1252"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_templates_manner_is_kept(course, mark, encoding, newline, delimiter):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=newline).writerows(cells(CANVAS))
    data = mark + text.getvalue().encode(encoding)
    exported(course, {"müllerjürgen": 12.5}, "canvas", data)
    written = (course.root / "grades" / "lab1-canvas.csv").read_bytes()
    before, after = f"Mon{delimiter}12.00".encode(encoding), f"Mon{delimiter}12.5".encode(encoding)
    assert before in data
    assert written == data.replace(before, after)


def test_names_are_no_formulas(course):
    text = CANVAS.replace('"Student, Test"', "\"=cmd|' /C calc'!A0, x\"")
    rows, _ = exported(course, {"ada": 5.0}, "canvas", text)
    assert rows[-1][0].startswith("'=cmd")
    text = MOODLE.replace("Locked Lou", "@SUM(1)")
    rows, _ = exported(course, {"ada": 5.0}, "moodle", text)
    assert rows[-1][1] == "'@SUM(1)"
    assert [guarded(t) for t in ("-1", "\t=1", "Ada", "")] == ["'-1", "'\t=1", "Ada", ""]


def test_output_and_errors_that_say_what_was_expected(course, tmp_path):
    target = tmp_path / "out.csv"
    exported(course, {"ada": 5.0}, "canvas", CANVAS, output=target)
    assert target.exists()
    assert not (course.root / "grades" / "lab1-canvas.csv").exists()
    with pytest.raises(CourseError, match="is the template itself"):
        exported(course, {"ada": 5.0}, "canvas", CANVAS, output=course.root / "template.csv")
    with pytest.raises(CourseError, match=r"cannot be written: No such file"):
        exported(course, {"ada": 5.0}, "canvas", CANVAS, output=tmp_path / "no" / "x.csv")
    with pytest.raises(CourseError, match="canvas or moodle, and 'blackboard' came"):
        exported(course, {"ada": 5.0}, "blackboard")
    with pytest.raises(CourseError, match=r"lab2.csv does not exist: grade the lab first"):
        export(course, "lab2", "canvas")
    with pytest.raises(CourseError, match="Nobody has a score"):
        exported(course, {"ada": None}, "canvas", CANVAS)
    with pytest.raises(CourseError, match="First of all, stranger was not found"):
        exported(course, {"stranger": 1.0}, "canvas", CANVAS)
    assert sorted(p.name for p in (course.root / "grades").iterdir()) == ["lab1.csv"]


@pytest.mark.parametrize(
    ("platform", "text", "words"),
    [
        ("canvas", MOODLE, "is not Canvas's gradebook: it should begin with Student,ID"),
        ("moodle", CANVAS, "is not Moodle's offline grading worksheet"),
        ("canvas", "Student,ID,Section,lab1 (1)\nAda,1,x,2\n", "it has no row Points Possible"),
        (
            "canvas",
            CANVAS.replace("40.00,40.00", "100.00,40.00"),
            "is out of 100.00, and the scores",
        ),
        ("canvas", CANVAS.replace("40.00,40.00", "(read only),40"), "is out of"),
        ("moodle", MOODLE.replace("40.00", "100.00"), "set its points to 40"),
        ("moodle", MOODLE.replace("Participant ", "Nobody"), ""),
        ("moodle", MOODLE.split("\n")[0] + "\n", "names nobody"),
        ("canvas", b"PK\x03\x04", "is a workbook or a zip"),
        ("canvas", b"", "is empty"),
        ("canvas", b"\x00\x01\x02", "holds bytes that are no text"),
        ("canvas", b'Student,ID\n"open', "is not a CSV"),
        ("canvas", b"\x81\x8d", "is not a CSV in UTF-8"),
    ],
)
def test_a_template_that_is_not_the_platforms(course, platform, text, words):
    if not words:
        exported(course, {"ada": 5.0}, platform, text)
        return
    with pytest.raises(CourseError, match=words.replace("(", r"\(").replace(")", r"\)")):
        exported(course, {"ada": 5.0}, platform, text)
    assert not (course.root / "grades" / f"lab1-{platform}.csv").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n", "no column 'student'"),
        ("student,status,score,max_score\n", "has no rows"),
        ("student,status,score,max_score\nada,graded,ten,40\n", "line 2: points were expected"),
        ("student,status,score,max_score\nada,graded,nan,40\n", "line 2: points were expected"),
        ("student,status,score,max_score\nada,graded,-1,40\n", "line 2: points were expected"),
        ("student,status,score,max_score\n,graded,1,40\n", "the student has no name"),
        ("student,status,score,max_score\na,x,1,40\na,x,1,40\n", "two rows for 'a'"),
        ("student,status,score,max_score\na,x,1,40\nb,x,1,41\n", "more than one max_score"),
    ],
)
def test_a_table_that_is_no_table_of_scores(course, text, words):
    (course.root / "grades" / "lab1.csv").write_text(text, encoding="utf-8")
    template = course.root / "template.csv"
    template.write_text(CANVAS, encoding="utf-8")
    with pytest.raises(CourseError, match=words):
        export(course, "lab1", "canvas", template)


def test_a_guarded_student_is_found_again(course):
    text = CANVAS.replace(",ada,", ",@ada,")
    rows, _ = exported(course, {"@ada": 5.0}, "canvas", text)
    assert rows[3][5] == "5"


def test_match_gives_a_row_to_one_student_at_most():
    people = [
        Person(1, ("Ada Lovelace",), ("7",), ("ada@x.org",)),
        Person(2, ("Ada Byron",), ("8",), ("ada@y.org",)),
        Person(3, ("",), ("",), ("",)),
    ]
    assert match(["ada"], people).problems == ["ada may be any of 2 people, in rows 2 and 3"]
    assert match(["Ada_Byron", "Ada_Lovelace_7", "7"], people).rows == {
        "Ada_Byron": 2,
        "Ada_Lovelace_7": 1,
    }
    assert match(["unnamed", "___"], people).rows == {}
