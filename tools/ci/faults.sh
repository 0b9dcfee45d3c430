#!/usr/bin/env bash
# Kill commands, fill their disk, change their files while they run, and print Markdown tables of
# what came of it.
#
#   make install && tools/ci/faults.sh [--seed 1] [--scale 1] [ACTIVITY ...]
#
# Takes half an hour on two cores and about 1 GB in a temporary folder. The full disk is a small
# tmpfs, which only root may mount; without it these rows say so.
set -euo pipefail
cd "$(dirname "$0")/../.."
PYTHON=${PYTHON:-.venv/bin/python}
export OMP_NUM_THREADS=1 PYTHONPATH=$PWD
exec "$PYTHON" tools/ci/faults.py "$@"
