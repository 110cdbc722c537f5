# Needs git, make and Python 3.11 or later; everything else is installed into this folder or the user's cache.
# GNU make on Linux and macOS (3.81 and later).

SHELL := /bin/bash
PYTHON ?= python3
DEV := .strata/envs/dev/bin
STRATA := .venv/bin/strata
STACK ?= demo-dev
RUFF_PATHS := $(wildcard __main__.py stacks components policies tools pipelines tests bench)

.DEFAULT_GOAL := help
.PHONY: help python up down check format test test-fast test-% environments lock docs bench clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "error: Python 3.11 or later is needed; '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." >&2; \
	  echo "Name another one: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; }

# ── the platform ────────────────────────────────────────────────────────────────────────────────────────────────
up: python ## Build the platform on this machine and run the pipeline once (DATA=rows.csv CONTRACT=rows.odcs.yaml, STACK=demo-dev)
	@$(PYTHON) -m tools.environments ensure program policies run-time features
	@$(PYTHON) -m tools.pulumi_cli > /dev/null
	@$(STRATA) up $(STACK) $(if $(DATA),--data '$(DATA)') $(if $(CONTRACT),--contract '$(CONTRACT)')

down: python ## Stop everything; the data stays unless PURGE=1
	@$(PYTHON) -m tools.environments ensure program
	@$(PYTHON) -m tools.pulumi_cli > /dev/null
	@$(STRATA) down $(STACK) $(if $(filter 1 yes true,$(PURGE)),--purge --yes)

# ── quality ─────────────────────────────────────────────────────────────────────────────────────────────────────
check: python ## Style, types, import rules, lock files, schema and documents: all of it, nothing is changed
	@$(PYTHON) -m tools.environments ensure dev policies
	@$(PYTHON) -m tools.checks

format: python ## Put the sources into the form that `make check` wants
	@$(PYTHON) -m tools.environments ensure dev
	@$(DEV)/ruff check --fix-only --quiet $(RUFF_PATHS)
	@$(DEV)/ruff format $(RUFF_PATHS)

test: environments ## Every tier of tests, from unit to journey
	@$(PYTHON) -m tools.tiers

test-fast: python ## The tiers that need nothing running: unit, contract, policy, schema, docs
	@$(PYTHON) -m tools.environments ensure dev program policies
	@$(PYTHON) -m tools.tiers unit contract policy schema docs

test-%: environments ## One tier, for example test-engine
	@$(PYTHON) -m tools.tiers $*

environments: python ## Make all environments and find, download or build Pulumi
	@$(PYTHON) -m tools.environments ensure program policies run-time features dev
	@$(PYTHON) -m tools.pulumi_cli > /dev/null

# ── upkeep ──────────────────────────────────────────────────────────────────────────────────────────────────────
lock: python ## Compile the lock files anew (needs uv and a package index)
	@$(PYTHON) -m tools.environments lock

docs: python ## Write what is generated: the record's schema, the pages of the controls
	@$(PYTHON) -m tools.environments ensure program policies
	@.venv/bin/python -m stacks.record --write-schema
	@policies/.venv/bin/python -m policies.docs --write

bench: environments ## Run the benchmarks, one after the other
	@for file in bench/[a-z]*.py; do echo "── $$file"; $(DEV)/python -m "bench.$$(basename "$$file" .py)" || exit 1; done

clean: ## Remove caches and environments; platforms, their data and the Pulumi state stay
	@rm -rf .venv policies/.venv .strata/envs .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
