# make test    the whole test suite
# make lint    style and types
# make demo    synthetic recordings, pretraining, evaluation, in minutes on two CPU cores
#
# Each installs into .venv first, if what is to be installed has changed.

SHELL := /bin/bash
PYTHON ?= python3
JOBS ?= 2
BIN := .venv/bin
INSTALLED := .venv/.installed

PHANTOMS := data/phantom
VIDEOS := 240
DEMO := work_dirs/demo/pretrain
CONFIG := configs/phantom/pretrain.py

# The loading processes take the other core; glibc keeps the memory that each step needs again.
ONE_THREAD := env OMP_NUM_THREADS=1 MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=4294967296

.PHONY: help install test lint demo
.DELETE_ON_ERROR:

help:
	@sed -n 's/^# make/make/p' $(firstword $(MAKEFILE_LIST))

install: $(INSTALLED)

$(INSTALLED): setup.py constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' 2>/dev/null || \
	  { echo "Python 3.10 to 3.13 is needed, and $(PYTHON) is $$($(PYTHON) -V 2>&1);" \
	         "name another: make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off \
	  --constraint constraints.txt --editable '.[test]'
	@touch $@

test: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) -m 'not gpu'

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# A stage that is done leaves a file. One that is stopped goes on where it was; one that reaches
# its limit of seconds goes on at the next call, and the later stages take what it has.
define limited
	@timeout --foreground --signal=TERM --kill-after=20 $(1) $(2); status=$$?; \
	if [ $$status -eq 0 ]; then touch $@; \
	elif [ $$status -eq 124 -o $$status -eq 137 ]; then echo "Stopped after $(1) s; 'make demo' goes on from here."; \
	else exit $$status; fi
endef

demo: $(DEMO)/evaluated
	@echo
	@echo "Recordings   $(PHANTOMS)"
	@echo "Log          $$(ls -t $(DEMO)/*/*.log | tail -1)"
	@echo "Curves       $(DEMO)/curves.png"
	@echo "Pictures     $(DEMO)/pictures"
	@echo "Checkpoint   $$(cat $(DEMO)/last_checkpoint)"

$(PHANTOMS)/made: | $(INSTALLED)
	$(call limited,90,$(BIN)/python tools/make_phantoms.py \
	  --out $(PHANTOMS) --videos $(VIDEOS) --seed 1 --jobs $(JOBS) --datasets echonet)

$(DEMO)/trained: $(PHANTOMS)/made
	@mkdir -p $(DEMO)
	$(call limited,240,$(ONE_THREAD) $(BIN)/python tools/train.py $(CONFIG) --work-dir $(DEMO) --resume)

$(DEMO)/evaluated: $(DEMO)/trained
	$(BIN)/python tools/test.py $(CONFIG) "$$(cat $(DEMO)/last_checkpoint)" --work-dir $(DEMO)
	@touch $@
