# `make` or `make help` lists the targets. All work in .venv, made on first use.

PYTHON ?= python3
BIN := .venv/bin
PAGES := README.md CONTRIBUTING.md $(wildcard docs/*.md)

.DEFAULT_GOAL := help
.PHONY: help compare test lint frameworks browser bench power fuzz docs clean

help:  ## List the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

compare: .venv/.run  ## Run the article's experiment: initbench compare --all
	$(BIN)/initbench compare --all

test: lint  ## Run all that needs no framework: lint, pytest with doctests, initbench check
	$(BIN)/python -m pytest -n auto --dist loadfile -m 'not frameworks and not browser'
	$(BIN)/initbench check --all

lint: .venv/.test  ## Check style, types and that the generated docs are up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m cogapp -I docs --check --check-fail-msg "run 'make docs'" -P $(PAGES)

frameworks: .venv/.frameworks  ## Install PyTorch, JAX, Keras, transformers; run the tests that need them
	INITBENCH_REQUIRE_FRAMEWORKS=1 $(BIN)/python -m pytest -m frameworks tests

browser: .venv/.browser  ## Test the page in Chromium: apt-get install chromium chromium-driver
	INITBENCH_REQUIRE_BROWSER=1 $(BIN)/python -m pytest -m browser tests/browser

bench: .venv/.bench  ## Speed beside JAX, PyTorch, scikit-learn and C; processes, Dask (minutes)
	$(BIN)/python tests/benchmarks/speed.py
	$(BIN)/python tests/benchmarks/scaling.py

fuzz: .venv/.test  ## Thousands of damaged configs, options, data, baselines and stores (minutes)
	INITBENCH_FUZZ_CASES=1600 $(BIN)/python -m pytest -q tests/fuzz

power: .venv/.test  ## How often `check` raises a false alarm or misses a fault (many minutes)
	$(BIN)/python tests/benchmarks/gate_power.py

docs: .venv/.test  ## Generate configs/schema.json, and the docs' tables, references and outputs
	$(BIN)/initbench schema > configs/schema.json
	$(BIN)/python -m cogapp -I docs -r -P $(PAGES)
	$(BIN)/python tests/test_docs.py

clean:  ## Remove .venv and caches
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis dist build

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "initbench needs Python 3.11 or newer; try: make PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv .venv

# A stamp an installed set, so that a second call installs nothing.
.venv/.run: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/.test: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@ .venv/.run

# PyTorch comes first and alone, in the version that figures are compared to: left to choose from
# the range in pyproject.toml, pip may fetch another one, with gigabytes of GPU packages.
.venv/.torch: | .venv/bin/python
	$(BIN)/python -m pip install --quiet torch==2.13.0
	@touch $@

.venv/.frameworks: pyproject.toml .venv/.torch
	$(BIN)/python -m pip install --quiet --editable '.[test-frameworks]'
	@touch $@ .venv/.run .venv/.test

.venv/.browser: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[test,browser]'
	@touch $@ .venv/.run .venv/.test

.venv/.bench: pyproject.toml .venv/.torch
	$(BIN)/python -m pip install --quiet --editable '.[bench,dask]'
	@touch $@ .venv/.run
