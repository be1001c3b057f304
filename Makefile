# Everything runs in .venv; `make test` and `make check` set it up first.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup demo test check bench lock

setup: .venv/.ready

.venv/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: setup
	$(BIN)/pacc demo

test: setup
	$(BIN)/pytest

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

# Ratios of one run, with a Kafka and a PostgreSQL of its own.
bench: setup
	$(BIN)/python -m bench.throughput

# Needs uv. The lock carries hashes and no registry's address.
lock:
	uv pip compile --quiet --universal --generate-hashes --no-header --group dev pyproject.toml -o requirements.lock
