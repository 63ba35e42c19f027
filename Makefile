# The project's commands. `make demo` and `make test` need nothing but Python 3.11+ and make.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LEDGER ?= fabric
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Where it is set, each of the hundreds of processes that demo and tests start would compile all sources anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo test coverage test-beside test-alone test-second lint types long drill drills soak mutants bench docs screenshots clean

help: ## show this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/'

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "python's venv module is missing; on Debian: apt-get install python3-venv"; exit 2; }

$(VENV)/installed: setup.cfg setup.py pyproject.toml ledger_node/rules/packages.txt $(wildcard ledger_node/hashing/native/*) | $(VENV)/bin/python
	@echo "installing ledger-node into $(VENV) ..."
	@$(BIN)/pip install --quiet --editable '.[rules]'
	@$(BIN)/ledger-node rules fetch || echo "NO RULES: invoices will be read, but not checked by the rules of EN 16931"
	@touch $@

$(VENV)/installed-dev: setup.cfg setup.py pyproject.toml | $(VENV)/installed
	@echo "installing what the tests need into $(VENV) ..."
	@$(BIN)/pip install --quiet --editable '.[dev,gpu,plot,postgres,rules]'
	@touch $@

install: $(VENV)/installed ## install into .venv

demo: $(VENV)/installed ## play the main job; LEDGER=embedded without Fabric, KEEP=1 leaves it running
	@$(BIN)/ledger-node demo --ledger $(LEDGER) $(if $(KEEP),--keep) $(DEMO_ARGS)

lint: $(VENV)/installed-dev ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-dev ## mypy, strict, tests included
	$(BIN)/mypy chaincode network ledger_node tests

# Debian's package has promtool; it is unpacked, not installed, so no root is needed. Without it its tests are skipped.
$(BIN)/promtool: | $(VENV)/bin/python
	@if command -v promtool >/dev/null; then ln -sf "$$(command -v promtool)" $@; else \
	  cd $(VENV) && (apt-get download prometheus || (apt-get update && apt-get download prometheus)) >/dev/null 2>&1 \
	  && dpkg -x prometheus_*.deb prometheus && ln -sf ../prometheus/usr/bin/promtool bin/promtool \
	  || echo "NO PROMTOOL: the alert rules will be parsed, but not checked"; fi

# The pages are looked at by a real browser: the one on PATH, or Debian's where it may be installed. Without it its tests say so.
$(BIN)/chromium-looked-for: | $(VENV)/bin/python
	@command -v chromium chromium-browser google-chrome >/dev/null || apt-get install -y chromium >/dev/null 2>&1 \
	  || (apt-get update && apt-get install -y chromium) >/dev/null 2>&1 \
	  || echo "NO CHROMIUM: install one, such as Debian's package chromium; the pages will not be tried in a browser"
	@touch $@

# What finds barriers on pages (MPL-2.0): fetched, held against its checksum, and neither committed nor shipped.
AXE := 4.14.1
AXE_SHA256 := 29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c
$(VENV)/axe.min.js: | $(VENV)/bin/python
	@cd $(VENV) && (npm pack --silent axe-core@$(AXE) && tar -xzf axe-core-$(AXE).tgz package/axe.min.js \
	  && echo "$(AXE_SHA256)  package/axe.min.js" | sha256sum --check --quiet && mv package/axe.min.js axe.min.js) >/dev/null 2>&1 \
	  || echo "NO AXE: npm is needed to fetch axe-core; pages will not be searched for barriers"; rm -rf $(VENV)/package $(VENV)/axe-core-*.tgz

test: lint types $(BIN)/promtool $(BIN)/chromium-looked-for $(VENV)/axe.min.js ## lint, types and every test, the real network included; 100 % of the rules
	$(BIN)/coverage erase
	$(BIN)/pytest tests/chaincode -n logical --cov=chaincode.rules --cov=chaincode.money --cov=chaincode.words --cov-report=
	$(BIN)/coverage report --include='chaincode/*' --skip-covered --fail-under=100
	@$(MAKE) --no-print-directory --jobs=3 --output-sync=line test-beside test-alone test-second

# Counted in the processes that tests start as well, which takes half as much of the processor again: so not in `test`.
coverage: $(VENV)/installed-dev $(BIN)/promtool $(BIN)/chromium-looked-for $(VENV)/axe.min.js ## how much of node and network the tests reach: 95 %
	$(BIN)/coverage erase; rm -f .coverage-*
	@$(MAKE) --no-print-directory --jobs=3 --output-sync=line test-beside test-alone test-second MEASURED="--cov=ledger_node --cov=network --cov-report="
	$(BIN)/coverage combine --quiet .coverage-beside .coverage-alone .coverage-second
	$(BIN)/coverage report --include='ledger_node/*,network/*' --skip-covered --sort=cover --fail-under=95

# Networks wait a lot, so the three go on at once; each keeps what it measures, if it does, in a file of its own.
test-beside:
	COVERAGE_FILE=.coverage-beside $(BIN)/pytest --ignore=tests/chaincode -n logical --dist loadfile -m "not alone and not long" $(MEASURED)

test-alone:
	COVERAGE_FILE=.coverage-alone $(BIN)/pytest --ignore=tests/chaincode -m "alone and not second and not long" $(MEASURED)

test-second:
	COVERAGE_FILE=.coverage-second $(BIN)/pytest --ignore=tests/chaincode -m "second and not long" $(MEASURED)

long: $(VENV)/installed-dev ## what takes hours: soaks, long fuzzing, a Ray cluster, a year, mutants, coverage
	@$(BIN)/pip install --quiet --editable '.[dev,postgres,cluster,generators,rules]'
	$(BIN)/pytest -m long --timeout 0
	$(MAKE) mutants coverage

drill: $(VENV)/installed-dev ## break the orderers again and again: the figures of docs/reference/reliability.md
	@PYTHONPATH=.:tests:tests/network $(BIN)/python -m drill $(DRILL)

drills: $(VENV)/installed-dev ## an hour of faults of every kind on a real network that trades; DRILLS="--help"
	@PYTHONPATH=.:tests $(BIN)/python -m drills $(DRILLS)

soak: $(VENV)/installed-dev ## constant load for HOURS: memory and descriptors of every process stay flat
	@PYTHONPATH=.:tests $(BIN)/python -m drills.soak --hours $(or $(HOURS),1)

mutants: $(VENV)/installed-dev ## one change of the rules after the other, and whether a test notices
	$(BIN)/python tests/chaincode/mutate.py $(MUTANTS)

bench: $(VENV)/installed-dev ## the figures of docs/reference/performance.md
	$(BIN)/python -m tests.bench

docs: $(VENV)/installed-dev ## write the pages that follow from the code: command line, API, floor plan
	$(BIN)/python docs/build_reference.py

screenshots: $(VENV)/installed-dev $(BIN)/chromium-looked-for ## the pages as people see them, into docs/pictures
	@PYTHONPATH=.:tests:tests/ledger_node:tests/ledger_node/api:tests/ledger_node/people:tests/ledger_node/web $(BIN)/python tests/screenshots.py

clean: ## remove the virtual environment and what the demo left
	rm -rf $(VENV) demo build *.egg-info
