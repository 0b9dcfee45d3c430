"""Make synthetic echocardiograms with known truth, in the file formats of the real data sets.

    echocardmae phantoms --out data/phantom --videos 240 --seed 1 --jobs 2

A seed gives the same bytes with any number of processes. Repeat the command to make
missing files.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from rich.progress import track

from echocardmae_mm.cli.arguments import add_jobs, at_least, command_parser, seed
from echocardmae_mm.cli.run_folder import bind_run_folder, folder_lock
from echocardmae_mm.cli.user_errors import repeatable, report_user_errors
from echocardmae_mm.phantom import VARIANTS, camus_files, dicom_files, echonet_files, hmcqu_files
from echocardmae_mm.utils.atomic_files import atomic_write_text
from echocardmae_mm.utils.errors import UserError
from echocardmae_mm.utils.parallel import parallel_imap
from echocardmae_mm.utils.text_files import read_json

DATASETS: dict[str, Any] = {
    'echonet': echonet_files,
    'camus': camus_files,
    'hmcqu': hmcqu_files,
    'dicom': dicom_files,
}
UNFINISHED = '.unfinished'
REMEDY = 'Choose another --out'


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser('phantoms', __doc__)
    add = parser.add_argument
    add('--out', type=Path, default=Path('data/phantom'), help='output folder')
    add('--videos', type=at_least(1), default=240, help='number of EchoNet-Dynamic videos')
    add('--seed', type=seed, default=1, help='random seed')
    add_jobs(parser)
    add(
        '--variant',
        nargs='+',
        default=['default'],
        choices=sorted(VARIANTS),
        help='population and acquisition settings; with several, recordings take them in turn',
    )
    add(
        '--datasets',
        nargs='+',
        default=list(DATASETS),
        choices=list(DATASETS),
        help='data sets to make (default: all)',
    )
    add('--camus', type=at_least(1), help='number of CAMUS patients (default: videos / 20)')
    add('--hmcqu', type=at_least(1), help='HMC-QU recordings of each view (default: videos / 20)')
    add(
        '--views',
        nargs='+',
        default=['A4C', 'A2C'],
        choices=('A4C', 'A2C'),
        help='views of the HMC-QU recordings (default: both)',
    )
    add('--dicom', type=at_least(1), help='number of DICOM files (default: one of each kind)')
    args = parser.parse_args(argv)
    args.echonet = args.videos
    args.camus = args.camus or max(3, args.videos // 20)
    args.hmcqu = args.hmcqu or max(3, args.videos // 20)
    args.dicom = args.dicom or len(dicom_files.KINDS)
    return args


def write(job: tuple[str, Any], root: Path, seed: int, variants: Sequence[str]) -> dict[str, Any]:
    """Make one recording, unless the same arguments made it before and all its files exist."""
    name, recording = job
    variant = variants[recording.index % len(variants)]
    wanted = {'seed': seed, 'variant': ' '.join(variants), **asdict(recording)}
    metadata = root / 'truth' / 'notes' / name / f'{recording.index:05d}_{recording.name}.json'
    if metadata.exists():
        kept = read_json(metadata)
        files = kept.get('files')  # notes of version 0.1 lack them
        if kept.get('asked') == wanted and files and all((root / file).is_file() for file in files):
            return kept['rows']
    unfinished = root / UNFINISHED / name / metadata.stem
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        rows = DATASETS[name].write_recording(unfinished, recording, seed, variant)
        paths = sorted(path for path in unfinished.rglob('*') if path.is_file())
        files = [path.relative_to(unfinished).as_posix() for path in paths]
        for file in files:
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (unfinished / file).replace(root / file)
        metadata.parent.mkdir(parents=True, exist_ok=True)
        content = {'asked': wanted, 'files': files, 'rows': rows}
        atomic_write_text(metadata, json.dumps(content))
    except OSError as error:
        reason = f' ({error.strerror})' if error.strerror else ''
        raise UserError(
            f'{root}: cannot be written{reason}\nFree some space and repeat the command to continue'
        ) from error
    return rows


def bind_folder(args: argparse.Namespace, name: str, recordings: int) -> None:
    """Refuse to write into real data, or into phantoms of other arguments."""
    folder = args.out / DATASETS[name].FOLDER
    notes = args.out / 'truth' / 'notes' / name
    if folder.exists() and not notes.is_dir():
        raise UserError(f'{folder} exists and was not made by this command\n{REMEDY}')
    existing = sorted(notes.glob('*.json'))
    if existing:
        wanted = {'seed': args.seed, 'variant': ' '.join(args.variant)}
        bind_run_folder(
            existing[0], wanted, REMEDY, lambda note: {key: note['asked'][key] for key in wanted}
        )
    if len(existing) > recordings:
        raise UserError(
            f'{folder} holds {len(existing)} recordings, more than the {recordings} requested\n'
            f'{REMEDY}'
        )
    notes.mkdir(parents=True, exist_ok=True)


def make(args: argparse.Namespace) -> None:
    """Plan every data set, write its recordings, then its lists."""
    work = partial(write, root=args.out, seed=args.seed, variants=args.variant)
    plans: dict[str, list[Any]] = {}
    for name in args.datasets:
        recordings = DATASETS[name].plan(getattr(args, name), args.seed)
        if name == 'hmcqu':
            recordings = [item for item in recordings if item.view in args.views]
        bind_folder(args, name, len(recordings))
        plans[name] = recordings
    with folder_lock(args.out / 'truth'):
        for name, recordings in plans.items():
            jobs = [(name, recording) for recording in recordings]
            running = parallel_imap(work, jobs, args.jobs)
            rows = list(track(running, f'{name:8}', total=len(jobs)))
            DATASETS[name].write_lists(args.out, rows)
        shutil.rmtree(args.out / UNFINISHED, ignore_errors=True)


@report_user_errors
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    started = time.perf_counter()
    with repeatable():
        make(args)
    print(f'{args.out}: {", ".join(args.datasets)} made in {time.perf_counter() - started:.1f} s')
