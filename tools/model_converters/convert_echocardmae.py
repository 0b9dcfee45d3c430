"""The authors' released EchoCardMAE weights, either version, for this package.

python tools/model_converters/convert_echocardmae.py EchoCardMAE.pt checkpoints/echocardmae.pth

The released code reads BGR and never applies the bias of its attention. The converted weights see
RGB and hold zeros for that bias: use attn_bias=False, and MEAN and STD below in the preprocessor.
"""

import argparse
import sys
from pathlib import Path

from echocardmae_mm.models.conversion import check_target, read_weights, write_weights
from echocardmae_mm.models.foreign_weights import bgr_to_rgb, from_echocardmae
from echocardmae_mm.utils.errors import UserError

# The released figures, put in the order R, G, B and on the scale 0-255.
MEAN = [32.946, 32.4105, 32.0535]
STD = [50.337, 49.9035, 49.7505]


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('source', type=Path, help='the released checkpoint')
    parser.add_argument('target', type=Path, help='the file to write')
    parser.add_argument('--force', action='store_true', help='overwrite the target')
    return parser.parse_args()


def main() -> None:
    """Convert a file."""
    args = parse_args()
    check_target(args.target, args.force)
    state = read_weights(args.source)
    background = 'single' if any(name.endswith('bg_mask_token') for name in state) else 'positional'
    meta = {
        'from': 'EchoCardMAE, the released code',
        'file': args.source.name,
        'background': background,
        'attn_bias': False,
        'colours': 'RGB',
        'mean': MEAN,
        'std': STD,
    }
    write_weights(bgr_to_rgb(from_echocardmae(state)), args.target, meta)
    print(f"its decoder is BackgroundTokenDecoder(background='{background}', attn_bias=False)")


if __name__ == '__main__':
    try:
        main()
    except (UserError, OSError) as error:
        sys.exit(f'error: {error}')
