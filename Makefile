# Everything a developer runs. A machine needs Python 3.11+, pip, make and git; the rest comes into .venv.

PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3,$(shell \
  $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
WORKERS ?= 2
DEMO ?= demo-results
ONLY ?= *

# Test processes share the cores: one thread each is quicker than two processes fighting over them.
TEST_ENV := CUDA_VISIBLE_DEVICES= TF_CPP_MIN_LOG_LEVEL=3 \
  OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint format types goldens goldens-check docs zoo references gallery results speed trajectories combinations wheel-test bench clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## Install dlspec with all frameworks and tools into .venv (1 to 2 minutes, once)

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "dlspec needs Python 3.11 or later; say which: make PYTHON=/path/to/python3"; exit 1; }
	@echo "setting up $(VENV) with $$($(PYTHON) --version): 1 to 2 minutes, once"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "  1/2 torch"
	@$(PIP_INSTALL) torch
	@echo "  2/2 keras, tensorflow, onnxruntime, tools, dlspec"
	@$(PIP_INSTALL) --editable '.[all,dev]'
	@touch $@

demo: $(READY) ## Train the digits CNN, export it, run it in ONNX Runtime, verify the three backends
	@$(BIN)/python scripts/demo.py --out $(DEMO)

test: $(READY) ## Run all tests, doctests included
	$(TEST_ENV) $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(PYTEST_ARGS)

check: lint types goldens-check test wheel-test ## Everything CI runs: lint, types, goldens, tests, installed wheel

lint: $(READY) ## ruff: rules and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(READY) ## Mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(READY) ## mypy over dlspec
	$(BIN)/mypy

goldens: $(READY) ## Print every spec for every backend anew into tests/golden; read the diff before you commit
	$(TEST_ENV) $(BIN)/python scripts/goldens.py

goldens-check: $(READY) ## The printed code is as recorded, and ruff finds nothing in it
	$(TEST_ENV) $(BIN)/python scripts/goldens.py --check
	$(BIN)/ruff format --isolated --check tests/golden
	@# inside each folder, as its owner would: there `data` and `model` are the folder's own modules
	set -e; for folder in $$(find tests/golden -name '*.py' -exec dirname {} + | sort -u); do \
	  (cd $$folder && $(abspath $(BIN))/ruff check --quiet --isolated --extend-select I,UP,B .); done

docs: $(READY) ## Write the pages of operators and errors anew, from the code and the catalogue
	$(BIN)/python scripts/operators_page.py
	$(BIN)/python scripts/errors_page.py

zoo: $(READY) ## Every model of the zoo from end to end, the heavy ones too; ONLY=vision/resnet for one spec
	$(TEST_ENV) $(BIN)/python scripts/zoo.py --only '$(ONLY)' $(if $(RECORD),--json $(RECORD))

references: $(READY) ## Models of transformers and keras.applications, their weights converted: the same outputs?
	$(TEST_ENV) $(BIN)/python scripts/reference_models.py $(ONLY)

gallery: RECORD = docs/gallery/zoo.json
gallery: zoo ## Run the zoo, record it, and write docs/gallery.md and its drawings from that
	$(BIN)/python scripts/gallery.py

speed: $(READY) ## Time printed training beside scripts written by hand, and record it; ONLY=cnn for one network
	$(BIN)/python -m benchmarks.speed $(filter-out *,$(ONLY)) --record

trajectories: $(READY) ## Compare PyTorch and Keras after 20 steps of every training, and record it; ONLY=training/gan for one, CHANGED=1 for what is new
	$(TEST_ENV) $(BIN)/python -m benchmarks.trajectories '$(ONLY)' --record $(if $(CHANGED),--changed)

combinations: $(READY) ## Every pair of settings of train and data: refused with a code, or the same on both frameworks; SEED=1 for others
	$(TEST_ENV) $(BIN)/python -m benchmarks.combinations --seed $(or $(SEED),0)

results: $(READY) ## Train what specs/training/results.toml lists, hold it to its limits, record it; ONLY=vae for one, CHANGED=1 for what is new
	$(TEST_ENV) $(BIN)/python -m benchmarks.results '$(ONLY)' --record $(if $(CHANGED),--changed)

wheel-test: $(READY) ## Build the wheel, install it elsewhere, run tests and commands against it
	$(TEST_ENV) bash scripts/test_wheel.sh $(BIN)/python

bench: $(READY) ## Measure start-up, scaling and printing; prints one table
	$(BIN)/python -m benchmarks

clean: ## Remove .venv, caches, build and demo results
	rm -rf $(VENV) $(DEMO) build dist runs .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
