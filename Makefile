# The front door. `make help` lists the verbs.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
# Also where the environment has it off, as images of containers do: what checks and tests start, some
# hundreds of processes, would compile every module again.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help
help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | \
		while IFS='|' read -r verb text; do printf '  make %-10s %s\n' "$$verb" "$$text"; done

.PHONY: setup
setup: ## Make the virtual environment with all that checks and tests need
	@tools/environment.sh test

.PHONY: run
run: ## Run a simulated facility: server, web page, control units [FACILITY=path]
	@tools/environment.sh run
	@exec $(BIN)/mds run $(if $(FACILITY),"$(FACILITY)")

# A third of the time tests wait: for leases to end, for the next look.
WORKERS := $(shell expr $$(nproc) + 1)

.PHONY: cluster
cluster: setup ## Run docker-compose.yml as plain processes [needs root and Debian's packages]
	@exec $(BIN)/python -m deploy.processes

.PHONY: test tests
test: setup ## Run all checks and all tests
	@tools/debian_packages.sh
	@mkdir -p .cache
	@$(MAKE) --no-print-directory --keep-going --jobs=3 tests $(CHECKS)

# Beside the checks, none of which waits for the other.
tests:
	@$(BIN)/pytest --numprocesses=$(WORKERS) --reruns=1 -rfERs $(PYTEST)

.PHONY: lint
lint: setup check ## Run the checks without the tests: style, types, walls, protocol

# All of them, also when one finds something.
CHECKS := check-style check-types check-walls check-protocol
.PHONY: check $(CHECKS)
check:
	@mkdir -p .cache
	@$(MAKE) --no-print-directory --keep-going --jobs=2 --output-sync $(CHECKS)

check-style:
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { $(BIN)/ruff format --check --output-format=concise .; \
		echo 'To lay them out: make format'; exit 1; }
	@echo 'style is right'

check-types:
	@$(BIN)/mypy --no-error-summary
	@echo 'types are right'

check-walls:
	@$(BIN)/lint-imports >.cache/lint-imports.txt || { cat .cache/lint-imports.txt; exit 1; }
	@echo 'walls between programs and floors stand'

check-protocol:
	@$(BIN)/python tools/lint_protos.py
	@$(BIN)/python tools/generate_protos.py --check
	@$(BIN)/python tools/generate_reference.py --check
	@$(BIN)/python tools/generate_filter_reference.py --check
	@$(BIN)/python tools/generate_client_face.py --check
	@$(BIN)/python tools/generate_openapi.py --check
	@echo 'the protocol is right, and its modules and its reference are current'

.PHONY: format
format: setup ## Lay out the code as the checks want it
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

.PHONY: generate
generate: setup ## Make the Python modules and the reference of the protocol again
	@$(BIN)/python tools/generate_protos.py
	@$(BIN)/python tools/generate_reference.py
	@$(BIN)/python tools/generate_filter_reference.py
	@$(BIN)/python tools/generate_client_face.py
	@$(BIN)/python tools/generate_openapi.py

.PHONY: catalogues
catalogues: setup ## Collect the texts of the web page for its translators
	@$(BIN)/python tools/catalogues.py

.PHONY: bench
bench: setup ## Measure, and print a table
	@tools/debian_packages.sh
	@$(BIN)/python -m benchmarks

.PHONY: clean
clean: ## Remove what was made here: environment, caches, builds
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf build dist *.egg-info webui/static/vendor webui/locale/*.mo
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
