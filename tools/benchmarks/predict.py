"""Measure the speed of `echocardmae predict`, the share of each stage, and other runtimes.

    python tools/benchmarks/predict.py RECORDINGS --bundle work_dirs/demo/bundles/{ef,seg}
    python tools/benchmarks/predict.py RECORDINGS --bundle ... --runtimes torch onnx bfloat16 int8

Measures the recordings of a folder in one process, as predict does, and some of them in one process
per file. Several runtimes alternate on each recording and are compared with the first; bfloat16 is
torch's autocast, int8 the dynamic quantisation of onnxruntime.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from rounds import alternate, ratio
from torch import Tensor

from echocardmae_mm.apis import EchoInferencer, export_onnx, inferencer, outputs
from echocardmae_mm.apis.bundle import Bundle
from echocardmae_mm.apis.onnx_network import OnnxNetwork
from echocardmae_mm.apis.prediction import Prediction
from echocardmae_mm.apis.sources import find_sources
from echocardmae_mm.cli.arguments import tool_parser
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.evaluation.markdown import markdown_table

STAGES = {
    'reading and cropping': (inferencer, 'frame_recording'),
    'outlines': (inferencer, 'segment_frames'),
    'volumes and beats': (inferencer, 'measure_ventricle'),
    'overlay video': (outputs, 'write_video'),
}
Spent = dict[str, float]


def add_time(name: str, spent: Spent, real: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function so that its time is added up."""

    def call(*args: Any, **kwargs: Any) -> Any:
        begin = time.perf_counter()
        try:
            return real(*args, **kwargs)
        finally:
            spent[name] += time.perf_counter() - begin

    return call


def in_bfloat16(network: Callable[[Tensor], dict[str, Tensor]]) -> Callable:
    """Wrap a network of torch in autocast."""

    def call(inputs: Tensor) -> dict[str, Tensor]:
        with torch.autocast('cpu', torch.bfloat16):
            return {name: value.float() for name, value in network(inputs).items()}

    return call


def exported(bundle: Bundle, folder: Path, int8: bool) -> OnnxNetwork:
    """Export the network of a bundle to ONNX, with weights of 32 or 8 bits."""
    path = folder / f'{bundle.name}.onnx'
    if not path.is_file():
        export_onnx(bundle, path)
    if int8:
        from onnxruntime.quantization import quantize_dynamic

        small = path.with_suffix('.int8.onnx')
        quantize_dynamic(path, small, op_types_to_quantize=['MatMul', 'Gemm'])
        path = small
    return OnnxNetwork(path, bundle.sha256)


def start(bundles: list[str], runtime: str, folder: Path) -> EchoInferencer:
    """Build an inferencer that uses a runtime."""
    device = None if runtime == 'torch' else 'cpu'
    measure = EchoInferencer(bundles, device, allow_synthetic_model=True)
    for bundle in measure.bundles.values():
        if runtime == 'bfloat16':
            bundle.network = in_bfloat16(bundle.network)
        elif runtime != 'torch':
            bundle.network = exported(bundle, folder, runtime == 'int8')
    return measure


def row_of(
    name: str, times: dict[str, np.ndarray], found: dict[str, list[Prediction]]
) -> tuple[str, ...]:
    """Format the speed of a runtime, and the differences of its results from the first."""
    first = next(iter(times))
    row = [name, f'{np.median(times[name]):.2f} s']
    row += ['' if name == first else ratio(times[first], times[name])]
    pairs = list(zip(found[first], found[name]))
    efs = [(a.values.get('ef_percent'), b.values.get('ef_percent')) for a, b in pairs]
    differences = [abs(a - b) for a, b in efs if a is not None and b is not None]
    row += [f'{np.mean(differences):.3f}' if differences else '']
    equal = [100 * float((a.labels == b.labels).mean()) for a, b in pairs if a.labels is not None]
    return (*row, f'{np.mean(equal):.3f}' if equal else '')


def alone(args: argparse.Namespace, files: list[Path], folder: str) -> list[float]:
    """Seconds of each of some recordings, each measured in its own process."""
    times = []
    for index, file in enumerate(files[: args.alone]):
        begin = time.perf_counter()
        command = [sys.executable, '-m', 'echocardmae_mm', 'predict', str(file), '--bundle']
        options = ['--out', f'{folder}/{index}', '--allow-synthetic-model']
        subprocess.run([*command, *args.bundle, *options], check=False, capture_output=True)
        times.append(time.perf_counter() - begin)
    return times


@report_user_errors
def main() -> None:
    parser = tool_parser(__doc__)
    parser.add_argument('recordings', type=Path)
    parser.add_argument('--bundle', nargs='+', required=True)
    parser.add_argument('--most', type=int, default=24, help='recordings in one process')
    parser.add_argument('--alone', type=int, default=3, help='recordings in one process each')
    parser.add_argument(
        '--runtimes',
        nargs='+',
        default=['torch'],
        choices=['torch', 'onnx', 'bfloat16', 'int8'],
    )
    args = parser.parse_args()
    files = [source.path for source in find_sources([args.recordings])][: args.most]
    spent: dict[str, Spent] = {name: defaultdict(float) for name in args.runtimes}
    networks: dict[str, list[float]] = {name: [] for name in args.runtimes}
    found: dict[str, list[Prediction]] = {name: [] for name in args.runtimes}
    with tempfile.TemporaryDirectory() as folder:
        variants = {}
        for name in args.runtimes:
            measure = start(args.bundle, name, Path(folder))
            for bundle in measure.bundles.values():
                bundle.network = add_time('networks', spent[name], bundle.network)

            def work(number: int, name: str = name, measure: EchoInferencer = measure) -> None:
                before = spent[name]['networks']
                with ExitStack() as stack:
                    for module, function in STAGES.values():
                        timed = add_time(function, spent[name], getattr(module, function))
                        stack.enter_context(patch.object(module, function, timed))
                    result = measure(files[max(number - 1, 0)])
                    if result.framed is not None:
                        outputs.write_outputs(Path(folder), result)
                found[name].append(result)
                networks[name].append(spent[name]['networks'] - before)

            variants[name] = work
        times = alternate(variants, len(files))
        single = alone(args, files, folder)
    first = args.runtimes[0]
    median = np.median(times[first])
    print(f'one process: {median:.2f} s each, {60 / median:.0f} per minute, n={len(files)}')
    if single:
        slow = np.median(single)
        print(f'one process per file: {slow:.2f} s, n={len(single)}; ratio {slow / median:.1f}')
    for stage, key in (*((s, f) for s, (_, f) in STAGES.items()), ('networks', 'networks')):
        share = spent[first][key] / (len(files) + 1) / times[first].mean()
        print(f'{stage}: {100 * share:.0f} %')
    header = ('', 'median', f'{first} / this', 'EF differs by', 'pixels equal, %')
    for title, measured in (
        ('a recording', times),
        ('its networks', {name: np.array(values[1:]) for name, values in networks.items()}),
    ):
        print(f'\n{title}:')
        print(markdown_table(header, [row_of(name, measured, found) for name in args.runtimes]))


if __name__ == '__main__':
    main()
