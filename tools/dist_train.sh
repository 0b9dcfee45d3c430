#!/usr/bin/env bash
# bash tools/dist_train.sh CONFIG GPUS [arguments of tools/train.py]
# Several machines: set NNODES, MASTER_ADDR and PORT on each. With MAX_RESTARTS=N and --resume,
# torchrun restarts failed processes up to N times from the last checkpoint.
set -euo pipefail
if [ $# -lt 2 ]; then
    echo "usage: bash tools/dist_train.sh CONFIG GPUS [arguments of tools/train.py]" >&2
    exit 1
fi
gpus=${2}
# One machine uses a free port and a unique name; several machines must agree on both.
port=0 name=$$
if [ "${NNODES:-1}" != 1 ]; then
    port=${PORT:-29500} name=$port
fi
# Each attempt needs a new store: torchrun's shared one still holds the addresses of dead processes.
export TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1
torchrun \
    --nnodes="${NNODES:-1}" \
    --nproc_per_node="$gpus" \
    --rdzv_backend=c10d \
    --rdzv_endpoint="${MASTER_ADDR:-localhost}:$port" \
    --rdzv_id="$name" \
    --max_restarts="${MAX_RESTARTS:-0}" \
    "$(dirname "$0")/train.py" "$1" --launcher pytorch "${@:3}"
