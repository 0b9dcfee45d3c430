"""Make synthetic echocardiograms with known truth, in the real data sets' own file formats.

    python tools/make_phantoms.py --out data/phantom --videos 240 --seed 1 --jobs 2

A seed gives the same bytes on any number of processes. Called again with the same arguments, it
makes what is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from argument_types import at_least, seed
from mistakes import report_user_errors
from rich.progress import track

from echocardmae_mm.phantom import (
    VARIANTS,
    camus_files,
    dicom_files,
    echonet_files,
    hmcqu_files,
)
from echocardmae_mm.utils.errors import UserError
from echocardmae_mm.utils.parallel import parallel_imap

DATASETS: dict[str, Any] = {
    'echonet': echonet_files,
    'camus': camus_files,
    'hmcqu': hmcqu_files,
    'dicom': dicom_files,
}


def parse_args() -> argparse.Namespace:
    """Read the command line; sizes that are not given follow from the number of videos."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('--out', type=Path, default=Path('data/phantom'), help='output folder')
    add('--videos', type=at_least(1), default=240, help='EchoNet-Dynamic videos')
    add('--seed', type=seed, default=1, help='seed of every draw')
    add('--jobs', type=at_least(1), default=os.cpu_count() or 1, help='processes')
    add('--variant', default='default', choices=sorted(VARIANTS), help='population and machine')
    add('--datasets', nargs='+', default=list(DATASETS), choices=list(DATASETS), help='which')
    add('--camus', type=at_least(1), help='CAMUS patients (default: a twentieth of the videos)')
    add(
        '--hmcqu',
        type=at_least(1),
        help='HMC-QU recordings a view (default: a twentieth of the videos)',
    )
    add('--dicom', type=at_least(1), help='DICOM files (default: one of each kind)')
    args = parser.parse_args()
    args.echonet = args.videos
    args.camus = max(3, args.videos // 20) if args.camus is None else args.camus
    args.hmcqu = max(3, args.videos // 20) if args.hmcqu is None else args.hmcqu
    args.dicom = len(dicom_files.KINDS) if args.dicom is None else args.dicom
    return args


def write(job: tuple[str, Any], root: Path, seed: int, variant: str) -> dict[str, Any]:
    """Make one recording, unless its note says that it was made by the same arguments."""
    name, recording = job
    asked = {'seed': seed, 'variant': variant, **asdict(recording)}
    note = root / 'truth' / 'notes' / name / f'{recording.index:05d}_{recording.name}.json'
    if note.exists():
        done = json.loads(note.read_text(encoding='utf-8'))
        if done['asked'] == asked:
            return done['rows']
    try:
        rows = DATASETS[name].write_recording(root, recording, seed, variant)
        note.parent.mkdir(parents=True, exist_ok=True)
        partial_note = note.with_suffix('.part')
        partial_note.write_text(json.dumps({'asked': asked, 'rows': rows}), encoding='utf-8')
        partial_note.replace(note)
    except OSError as error:
        reason = f' ({error.strerror})' if error.strerror else ''
        raise UserError(
            f'{root}: cannot be written{reason}\n'
            'Make room and repeat the command: it makes what is missing'
        ) from error
    return rows


def require_ours(args: argparse.Namespace, name: str, recordings: int) -> None:
    """Refuse to write into a data set that is not of phantoms, or of others than asked for."""
    folder = args.out / DATASETS[name].FOLDER
    kept = args.out / 'truth' / 'notes' / name
    if folder.exists() and not kept.is_dir():
        raise UserError(
            f'{folder} is there and was not made by this tool\n'
            'Choose another --out: nothing is overwritten'
        )
    notes = sorted(kept.glob('*.json'))
    for note in notes[:1]:
        asked = json.loads(note.read_text(encoding='utf-8'))['asked']
        if (asked['seed'], asked['variant']) != (args.seed, args.variant):
            raise UserError(
                f'{folder} was made by --seed {asked["seed"]} --variant {asked["variant"]}\n'
                'Choose another --out: nothing is overwritten'
            )
    if len(notes) > recordings:
        raise UserError(
            f'{folder} holds {len(notes)} recordings, more than the {recordings} asked for\n'
            'Choose another --out: nothing is removed'
        )
    kept.mkdir(parents=True, exist_ok=True)


def make(args: argparse.Namespace) -> None:
    """Plan every data set, write its recordings, then its lists."""
    work = partial(write, root=args.out, seed=args.seed, variant=args.variant)
    for name in args.datasets:
        recordings = DATASETS[name].plan(getattr(args, name), args.seed)
        require_ours(args, name, len(recordings))
        running = parallel_imap(work, [(name, recording) for recording in recordings], args.jobs)
        rows = list(track(running, f'{name:8}', total=len(recordings)))
        DATASETS[name].write_lists(args.out, rows)


@report_user_errors
def main() -> None:
    """Make the data sets on as many processes as asked for."""
    args = parse_args()
    started = time.perf_counter()
    make(args)
    print(f'{args.out}: {", ".join(args.datasets)} made in {time.perf_counter() - started:.1f} s')


if __name__ == '__main__':
    try:
        main()
    except KeyboardInterrupt:
        sys.exit('stopped; the same command goes on with what is there')
