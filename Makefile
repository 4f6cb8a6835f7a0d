# `make` alone lists what there is. Everything works in .venv, which the first target to need it makes.

.DEFAULT_GOAL := help
.PHONY: help run test check bench lock clean setup setup-dev

PYTHON := .venv/bin/python
HOST ?= 127.0.0.1
PORT ?= 8000
# More for the command behind a target: make run ARGS=--no-traffic, make test ARGS="-k caps -x"
ARGS ?=

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## start everything on http://localhost:8000/ (HOST=, PORT=, ARGS=); Ctrl-C stops it
	@exec $(PYTHON) manage.py up --host $(HOST) --port $(PORT) $(ARGS)

test: setup-dev ## the whole test suite, on services of its own (ARGS="-k caps")
	@exec $(PYTHON) -m pytest -n logical $(ARGS)

check: setup-dev ## style, types, architecture, migrations, deployment settings, API schema
	@PATH="$(CURDIR)/.venv/bin:$$PATH" exec sh scripts/check

bench: setup-dev ## the benchmarks (docs/benchmarks.md), each a ratio measured in one run
	@exec $(PYTHON) -m benchmarks $(ARGS)

lock: setup-dev ## pin the requirements anew (needs uv)
	@PATH="$(CURDIR)/.venv/bin:$$PATH" exec sh scripts/lock $(ARGS)

clean: ## remove .venv and caches; var/, which holds your data, stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache test-results *.egg-info
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +

setup: ## .venv with what running needs
	@sh scripts/setup base

setup-dev: ## .venv with what testing needs
	@sh scripts/setup dev
