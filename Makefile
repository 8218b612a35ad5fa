# Everything a person does with Tackboard, by name. `make` alone lists it.

PYTHON ?= python3
BIN := .venv/bin
PINNED := $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps --only-binary :all:
PIN := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --upgrade \
	--custom-compile-command "make requirements"

# Where the browser tests find Chromium, unless CHROMIUM names one.
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

.DEFAULT_GOAL := help
.PHONY: help run token test check spec bench requirements clean

help:  ## list these targets
	@echo "make <target>, where <target> is one of:"
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' Makefile
	@echo "PORT, HOST, STORE_URL and OPEN_SIGNUP are read by run and token; PYTHON names the Python to build .venv with."

run: .venv/product  ## start the server on http://127.0.0.1:8080/ (the first run prints a URL with a token)
	@exec $(BIN)/python tackboard.py run

token: .venv/product  ## print a new token of the owner
	@exec $(BIN)/python tackboard.py token

test: .venv/development chromium  ## run every test
	@CHROMIUM="$(CHROMIUM)" exec $(BIN)/python -m pytest

check: .venv/development node_modules/.package-lock.json  ## lint, format, types, document and import rules
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/python -m pytest --quiet tests/test_architecture.py
	@npm run --silent lint
	@sh -c 'set -e; scratch=$$(mktemp -d); trap "rm -rf $$scratch" EXIT'

clean:  ## remove what make and the tests made; the database stays
	rm -rf .venv node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Tackboard needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>/dev/null || echo missing)." \
			"Name another one: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Making .venv, once."
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/product: requirements.txt | $(BIN)/python
	@echo "Installing what Tackboard runs on into .venv."
	@$(PINNED) -r requirements.txt
	@touch $@

.venv/development: requirements-dev.txt .venv/product
	@echo "Installing the tools for tests and checks into .venv."
	@$(PINNED) -r requirements-dev.txt
	@touch $@
