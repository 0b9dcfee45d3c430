"""Decode every recording of a data set once, into a store that configs read with packed=DIR.

    echocardmae pack data/EchoNet-Dynamic --out data/packed/EchoNet-Dynamic --jobs 8
    echocardmae train CONFIG --cfg-options packed=data/packed/EchoNet-Dynamic

The store holds the same pixels; reading them is about ten times faster than decoding. It takes one
byte per pixel of recordings whose three channels are equal, and three of others: at most 66 GB for
EchoNet-Dynamic. Repeat the command to continue after an interruption; on a finished store it
verifies every recording against its file and its checksum.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.progress import track

from echocardmae_mm.cli.arguments import add_jobs, command_parser
from echocardmae_mm.cli.user_errors import repeatable, report_user_errors
from echocardmae_mm.datasets.recording_lists import find_recordings
from echocardmae_mm.datasets.recordings import PackedStore, content_hash, name_in_store
from echocardmae_mm.datasets.recordings.packed import FRAMES, INDEX
from echocardmae_mm.datasets.recordings.packing import StoreWriter, pack
from echocardmae_mm.utils.errors import UserError
from echocardmae_mm.utils.parallel import parallel_imap

PACK_AGAIN = 'Remove the store and pack again, or choose another --out'


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser('pack', __doc__)
    parser.add_argument('dataset', type=Path, help="folder of the data set, a config's data_root")
    parser.add_argument('--out', type=Path, required=True, help='folder of the store')
    add_jobs(parser)
    return parser.parse_args(argv)


def refuse_replaced(
    args: argparse.Namespace, paths: list[Path], recordings: Mapping[str, dict[str, Any]]
) -> None:
    """Refuse recordings whose files differ from those that were packed."""
    names = {path: name_in_store(path, args.dataset) for path in paths}
    packed = [path for path in paths if names[path] in recordings]
    hashes = parallel_imap(content_hash, [*map(str, packed)], args.jobs)
    steps = track(zip(packed, hashes), 'comparing', total=len(packed), disable=not packed)
    found = [names[path] for path, now in steps if recordings[names[path]]['content'] != now]
    if found:
        raise UserError(
            f'{args.out}: {len(found)} recordings were replaced after they were packed, such as '
            f'{found[0]}\n{PACK_AGAIN}'
        )


def write(args: argparse.Namespace, paths: list[Path]) -> None:
    """Decode the missing recordings and finish the store."""
    writer = StoreWriter(args.out, args.dataset)
    refuse_replaced(args, paths, writer.recordings)
    done = len(writer.recordings)
    steps = pack(args.dataset, paths, writer, partial(parallel_imap, jobs=args.jobs))
    for _ in track(steps, 'packing', total=len(paths) - done):
        pass
    writer.finish()


def verify(args: argparse.Namespace, paths: list[Path]) -> None:
    """Verify a finished store against the files in the folder and the checksums."""
    store = PackedStore(args.out)
    names = (name_in_store(path, args.dataset) for path in paths)
    if missing := [name for name in names if name not in store.recordings]:
        raise UserError(
            f'{args.out}: lacks {len(missing)} recordings of {args.dataset}, such as {missing[0]}; '
            f'they were added later, or the store belongs to another data set\n{PACK_AGAIN}'
        )
    refuse_replaced(args, paths, store.recordings)
    checks = track(store.damaged(), 'checking', total=len(store.recordings))
    if damaged := [name for name, is_damaged in checks if is_damaged]:
        raise UserError(
            f'{args.out}: {len(damaged)} recordings are damaged, such as {damaged[0]}\n'
            'Remove the store and pack the data set again'
        )


@report_user_errors
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    paths = find_recordings(str(args.dataset))
    if not paths:
        raise UserError(f'{args.dataset}: contains no recordings')
    is_finished = (args.out / INDEX).is_file()
    with repeatable():
        if is_finished:
            verify(args, paths)
        else:
            write(args, paths)
    store = PackedStore(args.out)
    refused = {n: e['refused'] for n, e in store.recordings.items() if 'refused' in e}
    for name, reason in refused.items():
        print(f'refused {name}: {reason}')
    shapes = [e['shape'] for e in store.recordings.values() if 'shape' in e]
    grey = sum(shape[-1] == 1 for shape in shapes)
    size = (args.out / FRAMES).stat().st_size
    print(
        f'{args.out}: {len(shapes)} recordings, {grey} of them grey, {size / 1e9:.1f} GB'
        + (', all checksums match' if is_finished else '')
    )
