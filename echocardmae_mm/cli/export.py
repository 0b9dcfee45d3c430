"""Export a bundle for other runtimes.

    echocardmae export bundles/ef --format onnx

Writes bundles/ef/model.onnx, which `echocardmae predict --runtime onnx` and any program with an
ONNX runtime can use: uint8 RGB in, ejection fraction, probabilities or logits out. The file is
compared with torch before it is written.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from echocardmae_mm.apis.bundle import ONNX, Bundle
from echocardmae_mm.apis.export_onnx import export_onnx
from echocardmae_mm.cli.arguments import add_force, command_parser, require_free
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.utils.errors import UserError


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser('export', __doc__)
    parser.add_argument('bundle', type=Path, metavar='BUNDLE', help='folder of a bundle')
    parser.add_argument('--format', choices=['onnx'], default='onnx', help='format of the file')
    parser.add_argument(
        '--out', type=Path, metavar='FILE', help=f'the file (default: {ONNX} in the bundle)'
    )
    add_force(parser, 'the file')
    return parser.parse_args(argv)


@report_user_errors
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    out = args.out or args.bundle / ONNX
    if out.is_dir():
        raise UserError(f'{out} is a folder; expected a file, such as {out / ONNX}')
    require_free(out, args.force)
    bundle = Bundle(args.bundle, 'cpu')
    out.parent.mkdir(parents=True, exist_ok=True)
    difference = export_onnx(bundle, out)
    print(f'{out}: {bundle.name}, {out.stat().st_size / 1e6:.1f} MB; ', end='')
    print(f'differs from torch by at most {difference:.1g}')
