"""Make a data set as long as EchoNet-Dynamic from a few recordings, for benchmarks only.

    python tools/benchmarks/repeated_store.py data/phantom/EchoNet-Dynamic data/packed/phantom \\
        --videos 7465 --out data/repeated

The list names each recording many times; all names refer to the same pixels in the store. 32
further names form the validation set.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
from itertools import cycle, islice
from pathlib import Path

from echocardmae_mm.cli.arguments import at_least, tool_parser
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.datasets.recordings import PackedStore
from echocardmae_mm.datasets.recordings.packed import FRAMES, INDEX, index_text
from echocardmae_mm.utils.errors import UserError

SIZE = [112, 112]
VALIDATION = 32


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('dataset', type=Path, help='recordings in the layout of EchoNet-Dynamic')
    parser.add_argument('store', type=Path, help='their store')
    parser.add_argument(
        '--videos', type=at_least(1), default=7465, help='names of training recordings'
    )
    parser.add_argument('--out', type=Path, required=True, help='output folder')
    return parser.parse_args()


@report_user_errors
def main() -> None:
    args = parse_args()
    if args.out.exists():
        raise UserError(f'{args.out} exists already; choose another --out')
    store = PackedStore(args.store)
    originals = {
        Path(name).stem: name
        for name, entry in store.recordings.items()
        if entry.get('shape', [])[1:3] == SIZE
    }
    with open(args.dataset / 'FileList.csv', newline='', encoding='utf-8') as file:
        rows = [row for row in csv.DictReader(file) if Path(row['FileName']).stem in originals]
    if not rows:
        raise UserError(
            f'{args.store} has no recording of 112 x 112 pixels that is in FileList.csv'
        )
    videos, packed = args.out / 'data/Videos', args.out / 'store'
    videos.mkdir(parents=True)
    packed.mkdir()
    listed, recordings = [], {}
    for number, row in enumerate(islice(cycle(rows), args.videos + VALIDATION)):
        split = 'TRAIN' if number < args.videos else 'VAL'
        name = originals[Path(row['FileName']).stem]
        path = videos / f'R{number:05d}{Path(name).suffix}'
        path.symlink_to((args.dataset / name).resolve())
        listed.append({**row, 'FileName': path.stem, 'Split': split})
        recordings[f'Videos/{path.name}'] = store.recordings[name]
    with open(args.out / 'data/FileList.csv', 'w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(listed)
    index = json.loads((args.store / INDEX).read_text(encoding='utf-8'))
    del index['checksum']
    (packed / INDEX).write_text(index_text({**index, 'recordings': recordings}))
    os.symlink((args.store / FRAMES).resolve(), packed / FRAMES)
    print(f'{args.out}: {args.videos} names of {len(originals)} recordings')


if __name__ == '__main__':
    main()
