.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
PANDAS3 ?= .venv-pandas3
BENCH ?= .venv-bench
BASE ?= origin/main
HEAD ?= HEAD
PERCENT ?= 10
REPORT ?= flowtriage-report.html
SECONDS ?= 60
SEED ?= 1
JOBS ?= 2
TRUTH ?= ../shared/data/labelled/truth.json
OUTPUT ?= docs/accuracy.md
TWO = -n 2 --dist worksteal
PIP = -m pip --disable-pip-version-check --quiet
WHEEL_INPUTS = .cargo/config.toml Cargo.toml Cargo.lock pyproject.toml $(shell find src python -type f -not -name '*.so' -not -name '*.pyc')
export FLOWS HOST

.PHONY: help
help:  ## Show what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/.demo  ## Build, install, and write a report of the bundled sample, or of FLOWS=path HOST=address
	@if [ -n "$${FLOWS:-}" ]; then \
	  $(VENV)/bin/flowtriage summary "$$FLOWS" --host "$$HOST" --html $(REPORT); \
	else \
	  $(VENV)/bin/flowtriage summary --sample --html $(REPORT); \
	fi

.PHONY: test
test: export PYTHONHASHSEED = 0
test: export PROPTEST_RNG_SEED = 1
test: $(VENV)/.test $(PANDAS3)/.test  ## Run all tests, Rust and Python, with fixed seeds
	cargo test --locked
	$(VENV)/bin/python -m pytest $(TWO)
	$(VENV)/bin/python -m pytest -p no:cacheprovider --doctest-modules --pyargs flowtriage
	$(PANDAS3)/bin/python -m pytest $(TWO) -m "not extra and not browser and not slow"

.PHONY: explore
explore: export PROPTEST_CASES = 20000
explore: $(VENV)/.test  ## Run the property tests with random examples, ten times as many
	cargo test --locked
	$(VENV)/bin/python -m pytest $(TWO) -m hypothesis --hypothesis-profile=explore

.PHONY: fuzz
fuzz: $(VENV)/.test  ## Fuzz readers, functions and databases for SECONDS, from SEED, in JOBS processes
	$(VENV)/bin/python tools/fuzz.py --seconds $(SECONDS) --seed $(SEED) --jobs $(JOBS)

.PHONY: check
check: $(VENV)/.check  ## Check format, lints and types
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/ruff check
	$(VENV)/bin/mypy
	PYTHONPATH=python $(VENV)/bin/lint-imports
	MYPYPATH=python $(VENV)/bin/python -m mypy.stubtest --mypy-config-file pyproject.toml flowtriage._core

.PHONY: format
format: $(VENV)/.check  ## Format all code
	cargo fmt
	$(VENV)/bin/ruff format
	$(VENV)/bin/ruff check --fix

.PHONY: bench
bench: $(BENCH)/.bench  ## Measure against peers, and write docs/benchmarks.md (about 15 minutes)
	$(BENCH)/bin/python -m benchmarks

.PHONY: bench-large
bench-large: $(BENCH)/.bench  ## Measure 100 million flows; FLOWTRIAGE_BENCH_DATA keeps the files
	$(BENCH)/bin/python -m benchmarks.large

.PHONY: bench-oa
bench-oa: $(BENCH)/.bench  ## Measure Flow OA for a day of a million flows, and write docs/benchmarks-oa.md
	$(BENCH)/bin/python -m benchmarks.oa

.PHONY: bench-compare
bench-compare:  ## Compare the Rust benches of BASE and HEAD; fails if one is PERCENT slower
	$(PYTHON) tools/compare_benches.py $(BASE) $(HEAD) --percent $(PERCENT)

.PHONY: accuracy
accuracy: $(VENV)/.test  ## Score the detectors against TRUTH, captures in DATA, and write docs/accuracy.md or OUTPUT
	$(VENV)/bin/python -m accuracy --truth "$(TRUTH)" --data "$(if $(DATA),$(DATA),$(dir $(TRUTH)))" --output "$(OUTPUT)"

.PHONY: wheel
wheel: dist/.wheel  ## Build the release wheel into dist/

.PHONY: data
data: $(VENV)/.tools  ## Rebuild the bundled ASN and country databases
	$(VENV)/bin/python tools/build_embedded_data.py

.PHONY: clean
clean:  ## Remove everything that was built
	rm -rf target dist $(VENV) $(PANDAS3) $(BENCH) $(REPORT)

$(VENV)/.venv $(PANDAS3)/.venv $(BENCH)/.venv:
	@echo "Making a virtual environment in $(@D) …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "flowtriage needs Python 3.11 or later")'
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python $(PIP) install --upgrade 'pip>=25.1' 'maturin>=1.9,<2'
	@touch $@

dist/.wheel: $(VENV)/.venv $(WHEEL_INPUTS)
	@echo "Building the release wheel (a few minutes the first time) …"
	@rm -rf dist
	@$(VENV)/bin/maturin build --release --locked --out dist
	@touch $@

$(VENV)/.wheel $(BENCH)/.wheel: %/.wheel: %/.venv dist/.wheel
	@echo "Installing flowtriage with its extras into $(@D) (a few minutes the first time) …"
	@wheel=$$(ls dist/flowtriage-*.whl); $(@D)/bin/python $(PIP) install "$$wheel[notebook,cli,oa]"
	@wheel=$$(ls dist/flowtriage-*.whl); $(@D)/bin/python $(PIP) install --force-reinstall --no-deps "$$wheel"
	@touch $@

$(VENV)/.demo: $(VENV)/.wheel
	@touch $@

$(VENV)/.test: $(VENV)/.wheel pyproject.toml
	@$(@D)/bin/python $(PIP) install --group test --group parity
	@touch $@

$(BENCH)/.bench: $(BENCH)/.wheel pyproject.toml
	@$(@D)/bin/python $(PIP) install --group bench
	@touch $@

$(PANDAS3)/.test: $(PANDAS3)/.venv dist/.wheel pyproject.toml
	@echo "Installing flowtriage with nothing but pyarrow, and pandas 3 beside it, into $(@D) …"
	@$(@D)/bin/python $(PIP) install --force-reinstall --no-deps dist/flowtriage-*.whl
	@$(@D)/bin/python $(PIP) install dist/flowtriage-*.whl 'pandas>=3' --group test
	@touch $@

$(VENV)/.check: $(VENV)/.test
	@$(@D)/bin/python $(PIP) install --group check
	@touch $@

$(VENV)/.tools: $(VENV)/.venv
	@$(@D)/bin/python $(PIP) install --group tools
	@touch $@
