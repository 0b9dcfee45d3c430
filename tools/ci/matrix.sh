#!/usr/bin/env bash
# Try the package in other environments and print a Markdown table of the results.
#
#   make install && tools/ci/matrix.sh [NAME ...]
#
# Without names, all environments are tried, one after the other: python-3.10-torch-2.4,
# python-3.12 and python-3.13 are new installations without constraints; onedl-mmengine,
# opencv-headless and decord2 are copies of .venv with one package exchanged. Each makes phantoms,
# trains for one epoch and runs the compatibility tests, and is deleted afterwards.
# Logs stay in work_dirs/matrix.
set -uo pipefail
cd "$(dirname "$0")/../.."

ALL=(python-3.10-torch-2.4 python-3.12 python-3.13 onedl-mmengine opencv-headless decord2)
LOGS=$PWD/work_dirs/matrix
SCRATCH=$(mktemp -d -p "$PWD" .matrix.XXXXXX)
trap 'rm -rf "$SCRATCH"' EXIT
trap 'exit 130' INT TERM
export PIP_DISABLE_PIP_VERSION_CHECK=1 OMP_NUM_THREADS=1 PYTHONPATH=$PWD

new() { # PYTHON REQUIREMENT ...: a new installation without constraints
  "$1" -m venv "$SCRATCH/venv" && "$BIN" -m pip install -q --no-cache-dir -e . pytest hypothesis "${@:2}"
}

exchanged() { # OLD ... -- NEW: .venv with other packages
  local old=()
  while [ "$1" != -- ]; do old+=("$1"); shift; done
  # Hard links: pip removes files and writes new ones, and never changes one in place.
  cp -al .venv/. "$SCRATCH/venv" && "$BIN" -m pip uninstall -q -y "${old[@]}" &&
    "$BIN" -m pip install -q --no-cache-dir --no-deps "${@:2}"
}

build() {
  case $1 in
    python-3.10-torch-2.4) new python3.10 torch==2.4.1 'numpy<2' 'opencv-python<4.12' \
      'opencv-contrib-python<4.12' ;;
    python-3.12) new python3.12 ;;
    python-3.13) new python3.13 ;;
    onedl-mmengine) exchanged mmengine -- onedl-mmengine ;;
    opencv-headless) exchanged opencv-python opencv-contrib-python -- opencv-python-headless==5.0.0.93 ;;
    decord2) exchanged decord -- decord2 ;;
    *) echo "No environment $1; choose from: ${ALL[*]}" >&2; return 2 ;;
  esac
}

versions() {
  "$BIN" - <<'PYTHON'
import platform

import cv2, decord, mmengine, numpy, torch

names = ('Python', platform), ('torch', torch), ('numpy', numpy), ('OpenCV', cv2)
names += ('mmengine', mmengine), ('decord', decord)
version = lambda m: m.python_version() if m is platform else m.__version__.split('+')[0]
print(', '.join(f'{name} {version(module)}' for name, module in names))
PYTHON
}

phantoms() {
  "$BIN" -m echocardmae_mm phantoms --out "$SCRATCH/data" --videos 8 --datasets echonet
}

train() {
  "$BIN" tools/train.py configs/phantom/pretrain_phantom.py --work-dir "$SCRATCH/run" \
    --cfg-options data_root="$SCRATCH/data/EchoNet-Dynamic" train_cfg.max_epochs=1 \
    train_cfg.val_interval=1 train_dataloader.batch_size=2
}

compatibility() {
  "$BIN" -m pytest -p no:cacheprovider tests/compat
}

result() { # STEP: ok, or failed with the log's last line
  if "$1" >"$LOG.$1" 2>&1; then
    if [ "$1" = compatibility ]; then grep -E "[0-9]+ passed" "$LOG.$1" | tail -n 1 | sed -E "s/^=+ //; s/ in .*//"; else echo ok; fi
  else
    echo "failed: $(grep -v '^ *$' "$LOG.$1" | tail -n 1 | cut -c 1-120 | tr '|' ' ')"
  fi
}

mkdir -p "$LOGS"
echo '| environment | versions | phantoms | one epoch | compatibility tests |'
echo '|---|---|---|---|---|'
for name in "${@:-${ALL[@]}}"; do
  BIN=$SCRATCH/venv/bin/python
  LOG=$LOGS/$name
  if build "$name" >"$LOG.install" 2>&1; then
    echo "| $name | $(versions 2>>"$LOG.install" | tail -n 1) | $(result phantoms) | $(result train) |" \
      "$(result compatibility) |"
  else
    echo "| $name | not installed: $(tail -n 1 "$LOG.install" | cut -c 1-120) | | | |"
  fi
  rm -rf "${SCRATCH:?}"/*
done
