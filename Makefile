# Two commands: `make lab` opens the course, `make test` checks it. Both make .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
RUN := $(BIN)/python -m
# uv does not read pip's settings; a folder of wheels given to pip is given to it too.
ifdef PIP_FIND_LINKS
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
endif

.PHONY: help env lab test siege coverage check fast build constraints clean

help:  ## this list
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

env: $(VENV)/installed  ## make .venv and install everything into it

$(VENV)/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if (3, 11) <= v < (3, 14) else f"The course needs Python 3.11, 3.12 or 3.13, and {sys.executable} is {v[0]}.{v[1]}. Name another: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(RUN) pip install --quiet --disable-pip-version-check uv
	$(RUN) uv pip install --python $(VENV) --constraints constraints.txt --editable '.[dev]'
	@$(BIN)/python -c 'import pathlib; pathlib.Path("$(VENV)/installed").touch()'

lab: env build  ## open JupyterLab on Lab 1
	$(BIN)/course lab

build: env  ## make labs/ from solutions/
	$(BIN)/course build

test: env check  ## lint, types, and every test
	$(RUN) pytest -n 2 --dist loadfile --no-loadscope-reorder

siege: env  ## attacks on the grader, kills in the middle, mutated hand-ins
	$(RUN) pytest -n 2 --dist loadfile --no-loadscope-reorder tests/attacks tests/faults tests/fuzz

coverage: env  ## every test once more, with the library's coverage (slower)
	$(RUN) pytest -n 2 --dist loadfile --no-loadscope-reorder --cov --cov-report=term

check: env  ## lint and types alone
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy

fast: env  ## the tests that need neither a browser nor a kernel
	$(RUN) pytest -n 2 -m 'not kernel and not browser'

constraints: env  ## write constraints.txt anew (unpinned, torch jumps to another CUDA build)
	echo 'torch==2.13.0' | env -u UV_FIND_LINKS -u PIP_FIND_LINKS $(RUN) uv pip compile --universal --python-version 3.11 \
	  --extra dev --no-header --no-annotate --upgrade --constraints - pyproject.toml --output-file constraints.txt

clean:  ## remove .venv and caches
	$(PYTHON) -c 'import shutil; [shutil.rmtree(d, ignore_errors=True) for d in ("$(VENV)", ".pytest_cache", ".mypy_cache", ".ruff_cache")]'
