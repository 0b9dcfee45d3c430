"""Copy recordings without information that identifies a patient, and make a contact sheet.

    echocardmae deidentify PATH... --out DIR

DIR receives a copy of every recording below each PATH (a file or a folder), recordings.csv and
contact-sheet.html. In a copy, all pixels outside the ultrasound sector are black and the file holds
no name, date or device; DICOM, NIfTI and MetaImage become DICOM, videos become AVI. File names are
pseudonyms, which nobody can trace back. A recording is refused if it cannot be read as a B-mode
recording or if its sector is doubtful: not found, too small, nearly the whole frame, with text
inside, or with a moving image outside.

DIR appears when all recordings are done. The exit status is 0 only if none was refused. Messages on
the terminal name the originals; do not pass them on. A person must look at every copy before it is
passed on.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import sys
import traceback
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.progress import track

from echocardmae_mm.apis.contact_sheet import NOTICE, contact_sheet
from echocardmae_mm.apis.deidentify import COLUMNS, WRITTEN, Copy, deidentify
from echocardmae_mm.cli.arguments import add_force, add_jobs, command_parser
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.datasets.recording_lists import find_recordings
from echocardmae_mm.utils.errors import UserError
from echocardmae_mm.utils.parallel import parallel_imap
from echocardmae_mm.utils.pseudonyms import Pseudonyms

TABLE = 'recordings.csv'
SHEET = 'contact-sheet.html'


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser('deidentify', __doc__)
    parser.add_argument('paths', nargs='+', type=Path, metavar='PATH', help='recording or folder')
    parser.add_argument('--out', type=Path, required=True, metavar='DIR', help='output folder')
    parser.add_argument(
        '--keep-names',
        action='store_true',
        help='keep the names of files and of folders below PATH, if you are allowed to',
    )
    add_force(parser, 'the output of an earlier run in --out')
    add_jobs(parser)
    return parser.parse_args(argv)


def find_sources(paths: Sequence[Path]) -> dict[Path, Path]:
    """Find the recordings, each with the folder below which its name may be kept."""
    sources: dict[Path, Path] = {}
    for path in map(Path.resolve, paths):
        if path.is_file():
            sources.setdefault(path, path.parent)
        elif path.is_dir():
            for recording in find_recordings(str(path)):
                sources.setdefault(recording, path)
        else:
            raise UserError(f'{path}: no such file or folder')
    if not sources:
        raise UserError(f'{", ".join(map(str, paths))}: no recordings found')
    return sources


def require_free(out: Path, paths: Sequence[Path], force: bool) -> None:
    """Refuse an output folder that overlaps with the recordings or holds something else."""
    for path in map(Path.resolve, paths):
        if out == path or out in path.parents or path in out.parents:
            raise UserError(f'{out}: expected a folder apart from {path}\nChoose another --out')
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not out.is_dir():
        raise UserError(f'{out}: is no folder\nChoose another --out')
    if not force:
        raise UserError(f'{out}: is not empty\nChoose another --out, or pass --force')
    try:
        with (out / TABLE).open(encoding='utf-8', newline='') as file:
            written = {row['file'] for row in csv.DictReader(file)} | {TABLE, SHEET}
    except (OSError, KeyError, UnicodeDecodeError):
        written = set()
    found = {path.relative_to(out).as_posix() for path in out.rglob('*') if not path.is_dir()}
    if foreign := sorted(found - written):
        raise UserError(
            f'{out}: contains {foreign[0]}, which is not the output of this command\n'
            'Choose another --out'
        )


def copy_all(args: argparse.Namespace, sources: dict[Path, Path], part: Path) -> list[Copy]:
    """Write all copies, the table and the contact sheet."""
    pseudonyms = Pseudonyms()
    # In the order of the pseudonyms, because times of files and rows would tell the names' order.
    ordered = sorted(sources.items(), key=lambda item: pseudonyms.pseudonym(str(item[0])))
    call = partial(_deidentify, part, pseudonyms, args.keep_names)
    steps = parallel_imap(call, ordered, args.jobs)
    copies = list(track(steps, 'de-identifying', total=len(ordered)))
    with (part / TABLE).open('w', encoding='utf-8', newline='') as table:
        writer = csv.DictWriter(table, COLUMNS, extrasaction='ignore', lineterminator='\n')
        writer.writeheader()
        writer.writerows(vars(copy) for copy in copies)
    (part / SHEET).write_text(contact_sheet(copies), encoding='utf-8')
    return copies


def _deidentify(
    out: Path, pseudonyms: Pseudonyms, keep_names: bool, item: tuple[Path, Path]
) -> Copy:
    return deidentify(*item, out, pseudonyms, keep_names)


@report_user_errors
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    out = args.out.resolve()
    require_free(out, args.paths, args.force)
    sources = find_sources(args.paths)
    part = out.with_name(f'{out.name}.part')
    try:
        part.mkdir(parents=True)
    except FileExistsError:
        raise UserError(
            f'{part}: another process is writing it, or was killed\nDelete it in the second case'
        ) from None
    try:
        copies = copy_all(args, sources, part)
    except BaseException as error:
        traceback.clear_frames(error.__traceback__)  # ends the workers, which still write
        shutil.rmtree(part)
        if isinstance(error, KeyboardInterrupt):
            raise KeyboardInterrupt('nothing was written') from None
        raise
    if out.exists():
        shutil.rmtree(out)
    part.rename(out)
    refused = [copy for copy in copies if copy.status != WRITTEN]
    for copy in sorted(refused, key=lambda copy: copy.source):
        detail = f' ({copy.detail})' if copy.detail else ''
        print(f'refused {copy.source}: {copy.reason}{detail}')
    print(f'{args.out}: {len(copies) - len(refused)} recordings written, {len(refused)} refused')
    print(f'{NOTICE}\nStart with {args.out / SHEET}')
    sys.exit(int(bool(refused)))
