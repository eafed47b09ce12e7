# Everything runs in a virtual environment of its own; a fresh machine needs python3.11 or newer (venv, pip) and make.
PYTHON ?= python3
VENV   ?= .venv
OUT    ?= out
BIN    := $(VENV)/bin
# as many processes as cores, one BLAS thread each: two pools on two cores are slower than none
export OPENBLAS_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help report test test-lesser nightly test-peers lint check figures bench bench-peers docs wheel clean

help:            ## this list
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/: .*## / - /'

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

# machine code on disk is known by a kernel's own file, not by those whose functions it takes in
FRESH := $(VENV)/kernels
$(FRESH): $(VENV)/installed $(wildcard bnn_ref/kernels/*.py)
	find bnn_ref -name '*.nb[ci]' -delete
	touch $@

report: $(VENV)/installed $(FRESH)  ## install, then make the page of audits, spectra, training and packed checks
	@mkdir -p $(OUT)
	$(BIN)/bnn-ref report --out $(OUT)/report.html
	@echo "The page: $(abspath $(OUT)/report.html)"

test: export NUMBA_NUM_THREADS = 1
test: $(VENV)/installed-dev $(FRESH)  ## install, then run the tests
	$(BIN)/python -m pytest -n auto

LESSER := NUMBA_CPU_NAME=haswell NUMBA_CPU_FEATURES=
FORCED := $(addprefix tests/kernels/test_,xnor.py tiles.py pool.py pack.py conv.py rounding.py) tests/packed/test_plan.py
test-lesser: export NUMBA_NUM_THREADS = 1
test-lesser: $(VENV)/installed-dev $(FRESH)  ## kernels and plans once more, compiled for an x86-64 CPU without long vectors
	$(LESSER) $(BIN)/python -m pytest -n auto $(FORCED)

TWINS := $(addprefix tests/kernels/test_,pack.py xnor.py pool.py conv.py) tests/packed/test_compiler.py
nightly: $(VENV)/installed-dev $(FRESH)  ## a hundred thousand cases for kernels and packing; on a lesser CPU; without the compiler
	HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest -n auto tests/kernels tests/packed
	$(LESSER) $(BIN)/python -m pytest -n auto tests/kernels tests/packed
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -n auto $(TWINS)

test-peers: $(FRESH)  ## layers, networks and estimators against torch, in an environment of its own (.venv-peers)
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --upgrade pip
	.venv-peers/bin/python -m pip install --quiet torch==2.13.0
	.venv-peers/bin/python -m pip install --quiet --editable '.[peers]'
	.venv-peers/bin/python -m pytest -o addopts="-q --import-mode=importlib" tests/peers
	.venv-peers/bin/python -m analysis.checkers --out $(OUT)/results

lint: $(VENV)/installed-dev  ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

check: lint test test-lesser  ## format, lint, types, tests: the same as CI

figures: $(VENV)/installed $(FRESH)  ## run the studies, then draw their figures
	$(BIN)/python -m analysis --out $(OUT)/results
	$(BIN)/python -m figures --results $(OUT)/results --out $(OUT)/figures

$(VENV)/installed-bench: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	touch $@

bench: $(VENV)/installed-bench $(FRESH)  ## packed against float arithmetic, the Fourier slope against its sum; our own history
	$(BIN)/bnn-ref bench
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(BIN)/python -m analysis.fda.speed
	$(BIN)/python -m analysis.engine
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(BIN)/python -m pytest analysis/history.py -o addopts= -q --benchmark-autosave \
		--benchmark-columns=min,median,rounds --benchmark-sort=fullname $(if $(wildcard .benchmarks/*/*),--benchmark-compare)

bench-peers: $(VENV)/installed $(FRESH)  ## against torch and onnxruntime; after `make test-peers`, in its environment
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE .venv-peers/bin/python -m analysis.fda.speed
	$(BIN)/python -m analysis.engine --python .venv-peers/bin/python --out $(OUT)/results
	$(BIN)/python -m analysis.engine --python .venv-peers/bin/python --threads 2 --out $(OUT)/results

docs: $(VENV)/installed  ## the estimator cards and the table, as pages
	@mkdir -p $(OUT)/cards
	$(BIN)/bnn-ref show --all --out $(OUT)/cards

wheel: $(VENV)/installed  ## build the wheel
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean:           ## remove what was made
	rm -rf $(VENV) .venv-peers $(OUT) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
