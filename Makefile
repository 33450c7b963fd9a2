# Each target sets up what it needs by itself: Python 3.11 or newer, make, nothing else.
#   make start   the engine against local venue servers, with its screen; Ctrl-C stops it
#   make test    lint, types, tests
#   make bench   latency and throughput on this machine
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11,\
  $(shell $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TESTED := $(VENV)/.clients
CRYPTOFEED := .venv-cryptofeed
PIP := -m pip install --quiet --disable-pip-version-check
ARGS ?=
LOCK := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet

.PHONY: start test lint bench bench-peers lock clean

start: $(READY)
	@$(BIN)/trypto-engine start $(ARGS)

test: $(READY) $(TESTED) $(CRYPTOFEED)/.tried lint
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
	@$(BIN)/python $(PIP) --require-hashes --only-binary :all: -r requirements.lock
	@$(BIN)/python $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# Third-party clients of the venues, for tests.  --no-deps: the lock has all of them, in the
# versions of requirements.lock where ccxt would pin others.
$(TESTED): requirements-clients.lock $(READY)
	@$(BIN)/python $(PIP) --no-deps --require-hashes --only-binary :all: -r $<
	@touch $@

# cryptofeed is built from its source, which takes a C compiler; without one its tests are skipped.
$(CRYPTOFEED)/.tried: requirements-cryptofeed.lock tests/clients/build-constraints.txt
	@rm -rf $(CRYPTOFEED) && $(PYTHON) -m venv $(CRYPTOFEED)
	@PIP_CONSTRAINT=tests/clients/build-constraints.txt \
	  $(CRYPTOFEED)/bin/python $(PIP) --require-hashes -r $< && touch $(CRYPTOFEED)/built || \
	  echo "cryptofeed could not be built here: its tests will be skipped" >&2
	@touch $@

# Raise the pins within pyproject's bounds (needs uv).
lock:
	uv pip compile pyproject.toml --extra test $(LOCK) --upgrade --output-file requirements.lock
	uv pip compile --group pyproject.toml:clients --overrides requirements.lock $(LOCK) \
	  --no-annotate --output-file requirements-clients.lock
	uv pip compile --group pyproject.toml:cryptofeed $(LOCK) \
	  --no-annotate --upgrade --output-file requirements-cryptofeed.lock

clean:
	rm -rf $(VENV) $(CRYPTOFEED) .mypy_cache .ruff_cache .pytest_cache
