# Every target works from a bare clone: the virtual environment is made on demand.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

help:            ## show this list
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 16

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

setup: $(READY)  ## make .venv with everything in it

demo: $(READY)   ## run the whole loop on real shoppers against the local sandbox
	$(BIN)/foretag demo

test: $(READY)   ## run the whole test suite
	$(BIN)/python -m pytest -n 2

lint: $(READY)   ## style, dead imports, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: $(READY)  ## mypy --strict
	$(BIN)/mypy

bench: $(READY)  ## print the numbers about scoring and the loop
	$(BIN)/python -m benchmarks.run

bench-peers: $(READY)  ## install other people's connectors, each by itself, to measure beside
	$(BIN)/python -m benchmarks.peers.install

bench-sync: $(READY)  ## pull and write beside them on the sandbox; calls and seconds
	$(BIN)/python -m benchmarks.sync

bench-faults: $(READY)  ## print what every kind of trouble does to pull, set-up and write
	$(BIN)/python -m benchmarks.faults

bench-crash: $(READY)  ## kill it at hundreds of instants, start it again, and compare
	$(BIN)/python -m benchmarks.crash

bench-quality: $(READY)  ## how good the scoring is, beside its targets
	$(BIN)/python -m benchmarks.quality

bench-scoring: $(READY) ## time and memory of scoring, beside a plain pipeline
	$(BIN)/python -m benchmarks.scoring --contacts 100000 --contacts 1000000

docs: $(READY)   ## write the generated files (config.example.toml, docs/reference)
	$(BIN)/python -m sync.reference

clean:           ## remove everything that was made here
	rm -rf $(VENV) foretag-demo dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help setup demo test lint types bench bench-quality bench-scoring bench-peers bench-sync bench-faults bench-crash docs clean
