"""The command `course`: open the labs, show the widgets, build the labs, grade hand-ins."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

__all__ = ["app", "main"]

app = typer.Typer(
    help="Open the labs, show the widgets, build the labs, grade hand-ins.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def lab(
    name: Annotated[str, typer.Argument(help="Which lab to open.")] = "lab1",
    browser: Annotated[bool, typer.Option(help="Open a browser window.")] = True,
    port: Annotated[int, typer.Option(help="Where JupyterLab listens.")] = 8888,
) -> None:
    """Open JupyterLab on a lab. The address is printed."""
    from course_lib.notebooks.course import CourseError, find_course

    course = find_course()
    notebook = course.labs / name / f"{name}.ipynb"
    if not notebook.is_file():
        known = (
            ", ".join(sorted(p.name for p in course.labs.glob("lab*")))
            or "none; run `course build`"
        )
        raise CourseError(f"There is no lab {name!r} to open. There are: {known}.")
    address = notebook.relative_to(course.root).as_posix()
    command = [sys.executable, "-m", "jupyterlab", f"--port={port}"]
    command += [f"--ServerApp.root_dir={course.root}", f"--LabApp.default_url=/lab/tree/{address}"]
    command += [] if browser else ["--no-browser"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # in a container, where root is the user
        command += ["--allow-root"]
    typer.echo(f"JupyterLab opens {address}; its address follows. Stop it with Ctrl-C.")
    # The settings there fetch nothing from other hosts: no news, no list of extensions.
    settings = Path(__file__).parent / "jupyter"
    paths = [str(settings), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    environment = {**os.environ, "JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, paths))}
    raise typer.Exit(subprocess.call(command, cwd=course.root, env=environment))


@app.command()
def demo(
    freeze: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write static pages there instead.")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open a browser window.")] = True,
    port: Annotated[int, typer.Option(help="Where the pages are served.")] = 8900,
) -> None:
    """Show the widgets full-screen, for a lecture: one page each, without notebooks."""
    from course_lib.notebooks.course import CourseError
    from course_lib.widgets.demo import show, write

    try:
        if freeze is None:
            show(port, browser, typer.echo)
        else:
            write(freeze, typer.echo)
    except OSError as error:
        advice = ". Name another port: course demo --port …" if freeze is None else ""
        raise CourseError(f"{error.strerror or error}{advice}") from None


@app.command()
def build(
    labs: Annotated[list[str] | None, typer.Argument(help="Which labs; all if none.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 if stale.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also where someone has worked; keeps a copy.")
    ] = False,
) -> None:
    """Make labs/ from solutions/."""
    from course_lib.notebooks.build import build as build_labs
    from course_lib.notebooks.course import find_course

    built = build_labs(find_course(), labs, check, force)
    for path in built.stale:
        typer.echo(f"{'out of date' if check else 'written'}: {path}")
    for path in built.kept:
        typer.echo(f"kept: {path}, because someone has worked in it (--force makes it anew)")
    if not built.stale and not built.kept:
        typer.echo("All labs are up to date.")
    elif check:
        typer.echo("Run `course build` and commit what it writes.")
        raise typer.Exit(1)


@app.command()
def grade(
    lab: Annotated[str, typer.Argument(help="Which lab.")],
    submitted: Annotated[Path, typer.Option(help="The folder of hand-ins, or a zip of it.")],
    course: Annotated[Path | None, typer.Option(help="The course folder.")] = None,
    roster: Annotated[Path | None, typer.Option(help="Everybody's id, one a line.")] = None,
    workers: Annotated[
        int | None,
        typer.Option(help="How many run at a time.", show_default="one a core, at most 8"),
    ] = None,
    scheduler: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Grade on this dask.distributed cluster.")
    ] = "",
    timeout: Annotated[int, typer.Option(help="Seconds that one cell may run.")] = 60,
    again: Annotated[bool, typer.Option("--again", help="Also what has not changed.")] = False,
    no_sandbox: Annotated[
        bool, typer.Option("--no-sandbox", help="Run hand-ins with all your rights.")
    ] = False,
) -> None:
    """Grade a folder of hand-ins: gradebook, feedback pages and a CSV of scores."""
    from course_lib.notebooks.course import CourseError, find_course

    try:
        from course_lib.grading.batch import open_pool
        from course_lib.grading.options import Options
        from course_lib.grading.sandbox import Limits
    except ImportError as error:
        raise CourseError(_half_installed(error).removeprefix("course: ")) from None
    options = Options(
        limits=Limits(cell=timeout, notebook=10 * timeout, cpu=15 * timeout),
        isolation="none" if no_sandbox else "bubblewrap",
        workers=min(8, _cores()) if workers is None else workers,
        scheduler=scheduler,
        again=again,
    )
    found = find_course(course)
    if workers is not None and workers < 1:
        raise CourseError(f"At least 1 worker was expected, and {workers} came.")
    # the pool's processes import what they need while this one imports nbgrader
    with open_pool(options.workers, options.isolation, scheduler) as pool:
        try:
            from course_lib.grading.grade import grade as grade_handins
        except ImportError as error:
            raise CourseError(_half_installed(error).removeprefix("course: ")) from None
        code = grade_handins(found, lab, submitted, roster, options, typer.echo, pool)
    raise typer.Exit(code)


@app.command()
def report(
    lab: Annotated[str, typer.Argument(help="Which lab.")],
    course: Annotated[Path | None, typer.Option(help="The course folder.")] = None,
) -> None:
    """One page on a graded lab: scores, misconceptions, and what a person should look at."""
    from course_lib.grading.evidence.in_class import of_class
    from course_lib.grading.report import report as write_report
    from course_lib.notebooks.course import find_course

    found = find_course(course)
    typer.echo(f"Report: {write_report(found, lab, of_class(found, lab))}")


@app.command()
def export(
    lab: Annotated[str, typer.Argument(help="Which lab.")],
    platform: Annotated[str, typer.Option("--for", help="canvas or moodle.")],
    template: Annotated[
        Path | None, typer.Option(help="The platform's own export, to be filled in.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Where to write.")] = None,
    column: Annotated[str, typer.Option(help="The assignment's name or number in Canvas.")] = "",
    course: Annotated[Path | None, typer.Option(help="The course folder.")] = None,
) -> None:
    """Write a graded lab's scores in the form that Canvas or Moodle imports."""
    from course_lib.grading.export import export as write_export
    from course_lib.notebooks.course import find_course

    found = find_course(course)
    write_export(found, lab, platform, template, output, column, typer.echo)


def _cores() -> int:
    """The cores that this process may use."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    return allowed or os.cpu_count() or 1


def main() -> NoReturn:
    """Run the command; what a person can mend is one sentence and exit code 2."""
    try:
        from course_lib.notebooks.course import CourseError

        try:
            app()
        except CourseError as error:
            _stop(f"course: {error}")
    except ImportError as error:
        _stop(_half_installed(error))
    sys.exit(0)


def _stop(sentence: str) -> NoReturn:
    sys.stderr.write(f"{sentence}\n")
    sys.exit(2)


def _half_installed(error: ImportError) -> str:
    where = Path(sys.prefix).name
    return f"course: {error}. The installation in {where} is incomplete; `make env` repairs it."


if __name__ == "__main__":
    main()
