"""Make synthetic echocardiograms with known truth, in the file formats of the real data sets.

python tools/make_phantoms.py --out data/phantom --videos 200 --seed 0 --jobs 2
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import cv2
from rich.progress import track

from echocardmae_mm.errors import EchoError
from echocardmae_mm.phantom import VARIANTS, echonet_files

DATASETS = {'echonet': echonet_files}


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--out', type=Path, default=Path('data/phantom'), help='output folder')
    parser.add_argument('--videos', type=int, default=200, help='EchoNet-Dynamic videos')
    parser.add_argument('--seed', type=int, default=0, help='seed of every draw')
    parser.add_argument('--jobs', type=int, default=os.cpu_count() or 1, help='processes')
    parser.add_argument('--variant', default='default', choices=sorted(VARIANTS))
    parser.add_argument(
        '--datasets', nargs='+', default=['echonet'], choices=sorted(DATASETS), help='what to write'
    )
    return parser.parse_args()


def _write(job: tuple[str, Any], root: Path, seed: int, variant: str) -> dict[str, Any]:
    cv2.setNumThreads(1)
    name, recording = job
    return DATASETS[name].write_recording(root, recording, seed, variant)


def main() -> None:
    """Plan every data set, write its recordings on all processes, then its lists."""
    args = parse_args()
    write = partial(_write, root=args.out, seed=args.seed, variant=args.variant)
    started = time.perf_counter()
    with multiprocessing.get_context('spawn').Pool(args.jobs) as pool:
        for name in args.datasets:
            recordings = DATASETS[name].plan(args.videos, args.seed)
            jobs = [(name, recording) for recording in recordings]
            running = track(pool.imap(write, jobs), name, total=len(jobs))
            DATASETS[name].write_lists(args.out, list(running))
    print(f'{args.out}: done in {time.perf_counter() - started:.1f} s')


if __name__ == '__main__':
    try:
        main()
    except EchoError as error:
        sys.exit(str(error))
