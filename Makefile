# `make demo` shows it, `make test` proves it; each does all the set-up it needs.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
STAMPS := .cache/stamps
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONDONTWRITEBYTECODE # the tests start Python hundreds of times
MAKEFLAGS += --jobs=3 # what is set up is fetched from several places, and linters have a core each

.PHONY: help demo serve test check lint types web-types holes ready docs sbom bench results build packages lock tools clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## A sample shop whose orders keep moving; prints links to open
	@$(BIN)/ordercast demo

serve: build ## The server on port 3001 (needs ORDERCAST_JWT_SECRET)
	@$(BIN)/ordercast serve

test: ready web-types ## Every test, the pages' own included
	@echo "The JavaScript packages' and pages' tests …"
	@cd web && npm run --silent test -- --reporter=dot
	@echo "The tests …"
	@$(BIN)/python -m pytest -n 4 --max-worker-restart=0 --dist loadfile --no-loadscope-reorder $(PYTEST)

check: lint types web-types holes ## Linters, types, the rules of the house, known holes

lint: build
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/lint-imports

types: build
	@$(BIN)/mypy

web-types: build
	@cd web && npm run --silent typecheck

holes: build
	@$(BIN)/python -m scripts.audit

docs: $(STAMPS)/package ## The documentation as a site, in dist/docs/
	@$(BIN)/sphinx-build -W -n --keep-going -q -d .cache/docs docs dist/docs
	@echo "dist/docs/index.html"

sbom: build ## What it is made of (CycloneDX), for both languages, in dist/
	@mkdir -p dist
	@PYTHONWARNINGS=ignore $(BIN)/cyclonedx-py requirements requirements/runtime.lock --pyproject pyproject.toml --mc-type application \
	  --output-reproducible --output-file dist/sbom-python.json
	@cd web && npm sbom --sbom-format cyclonedx --omit dev > ../dist/sbom-javascript.json
	@echo "dist/sbom-python.json, dist/sbom-javascript.json"

bench: build $(STAMPS)/peers ## How fast it is, beside its peers
	@$(BIN)/python -m bench

results: build ## Polling and live screens, the same people at both: docs/results.md (MINUTES=5 for more)
	@$(BIN)/python -m bench.results $(if $(MINUTES),--minutes $(MINUTES))

ready: build tools $(STAMPS)/clients $(STAMPS)/recipe ## All that tests need

build: $(STAMPS)/package ## The virtual environment and the pages
	@$(BIN)/python hatch_build.py

packages: build ## The JavaScript packages, for npm install, in dist/
	@mkdir -p dist
	@cd web && npm pack --silent --pack-destination ../dist -w packages/client -w packages/react -w packages/redux

lock: build ## Remake the lock files after a change of dependencies
	@$(BIN)/python -m pip install --quiet uv
	@for name in dev runtime; do \
	  $(BIN)/uv pip compile pyproject.toml $$([ $$name = dev ] && echo --group dev) --quiet --universal \
	    --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --upgrade \
	    --custom-compile-command "make lock" -o requirements/$$name.lock; done

clean: ## Remove everything that was built
	rm -rf $(VENV) .cache dist src/ordercast/web web/node_modules web/{packages,tools}/*/{node_modules,dist,src/generated} tests/clients/node_modules examples/recipe/node_modules bench/peers/*/node_modules

# -- what the above stand on ---------------------------------------------------------------------------------

$(STAMPS)/venv: requirements/dev.lock scripts/python.sh
	@echo "Making $(VENV) from requirements/dev.lock …"
	@mkdir -p $(STAMPS)
	@python=$$(bash scripts/python.sh) && rm -rf $(VENV) && $$python -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.lock
	@touch $@

$(STAMPS)/package: $(STAMPS)/venv pyproject.toml hatch_build.py
	@$(BIN)/python hatch_build.py
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(STAMPS)/clients: tests/clients/package-lock.json
	@echo "Fetching the clients that the tests drive …"
	@cd tests/clients && npm ci --silent --no-audit --no-fund
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/recipe: examples/recipe/package-lock.json
	@echo "Fetching what the recipe's clients are built of …"
	@cd examples/recipe && npm ci --silent --no-audit --no-fund
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/peers: bench/peers/node/package-lock.json bench/peers/bun/package-lock.json
	@echo "Fetching the servers that the benchmarks run beside …"
	@for peer in node bun; do (cd bench/peers/$$peer && npm ci --silent --no-audit --no-fund); done
	@mkdir -p $(STAMPS) && touch $@

tools:
	@bash scripts/tools.sh
