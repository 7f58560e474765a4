"""environment.yml = pyproject.toml = constraints.txt = what is installed."""

import ast
import asyncio
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import jupyter_core.paths
import pytest
import torch
import yaml
from jupyter_client.kernelspec import KernelSpecManager
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from rattler import Channel, MatchSpec, SparseRepoData, solve_with_sparse_repodata
from rattler.exceptions import SolverError

ROOT = Path(__file__).parents[2]
PYPROJECT_TEXT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(PYPROJECT_TEXT)["project"]
DECLARED = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
CONDA = [line for line in ENVIRONMENT["dependencies"] if isinstance(line, str)]
(PIP,) = [line["pip"] for line in ENVIRONMENT["dependencies"] if isinstance(line, dict)]

PYTHONS = ["3.11", "3.12", "3.13"]
PLATFORMS = [
    {"sys_platform": "linux", "os_name": "posix", "platform_machine": "x86_64"},
    {"sys_platform": "darwin", "os_name": "posix", "platform_machine": "arm64"},
    {"sys_platform": "win32", "os_name": "nt", "platform_machine": "AMD64"},
]
MACHINES = [
    {"python_version": python, "python_full_version": f"{python}.7", **platform}
    for python in PYTHONS
    for platform in PLATFORMS
]


# environment.yml by itself


def test_environment_has_a_name_and_one_channel():
    assert ENVIRONMENT["name"] == PROJECT["name"]
    assert ENVIRONMENT["channels"] == ["conda-forge"]


def test_conda_lines_are_match_specs():
    names = [MatchSpec(line, strict=True).name.normalized for line in CONDA]
    assert names == ["python", "pip"]


def solve(folder: Path, pythons: list[str]) -> dict[str, str]:
    """Solve the conda lines on a channel made in `folder` with these Pythons: {name: version}."""

    def record(name: str, version: str, subdir: str, *depends: str) -> dict:
        build = {"build": "0", "build_number": 0, "subdir": subdir}
        return {"name": name, "version": version, "depends": list(depends), **build}

    records = [record("python", version, "linux-64", "tzdata") for version in pythons]
    records += [record("tzdata", "2026a", "noarch"), record("setuptools", "80.0", "noarch")]
    records += [record("pip", v, "noarch", "python >=3.10", "setuptools") for v in ("24.0", "25.0")]
    data = []
    for subdir in ("linux-64", "noarch"):
        packages = {
            f"{r['name']}-{r['version']}-0.conda": r for r in records if r["subdir"] == subdir
        }
        path = folder / subdir / "repodata.json"
        path.parent.mkdir()
        content = {"info": {"subdir": subdir}, "packages": {}, "packages.conda": packages}
        path.write_text(json.dumps(content))
        data.append(SparseRepoData(Channel(folder.as_uri()), subdir, path))
    solution = asyncio.run(solve_with_sparse_repodata(CONDA, data))
    return {r.name.normalized: str(r.version) for r in solution}


def test_environment_solves(tmp_path):
    solution = solve(tmp_path, ["3.10.14", "3.11.9", "3.12.4", "3.13.2", "3.14.0"])
    assert solution == {
        "python": "3.13.2",
        "pip": "25.0",
        "setuptools": "80.0",
        "tzdata": "2026a",
    }


@pytest.mark.parametrize("python", PYTHONS)
def test_environment_solves_on_each_supported_python(tmp_path, python):
    assert solve(tmp_path, ["3.10.14", f"{python}.1", "3.14.0"])["python"] == f"{python}.1"


@pytest.mark.parametrize("python", ["3.10.14", "3.14.0"])
def test_environment_does_not_solve_outside_the_range(tmp_path, python):
    with pytest.raises(SolverError, match="python"):
        solve(tmp_path, [python])


# environment.yml, pyproject.toml and constraints.txt together


def test_python_range_is_that_of_pyproject():
    (line,) = [line for line in CONDA if line.startswith("python ")]
    assert SpecifierSet(line.removeprefix("python ")) == SpecifierSet(PROJECT["requires-python"])


def test_pip_section_installs_this_project_under_the_constraints():
    assert PIP == ["-c constraints.txt", "-e .[dev]"]


def test_constraints_are_exact_pins_and_nothing_else():
    pin = re.compile(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*( ; .+)?")
    assert CONSTRAINTS
    assert [line for line in CONSTRAINTS if not pin.fullmatch(line)] == []


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: f"{m['python_version']}-{m['os_name']}")
def test_every_dependency_has_one_pin_within_its_range(machine):
    machine = {**default_environment(), "platform_python_implementation": "CPython", **machine}
    pins: dict[str, list[str]] = {}
    for pin in map(Requirement, CONSTRAINTS):
        if pin.marker is None or pin.marker.evaluate(machine):
            (exact,) = pin.specifier
            pins.setdefault(canonicalize_name(pin.name), []).append(exact.version)
    assert {name: versions for name, versions in pins.items() if len(versions) > 1} == {}
    for wanted in map(Requirement, DECLARED):
        if wanted.marker is not None and not wanted.marker.evaluate(machine):
            continue
        (version,) = pins[canonicalize_name(wanted.name)]
        assert version in wanted.specifier, f"{wanted} is pinned at {version}"


# The installed environment


def pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run this environment's pip without the settings of whoever runs the tests."""
    command = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check"]
    return subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True)


def test_pip_accepts_the_section_and_has_nothing_to_add(tmp_path):
    # pip reads the same arguments from the file that conda writes.
    section = [part for line in PIP for part in shlex.split(line)]
    report = tmp_path / "report.json"
    offline = ("--dry-run", "--no-index", "--no-build-isolation", "--quiet")
    done = pip("install", *offline, "--report", str(report), *section)
    assert done.returncode == 0, done.stderr
    installs = json.loads(report.read_text(encoding="utf-8"))["install"]
    assert [item["metadata"]["name"] for item in installs] == [PROJECT["name"]]


def test_pip_refuses_a_section_that_is_not_satisfied():
    done = pip("install", "--dry-run", "--no-index", "-c", "constraints.txt", "pytest<1")
    assert done.returncode != 0


def test_pip_check_is_clean():
    done = pip("check")
    assert done.returncode == 0, done.stdout


def test_tests_run_quick_on_one_thread_and_in_private_folders(private_jupyter):
    assert os.environ["COURSE_QUICK"] == "1"
    assert torch.get_num_threads() == 1
    assert Path(jupyter_core.paths.jupyter_config_dir()).is_relative_to(private_jupyter)
    assert Path(jupyter_core.paths.jupyter_runtime_dir()).is_relative_to(private_jupyter)
    assert "python3" in KernelSpecManager().find_kernel_specs()


# The code and the declarations

LINUX_ONLY = {"fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"}


def linux_only(source: str) -> list[str]:
    """What a source imports or calls that Windows lacks: `["fcntl", "os.fork"]`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [a.name for a in node.names if a.name.split(".")[0] in LINUX_ONLY]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            if node.module in LINUX_ONLY:
                found.append(node.module)
            elif node.module == "os":
                found += [f"os.{a.name}" for a in node.names if a.name in ("fork", "forkpty")]
        elif isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.fork", "os.forkpty"):
            found.append(ast.unparse(node))
    return found


def test_nothing_outside_grading_is_for_linux_only():
    library = ROOT / "course_lib"
    files = [p for p in library.rglob("*.py") if "grading" not in p.relative_to(library).parts]
    assert files
    found = {str(p.relative_to(ROOT)): linux_only(p.read_text(encoding="utf-8")) for p in files}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import fcntl", ["fcntl"]),
        ("def f():\n    from resource import setrlimit", ["resource"]),
        ("import os\nos.fork()", ["os.fork"]),
        ("from os import fork", ["os.fork"]),
        ("from .resource import fork\nimport os\nos.getpid()", []),
    ],
)
def test_the_scan_sees_linux_only_code(source, names):
    assert linux_only(source) == names


def test_every_dependency_says_why_it_is_there():
    lines = [line.strip() for line in PYPROJECT_TEXT.splitlines()]
    silent = [
        dependency
        for dependency in DECLARED
        if not any(re.match(rf'"{re.escape(dependency)}",\s+# \w', line) for line in lines)
    ]
    assert silent == []
