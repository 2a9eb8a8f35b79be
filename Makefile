# `make` lists the commands. `make run` needs Python and make only; `make test` and `make run-azure` need Node besides.
.DEFAULT_GOAL := help
.PHONY: help run run-azure run-func demo-rejection test test-oracle test-engine test-troubles bench bench-quick bench-service check lint types format package infra-check clean

PYTHON ?= python3
VENV ?= .venv
PORT ?= 7071
CASES ?= 2000
WORKERS ?= 2
SEEDS ?= 10
REAL_PARTS ?= azure
BIN := $(VENV)/bin

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.demo ## plan the Superstore example on this machine and keep serving on PORT
	$(BIN)/python -m examples.superstore.demo --port $(PORT)

run-azure: $(VENV)/.demo ## the same on Azurite and a Cosmos DB server, which are started for it (needs Node 20)
	$(BIN)/python -m tests.azure_servers $(BIN)/python -m examples.superstore.demo --port $(PORT) --store var/azure.sqlite3 --azure

demo-rejection: $(VENV)/.demo ## the same, then reject lines and watch them go elsewhere
	$(BIN)/python -m examples.superstore.demo --port $(PORT) --rejections

run-func: $(VENV)/.demo ## start the app under `func start`, where Azure Functions Core Tools are installed
	$(BIN)/python -m infra.func_start --port $(PORT)

test: $(VENV)/.dev ## run every test, on WORKERS processes; REAL_PARTS must be there (REAL_PARTS= to skip their tests)
	DOM_TEST_REAL_PARTS=$(REAL_PARTS) $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

test-oracle: $(VENV)/.dev ## compare CASES generated cases with brute force
	$(BIN)/python -m tests.oracle --cases $(CASES)

test-engine: CASES = 1000
test-engine: $(VENV)/.dev ## compare the search for large batches with the exact model in CASES generated cases: an hour
	$(BIN)/python -m tests.engine --cases $(CASES)

test-troubles: $(VENV)/.dev ## kill hosts at random, on both stores, SEEDS times each
	$(BIN)/python -m tests.troubles.campaign --store sqlite --seeds $(SEEDS)
	$(BIN)/python -m tests.troubles.campaign --store cosmos --seeds $(SEEDS)

bench-service: $(VENV)/.dev ## measure intake and applying on both stores (writes benchmarks/SERVICE.md)
	$(BIN)/python -m benchmarks.service

bench: $(VENV)/.dev ## measure ways of planning on batches of every size: hours; ARGS=--help explains
	$(BIN)/python -m benchmarks $(if $(BENCHDATA),--literature $(BENCHDATA)) $(if $(SUPERSTORE),--superstore $(SUPERSTORE)) $(ARGS)

bench-quick: $(VENV)/.dev ## the same on two tiny batches, in seconds
	$(BIN)/python -m benchmarks --quick

check: lint types test ## what CI runs, on this Python

lint: $(VENV)/.dev ## style, and formatting as ruff would write it
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev ## mypy, strict
	$(BIN)/mypy

format: $(VENV)/.dev ## write formatting and safe fixes
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

package: $(VENV)/bin/python ## build the folder that is deployed to Azure
	$(BIN)/python -m infra.package build/app

infra-check: $(VENV)/.dev $(VENV)-checkov/.checkov ## check what is deployed against checkov's policies
	mkdir -p build
	$(BIN)/python -m tests.infra.plain_resources > build/plain_resources.json
	$(VENV)-checkov/bin/checkov --config-file infra/.checkov.yaml --file build/plain_resources.json

clean: ## remove environments, caches and the example's store
	rm -rf .venv .venv-* var build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)

# In an environment of its own: it brings a hundred packages, and wants other versions of some.
$(VENV)-checkov/.checkov:
	$(PYTHON) -m venv $(VENV)-checkov
	$(VENV)-checkov/bin/python -m pip install --quiet --disable-pip-version-check checkov==3.3.30
	@touch $@

$(VENV)/.demo: pyproject.toml requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.txt --editable '.[demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.txt --editable '.[dev]'
	@touch $@ $(VENV)/.demo
