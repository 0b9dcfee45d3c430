"""Measure recordings with trained models, and write tables, videos and a report.

    echocardmae predict RECORDINGS --bundle bundles/ef bundles/seg --out results
    echocardmae predict --example --out results          synthetic recordings and models

PATH is a recording, a folder, or a list: a .txt file with one path per line, or a .csv file with
the column path and any of patient, study, view, fps and spacing (pixel height in mm, or height and
width separated by a space). An interrupted run goes on when the command is repeated.

Names do not leave their files: recordings, patients and studies get pseudonyms, and pixels outside
the ultrasound sector are black. The exit status is 0 if every recording was measured, 3 if some
were refused, 4 if none was measured, and 1 for an error. Research use only.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.progress import track

from echocardmae_mm.apis import example
from echocardmae_mm.apis.inferencer import VIEWS, EchoInferencer
from echocardmae_mm.apis.outputs import write_outputs
from echocardmae_mm.apis.prediction import Prediction
from echocardmae_mm.apis.report import write_report
from echocardmae_mm.apis.sources import Source, find_sources
from echocardmae_mm.apis.studies import biplane_studies
from echocardmae_mm.apis.tables import RESULTS, results_table
from echocardmae_mm.cli.arguments import add_force, command_parser
from echocardmae_mm.cli.run_folder import bind_run_folder, folder_lock
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.utils.atomic_files import atomic_write_text, json_text
from echocardmae_mm.utils.errors import UserError
from echocardmae_mm.utils.pseudonyms import Pseudonyms
from echocardmae_mm.utils.text_files import read_json

RUN, ROWS = 'run.json', 'recordings'
SOME_REFUSED, NONE_MEASURED = 3, 4


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser('predict', __doc__)
    add = parser.add_argument
    add('paths', nargs='*', type=Path, metavar='PATH', help='recordings, folders or lists')
    add('--bundle', nargs='+', default=[], metavar='FOLDER', help='at most one for each task')
    add('--out', type=Path, required=True, help='output folder')
    add('--example', action='store_true', help='measure the synthetic example recordings')
    add('--view', choices=VIEWS, help='view of all recordings that a list does not describe')
    add('--fps', type=positive, help='frames per second, in place of that of the files')
    add(
        '--spacing',
        type=positive,
        nargs='+',
        metavar='MM',
        help='height (and width) of a pixel in mm, in place of those of the files',
    )
    add('--salt', help='secret that makes pseudonyms the same in several runs (default: random)')
    add('--keep-names', action='store_true', help='write names of files, for those who may')
    add(
        '--allow-synthetic-model',
        action='store_true',
        help='let a model of synthetic recordings measure others',
    )
    add('--device', help='such as cuda:1 or cpu (default: a GPU if there is one)')
    add_force(parser)
    return parser.parse_args(argv)


def positive(text: str) -> float:
    """An argparse type for positive numbers."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float('inf'):
        raise argparse.ArgumentTypeError(f'expected a positive number, not {text!r}')
    return number


def bind(args: argparse.Namespace, measure: EchoInferencer) -> str:
    """Bind the output folder to this run; return the salt of its pseudonyms."""
    record = args.out / RUN
    settings = {
        'models': {task: bundle.sha256 for task, bundle in sorted(measure.bundles.items())},
        'view': args.view,
        'fps': args.fps,
        'spacing': args.spacing,
        'keep_names': args.keep_names,
        'allow_synthetic_model': args.allow_synthetic_model,
    }
    if args.force and record.is_file():
        for name in (RUN, *RESULTS, 'report.html'):
            (args.out / name).unlink(missing_ok=True)
        shutil.rmtree(args.out / ROWS, ignore_errors=True)
    if args.out.is_dir() and any(path.name != '.lock' for path in args.out.iterdir()):
        remedy = 'Choose another --out, or pass --force'
        kept = bind_run_folder(record, settings, remedy, lambda kept: kept['settings'])
        if kept.get('finished'):
            raise UserError(f'{args.out} holds a finished run\n{remedy}')
        if args.salt in (None, kept['salt']):
            return kept['salt']
        raise UserError(f'{args.out} was begun with another --salt\n{remedy}')
    salt = args.salt or secrets.token_hex(16)
    args.out.mkdir(parents=True, exist_ok=True)
    atomic_write_text(record, json_text({'settings': settings, 'salt': salt}))
    return salt


def finish(folder: Path) -> None:
    """Forget the salt, so that no pseudonym leads back to its name."""
    record = read_json(folder / RUN)
    atomic_write_text(folder / RUN, json_text({'settings': record['settings'], 'finished': True}))


def measure_one(
    source: Source, args: argparse.Namespace, measure: EchoInferencer, names: Pseudonyms
) -> dict[str, Any]:
    """Measure a recording, or read what an interrupted run found."""
    identity = names.pseudonym(str(source.path.absolute()))
    folder = args.out / ROWS / identity
    done = folder / 'result.json'
    if done.is_file():
        return read_json(done)
    spacing = source.spacing or (tuple(args.spacing) if args.spacing else None)
    try:
        result = measure(
            source.path,
            view=source.view or args.view,
            fps=source.fps or args.fps,
            spacing=(spacing[0], spacing[-1]) if spacing else None,
        )
    except UserError:
        raise
    except Exception as error:  # one recording must not end a run over thousands
        name = type(error).__name__
        print(f'{source.path}: {name}: {error}', file=sys.stderr)
        result = Prediction({'status': 'refused', 'reason': f'failed with {name}'})
    row = {
        'recording': identity,
        **({'file': source.name} if args.keep_names else {}),
        'patient': names.pseudonym(f'patient {source.patient}'),
        'study': names.pseudonym(f'study {source.study}'),
        **result.values,
        'remarks': [flag.text for flag in result.flags],
        'disks': result.ventricle.disks if result.ventricle and result.is_measured else None,
    }
    unfinished = folder.with_name(f'{identity}.part')
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    if result.framed is not None:
        write_outputs(unfinished, result, measure.synthetic)
    atomic_write_text(unfinished / done.name, json_text(row))
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)
    return read_json(folder / done.name)


@report_user_errors
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    if args.example and (args.paths or args.bundle):
        raise UserError('--example measures its own recordings; omit PATH and --bundle')
    if not args.example and not (args.paths and args.bundle):
        raise UserError('expected at least one PATH and one --bundle, or --example')
    if args.salt and len(args.salt.encode()) > 64:
        raise UserError('--salt: expected at most 64 bytes')
    if args.spacing and len(args.spacing) > 2:
        raise UserError('--spacing: expected the height, or the height and the width of a pixel')
    if not args.example:
        sources = find_sources(args.paths)
    bundles = example.BUNDLES if args.example else args.bundle
    measure = EchoInferencer(bundles, args.device, args.allow_synthetic_model)
    salt = bind(args, measure)
    with folder_lock(args.out):
        if args.example:
            example.write_example_recordings(args.out / 'example')
            sources = find_sources([args.out / 'example'])
        names = Pseudonyms(salt.encode())
        rows = [
            measure_one(source, args, measure, names)
            for source in track(sources, 'measuring', total=len(sources))
        ]
        studies = biplane_studies(rows)
        results_table(args.out, rows, studies)
        write_report(args.out, rows, studies, measure)
        finish(args.out)
    measured = sum(row['status'] == 'measured' for row in rows)
    print(f'{measured} of {len(rows)} recordings measured; results are in {args.out}')
    if measured < len(rows):
        reasons: dict[str, int] = {}
        for row in rows:
            if row['status'] != 'measured':
                reasons[row['reason']] = reasons.get(row['reason'], 0) + 1
        for reason, count in sorted(reasons.items(), key=lambda item: -item[1]):
            print(f'{count} refused: {reason}')
        sys.exit(SOME_REFUSED if measured else NONE_MEASURED)
