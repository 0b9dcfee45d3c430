#!/usr/bin/env bash
# Kill commands, fill their disk or change their files while they run, and print Markdown tables of
# the outcomes.
#
#   make install && tools/ci/faults.sh [--seed 1] [--scale 1] [ACTIVITY ...]
#
# Takes half an hour on two cores and about 1 GB in a temporary folder. The full disk is a small
# tmpfs, which only root may mount; otherwise its rows read "not tried".
set -euo pipefail
cd "$(dirname "$0")/../.."
PYTHON=${PYTHON:-.venv/bin/python}
export OMP_NUM_THREADS=1 PYTHONPATH=$PWD
exec "$PYTHON" tools/ci/faults.py "$@"
