#!/usr/bin/env bash
# What docs/performance.md asks of a GPU, in under ten minutes; the figures go to OUT/*.txt.
#
#   bash tools/benchmarks/gpu_all.sh [OUT]
set -euo pipefail
cd "$(dirname "$0")/../.."
OUT=${1:-work_dirs/benchmarks/gpu}
PYTHON=${PYTHON:-python}
BENCH=tools/benchmarks
CONFIG=configs/benchmarks/pretrain_patch8.py
DATA=$OUT/data
mkdir -p "$OUT"

measure() {
  local name=$1
  shift
  echo "== $name: $*" | tee "$OUT/$name.txt"
  "$@" 2> "$OUT/$name.log" | grep -v ' - mmengine - ' | tee -a "$OUT/$name.txt" || {
    tail -3 "$OUT/$name.log" | tee -a "$OUT/$name.txt"
  }
}

nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv | tee "$OUT/machine.txt"
$PYTHON -c 'import torch; print("torch", torch.__version__)' | tee -a "$OUT/machine.txt"
if [ ! -d "$DATA/repeated" ]; then
  $PYTHON tools/make_phantoms.py --out "$DATA" --videos 300 --seed 1 --datasets echonet --jobs "$(nproc)"
  $PYTHON tools/pack_videos.py "$DATA/EchoNet-Dynamic" --out "$DATA/packed" --jobs "$(nproc)"
  $PYTHON $BENCH/repeated_store.py "$DATA/EchoNet-Dynamic" "$DATA/packed" --out "$DATA/repeated"
fi
READ="data_root=$DATA/repeated/data packed=$DATA/repeated/store"

measure step $PYTHON $BENCH/step.py $CONFIG --batch 64 --rounds 15 --amp
measure step_compiled $PYTHON $BENCH/step.py $CONFIG --batch 64 --rounds 15 --amp --compile
measure step_chunks $PYTHON $BENCH/step.py $CONFIG --batch 64 --rounds 15 --amp \
  --cfg-options model.decoder_chunks=8
measure step_graphs $PYTHON $BENCH/step.py $CONFIG --batch 16 --rounds 15 --amp \
  --compile reduce-overhead
measure loader $PYTHON $BENCH/loader.py $CONFIG --packed "$DATA/repeated/store" --rounds 5 \
  --cfg-options data_root="$DATA/repeated/data"
measure schedule $PYTHON $BENCH/schedule.py $CONFIG --minutes 3 --amp --compile --cfg-options $READ
measure schedule_resident $PYTHON $BENCH/schedule.py $CONFIG --minutes 2 --amp --compile \
  --cfg-options $READ train_dataloader.dataset.resident=device
