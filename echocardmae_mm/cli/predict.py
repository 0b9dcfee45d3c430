"""Measure recordings with trained models, and write tables, videos and a report.

    echocardmae predict RECORDINGS --bundle bundles/ef bundles/seg --out results
    echocardmae predict --example --out results          synthetic recordings and models

PATH is a recording, a folder, or a list: a .txt file with one path per line, or a .csv file with
the column path and any of patient, study, view, fps and spacing (pixel height in mm, or height and
width separated by a space). Repeat the command to continue an interrupted run.

Results contain no names: recordings, patients and studies get pseudonyms, and pixels outside the
ultrasound sector are black. The exit status is 0 if every recording was measured, 3 if some
were refused, 4 if none was measured, and 1 for an error. Research use only.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

from rich.progress import track

from echocardmae_mm.apis import example
from echocardmae_mm.apis.bundle import CALIBRATION, RUNTIMES
from echocardmae_mm.apis.bundle_config import CONFIG
from echocardmae_mm.apis.inferencer import EchoInferencer
from echocardmae_mm.apis.outputs import write_outputs
from echocardmae_mm.apis.prediction import Prediction
from echocardmae_mm.apis.report import write_report
from echocardmae_mm.apis.sources import find_sources
from echocardmae_mm.apis.studies import biplane_studies
from echocardmae_mm.apis.tables import RESULTS, results_table
from echocardmae_mm.cli.arguments import add_force, command_parser
from echocardmae_mm.cli.recordings import (
    add_recordings,
    check_recordings,
    identity,
    report_refusals,
    report_unchecked,
    salted,
    show_recordings,
)
from echocardmae_mm.cli.run_folder import bind_run_folder, folder_lock
from echocardmae_mm.cli.user_errors import repeatable, report_user_errors
from echocardmae_mm.datasets.recording_lists import PREDICTION_RUN
from echocardmae_mm.utils.atomic_files import atomic_write_text, json_text
from echocardmae_mm.utils.errors import UserError
from echocardmae_mm.utils.file_sha256 import file_sha256
from echocardmae_mm.utils.text_files import read_json

RUN, ROWS, RESULT, EXAMPLE = PREDICTION_RUN, 'recordings', 'result.json', 'example'


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser('predict', __doc__)
    add_recordings(parser)
    add = parser.add_argument
    add('--bundle', nargs='+', default=[], metavar='FOLDER', help='at most one for each task')
    add('--out', type=Path, required=True, help='output folder')
    add('--example', action='store_true', help='measure the synthetic example recordings')
    add(
        '--runtime',
        choices=RUNTIMES,
        default='torch',
        help='onnx needs echocardmae export, and may be faster on CPUs',
    )
    add_force(parser)
    return parser.parse_args(argv)


def bind(args: argparse.Namespace, measure: EchoInferencer) -> str:
    """Bind the output folder to this run; return the salt of its pseudonyms."""
    record = args.out / RUN
    bundles = sorted(measure.bundles.items())
    settings = {
        'models': {task: of.sha256 for task, of in bundles},
        'configs': {task: file_sha256(of.folder / CONFIG) for task, of in bundles},
        'calibrations': {task: file_sha256(of.folder / CALIBRATION) for task, of in bundles},
        'view': args.view,
        'fps': args.fps,
        'spacing': args.spacing,
        'keep_names': args.keep_names,
        'runtime': args.runtime,
        'allow_synthetic_model': args.allow_synthetic_model,
        'example': args.example,
    }
    if args.force and record.is_file():
        remove_run(args.out)
    if any(path.name != '.lock' for path in args.out.iterdir()):
        remedy = 'Choose another --out, or pass --force'
        kept = bind_run_folder(record, settings, remedy, lambda kept: kept['settings'])
        if kept.get('finished'):
            raise UserError(f'{args.out} holds a finished run\n{remedy}')
        if args.salt not in (None, kept['salt']):
            raise UserError(f'{args.out} was begun with another --salt\n{remedy}')
        if kept.get('sources') != sources_pseudonym(args.paths, kept['salt']):
            raise UserError(
                f'{args.out} was begun with another PATH or another content of a list\n{remedy}'
            )
        return kept['salt']
    salt = args.salt or secrets.token_hex(16)
    begun = {'settings': settings, 'salt': salt, 'sources': sources_pseudonym(args.paths, salt)}
    atomic_write_text(record, json_text(begun))
    return salt


def remove_run(out: Path) -> None:
    """Remove the files of an earlier run, unless the folder also holds others."""
    try:
        was_example = read_json(out / RUN)['settings'].get('example')
    except (UserError, KeyError, TypeError, AttributeError):  # damaged
        was_example = False
    written = {RUN, *RESULTS, 'report.html', ROWS, *([EXAMPLE] if was_example else [])}
    for path in out.iterdir():
        if path.name not in (*written, '.lock'):
            raise UserError(
                f'{path} is not of the run that --force would replace\n'
                'Remove it, or choose another --out'
            )
    for name in written:
        if (out / name).is_dir():
            shutil.rmtree(out / name)
        else:
            (out / name).unlink(missing_ok=True)


def sources_pseudonym(paths: Sequence[Path], salt: str) -> str:
    """A pseudonym of the arguments and of what the lists among them say."""
    lists = [file_sha256(path) if path.suffix.lower() in ('.csv', '.txt') else '' for path in paths]
    places = [str(path.absolute()) for path in paths]
    return salted(salt).pseudonym(json_text([places, lists]))


def finish(folder: Path) -> None:
    """Forget the salt, so that no pseudonym leads back to its name."""
    record = read_json(folder / RUN)
    atomic_write_text(folder / RUN, json_text({'settings': record['settings'], 'finished': True}))


def write_one(named: dict[str, str], result: Prediction, done: Path) -> None:
    """Write the folder of a recording, which appears whole or not at all."""
    folder = done.parent
    row = {
        **named,
        **result.values,
        'remarks': [flag.text for flag in result.flags],
        'disks': result.ventricle.disks if result.ventricle else None,
    }
    unfinished = folder.with_name(f'{folder.name}.part')
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    if result.framed is not None:
        write_outputs(unfinished, result)
    atomic_write_text(unfinished / done.name, json_text(row))
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)


@report_user_errors
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    if args.example and (args.paths or args.bundle):
        raise UserError('--example measures its own recordings; omit PATH and --bundle')
    if not args.example and not (args.paths and args.bundle):
        raise UserError('expected at least one PATH and one --bundle, or --example')
    check_recordings(args)
    if not args.example:
        sources = find_sources(args.paths, args.out)
    bundles = example.BUNDLES if args.example else args.bundle
    measure = EchoInferencer(bundles, args.device, args.allow_synthetic_model, args.runtime)
    report_unchecked(measure)
    args.out.mkdir(parents=True, exist_ok=True)
    with repeatable(), folder_lock(args.out):
        salt = bind(args, measure)
        if args.example:
            sources = find_sources([example.write_example_recordings(args.out / EXAMPLE)])
        names = salted(salt)
        named = [identity(source, args, names) for source in sources]
        done = [args.out / ROWS / one['recording'] / RESULT for one in named]
        todo = [index for index, file in enumerate(done) if not file.is_file()]
        shown = show_recordings([sources[index] for index in todo], args, measure)
        for index, result in track(zip(todo, shown), 'measuring', total=len(todo)):
            write_one(named[index], result, done[index])
        rows = [read_json(file) for file in done]
        studies = biplane_studies(rows)
        results_table(args.out, rows, studies)
        write_report(args.out, rows, studies, measure)
        finish(args.out)
    report_refusals(rows, 'measured', args.out)
