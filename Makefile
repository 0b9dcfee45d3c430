# make test      the test suite without the slow tests
# make test-all  the whole test suite, except 10,000 mutations of each reader's files (pytest -m fuzz)
# make lint      style, types and import layers
# make docs      the documentation as web pages, in site/
# make demo      synthetic recordings, pretraining, ejection fraction, segmentation and infarction;
#                training is limited to 11 minutes in all
#
# Each installs into .venv first if the requirements have changed.

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
PYTHON ?= python3
JOBS ?= 2
# Tests often wait for processes of their own: three workers keep two cores busy.
TEST_JOBS ?= 3
BIN := .venv/bin
INSTALLED := .venv/.installed

PHANTOMS := data/phantom
VIDEOS := 800
HEARTS := 240
PACKED := data/packed/phantom
READ := --cfg-options packed=$(PACKED)

PRETRAIN := work_dirs/demo/pretrain
PRETRAIN_CONFIG := configs/phantom/pretrain_phantom.py
EF := work_dirs/demo/ef
EF_CONFIG := configs/phantom/ef_phantom.py
SEG := work_dirs/demo/seg
SEG_CONFIG := configs/phantom/seg_phantom.py
MI := work_dirs/demo/mi
MI_CONFIG := configs/phantom/mi_phantom.py
BUNDLES := work_dirs/demo/bundles
MEASURED := work_dirs/demo/measurements

# Make glibc keep freed memory: every step needs it again.
KEEP_MEMORY := MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=4294967296
PYTEST = OMP_NUM_THREADS=1 $(KEEP_MEMORY) $(BIN)/python -m pytest -n $(TEST_JOBS) --dist loadgroup

.PHONY: help install test test-all lint docs demo
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
	$(PYTEST) -m 'not slow and not gpu and not fuzz'

test-all: $(INSTALLED)
	$(PYTEST) -m 'not gpu and not fuzz'

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(INSTALLED)
	@$(BIN)/python -c 'import mkdocs, material, mkdocstrings_handlers.python' 2>/dev/null || \
	  $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off \
	  --constraint constraints.txt --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# A finished stage leaves a file. An interrupted stage resumes at the next call; a stage that reaches
# its time limit does so too, and the later stages use what it has.
define limited
	@timeout --foreground --signal=TERM --kill-after=20 $(1) $(2); status=$$?; \
	if [ $$status -eq 0 ]; then touch $@; \
	elif [ $$status -eq 124 -o $$status -eq 137 ]; then \
	  echo "$(@D) stopped after $(1) s; 'make demo' resumes here."; \
	else exit $$status; fi
endef

# The fine-tunings run side by side, a thread each, so each line names its task. After Ctrl-C, sed
# lives on until the training has saved.
labelled = 2>&1 | (trap '' INT TERM; exec sed -u 's/^/$(notdir $(@D)): /')

last = "$$(cat $(1)/last_checkpoint)"
best = "$$(ls $(1)/best_*.pth 2>/dev/null || cat $(1)/last_checkpoint)"
# With AMX, bfloat16 is faster, which leaves time for more epochs; without it, it may be slower.
AMP := $(shell grep -qm1 amx_bf16 /proc/cpuinfo 2>/dev/null && echo --amp)
EF_EPOCHS := $(if $(AMP),130,80)
SEG_EPOCHS := $(if $(AMP),50,20)
TRAIN = env OMP_NUM_THREADS=$(1) $(KEEP_MEMORY) $(BIN)/python tools/train.py $(AMP)
TEST = env OMP_NUM_THREADS=$(1) $(BIN)/python tools/test.py
PUBLISH = env OMP_NUM_THREADS=1 $(BIN)/echocardmae publish

demo: $(INSTALLED)
	@$(MAKE) --no-print-directory --jobs $(JOBS) $(MEASURED)/report.html
	@$(BIN)/python tools/demo_results.py work_dirs/demo $(PHANTOMS)

$(PHANTOMS)/made: | $(INSTALLED)
	$(BIN)/echocardmae phantoms --out $(PHANTOMS) --videos $(VIDEOS) --seed 1 --jobs $(JOBS) --datasets echonet
	@touch $@

$(PHANTOMS)/HMC-QU/A4C.xlsx: | $(PACKED)/index.json
	$(BIN)/echocardmae phantoms --out $(PHANTOMS) --hmcqu $(HEARTS) --views A4C --seed 1 --jobs $(JOBS) \
	  --datasets hmcqu

$(PACKED)/index.json: $(PHANTOMS)/made
	$(BIN)/echocardmae pack $(PHANTOMS)/EchoNet-Dynamic --out $(PACKED) --jobs $(JOBS)

$(PRETRAIN)/trained: $(PACKED)/index.json | $(PHANTOMS)/HMC-QU/A4C.xlsx
	@mkdir -p $(@D)
	$(call limited,200,$(call TRAIN,2) $(PRETRAIN_CONFIG) --work-dir $(PRETRAIN) --resume $(READ))

$(PRETRAIN)/evaluated: $(PRETRAIN)/trained
	$(call TEST,2) $(PRETRAIN_CONFIG) $(call last,$(PRETRAIN)) --work-dir $(PRETRAIN) $(READ)
	@touch $@

$(EF)/trained: $(PRETRAIN)/evaluated
	@mkdir -p $(@D)
	$(call limited,440,$(call TRAIN,1) $(EF_CONFIG) --work-dir $(EF) --resume $(READ) \
	  train_cfg.max_epochs=$(EF_EPOCHS) model.backbone.init_cfg.checkpoint=$(call last,$(PRETRAIN)) $(labelled))

$(EF)/tested: $(EF)/trained
	$(call TEST,1) $(EF_CONFIG) $(call best,$(EF)) --work-dir $(EF) --plot $(READ) $(labelled)
	@touch $@

$(SEG)/trained: $(PRETRAIN)/evaluated
	@mkdir -p $(@D)
	$(call limited,260,$(call TRAIN,1) $(SEG_CONFIG) --work-dir $(SEG) --resume $(READ) \
	  train_cfg.max_epochs=$(SEG_EPOCHS) model.backbone.init_cfg.checkpoint=$(call last,$(PRETRAIN)) \
	  model.decode_head.init_cfg.checkpoint=$(call last,$(PRETRAIN)) $(labelled))

$(SEG)/tested: $(SEG)/trained
	$(call TEST,1) $(SEG_CONFIG) $(call best,$(SEG)) --work-dir $(SEG) --plot $(READ) $(labelled)
	@touch $@

$(MI)/trained: $(PRETRAIN)/evaluated
	@mkdir -p $(@D)
	$(call limited,200,$(call TRAIN,1) $(MI_CONFIG) --work-dir $(MI) --resume \
	  --cfg-options train_cfg.max_epochs=100 model.backbone.init_cfg.checkpoint=$(call last,$(PRETRAIN)) \
	  $(labelled))

$(MI)/tested: $(MI)/trained
	$(call TEST,1) $(MI_CONFIG) $(call last,$(MI)) --work-dir $(MI) --plot $(labelled)
	@touch $@

# A bundle of each model, and the measurements of a few recordings from another scanner.
$(BUNDLES)/ef: $(EF)/tested
	$(PUBLISH) $(EF_CONFIG) $(call best,$(EF)) --out $@ --force --calibrate test

$(BUNDLES)/seg: $(SEG)/tested
	$(PUBLISH) $(SEG_CONFIG) $(call best,$(SEG)) --out $@ --force

$(BUNDLES)/mi: $(MI)/tested
	$(PUBLISH) $(MI_CONFIG) $(call last,$(MI)) --out $@ --force

$(MEASURED)/report.html: $(BUNDLES)/ef $(BUNDLES)/seg $(BUNDLES)/mi
	$(BIN)/echocardmae predict $(PHANTOMS)/HMC-QU/HMC-QU/A4C/ES0000[01]*.avi --bundle $^ \
	  --out $(MEASURED) --force || test $$? -eq 3
