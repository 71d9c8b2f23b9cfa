# Everything a newcomer needs; `make help` lists it. Set PYTHON to choose the interpreter (3.11 or newer).
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
JARS := deploy/kafka/libs/pom.sha256
UV := $(BIN)/uv pip
IN_VENV := --python $(BIN)/python

# Trust what this machine trusts, as pip does: a company's proxy has a certificate of its own.
export UV_SYSTEM_CERTS ?= 1

# uv keeps its cache in the home folder; a container's user may have none.
ifndef UV_CACHE_DIR
ifeq ($(shell test -w "$$HOME" && echo writable),)
export UV_CACHE_DIR := $(CURDIR)/$(VENV)/uv-cache
endif
endif

# Everything here starts Python again and again: each would compile our code anew where nobody may keep it.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[1m%-13s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(READY) $(if $(BDP_KAFKA_BOOTSTRAP),,$(JARS)) ## Virtual environment from the hashed lock, the project, Kafka's jars

$(READY): requirements-setup.lock requirements-dev.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON). Install Python 3.11 or newer, or name one: make setup PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$($(PYTHON) --version) is too old: 3.11 or newer is needed. Name one: make setup PYTHON=python3.12"; exit 1; }
	@rm -f $@
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --require-hashes -r requirements-setup.lock
	$(UV) sync $(IN_VENV) --require-hashes --compile-bytecode requirements-dev.lock
	$(UV) install $(IN_VENV) --no-deps --no-build-isolation --editable .
	@$(BIN)/python -c 'from bdp_assets.features import compiled; compiled.load(); import bdp_assets.decisions.screen, bdp_assets.scoring.walk'  # compiled once, so that a dozen processes need not do it at once
	@touch $@

$(JARS): deploy/kafka/pom.xml | $(READY)
	$(BIN)/bdp setup
	@touch $@

.PHONY: demo
demo: setup ## Start the platform and show it working (DATA=file MAPPING=file [UNTIL=day] for your own data)
	$(BIN)/bdp demo $(if $(DATA),--data "$(DATA)") $(if $(MAPPING),--mapping "$(MAPPING)") $(if $(UNTIL),--until "$(UNTIL)")

.PHONY: up
up: setup ## Start the platform
	$(BIN)/bdp up

.PHONY: down
down: setup ## Stop the platform; its data stays (bdp down --wipe removes it)
	$(BIN)/bdp down

# What waits comes before what computes: the services' tests share the machine, and no worker ends long after the others.
SERVICES := $(wildcard $(addprefix bdp_assets_tests/,integration e2e))
TESTS := $(SERVICES) bdp_assets_tests/unit

.PHONY: test-unit
test-unit: setup ## Unit tests alone, property tests with a share of their cases: some minutes, no network
	$(BIN)/pytest bdp_assets_tests/unit -m "not slow and not handbook"

# So many test processes, each with services of its own (2 GB); the tests of a file stay together, the files in order.
WORKERS ?= 3
# Drills have whole platforms, and benches that measure: no third beside those.
drills: WORKERS = 2
# A test process that dies ends the run, and names its test: with another in its place xdist 3.8 waits for ever
# (pytest-dev/pytest-xdist#1378).
SIDE_BY_SIDE = --numprocesses $(WORKERS) --max-worker-restart 0 --dist loadfile --no-loadscope-reorder

# How many cases a property test has: bdp_assets_tests/effort.py.
test: export TEST_EFFORT := full
test-all: export TEST_EFFORT := soak

.PHONY: test
test: setup ## Tests on real PostgreSQL, Valkey and Kafka, then unit tests
	$(BIN)/pytest $(TESTS) -m "not slow and not drill" $(SIDE_BY_SIDE)

.PHONY: drills
drills: setup ## Tests that take parts away: replicas, degraded modes, the Bento elsewhere, backup, erasure, live rebuild; and whole benches
	$(BIN)/pytest $(SERVICES) -m "drill and not slow" $(SIDE_BY_SIDE)

.PHONY: test-all
test-all: setup ## All tests (those marked slow, too), property tests with twelve times as many cases
	$(BIN)/pytest $(TESTS) --timeout 1800 $(SIDE_BY_SIDE)

COMPOSE_TESTS := bdp_assets_tests/unit/deploy/test_compose.py bdp_assets_tests/integration/test_compose.py

.PHONY: compose-check
compose-check: setup ## Compare deploy/compose with the code, and have the real programs read it as far as they are here
	$(BIN)/pytest $(COMPOSE_TESTS) -m "not drill"

.PHONY: compose-files
compose-files: setup ## Write what of deploy/compose is made from the code: the proxy's file
	BDP_RECORD=1 $(BIN)/pytest bdp_assets_tests/unit/deploy/test_compose.py -k proxy

.PHONY: dashboards
dashboards: setup ## Write Grafana's dashboards anew from bdp_assets/operations/dashboards
	BDP_RECORD=1 $(BIN)/pytest bdp_assets_tests/unit/operations/dashboards -k files

.PHONY: test-loki
test-loki: setup ## Our logs and every dashboard's log queries on a real Loki (Go builds it once: minutes, 2 GB of its cache)
	$(BIN)/pytest bdp_assets_tests/integration/test_loki.py

SEED ?= 1

.PHONY: chaos
chaos: setup ## Kill everything, some 400 times, and prove that nothing is lost (SEED=n)
	$(BIN)/bdp chaos --seed $(SEED) --rounds 16 --minutes 60

.PHONY: helm-check
helm-check: setup ## Lint and render the Helm chart, and judge what comes out (needs helm, or Go to build it once)
	$(BIN)/pytest bdp_assets_tests/unit/operations/test_helm_chart.py bdp_assets_tests/integration/test_helm.py

CALLS ?= 100000

.PHONY: fuzz
fuzz: setup ## Call an API of its own with whatever hurts (CALLS=n); none may end in a 5xx
	$(BIN)/python -m bdp_assets_tests.fuzz --calls $(CALLS)

.PHONY: notebooks
notebooks: setup ## Run every notebook on the data of the demo (executed copies: notebooks/executed)
	$(BIN)/python -m bdp_assets_tests.notebooks --output notebooks/executed

.PHONY: docs
docs: export NO_MKDOCS_2_WARNING := true
docs: setup ## The docs as a site in site/, strictly; fails on a broken link and on anything that needs a network
	$(BIN)/mkdocs build --strict
	$(BIN)/python -m bdp_assets_tests.docs.site site

.PHONY: docs-run
docs-run: setup ## Run the shell in the docs that is marked as runnable, on what make demo started
	$(BIN)/python -m bdp_assets_tests.docs

.PHONY: learn
learn: setup ## Do the lessons of docs/learn as they stand, on what make demo started; each check fails before and passes after
	$(BIN)/python -m bdp_assets_tests.docs.lessons
	rm -rf .bdp-lesson

.PHONY: recording
recording: setup ## Make the terminal recording of the README anew (PICTURE=watch: that of docs/operations.md), on what make demo started
	$(BIN)/python -m bdp_assets_tests.docs.recording $(if $(PICTURE),--picture "$(PICTURE)")

.PHONY: lint
lint: setup ## ruff and import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

.PHONY: types
types: setup ## mypy --strict
	$(BIN)/mypy

COMPILE := $(UV) compile --universal --python-version 3.11 --generate-hashes --no-header --quiet

EXTRAS := 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"])'

.PHONY: lock
lock: setup ## Bring the requirements*.lock files up to pyproject.toml (UPGRADE=1: newest versions)
	$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml -o requirements.lock
	$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml --extra scale --extra notebooks --group dev -o requirements-dev.lock
	for extra in $$($(BIN)/python -c $(EXTRAS)); do $(COMPILE) $(if $(UPGRADE),--upgrade) --no-annotate pyproject.toml --extra $$extra --constraints requirements.lock -o requirements-$$extra.lock; done
	echo "hatchling>=1.27" | $(COMPILE) $(if $(UPGRADE),--upgrade) - -o requirements-build.lock
	echo uv | $(COMPILE) $(if $(UPGRADE),--upgrade) - -o requirements-setup.lock

.PHONY: dist
dist: setup ## The wheel and the sdist in dist/
	rm -f dist/*.whl dist/*.tar.gz
	$(BIN)/python -m hatchling build -d dist

# What requirements.lock installs, and nothing else; from uv's cache within seconds.
CLEAN := build/clean
IN_CLEAN := --python $(CLEAN)/bin/python

.PHONY: clean-environment
clean-environment: setup
	test -x $(CLEAN)/bin/python || $(BIN)/uv venv --quiet --python $(BIN)/python $(CLEAN)
	$(UV) sync --quiet $(IN_CLEAN) --require-hashes requirements.lock

.PHONY: sbom
sbom: clean-environment ## Bill of materials (CycloneDX) in dist/sbom.json; fails where it is not the lock, or a licence is not allowed
	mkdir -p dist
	$(BIN)/cyclonedx-py environment $(CLEAN)/bin/python --pyproject pyproject.toml --spec-version 1.6 --output-reproducible --output-format JSON --validate -o dist/sbom.json
	$(BIN)/python -m bdp_assets_tests.supply_chain dist/sbom.json

.PHONY: test-wheel
test-wheel: clean-environment dist ## Install the wheel where nothing else is, and run the platform from it in an empty folder
	$(UV) install --quiet $(IN_CLEAN) --offline --no-deps --reinstall dist/*.whl
	$(BIN)/python -m bdp_assets_tests.supply_chain.wheel $(CLEAN)

# The same code as a later version: what an operator installs beside the one that runs.
NEXT := build/next

.PHONY: test-rolling
test-rolling: clean-environment dist ## Under load, replicas and worker go over to a new version of the code; bdp verify has the last word
	$(UV) install --quiet $(IN_CLEAN) --offline --no-deps --reinstall dist/*.whl
	rm -rf $(NEXT) && mkdir -p $(NEXT)/source
	git archive HEAD | tar -x -C $(NEXT)/source
	sed -i 's/^version = "\(.*\)"/version = "\1.post1"/' $(NEXT)/source/pyproject.toml
	cd $(NEXT)/source && $(CURDIR)/$(BIN)/python -m hatchling build -t wheel -d ../wheel
	$(BIN)/uv venv --quiet --python $(BIN)/python $(NEXT)/environment
	$(UV) sync --quiet --python $(NEXT)/environment/bin/python --require-hashes requirements.lock
	$(UV) install --quiet --python $(NEXT)/environment/bin/python --offline --no-deps $(NEXT)/wheel/*.whl
	$(BIN)/python -m bdp_assets_tests.supply_chain.rolling $(CLEAN) $(NEXT)/environment
