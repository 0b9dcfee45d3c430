"""VideoMAE's weights, pretrained or fine-tuned, for EchoCardMAE.

python tools/model_converters/convert_videomae.py VIDEOMAE.pth checkpoints/videomae.pth

Then load_from='checkpoints/videomae.pth' in a pretraining config, or for an encoder
init_cfg=dict(type='Pretrained', checkpoint='checkpoints/videomae.pth', prefix='backbone.').
"""

import argparse
import sys
from pathlib import Path

from echocardmae_mm.models.conversion import check_target, read_weights, write_weights
from echocardmae_mm.models.foreign_weights import from_videomae
from echocardmae_mm.utils.errors import UserError


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('source', type=Path, help="VideoMAE's checkpoint")
    parser.add_argument('target', type=Path, help='the file to write')
    parser.add_argument('--patch-size', type=int, help="resize the patch embedding; VideoMAE's: 16")
    parser.add_argument('--force', action='store_true', help='overwrite the target')
    return parser.parse_args()


def main() -> None:
    """Convert a file."""
    args = parse_args()
    check_target(args.target, args.force)
    weights = from_videomae(read_weights(args.source), args.patch_size)
    write_weights(weights, args.target, {'from': 'VideoMAE', 'file': args.source.name})


if __name__ == '__main__':
    try:
        main()
    except (UserError, OSError) as error:
        sys.exit(f'error: {error}')
