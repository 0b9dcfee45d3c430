"""Decode every recording of a data set once, into a store that configs read by packed=DIR.

    python tools/pack_videos.py data/EchoNet-Dynamic --out data/packed/EchoNet-Dynamic --jobs 8
    python tools/train.py CONFIG --cfg-options packed=data/packed/EchoNet-Dynamic

The pixels are the same, frame by frame; reading them is some ten times faster than decoding. Three
bytes a pixel: EchoNet-Dynamic takes about 66 GB. A call that was stopped goes on where it was; one
that is repeated on a finished store compares every recording with its checksum.
"""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path

from argument_types import at_least
from mistakes import UserError, report_user_errors
from rich.progress import track

from echocardmae_mm.datasets.recording_lists import find_recordings
from echocardmae_mm.datasets.recordings import PackedStore, name_in_store
from echocardmae_mm.datasets.recordings.packed import INDEX
from echocardmae_mm.datasets.recordings.packing import StoreWriter, pack
from echocardmae_mm.utils.parallel import parallel_imap


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('dataset', type=Path, help="the data set's folder, as data_root names it")
    parser.add_argument('--out', type=Path, required=True, help='folder of the store')
    parser.add_argument('--gray', action='store_true', help='keep one channel; all must be equal')
    parser.add_argument('--jobs', type=at_least(1), default=os.cpu_count() or 1, help='processes')
    return parser.parse_args()


def write(args: argparse.Namespace, paths: list[Path]) -> None:
    """Decode what is missing, and make it a store."""
    writer = StoreWriter(args.out, args.dataset, args.gray)
    done = len(writer.recordings)
    steps = pack(args.dataset, paths, writer, partial(parallel_imap, jobs=args.jobs))
    for _ in track(steps, 'packing', total=len(paths) - done):
        pass
    writer.finish()


def verify(args: argparse.Namespace, paths: list[Path]) -> None:
    """Compare the recordings of a finished store with the folder's and with their checksums."""
    store = PackedStore(args.out)
    if store.gray != args.gray:
        raise UserError(
            f'{args.out} was packed {"with" if store.gray else "without"} --gray\n'
            'Choose another --out, or repeat the command as it was to check the store'
        )
    names = (name_in_store(path, args.dataset) for path in paths)
    if missing := [name for name in names if name not in store.recordings]:
        raise UserError(
            f'{args.out}: lacks {len(missing)} recordings of {args.dataset}, such as {missing[0]}: '
            'they came later, or it is the store of another data set\n'
            'Remove the store and pack again, or choose another --out'
        )
    checks = track(store.damaged(), 'checking', total=len(store.recordings))
    if damaged := [name for name, is_damaged in checks if is_damaged]:
        raise UserError(
            f'{args.out}: {len(damaged)} recordings are not what was packed, such as {damaged[0]}\n'
            'Remove the store and pack the data set again'
        )


@report_user_errors
def main() -> None:
    args = parse_args()
    paths = find_recordings(str(args.dataset))
    if not paths:
        raise UserError(f'{args.dataset}: no recording in it')
    if is_there := (args.out / INDEX).is_file():
        verify(args, paths)
    else:
        write(args, paths)
    store = PackedStore(args.out)
    refused = {n: e['refused'] for n, e in store.recordings.items() if 'refused' in e}
    for name, reason in refused.items():
        print(f'refused {name}: {reason}')
    size = (args.out / 'frames.bin').stat().st_size
    print(
        f'{args.out}: {len(store.recordings) - len(refused)} recordings, {size / 1e9:.1f} GB'
        + (', the three channels of each equal and kept as one' if store.gray else '')
        + (', all as their checksums say' if is_there else '')
    )


if __name__ == '__main__':
    try:
        main()
    except KeyboardInterrupt:
        sys.exit('stopped; the same command goes on with what is there')
