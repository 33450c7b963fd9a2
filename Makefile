# Each target sets up what it needs by itself: Python 3.11 or newer, make, nothing else.
#   make start   the engine against local venue servers, with its screen; Ctrl-C stops it
#   make test    lint, types, tests
#   make bench   latency and throughput on this machine
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11,\
  $(shell $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ARGS ?=

.PHONY: start test lint bench bench-peers lock clean

start: $(READY)
	@$(BIN)/trypto-engine start $(ARGS)

test: $(READY) lint
	@$(BIN)/python -m pytest -q $(ARGS)

lint: $(READY)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy

bench: $(READY)
	@$(BIN)/python -m bench $(ARGS)

bench-peers: $(READY)
	@$(BIN)/python -m bench.peers $(ARGS)

# The lock pins every package by version and hash and names no registry: pip asks its own.
$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "trypto-engine needs Python 3.11 or newer; none is on PATH" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "$(PYTHON) has no venv module: install it (Debian: apt install python3-venv)" >&2; exit 1; }
	@echo "setting up $(VENV) (first time only, about a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  --only-binary :all: -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  --no-build-isolation --editable .
	@touch $@

# Raise the pins within pyproject's bounds (needs uv).
lock:
	uv pip compile pyproject.toml --extra test --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --quiet --upgrade --output-file requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
