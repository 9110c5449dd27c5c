# Everything a fresh clone needs: Python 3.11 or newer, git and make; the rest comes from uv.lock.
#
#   make run        set up and bring the results of the default cohort up to date
#   make test       set up and run all tests that take seconds, then the notebooks against their stored outputs
#   make lab        explore in JupyterLab
#   make help       all targets

UV_VERSION := 0.13.9
VENV := .venv
# Windows with the make and shell of Git or MSYS2; see CONTRIBUTING.md.
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
EXE := .exe
else
BIN := $(VENV)/bin
EXE :=
endif
STAMP := $(VENV)/.set-up
FOUND := $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
PYTHON ?= $(FOUND)

# Options of `compendium`, for example: make run ARGS="my_cohort --param horizon_days=90"
ARGS ?=

# The environment is the project's own, whichever other one is active.
unexport VIRTUAL_ENV
unexport PYTHONPATH
unexport PYTHONHOME
export UV_PROJECT_ENVIRONMENT := $(VENV)
export UV_PYTHON_DOWNLOADS := never

.PHONY: help setup run test quick-tests coverage nbval outputs test-slow browser-test chinese-font lab lint docs wheel audit-dependencies binder refresh bench soak slurm-check oracle clean
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

setup: $(STAMP) ## make the environment (.venv) as locked

# `python -m venv` makes the environment: in one of its own making uv would remove itself at each sync.
$(BIN)/uv$(EXE):
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed; found none of them." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# Compiling now spares every kernel several seconds.
$(STAMP): pyproject.toml uv.lock | $(BIN)/uv$(EXE)
	$(BIN)/uv sync --frozen --compile-bytecode --quiet
	$(BIN)/python -m compileall -q src
	@touch $@

run: setup ## bring the results up to date
	$(BIN)/compendium run $(ARGS)

lab: setup ## open JupyterLab
	$(BIN)/compendium lab $(ARGS)

# The versions of uv.lock, for Binder; a test compares the two.
BINDER := export --frozen --offline --no-dev --no-hashes --no-annotate --no-emit-project --no-header --quiet

binder: setup ## what Binder installs, from the lock
	$(BIN)/uv $(BINDER) --output-file .binder/requirements.txt

refresh: setup ## store the notebooks with the outputs of the default cohort, before a commit
	$(BIN)/compendium refresh

# The libraries for the notebooks' kernels are loaded while the quick tests run, which do without them.
test: setup ## quick tests, then the notebooks against their stored outputs
	$(BIN)/compendium warm $(MAKE) --no-print-directory quick-tests outputs

# Two processes of one thread each: two of two threads wait for one another.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

quick-tests: setup
	@env -u JUPYTER_DEFAULT_PROVISIONER_NAME -u COMPENDIUM_FORK_SERVER $(ONE_THREAD) $(BIN)/pytest -n 2 -m "not slow"

coverage: setup ## which lines and branches the quick tests and the reconstruction's pass (15 minutes)
	@env -u JUPYTER_DEFAULT_PROVISIONER_NAME -u COMPENDIUM_FORK_SERVER $(ONE_THREAD) $(BIN)/pytest -q -n 2 -m "not slow" \
		--cov --cov-report= $(ARGS)
	@$(ONE_THREAD) $(BIN)/pytest -q -n 2 -m slow tests/published --cov --cov-append --cov-report=term

# Notebooks write to a folder that is thrown away. nbval compares no pictures: the notebooks only keep what is to be
# drawn, and their figures are drawn from that and compared with the committed ones. Plugins of pytest that nobody
# needs here would double the start of each process.
IN_NEW_FOLDER := output=$$(mktemp -d) && trap 'rm -rf "$$output"' EXIT && \
	export COMPENDIUM_OUTPUT="$$output" COMPENDIUM_PRODUCED="$$output" COMPENDIUM_RUN=1 COMPENDIUM_FIGURE_FORMATS= && \
	export $(ONE_THREAD)
PYTEST := $(BIN)/pytest -q -n 2 -p no:cacheprovider -p no:hypothesispytest -p no:typeguard -p no:anyio
NBVAL := $(PYTEST) --dist loadfile --no-loadscope-reorder -p helpers.run.validation --nbval \
	--nbval-current-env $(sort $(wildcard notebooks/0*.ipynb)) notebooks/explore.ipynb tests/outputs/test_results_are_current.py

nbval: setup ## the notebooks against their stored outputs, and their results against the committed ones
	@$(IN_NEW_FOLDER) && $(NBVAL)

outputs: setup ## the same, and their figures against the committed ones
	@$(IN_NEW_FOLDER) && $(NBVAL) && $(PYTEST) tests/outputs/test_figures_are_current.py

test-slow: setup ## tests that take minutes
	@env $(ONE_THREAD) $(BIN)/pytest -n 2 --dist loadgroup -m "slow and not browser" $(ARGS)

# Debian's own browser is driven; Playwright downloads none.
browser-test: setup ## JupyterLab and the explorer, driven in a browser (minutes)
	@command -v chromium chromium-browser google-chrome >/dev/null || \
		{ echo "A browser is needed: apt install chromium" >&2; exit 1; }
	$(BIN)/uv sync --frozen --group browser --quiet
	$(BIN)/pytest -m browser tests/browser $(ARGS)

chinese-font: setup ## fetch a free font for figures with Chinese text (needs a network, once)
	$(BIN)/python -m helpers.report.figures.fonts.chinese

lint: setup ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy src benchmarks

# Sphinx and its theme come from the lock as well; what else was installed stays.
docs: setup ## the documentation as pages, into docs/_build/html
	$(BIN)/uv sync --frozen --inexact --group docs --quiet
	@env $(ONE_THREAD) $(BIN)/python docs/site/build.py $(ARGS)

wheel: setup ## the package, into dist/
	$(BIN)/uv build --wheel --quiet --out-dir dist

# Needs the package index's service for vulnerabilities; a version that it cannot be asked about counts as a fault.
audit-dependencies: setup ## known vulnerabilities of the locked versions (needs a network)
	@locked=$$(mktemp) && trap 'rm -f "$$locked"' EXIT && \
	$(BIN)/uv export --frozen --no-hashes --no-emit-project --quiet --output-file "$$locked" && \
	$(BIN)/uv tool run --quiet pip-audit --strict --disable-pip --no-deps --requirement "$$locked"

bench: setup ## speed and memory beside named peers, into benchmarks/results.md (half an hour)
	$(BIN)/python benchmarks/bench.py $(ARGS)

soak: setup ## does a run ever fail by chance? On a busy machine, with slow imports (hours; ARGS="--runs 4")
	$(BIN)/python benchmarks/soak/soak.py $(or $(ARGS),--runs 100 --starts 300 --tests 6)

slurm-check: setup ## a real SLURM on this machine: six cohorts on it, compared with a local run (Debian, as root)
	tests/slurm/check.sh

oracle: ## make the reference values of the tests anew, with R
	Rscript tests/oracle/make_fixtures.R
	Rscript tests/oracle/historical_controls/make_fixtures.R

clean: ## forget environment and caches; results and figures stay
	rm -rf $(VENV) .compendium .pytest_cache .mypy_cache .ruff_cache .hypothesis
