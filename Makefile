# `make run` and `make test` set everything up by themselves; `make help` lists the rest.

TORCH ?= auto
MODEL ?= scenes
PYTEST_ARGS ?=

bin := .venv/bin
# Offscreen, offline and on one thread: what a test needs is in the repository.
test_env := QT_QPA_PLATFORM=offscreen HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1
title = @printf '\n=== %s ===\n'

.DEFAULT_GOAL := help
.PHONY: help run test stress bench screenshots models clean setup

help:
	@echo "make run      start UL Studio (without a display: draw pictures into ./outputs instead)"
	@echo "make test     lint, types, layers and tests; stops at the first that fails"
	@echo "make stress   the long tests"
	@echo "make bench    measure the window: start, smoothness, Stop, memory; into bench.json"
	@echo "make screenshots   the pictures of the guide"
	@echo "make models   train the bundled model again (MODEL=$(MODEL))"
	@echo "make clean    remove caches and built packages; .venv, outputs and runs stay"
	@echo
	@echo "TORCH=cpu     take the small CPU build of PyTorch; TORCH=index: what your package index offers"
	@echo "PYTHON=…      the Python (3.11 or newer) to make .venv with"
	@echo "PYTEST_ARGS=… more words for pytest, such as PYTEST_ARGS='tests/engine -x'"

setup:
	@PYTHON="$(PYTHON)" .ci/setup $(TORCH)

run: setup
	@if [ "$$(uname -s)" = Linux ] && [ -z "$$DISPLAY$$WAYLAND_DISPLAY" ]; then \
	    echo "No display here: drawing pictures into ./outputs instead of opening the window."; \
	    QT_QPA_PLATFORM=offscreen exec $(bin)/ul-studio --smoke outputs; \
	else \
	    exec $(bin)/ul-studio; \
	fi

test: setup
	$(title) "ruff check"
	@$(bin)/ruff check .
	$(title) "ruff format"
	@$(bin)/ruff format --check .
	$(title) "mypy --strict"
	@$(bin)/mypy --strict app ul_engine trainer
	$(title) "import-linter"
	@$(bin)/lint-imports --no-logo
	$(title) "pytest"
	@$(test_env) $(bin)/pytest --numprocesses logical --maxprocesses 8 --dist worksteal $(PYTEST_ARGS)

stress: setup
	$(title) "pytest -m stress"
	@$(test_env) $(bin)/pytest -m stress $(PYTEST_ARGS) || [ $$? -eq 5 ] # 5: none is marked

bench: setup
	$(bin)/ul-studio --bench bench.json

screenshots: setup
	$(bin)/ul-studio --screenshots docs/images/guide

models: setup
	$(bin)/ul-train recipe run $(MODEL) --out assets/models/$(MODEL)

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find app ul_engine trainer tests -name __pycache__ -type d -prune -exec rm -rf {} +
