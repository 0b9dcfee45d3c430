#!/usr/bin/env bash
# Run the GPU measurements of docs/performance.md in under ten minutes; results go to OUT/*.txt.
#
#   bash tools/benchmarks/gpu_all.sh [OUT]
#
# Set CONFIG, BATCH, ROUNDS, MINUTES and PHANTOMS in the environment to change or shorten the run.
set -euo pipefail
cd "$(dirname "$0")/../.."
OUT=${1:-work_dirs/benchmarks/gpu}
PYTHON=${PYTHON:-python}
CONFIG=${CONFIG:-configs/benchmarks/pretrain_patch8.py}
BATCH=${BATCH:-64} ROUNDS=${ROUNDS:-15} MINUTES=${MINUTES:-2} PHANTOMS=${PHANTOMS:-300}
BENCH=tools/benchmarks
DATA=$OUT/data
mkdir -p "$OUT"

# measure NAME PROGRAM [arguments]: results go to OUT/NAME.txt, the whole output to OUT/NAME.log.
measure() {
  local name=$1
  shift
  echo "== $name: $*" | tee "$OUT/$name.txt"
  local program=$1
  shift
  if $PYTHON "$BENCH/$program" "$@" > "$OUT/$name.log" 2>&1; then
    grep -E ' ms|GB|predicted|differ| / ' "$OUT/$name.log" | grep -v ' - mmengine - ' \
      | tee -a "$OUT/$name.txt"
  else
    echo "failed; see $OUT/$name.log" | tee -a "$OUT/$name.txt"
  fi
}

{ nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv || echo 'no GPU'; } \
  2> /dev/null | tee "$OUT/machine.txt"
$PYTHON -c 'import torch; print("torch", torch.__version__)' | tee -a "$OUT/machine.txt"
if [ ! -d "$DATA/repeated" ]; then
  $PYTHON -m echocardmae_mm phantoms --out "$DATA" --videos "$PHANTOMS" --seed 1 --datasets echonet \
    --jobs "$(nproc)"
  $PYTHON -m echocardmae_mm pack "$DATA/EchoNet-Dynamic" --out "$DATA/packed" --jobs "$(nproc)"
  $PYTHON $BENCH/repeated_store.py "$DATA/EchoNet-Dynamic" "$DATA/packed" --out "$DATA/repeated"
fi
STEP=("$CONFIG" --rounds "$ROUNDS" --amp)
READ=("data_root=$DATA/repeated/data" "packed=$DATA/repeated/store")

measure step step.py "${STEP[@]}" --batch "$BATCH"
measure step_compiled step.py "${STEP[@]}" --batch "$BATCH" --compile
measure step_checkpointed step.py "${STEP[@]}" --batch "$BATCH" --cfg-options model.neck.with_cp=True
measure step_graphs step.py "${STEP[@]}" --batch "$((BATCH / 4))" --compile reduce-overhead
measure loader loader.py "$CONFIG" --packed "$DATA/repeated/store" --rounds 5 \
  --cfg-options "data_root=$DATA/repeated/data"
measure schedule schedule.py "$CONFIG" --minutes "$MINUTES" --amp --compile \
  --cfg-options "${READ[@]}"
