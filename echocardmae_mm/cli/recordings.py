"""Arguments and output shared by commands that run trained models on recordings."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from echocardmae_mm.apis.bundle_config import VIEWS
from echocardmae_mm.apis.inferencer import EchoInferencer, Opened
from echocardmae_mm.apis.prediction import Prediction
from echocardmae_mm.apis.sources import Source
from echocardmae_mm.cli.arguments import positive
from echocardmae_mm.utils.compute_ahead import compute_ahead
from echocardmae_mm.utils.errors import UserError
from echocardmae_mm.utils.pseudonyms import Pseudonyms
from echocardmae_mm.utils.text_files import utf8_name

SOME_REFUSED, NONE_MEASURED = 3, 4
_READ_AHEAD = 2


def add_recordings(parser: argparse.ArgumentParser) -> None:
    """Add the recordings, their metadata, and the options for names, models and device."""
    add = parser.add_argument
    add('paths', nargs='*', type=Path, metavar='PATH', help='recordings, folders or lists')
    add('--view', choices=VIEWS, help='view of recordings for which a list gives none')
    add('--fps', type=positive(), help='frames per second, in place of that of the files')
    add(
        '--spacing',
        type=positive(),
        nargs='+',
        metavar='MM',
        help='height (and width) of a pixel in mm, in place of those of the files',
    )
    add('--salt', help='secret that makes pseudonyms the same in several runs (default: random)')
    add('--keep-names', action='store_true', help='write file names, if you are allowed to')
    add(
        '--allow-synthetic-model',
        action='store_true',
        help='let models trained on synthetic recordings measure others',
    )
    add('--device', help='such as cuda:1 or cpu (default: a GPU if there is one)')


def check_recordings(args: argparse.Namespace) -> None:
    """Check arguments beyond what argparse checks."""
    if args.salt:
        salted(args.salt)
    if args.spacing and len(args.spacing) > 2:
        raise UserError('--spacing: expected the height, or the height and the width of a pixel')


def report_unchecked(measure: EchoInferencer) -> None:
    """Print the models that cannot notice unusual features."""
    if names := measure.without_feature_distance:
        print(f'no check for unusual features by {", ".join(names)}: published without them')


def salted(salt: str) -> Pseudonyms:
    """Return pseudonyms keyed with ``--salt``."""
    if len(salt.encode()) > 64:
        raise UserError('--salt: expected at most 64 bytes')
    return Pseudonyms(salt.encode())


def show_recordings(
    sources: Sequence[Source], args: argparse.Namespace, measure: EchoInferencer
) -> Iterator[Prediction]:
    """Run the models on recordings; for a GPU, threads read the next recordings meanwhile."""

    def read(source: Source) -> Opened | Prediction:
        spacing = source.spacing or (tuple(args.spacing) if args.spacing else None)
        return measure.read(source.path, (spacing[0], spacing[-1]) if spacing else None)

    reads = compute_ahead(read, sources, _READ_AHEAD if measure.on_gpu else 0)
    for source, opened in zip(sources, reads):
        yield _show(source, opened, args, measure)


def _show(
    source: Source,
    opened: Callable[[], Opened | Prediction],
    args: argparse.Namespace,
    measure: EchoInferencer,
) -> Prediction:
    """Run the models on a recording; refuse it if they fail."""
    try:
        return measure.measure(opened(), source.view or args.view, source.fps or args.fps)
    except UserError:
        raise
    except Exception as error:  # one recording must not end a run over thousands
        name = type(error).__name__
        print(f'{source.path}: {name}: {error}', file=sys.stderr)
        values = {'status': 'refused', 'reason': f'failed with {name}', **measure.marks}
        return Prediction(values)


def recording_pseudonym(path: Path, names: Pseudonyms) -> str:
    """Return the pseudonym of a recording, which depends on its path."""
    return names.pseudonym(str(path.absolute()))


def identity(source: Source, args: argparse.Namespace, names: Pseudonyms) -> dict[str, str]:
    """Return the first columns of a row: pseudonyms and, with ``--keep-names``, the file name."""
    return {
        'recording': recording_pseudonym(source.path, names),
        **({'file': utf8_name(source.name)} if args.keep_names else {}),
        'patient': names.pseudonym(f'patient {source.patient}'),
        'study': names.pseudonym(f'study {source.study}'),
    }


def report_refusals(rows: Sequence[dict[str, Any]], done: str, out: Path) -> None:
    """Print how many recordings were refused and why; if any was, exit with a non-zero status."""
    refused = [row['reason'] for row in rows if row['status'] != 'measured']
    measured = len(rows) - len(refused)
    print(f'{measured} of {len(rows)} recordings {done}; results are in {out}')
    for reason, count in Counter(refused).most_common():
        print(f'{count} refused: {reason}')
    if refused:
        sys.exit(SOME_REFUSED if measured else NONE_MEASURED)
