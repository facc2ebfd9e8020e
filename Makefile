# What README, CI and people all call. Run `make` for the list.
#
#   PYTHON=python3.12 make venv      another interpreter, 3.11 or newer
#   TORCH=torch==2.12.0 make venv    another torch (pip's words: a version, a file, a URL)
#   EXTRA_PIP="--index-url …"        more words for pip, such as the index of CPU builds
#   PYTEST_ARGS="-k units -x"        more words for pytest
#   WORKERS=4 make test              how many processes run tests side by side; 0: none but the first
#   BENCH_ARGS=--quick make bench    more words for the benchmarks
#
# Every path is relative, so that a clone may lie anywhere, spaces in its name included.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
TORCH ?= torch==2.13.0
EXTRA_PIP ?=
PYTEST_ARGS ?=
BENCH_ARGS ?=
WORKERS ?= 2
FUZZ_SECONDS ?= 60
BASE ?= HEAD
URL ?=
TAG ?=

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO_STAMP := $(VENV)/.demo
RELEASE := .venv-release
PEERS := .venv-peers
PEERS_STAMP := $(PEERS)/.installed
PEERS_LIST := tests/benchmarks/peers/requirements.txt
TRACKERS := .venv-trackers
TRACKERS_LIST := tests/integration/trackers/requirements.txt
FRAMEWORKS := .venv-frameworks
FRAMEWORKS_LIST := tests/integration/frameworks/requirements.txt
SUITES := .venv-suites
SUITES_LIST := tests/suites/requirements.txt
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL = $(PIP) install --quiet --quiet --no-compile $(EXTRA_PIP)
CHECKED := lightning_carbon tests examples
# The tests of one file stay together, as they share trainings; tests/conftest.py says which files go first.
SIDE_BY_SIDE := --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder

export PIP_ROOT_USER_ACTION := ignore
# Empty is unset: where Python is told to write no bytecode, each of hundreds of processes would compile what it imports.
export PYTHONDONTWRITEBYTECODE :=

# Captures and traces of real machines, where they lie beside the clone; the tests that read them skip elsewhere.
ifneq ($(wildcard ../shared/data),)
export LIGHTNING_CARBON_TRACES ?= ../shared/data
endif

.PHONY: help
help: ## Say what there is to make
	@grep -E '^[a-z-]+:.*##' Makefile | sort | while IFS= read -r line; do \
		printf '  make %-12s %s\n' "$${line%%:*}" "$${line#*## }"; done

.PHONY: venv
venv: $(STAMP) ## Create .venv and install what constraints.txt pins

# torch goes first and alone: its pin decides which build everything else has to live with.
# The rest is then held to constraints.txt, with torch held to what was just installed. A module is compiled when it is
# first imported: most never are, and compiling all of them takes as long as unpacking them.
define begin_venv
@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "$(PYTHON) is older than 3.11: say PYTHON=python3.11 make …" >&2; exit 1; }
@'$(PYTHON)' -m venv $(VENV) || \
	{ echo "$(PYTHON) -m venv failed; on Debian: apt-get install python3-venv" >&2; exit 1; }
@echo "Installing $(TORCH), then what $(1) needs, into $(VENV); this takes a minute or so."
@$(INSTALL) '$(TORCH)'
@{ $(BIN)/python -c 'from importlib.metadata import version; print("torch==" + version("torch"))'; \
	grep -v '^torch==' constraints.txt; } > $(VENV)/constraints.txt
endef

$(STAMP): setup.cfg pyproject.toml constraints.txt
	$(call begin_venv,the whole project)
	@$(INSTALL) --constraint $(VENV)/constraints.txt --editable '.[all,dev]'
	@touch $(STAMP)

# A part of the same environment, for whoever has not made the whole of it: a newcomer does not wait for the tests' tools.
$(DEMO_STAMP): setup.cfg pyproject.toml constraints.txt
	$(call begin_venv,the demo)
	@$(INSTALL) --constraint $(VENV)/constraints.txt \
		--editable '.[lightning,tensorboard,report]' 'jsonargparse[signatures]' tokenizers
	@touch $(DEMO_STAMP)

# Threads that have to wait sleep: on a processor that others use, too, a step would take ten times as long otherwise.
.PHONY: demo
demo: export OMP_WAIT_POLICY ?= PASSIVE
demo: $(if $(wildcard $(STAMP)),$(STAMP),$(DEMO_STAMP)) ## Train a small Transformer with the meter on, and tell what it took and where its report lies
	$(BIN)/python examples/transformer.py fit --config configs/transformer_small.yaml
	@$(BIN)/lightning-carbon report -o runs/transformer_small/report.html

.PHONY: test
test: venv ## Everything that has to hold: lint, types, contracts, tests
	@$(MAKE) --no-print-directory --jobs=2 lint test-unit
	$(BIN)/python -m pytest --ignore=tests/unit $(SIDE_BY_SIDE) $(PYTEST_ARGS)

# Beside lint, which computes on one processor while tests wait for the other.
.PHONY: test-unit
test-unit: venv
	$(BIN)/python -m pytest tests/unit $(SIDE_BY_SIDE) --cov --cov-report=term-missing:skip-covered $(PYTEST_ARGS)

.PHONY: test-fast
test-fast: venv ## The tests that start no program and train nothing, while you work; takes about a minute
	$(BIN)/python -m pytest tests/unit tests/contracts $(SIDE_BY_SIDE) --quiet $(PYTEST_ARGS)

.PHONY: lint
lint: venv ## Style, formatting, types and the architecture's contracts
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy $(CHECKED)
	$(BIN)/python -c 'from importlinter.cli import lint_imports_command as main; main()' --no-cache

# What it takes is apart, as nothing that is tested needs it; pinned by the day of the release alone.
.PHONY: release
release: ## Build what goes to PyPI into dist/; URL=https://github.com/OWNER/REPOSITORY says where the project lies
	@'$(PYTHON)' -m venv $(RELEASE)
	@$(RELEASE)/bin/python -m pip install --quiet --disable-pip-version-check --requirement tools/data/release.txt
	$(RELEASE)/bin/python tools/build_release.py --url '$(URL)' --tag '$(TAG)' --out dist

.PHONY: peers
peers: $(PEERS_STAMP) ## Create .venv-peers with the tools that `make bench` compares us with

# Their requirements are pinned whole and installed as they stand: torch first, as above, and nothing that pins add.
$(PEERS_STAMP): $(PEERS_LIST)
	@'$(PYTHON)' -m venv $(PEERS)
	@echo "Installing $(TORCH), then what $(PEERS_LIST) pins, into $(PEERS); this takes a minute or more."
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check $(EXTRA_PIP) '$(TORCH)'
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check $(EXTRA_PIP) --no-deps --requirement $(PEERS_LIST)
	@touch $(PEERS_STAMP)

.PHONY: trackers
trackers: venv ## Train with the libraries of trackers, offline, and write down what they hold; ten minutes
	@'$(PYTHON)' -m venv $(TRACKERS)
	@$(TRACKERS)/bin/python -m pip install --quiet --disable-pip-version-check $(EXTRA_PIP) --requirement $(TRACKERS_LIST)
	@$(BIN)/python -c 'import site; print(site.getsitepackages()[0])' > \
		"$$($(TRACKERS)/bin/python -c 'import site; print(site.getsitepackages()[0])')/tests.pth"
	TRACKERS_SEEN=tests/data/trackers.json $(TRACKERS)/bin/python -m pytest tests/integration/trackers -n 0 $(PYTEST_ARGS)
	$(BIN)/python tools/update_docs.py

# What the workers of a framework import comes from the environment of the tests, whose .pth files have to be read, too.
.PHONY: frameworks
frameworks: venv ## Train with frameworks that have an environment of their own, such as Ray; some minutes
	@'$(PYTHON)' -m venv $(FRAMEWORKS)
	@$(FRAMEWORKS)/bin/python -m pip install --quiet --disable-pip-version-check $(EXTRA_PIP) --requirement $(FRAMEWORKS_LIST)
	@$(BIN)/python -c 'import site; print(f"import site; site.addsitedir({site.getsitepackages()[0]!r})")' > \
		"$$($(FRAMEWORKS)/bin/python -c 'import site; print(site.getsitepackages()[0])')/tests.pth"
	RAY_TRAIN_V2_ENABLED=1 RAY_USAGE_STATS_ENABLED=0 \
		$(FRAMEWORKS)/bin/python -m pytest tests/integration/frameworks -n 0 $(PYTEST_ARGS)

# Their environment sees that of the tests, and what is installed into it: an editable package needs its .pth read.
.PHONY: suites
suites: venv ## Run the frameworks' own tests with the meter on and off; LIGHTNING_SUITE names their folder; an hour
	@'$(PYTHON)' -m venv $(SUITES)
	@$(SUITES)/bin/python -m pip install --quiet --disable-pip-version-check $(EXTRA_PIP) --no-deps --requirement $(SUITES_LIST)
	@$(BIN)/python -c 'import site; print(f"import site; site.addsitedir({site.getsitepackages()[0]!r})")' > \
		"$$($(SUITES)/bin/python -c 'import site; print(site.getsitepackages()[0])')/tests.pth"
	$(SUITES)/bin/python -m tests.suites $(SUITES_ARGS)

.PHONY: bench
bench: venv peers ## Measure accuracy and overhead, our promises and beside other tools; takes up to half an hour
	$(BIN)/python -m tests.benchmarks $(BENCH_ARGS)

.PHONY: compare
compare: venv ## Measure what this tree costs beside the commit BASE, both in turn; takes some fifteen minutes
	$(BIN)/python -m tests.benchmarks.compare '$(BASE)' $(COMPARE_ARGS)

.PHONY: docs
docs: venv ## Build the pages, with the reference, into build/docs
	$(BIN)/python -m sphinx --quiet --fail-on-warning --builder html --conf-dir docs . build/docs
	@echo "$(CURDIR)/build/docs/docs/index.html"

.PHONY: linkcheck
linkcheck: venv ## Ask every address that the pages name, over the network; what lies in the repository the tests check
	$(BIN)/python -m sphinx --quiet --builder linkcheck --conf-dir docs . build/linkcheck

.PHONY: reality
reality: venv ## Hold the meter against recorded GPUs with an external meter; LIGHTNING_CARBON_TRACES names their folder
	$(BIN)/python -m tests.reality $(REALITY_ARGS)

.PHONY: soak
soak: venv ## Kill trainings at random and at chosen moments, and tell what that cost; takes ten minutes
	$(BIN)/python -m tests.soak

.PHONY: fuzz
fuzz: venv ## Look for files that a reader stumbles on, for FUZZ_SECONDS, and keep each in tests/data/corpus
	$(BIN)/python -m tests.fuzz $(FUZZ_SECONDS)

# For a machine that has its own torch: no environment is made, PYTHON says which one to use. What its versions of
# frameworks warn of is not what is looked for there.
.PHONY: test-gpu
test-gpu: ## The tests that need a GPU, with $(PYTHON) as it is
	'$(PYTHON)' -m pytest -m gpu tests/gpu -rs -W default $(PYTEST_ARGS)

.PHONY: constraints
constraints: venv ## Write constraints.txt again from what .venv holds
	{ sed '/^[^#]/,$$d' constraints.txt; echo 'torch==2.13.0'; \
		$(PIP) list --format=freeze | grep -vE '^(pip|torch|lightning[-_]carbon)=='; } > constraints.new
	mv constraints.new constraints.txt
	@touch $(STAMP)

.PHONY: clean
clean: ## Remove .venv, the environments beside it and whatever builds, tests and trainings left behind
	rm -rf $(VENV) $(RELEASE) $(PEERS) $(TRACKERS) $(SUITES) build dist *.egg-info .coverage .coverage.* htmlcov .hypothesis
	rm -rf .import_linter_cache .mypy_cache .pytest_cache .ruff_cache checkpoints lightning_logs runs
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
