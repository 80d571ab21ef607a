# The front door. `make help` lists the verbs.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin

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

.PHONY: test
test: setup ## Run all checks and all tests
	@tools/debian_packages.sh
	@$(MAKE) --no-print-directory check
	@$(BIN)/pytest $(PYTEST)

.PHONY: lint
lint: setup check ## Run the checks without the tests: style, types, walls, protocol

.PHONY: check
check:
	@mkdir -p .cache
	@echo 'ruff';         $(BIN)/ruff check --quiet .
	@echo 'ruff format';  $(BIN)/ruff format --quiet --check . || \
		{ $(BIN)/ruff format --check . ; echo 'Run: make format'; exit 1; }
	@echo 'mypy';         $(BIN)/mypy --no-error-summary
	@echo 'lint-imports'; $(BIN)/lint-imports >.cache/lint-imports.txt || \
		{ cat .cache/lint-imports.txt; exit 1; }
	@echo 'buf';          $(BIN)/python tools/lint_protos.py
	@echo 'generated';    $(BIN)/python tools/generate_protos.py --check

.PHONY: format
format: setup ## Lay out the code as the checks want it
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

.PHONY: generate
generate: setup ## Make the Python modules of the protocol again
	@$(BIN)/python tools/generate_protos.py

.PHONY: bench
bench: setup ## Measure, and print a table
	@tools/debian_packages.sh
	@$(BIN)/python -m benchmarks

.PHONY: clean
clean: ## Remove what was made here: environment, caches, builds
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
