# `make run` and `make test` are all a newcomer needs; `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
# Errors only: warnings would be about the reader's own pip configuration.
QUIETLY := -qq --disable-pip-version-check
ENSURE_PIP = { $(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null 2>&1 || \
	{ echo "Cannot install pip into $(VENV): on Debian and Ubuntu install it with: apt install python3-venv"; exit 1; }; }

# Python keeps its bytecode, whatever the shell says: a second start takes 2 seconds then, not 4.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help run test test-long check format bench clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

run: $(VENV)/.runtime ## The whole product in one process, with demo data, on http://127.0.0.1:8000
	@$(BIN)/contact-center demo

test: $(VENV)/.development check ## Lint, types, layers and the tests (at most 12 minutes on 2 cores)
	$(BIN)/pytest -m "not long" -n $(WORKERS) --dist worksteal

test-long: $(VENV)/.development ## The heavy tests: crashes, races, several processes, axe on every screen (at most 45 minutes)
	$(BIN)/pytest -m long

check: $(VENV)/.development ## Lint, formatting, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.development ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.development ## Speed as ratios to a limit that runs beside it (about 6 minutes)
	$(BIN)/python -m bench

clean: ## Remove the environment and caches; the data under var/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, this is %d.%d: install it and run make PYTHON=python3.12 …" % sys.version_info[:2])'
	@echo "Creating the environment in $(VENV) …"
	@$(PYTHON) -m venv --without-pip $(VENV) || { echo "Cannot create $(VENV): on Debian and Ubuntu install it with: apt install python3-venv"; exit 1; }

# The interpreter's own pip installs into the environment where it can (22.3 and newer): that is seconds quicker.
$(VENV)/.runtime: $(VENV)/bin/python pyproject.toml
	@echo "Installing (half a minute on the first run) …"
	@if $(PYTHON) -m pip --python $(BIN)/python --version >/dev/null 2>&1; \
	then $(PYTHON) -m pip --python $(BIN)/python $(QUIETLY) install --no-compile --editable .; \
	else $(ENSURE_PIP) && $(BIN)/python -m pip $(QUIETLY) install --no-compile --editable .; fi
	@touch $@

$(VENV)/.development: $(VENV)/.runtime pyproject.toml
	@$(ENSURE_PIP)
	@$(BIN)/python -m pip $(QUIETLY) install --upgrade "pip>=25.1"
	@$(BIN)/python -m pip $(QUIETLY) install --group dev
	@touch $@
