"""Attacks by the archive, and by the names of students."""

import io
import stat
import zipfile
from dataclasses import replace
from pathlib import Path

import nbformat
from attack import Attack, Fill, in_folder, plain
from handins import LAB

__all__ = ["ARCHIVES"]


def zipped(pack):
    """A zip that `pack(file, notebook)` has filled."""

    def files(attack: Attack, course: Path, place: Path, fill: Fill) -> None:
        notebook = fill(nbformat.writes(plain(attack, course)))
        with zipfile.ZipFile(place / f"{attack.name}.zip", "w", 8) as file:
            pack(file, notebook)

    return files


def climbs(file: zipfile.ZipFile, notebook: str) -> None:
    file.writestr(f"{LAB}.ipynb", notebook)
    for name in ("../../pwned", "/tmp/pwned", "..\\..\\pwned", "C:\\pwned", "a/../../pwned"):
        file.writestr(name, "pwned")


def links(file: zipfile.ZipFile, notebook: str) -> None:
    for name, target in (("out", "/"), (f"{LAB}.ipynb", "../../perfect/lab1.ipynb")):
        link = zipfile.ZipInfo(name)
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, target)
    file.writestr("out/pwned", "pwned")
    file.writestr("mine.ipynb", notebook)


def bomb(file: zipfile.ZipFile, notebook: str) -> None:
    file.writestr(f"{LAB}.ipynb", notebook)
    for i in range(3):
        with file.open(f"zeros{i}", "w", force_zip64=True) as member:
            for _ in range(8):
                member.write(bytes(2**24))
    for info in file.filelist[1:]:
        info.file_size = 2**30


def nested(file: zipfile.ZipFile, notebook: str) -> None:
    data = notebook.encode()
    for depth in range(3):
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, "w", 8) as one:
            one.writestr(f"{LAB}.ipynb" if depth == 0 else f"{depth}.zip", data)
        data = inner.getvalue()
    file.writestr("3.zip", data)


def twice(file: zipfile.ZipFile, notebook: str) -> None:
    wrong = notebook.replace("return x + h / 2 * (first + second)", "return x")
    assert wrong != notebook
    file.writestr(f"{LAB}.ipynb", notebook)
    file.writestr(f"{LAB}.ipynb", wrong)


def broken(attack: Attack, course: Path, place: Path, fill: Fill) -> None:
    zipped(climbs)(attack, course, place, fill)
    path = place / f"{attack.name}.zip"
    data = bytearray(path.read_bytes())
    data[200:260] = bytes(60)
    path.write_bytes(data)


def named(name: str):
    def files(attack: Attack, course: Path, place: Path, fill: Fill) -> None:
        in_folder(replace(attack, name=name), course, place, fill)

    return files


CELL = "print('attack-ran', 'a name')"
NO_ZIP = "a zip that cannot be unpacked"
FORMULA = "=HYPERLINK(1)+cmd|' C calc'!A0"
ARCHIVES = [
    Attack("zip-that-climbs", files=zipped(climbs)),
    Attack("zip-with-links", files=zipped(links)),
    Attack("zip-bomb", files=zipped(bomb), status=("not graded",), reason=NO_ZIP),
    Attack("zip-in-zip", files=zipped(nested), status=("not graded",), reason="no notebook among"),
    Attack(
        "zip-with-twins",
        files=zipped(twice),
        earned=("euler-step",),
    ),
    Attack("zip-that-is-broken", files=broken, status=("not graded",), reason=NO_ZIP),
    Attack("_HYPERLINK_1_cmd_C_calc_A0", files=named(FORMULA)),
    Attack("@SUM_1_1", CELL, files=named("@SUM(1+1)"), tried=("a name",)),
    Attack("x" * 100, CELL, files=named("x" * 250), tried=("a name",)),
    Attack("x_.._.._etc_passwd", CELL, files=named("x\\..\\..\\etc\\passwd"), tried=("a name",)),
    Attack("_b_script_alert", CELL, files=named("<b><script>alert"), tried=("a name",)),
]
