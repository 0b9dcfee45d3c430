"""Decode every recording of a data set once, into a store that configs read by packed=DIR.

    python tools/pack_videos.py data/EchoNet-Dynamic --out data/packed/EchoNet-Dynamic --jobs 8
    python tools/train.py CONFIG --cfg-options packed=data/packed/EchoNet-Dynamic

The pixels are the same, frame by frame; reading them is some ten times faster than decoding. Three
bytes a pixel: EchoNet-Dynamic takes about 66 GB. A call that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from pathlib import Path
from typing import Any

import cv2
from launch import Mistake, no_traceback_for_mistakes
from rich.progress import track

from echocardmae_mm.datasets.echo_video import find_recordings
from echocardmae_mm.datasets.recordings.packing import StoreWriter, pack


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('dataset', type=Path, help="the data set's folder, as data_root names it")
    parser.add_argument('--out', type=Path, required=True, help='folder of the store')
    parser.add_argument('--gray', action='store_true', help='keep one channel; all must be equal')
    parser.add_argument('--jobs', type=int, default=os.cpu_count() or 1, help='processes')
    args = parser.parse_args()
    if args.jobs < 1:
        raise Mistake(f'--jobs {args.jobs} must be at least 1')
    return args


def one_thread() -> None:
    """The processes share the cores already."""
    cv2.setNumThreads(1)


def main() -> None:
    with no_traceback_for_mistakes():
        args = parse_args()
        paths = find_recordings(str(args.dataset))
        if not paths:
            raise Mistake(f'{args.dataset}: no recording in it')
        writer = StoreWriter(args.out, args.gray)
        done = len(writer.recordings)
        with multiprocessing.get_context('spawn').Pool(args.jobs, one_thread) as pool:
            spread: Any = pool.imap
            steps = pack(args.dataset, paths, writer, spread)
            for _ in track(steps, 'packing', total=len(paths) - done):
                pass
        writer.finish()
        refused = [name for name, entry in writer.recordings.items() if 'refused' in entry]
        for name in refused:
            print(f'refused {name}: {writer.recordings[name]["refused"]}')
        size = (args.out / 'frames.bin').stat().st_size
        print(f'{args.out}: {len(paths) - len(refused)} recordings, {size / 1e9:.1f} GB')


if __name__ == '__main__':
    main()
