# `make check` is the only thing to remember. Nothing needs to be activated: the environment lies in .venv.
# Needed: Python 3.11 or newer with pip. Another interpreter: make demo PYTHON=python3.12

PYTHON ?= python3
BIN := .venv/bin
DEMO ?= study finenet_20 --phi 1 --trainings 12 --epochs 3 --time 5m

# The tests by several processes: as many as there are cores, at most four (tests/conftest.py). One that is done takes over a
# part of another's list, which is in the order of the files, so that what a file prepares is mostly prepared once.
PYTEST := -m pytest -q -n auto --dist worksteal

# What holds torch, oneDNN and our kernels to the instructions of a processor with AVX2 and no more.
AVX2 := ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 TRISCALE_ISA=avx2
# Tests of what depends on instructions: kernels, plans, and the memory that a step takes.
AVX2_TESTS := tests/nn/fast/test_depthwise.py tests/nn/fast/test_isa.py tests/nn/fast/test_speed_plan.py \
  tests/costs/test_peak.py tests/training/test_kernels.py

# One ordinary install per kind, so that torch and torchvision come out of one resolution: $(1) is what to install, $(2)
# where, $(3) further options. A Python without ensurepip makes an environment without pip: then the pip outside installs into it.
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "triscale needs Python 3.11 or newer; '$(PYTHON)' is not (name another one: make PYTHON=python3.12)" >&2; exit 1; }
	@echo "installing $(1) into $(2) (a few minutes the first time)" >&2
	@$(PYTHON) -m venv $(2) >/dev/null 2>&1 || $(PYTHON) -m venv --without-pip $(2)
	@if $(2)/bin/python -m pip --version >/dev/null 2>&1; then pip="$(2)/bin/python -m pip"; \
	  else pip="$(PYTHON) -m pip --python $(2)/bin/python"; fi; \
	  $$pip install --quiet --disable-pip-version-check $(3) --editable '$(1)'
endef

# $(1) are the tests, all if there are none.
define test-avx2
	@if $(BIN)/python -c 'import sys; from triscale.machine import NEEDS, features; sys.exit(not NEEDS["avx2"] <= features())'; \
	  then $(AVX2) $(BIN)/python $(PYTEST) $(1); else echo "this processor has no AVX2: its tests are left out" >&2; fi
endef

.PHONY: dist test-dist help demo test test-avx2 test-oldest check slow durability gpu format bench parity parity-keras docs clean

help:  ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*##/\1:/p' Makefile

demo: .venv/.installed  ## install the product and run the main job on the embedded pictures
	@$(BIN)/triscale $(DEMO)

test: .venv/.installed-dev  ## install the tools too and run the tests
	@$(BIN)/python $(PYTEST)

test-avx2: .venv/.installed-dev  ## the tests as on a processor with AVX2 and no AVX-512
	$(call test-avx2)

test-oldest: .venv-oldest/.installed  ## the tests with the lowest versions that pyproject.toml admits
	@.venv-oldest/bin/python $(PYTEST)

check: .venv/.installed-dev  ## format, lint, types and tests, those of kernels and memory under AVX2 too: what CI runs
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/python $(PYTEST)
	$(call test-avx2,$(AVX2_TESTS))

slow: .venv/.installed-dev  ## the tests that take minutes (those of Keras want .venv-keras, as parity-keras makes it)
	@$(BIN)/python -m pytest -q -m slow

durability: .venv/.installed-dev  ## kill trainings twenty times, and compare the bits of what they end in
	@$(BIN)/python -m pytest -q -m "slow or not slow" tests/training/test_durability.py

# A few minutes on one card; every record names it. Without one, the tests say so and nothing is measured.
gpu: .venv/.installed-dev  ## the tests of a CUDA GPU, then what is measured on one: steps, trainings that share it, a study
	@$(BIN)/python -m pytest -q -m gpu tests/gpu tests/training/test_device.py
	@if $(BIN)/python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then set -e; \
	  $(BIN)/python -m benchmarks.training_speed --device cuda --no-compiled --threads 1 --resolution 224 --rounds 5; \
	  $(BIN)/python -m benchmarks.trainings_at_once --device cuda; \
	  $(BIN)/python -m benchmarks.study_on_gpu --device cuda; \
	else echo "no CUDA GPU on this machine: nothing is measured" >&2; fi

format: .venv/.installed-dev  ## write the format and the fixes that are safe
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

bench: .venv/.installed-dev  ## run every benchmark that needs nothing more, each of which writes its record
	@set -e; for file in benchmarks/*.py; do name=$$(basename "$$file" .py); \
	  case "$$name" in harness|simulated|remote|stepped|__init__|durability_lightning|kernels_accuracy|study_answers|evidence|demo|study_on_gpu|trainings_at_once) ;; *) $(BIN)/python -m "benchmarks.$$name";; esac; done

dist: .venv-dist/.installed  ## build the wheel and the source archive into dist, and check what they say of themselves
	@rm -rf dist
	@.venv-dist/bin/python -m build --outdir dist . >/dev/null
	@.venv-dist/bin/python -m twine check --strict dist/*

test-dist: dist .venv/.installed-dev  ## run the main job from the wheel alone: an empty environment, no compiler, no git
	@$(BIN)/python -m pytest -q -m "slow or not slow" tests/test_distribution.py

parity: .venv/.installed-dev  ## compare every network with torchvision and timm; writes the ledger
	@$(BIN)/python -m benchmarks.parity

parity-keras: .venv/.installed-dev .venv-keras/.installed  ## the same with Keras, in an environment of its own
	@$(BIN)/python -m benchmarks.parity --keras .venv-keras/bin/python

docs: .venv/.installed-dev  ## build the documentation into build/docs/site; warnings and broken links are errors
	@$(BIN)/python -m docs_site

clean:  ## remove the environment and every cache
	@rm -rf .venv .venv-dist .venv-keras .venv-oldest .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.installed: pyproject.toml
	$(call install,.[export],.venv)
	@touch $@

# The product alone may have been installed first: an operator of torchvision proves that it fits the torch that is there.
.venv/.installed-dev: pyproject.toml
	$(call install,.[dev],.venv)
	@$(BIN)/python -c 'import torch, torchvision as v; v.ops.nms(torch.zeros(1, 4), torch.ones(1), 0.5)' 2>/dev/null || \
	  { echo "torch and torchvision in .venv do not fit each other: run 'make clean', then try again" >&2; exit 1; }
	@touch .venv/.installed $@

.venv-oldest/.installed: pyproject.toml
	@mkdir -p .venv-oldest
	@$(PYTHON) .ci/lowest.py pyproject.toml > .venv-oldest/lowest.txt
	$(call install,.[dev],.venv-oldest,--constraint .venv-oldest/lowest.txt)
	@touch $@

# Keras runs in a process of its own, so that the versions which TensorFlow asks for bind nobody else.
.venv-keras/.installed:
	@echo "installing keras and tensorflow-cpu into .venv-keras (a few minutes the first time)" >&2
	@$(PYTHON) -m venv .venv-keras >/dev/null 2>&1 || $(PYTHON) -m venv --without-pip .venv-keras
	@if .venv-keras/bin/python -m pip --version >/dev/null 2>&1; then pip=".venv-keras/bin/python -m pip"; \
	  else pip="$(PYTHON) -m pip --python .venv-keras/bin/python"; fi; \
	  $$pip install --quiet --disable-pip-version-check 'keras>=3' tensorflow-cpu
	@touch $@

# What builds and checks a release, away from what is released.
.venv-dist/.installed:
	@$(PYTHON) -m venv .venv-dist >/dev/null 2>&1 || $(PYTHON) -m venv --without-pip .venv-dist
	@if .venv-dist/bin/python -m pip --version >/dev/null 2>&1; then pip=".venv-dist/bin/python -m pip"; \
	  else pip="$(PYTHON) -m pip --python .venv-dist/bin/python"; fi; \
	  $$pip install --quiet --disable-pip-version-check build twine
	@touch $@
