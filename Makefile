# make test    the whole test suite
# make lint    style and types
# make docs    the documentation as web pages, in site/
# make demo    synthetic recordings, pretraining, ejection fraction, segmentation, infarction, in
#              twenty minutes on two CPU cores
#
# Each installs into .venv first, if what is to be installed has changed.

SHELL := /bin/bash
PYTHON ?= python3
JOBS ?= 2
BIN := .venv/bin
INSTALLED := .venv/.installed

PHANTOMS := data/phantom
VIDEOS := 800
HEARTS := 240
PACKED := data/packed/phantom
READ := --cfg-options packed=$(PACKED)

PRETRAIN := work_dirs/demo/pretrain
PRETRAIN_CONFIG := configs/phantom/pretrain.py
EF := work_dirs/demo/ef
EF_CONFIG := configs/phantom/ef.py
SEG := work_dirs/demo/seg
SEG_CONFIG := configs/phantom/seg.py
MI := work_dirs/demo/mi
MI_CONFIG := configs/phantom/mi.py

# glibc keeps the memory that each step needs again.
KEEP_MEMORY := MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=4294967296

.PHONY: help install test lint docs demo
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
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -m 'not gpu'

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(INSTALLED)
	@$(BIN)/python -c 'import mkdocs, material, mkdocstrings_handlers.python' 2>/dev/null || \
	  $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off \
	  --constraint constraints.txt --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# A stage that is done leaves a file. One that is stopped goes on where it was; one that reaches
# its limit of seconds goes on at the next call, and the later stages take what it has.
define limited
	@timeout --foreground --signal=TERM --kill-after=20 $(1) $(2); status=$$?; \
	if [ $$status -eq 0 ]; then touch $@; \
	elif [ $$status -eq 124 -o $$status -eq 137 ]; then echo "Stopped after $(1) s; 'make demo' goes on from here."; \
	else exit $$status; fi
endef

demo: $(PRETRAIN)/evaluated $(EF)/tested $(SEG)/video $(MI)/tested
	@echo
	@echo "Recordings        $(PHANTOMS), decoded in $(PACKED)"
	@echo "Pretraining       $(PRETRAIN): curves.png, pictures/, $$(basename "$$(cat $(PRETRAIN)/last_checkpoint)")"
	@echo "Ejection fraction $(EF): predictions.csv, plots/, curves.png"
	@echo "Segmentation      $(SEG): predictions.csv, plots/, pictures/, and of one recording video/"
	@echo "Infarction        $(MI): predictions.csv, plots/, one fold of five"

$(PHANTOMS)/made: | $(INSTALLED)
	$(BIN)/python tools/make_phantoms.py --out $(PHANTOMS) --videos $(VIDEOS) --seed 1 --jobs $(JOBS) --datasets echonet
	@touch $@

$(PACKED)/index.json: $(PHANTOMS)/made
	$(BIN)/python tools/pack_videos.py $(PHANTOMS)/EchoNet-Dynamic --out $(PACKED) --jobs $(JOBS)

$(PRETRAIN)/trained: $(PACKED)/index.json
	@mkdir -p $(@D)
	$(call limited,240,env OMP_NUM_THREADS=1 $(KEEP_MEMORY) $(BIN)/python tools/train.py $(PRETRAIN_CONFIG) \
	  --work-dir $(PRETRAIN) --resume $(READ))

$(PRETRAIN)/evaluated: $(PRETRAIN)/trained
	$(BIN)/python tools/test.py $(PRETRAIN_CONFIG) "$$(cat $(PRETRAIN)/last_checkpoint)" --work-dir $(PRETRAIN) $(READ)
	@touch $@

$(EF)/trained: $(PRETRAIN)/evaluated
	@mkdir -p $(@D)
	$(call limited,300,env OMP_NUM_THREADS=2 $(KEEP_MEMORY) $(BIN)/python tools/train.py $(EF_CONFIG) \
	  --work-dir $(EF) --resume $(READ) model.backbone.init_cfg.checkpoint="$$(cat $(PRETRAIN)/last_checkpoint)")

$(EF)/tested: $(EF)/trained
	$(BIN)/python tools/test.py $(EF_CONFIG) \
	  "$$(ls $(EF)/best_*.pth 2>/dev/null || cat $(EF)/last_checkpoint)" --work-dir $(EF) --plot $(READ)
	@touch $@

$(SEG)/trained: $(PRETRAIN)/evaluated
	@mkdir -p $(@D)
	$(call limited,240,env OMP_NUM_THREADS=1 $(KEEP_MEMORY) $(BIN)/python tools/train.py $(SEG_CONFIG) \
	  --work-dir $(SEG) --resume $(READ) model.backbone.init_cfg.checkpoint="$$(cat $(PRETRAIN)/last_checkpoint)" \
	  model.decode_head.init_cfg.checkpoint="$$(cat $(PRETRAIN)/last_checkpoint)")

$(SEG)/tested: $(SEG)/trained
	$(BIN)/python tools/test.py $(SEG_CONFIG) \
	  "$$(ls $(SEG)/best_*.pth 2>/dev/null || cat $(SEG)/last_checkpoint)" --work-dir $(SEG) --plot $(READ)
	@touch $@

# The first recording of the test split, whole.
$(SEG)/video: $(SEG)/tested
	$(BIN)/python tools/segment_video.py \
	  $(PHANTOMS)/EchoNet-Dynamic/Videos/$$(grep -m1 TEST $(PHANTOMS)/EchoNet-Dynamic/FileList.csv | cut -d, -f1).avi \
	  $(SEG_CONFIG) "$$(ls $(SEG)/best_*.pth 2>/dev/null || cat $(SEG)/last_checkpoint)" --out $@ --force

$(PHANTOMS)/HMC-QU/A4C.xlsx: | $(INSTALLED)
	$(BIN)/python tools/make_phantoms.py --out $(PHANTOMS) --hmcqu $(HEARTS) --seed 1 --jobs $(JOBS) --datasets hmcqu

$(MI)/trained: $(PRETRAIN)/evaluated $(PHANTOMS)/HMC-QU/A4C.xlsx
	@mkdir -p $(@D)
	$(call limited,300,env OMP_NUM_THREADS=2 $(KEEP_MEMORY) $(BIN)/python tools/train.py $(MI_CONFIG) \
	  --work-dir $(MI) --resume --cfg-options model.backbone.init_cfg.checkpoint="$$(cat $(PRETRAIN)/last_checkpoint)")

$(MI)/tested: $(MI)/trained
	$(BIN)/python tools/test.py $(MI_CONFIG) "$$(cat $(MI)/last_checkpoint)" --work-dir $(MI) --plot
	@touch $@
