# Two commands do everything on a fresh machine: `make demo` and `make test`.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test agree autobahn check fix bench fuzz install clean

demo: $(VENV)/.for-use
	$(BIN)/rawkit demo

install: $(VENV)/.for-use

test: $(VENV)/.for-development
	@sh tests/install-debian-packages tests/apt-packages.txt
	$(BIN)/python -m pytest -q

agree: $(VENV)/.for-development
	@sh tests/install-debian-packages tests/apt-packages.txt
	$(BIN)/python tests/agree

check: $(VENV)/.for-development
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

fix: $(VENV)/.for-development
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.for-benchmarks
	$(BIN)/python tests/bench

autobahn: $(VENV)/.for-use  # PYTHON2 is a Python 2.7 with autobahntestsuite
	$(BIN)/python tests/autobahn.py $(PYTHON2)

fuzz: $(VENV)/.for-use
	$(BIN)/python tests/fuzz

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.for-use: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[verify]'
	@touch $@

$(VENV)/.for-development: $(VENV)/.for-use
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

$(VENV)/.for-benchmarks: $(VENV)/.for-use
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	@touch $@
