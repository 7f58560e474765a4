"""Grading a class: hand-ins a minute, CPU seconds and memory, beside nbgrader's own autograde.

    python benchmarks/grading.py [--handins N ...] [--workers N ...] [--only ROW ...]
                                 [--json] [--quick]

stock      `nbgrader autograde lab1` on the first number of hand-ins: one process, no sandbox, as
           nbgrader comes.
sharded    The same by two nbgrader processes at once, each with half of the students.
ours       `course grade lab1 --workers N`: sandbox, judge, gradebook, feedback pages, table. For
           each number of hand-ins and workers.
cold       Ours with two workers and a kernel that starts cold for every hand-in: what the warm
           parent saves.
bare       Ours with two workers and --no-sandbox, whose kernels start cold too: what the sandbox
           costs is cold less bare.

The hand-ins are Lab 1 with every third, every second, or none of its answers taken out. All rows
grade the same ones, in a new course each, and the scores of stock and ours are compared. CPU
seconds are those of all processes of a row, start-up included, sampled ten times a second, so that
a process's last tenth is lost; memory is the largest sum of their proportional set sizes, sampled
once a second.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import psutil
from nbgrader.api import Gradebook

ROOT = Path(__file__).resolve().parents[1]
LAB = "lab1"
ROWS = ("stock", "sharded", "ours", "cold", "bare")
SCRIPTS = Path(sys.executable).parent
ENVIRONMENT = {
    **os.environ,
    "COURSE_QUICK": "1",
    "MPLBACKEND": "Agg",
    "OMP_NUM_THREADS": "1",
    "PATH": f"{SCRIPTS}:{os.environ['PATH']}",
}
STOCK = "del c.Autograde['sanitize_preprocessors'], c.Autograde['autograde_preprocessors']\n"


def make_course(folder: Path, stock: bool) -> Path:
    """A course with Lab 1 alone."""
    for part in ("solutions", "labs"):
        shutil.copytree(ROOT / part / LAB, folder / part / LAB)
    shutil.copy(ROOT / "solutions" / "jupytext.toml", folder / "solutions")
    config = (ROOT / "nbgrader_config.py").read_text(encoding="utf-8")
    (folder / "nbgrader_config.py").write_text(config + STOCK * stock, encoding="utf-8")
    return folder


def hand_in(folder: Path, count: int) -> None:
    """Hand-ins of different merit, as nbgrader's exchange would collect them."""
    solved = nbformat.read(ROOT / "solutions" / LAB / f"{LAB}.ipynb", as_version=4)
    answers = {_name(cell): cell.source for cell in solved.cells if _name(cell).endswith("-answer")}
    for number in range(count):
        notebook = nbformat.read(ROOT / "labs" / LAB / f"{LAB}.ipynb", as_version=4)
        missing = (0, 3, 2)[number % 3]  # none, every third, every second
        for place, (name, source) in enumerate(answers.items(), start=number):
            if missing == 0 or place % missing:
                next(c for c in notebook.cells if _name(c) == name).source = source
        path = folder / f"student{number:03d}" / LAB / f"{LAB}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)


def _name(cell: nbformat.NotebookNode) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def measured(*commands: list[str], cwd: Path) -> dict[str, float]:
    """Run commands side by side: wall and CPU seconds, peak memory (MiB) of all processes."""
    started = time.perf_counter()
    running = [
        psutil.Popen(c, cwd=cwd, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for c in commands
    ]
    cpu: dict[tuple[int, float], float] = {}
    peak = tick = 0
    while any(process.poll() is None for process in running):
        held = 0
        for process in _tree(running):
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    cpu[process.pid, process.create_time()] = times.user + times.system
                if tick % 10 == 0:  # this one is slow enough to disturb what it measures
                    held += process.memory_full_info().pss
            except psutil.Error:
                continue
        peak, tick = max(peak, held), tick + 1
        time.sleep(0.1)
    for process in running:
        if process.returncode not in (0, 1):
            raise SystemExit(f"{process.args}\n{process.stderr.read().decode()}")
    wall = time.perf_counter() - started
    return {"wall s": wall, "CPU s": sum(cpu.values()), "peak MiB": peak / 2**20}


def _tree(running: list[psutil.Popen]) -> Iterator[psutil.Process]:
    for process in running:
        try:
            yield process
            yield from process.children(recursive=True)
        except psutil.Error:
            continue


def scores(course: Path) -> dict[str, float]:
    """Everybody's score in the gradebook."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        return {s.student.id: s.score for s in book.assignment_submissions(LAB)}


def stock(home: Path, count: int, shards: int) -> tuple[dict[str, float], dict[str, float]]:
    """nbgrader alone, by so many processes at once."""
    course = make_course(home, stock=True)
    hand_in(course / "submitted", count)
    nbgrader = [str(SCRIPTS / "nbgrader")]
    subprocess.run(
        [*nbgrader, "generate_assignment", LAB, "--force"],
        cwd=course, env=ENVIRONMENT, check=True, capture_output=True,
    )  # fmt: skip
    students = sorted(path.name for path in (course / "submitted").iterdir())
    commands = [[*nbgrader, "autograde", LAB]]
    if shards > 1:
        digits = ["[02468]", "[13579]"]
        commands = [[*nbgrader, "autograde", LAB, f"--student=student??{d}"] for d in digits]
    found = measured(*commands, cwd=course)
    graded = scores(course)
    assert sorted(graded) == students, "nbgrader left somebody out"
    return found, graded


def ours(
    home: Path, count: int, workers: int, isolation: str = "bubblewrap"
) -> tuple[dict[str, float], dict[str, float]]:
    """What `course grade` does."""
    course = make_course(home, stock=False)
    hand_in(home / "in", count)
    program = (
        "from pathlib import Path\n"
        "from course_lib.grading.batch import open_pool\n"
        "from course_lib.grading.options import Options\n"
        "from course_lib.notebooks.course import Course\n"
        "if __name__ == '__main__':\n"
        f"    course = Course(Path({str(course)!r}))\n"
        f"    options = Options(isolation={isolation!r}, workers={workers})\n"
        "    with open_pool(options.workers, options.isolation) as pool:\n"
        "        from course_lib.grading.grade import grade\n"
        f"        grade(course, {LAB!r}, Path('in'), options=options, pool=pool)\n"
    )
    (home / "run.py").write_text(program, encoding="utf-8")
    found = measured([sys.executable, "run.py"], cwd=home)
    return found, scores(course)


def row(name: str, count: int, workers: int, found: dict[str, float]) -> dict[str, Any]:
    each = {
        "a minute": 60 * count / found["wall s"],
        "CPU s each": found["CPU s"] / count,
    }
    return {"row": name, "hand-ins": count, "at a time": workers, **each, **found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--handins", type=int, nargs="+", default=[24, 96])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--only", nargs="+", choices=ROWS, default=ROWS)
    parser.add_argument("--quick", action="store_true", help="two hand-ins, two workers")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.handins, arguments.workers = [2], [2]
    first = arguments.handins[0]
    plan: list[tuple[str, int, int]] = []
    plan += [("stock", first, 1)] * ("stock" in arguments.only)
    plan += [("sharded", first, 2)] * ("sharded" in arguments.only)
    if "ours" in arguments.only:
        plan += [("ours", n, w) for n in arguments.handins for w in arguments.workers]
    plan += [(name, first, 2) for name in ("cold", "bare") if name in arguments.only]
    rows: list[dict[str, Any]] = []
    graded: dict[tuple[str, int], dict[str, float]] = {}
    for name, count, workers in plan:
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            if name in ("stock", "sharded"):
                found, given = stock(home, count, workers)
            else:
                isolation = {"cold": "bubblewrap, cold", "bare": "none"}.get(name, "bubblewrap")
                found, given = ours(home, count, workers, isolation)
        rows.append(row(name, count, workers, found))
        print(f"{name}, {count} hand-ins, {workers} at a time: {found}", file=sys.stderr)
        same = graded.setdefault(("all", count), given)
        if given != same:
            raise SystemExit(f"{name} gave other scores: {given}\nthan before: {same}")
    if arguments.json:
        print(json.dumps({"rows": rows, "scores agree": True}))
        return
    base = next((r["a minute"] for r in rows if r["row"] == "stock"), None)
    keys = [*rows[0], *(["of stock"] if base else [])]
    print(f"| {' | '.join(keys)} |\n|{'---|' * len(keys)}")
    for r in rows:
        values = [f"{v:.1f}" if isinstance(v, float) else str(v) for v in r.values()]
        print("|", " | ".join([*values, *([f"{r['a minute'] / base:.1f}"] if base else [])]), "|")
    print("\nAll rows gave the same scores.")


if __name__ == "__main__":
    main()
