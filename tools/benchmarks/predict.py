"""Recordings a minute of `echocardmae predict`, and where the time goes.

    python tools/benchmarks/predict.py RECORDINGS --bundle work_dirs/demo/bundles/{ef,seg}

Measures the recordings of a folder in one process, as predict does, and some of them with one
process a file, as a user without a list would. Prints medians over recordings.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from echocardmae_mm.apis import EchoInferencer, inferencer, outputs
from echocardmae_mm.apis.sources import find_sources

STAGES = {
    'reading and cropping': (inferencer, 'frame_recording'),
    'outlines': (inferencer, 'segment_frames'),
    'volumes and beats': (inferencer, 'measure_ventricle'),
    'overlay video': (outputs, 'write_video'),
}


def timed(module: ModuleType, name: str, spent: dict[str, float]) -> None:
    """Replace a function of a module by one that adds up its time."""
    real = getattr(module, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        begin = time.perf_counter()
        try:
            return real(*args, **kwargs)
        finally:
            spent[name] += time.perf_counter() - begin

    setattr(module, name, call)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('recordings', type=Path)
    parser.add_argument('--bundle', nargs='+', required=True)
    parser.add_argument('--most', type=int, default=24, help='recordings in one process')
    parser.add_argument('--alone', type=int, default=3, help='recordings with a process each')
    args = parser.parse_args()
    files = [source.path for source in find_sources([args.recordings])][: args.most]
    spent: dict[str, float] = defaultdict(float)
    for module, name in STAGES.values():
        timed(module, name, spent)
    with tempfile.TemporaryDirectory() as folder:
        measure = EchoInferencer(args.bundle, allow_synthetic_model=True)
        measure(files[0])  # the first forward pass is slower
        spent.clear()
        times = []
        for file in files:
            begin = time.perf_counter()
            result = measure(file)
            if result.framed is not None:
                outputs.write_outputs(Path(folder), result)
            times.append(time.perf_counter() - begin)
        alone = []
        for index, file in enumerate(files[: args.alone]):
            begin = time.perf_counter()
            command = [sys.executable, '-m', 'echocardmae_mm', 'predict', str(file), '--bundle']
            options = ['--out', f'{folder}/{index}', '--allow-synthetic-model']
            subprocess.run([*command, *args.bundle, *options], check=False, capture_output=True)
            alone.append(time.perf_counter() - begin)
    median, single = np.median(times), np.median(alone)
    print(f'one process: {median:.2f} s a recording, {60 / median:.0f} a minute, n={len(times)}')
    print(f'one process a file: {single:.2f} s, n={len(alone)}; ratio {single / median:.1f}')
    for stage, (_, name) in STAGES.items():
        print(f'{stage}: {100 * spent[name] / sum(times):.0f} %')


if __name__ == '__main__':
    main()
