"""Write the features of recordings, for probes, clustering or retrieval.

    echocardmae embed RECORDINGS --bundle bundles/encoder --out features.parquet

PATH is a recording, a folder or a list, as for `echocardmae predict`, which crops, names and
refuses recordings in the same way; a refused one has a row without features. The features are the
mean token of the encoder, averaged over the clips of a recording; --tokens writes the mean token of
each time slot of each clip instead. FILE ends in .parquet (needs pyarrow) or .csv.

The bundle is a pretrained encoder (`echocardmae publish pretrain_echo CHECKPOINT --out BUNDLE`), or
a model for ejection fraction or diagnosis. The exit status is that of predict. Research use only.
"""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.progress import track

from echocardmae_mm.apis.embedder import EchoEmbedder
from echocardmae_mm.apis.features_table import require_table, write_table
from echocardmae_mm.apis.prediction import MARKS
from echocardmae_mm.apis.sources import find_sources
from echocardmae_mm.cli.arguments import add_force, command_parser, require_free
from echocardmae_mm.cli.recordings import (
    add_recordings,
    check_recordings,
    identity,
    report_refusals,
    report_unchecked,
    salted,
    show_recordings,
)
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.utils.errors import UserError

_VALUES = ('status', 'reason', 'flags', 'training_distance', 'view', 'frames', 'fps', *MARKS)


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser('embed', __doc__)
    add_recordings(parser)
    parser.add_argument('--bundle', required=True, metavar='FOLDER', help='folder of a bundle')
    parser.add_argument('--out', type=Path, required=True, metavar='FILE', help='.parquet or .csv')
    parser.add_argument(
        '--tokens', action='store_true', help='a row for each time slot of each clip'
    )
    add_force(parser, '--out')
    return parser.parse_args(argv)


def rows_of(row: dict[str, Any], features: np.ndarray | None) -> Iterator[dict[str, Any]]:
    """The rows of a recording: one, or one for each time slot of each clip."""
    if features is None:
        yield row
    elif features.ndim == 2:
        yield {**row, **_columns(features.mean(axis=0))}
    else:
        for clip, slots in enumerate(features):
            for slot, values in enumerate(slots):
                yield {**row, 'clip': clip, 'slot': slot, **_columns(values)}


def _columns(features: np.ndarray) -> dict[str, np.float32]:
    return {f'feature_{index}': value for index, value in enumerate(features)}


@report_user_errors
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    check_recordings(args)
    if not args.paths:
        raise UserError('expected at least one PATH')
    require_table(args.out)
    require_free(args.out, args.force)
    sources = find_sources(args.paths)
    embed = EchoEmbedder(args.bundle, args.device, args.allow_synthetic_model, args.tokens)
    report_unchecked(embed)
    names = salted(args.salt or secrets.token_hex(16))
    recordings: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    shown = zip(sources, show_recordings(sources, args, embed))
    for source, result in track(shown, 'embedding', total=len(sources)):
        row = {
            **identity(source, args, names),
            **{name: result.values.get(name) for name in _VALUES},
            'model': embed.bundle.name,
        }
        recordings.append(row)
        rows += rows_of(row, result.features)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    write_table(args.out, pd.DataFrame(rows))
    report_refusals(recordings, 'embedded', args.out)
