"""An image transformer of timm, inflated over time, as the encoder of EchoCardMAE.

python tools/model_converters/convert_timm.py vit_small_patch16_224 checkpoints/vit_small.pth
"""

import argparse
import sys
from pathlib import Path

from torch import Tensor

from echocardmae_mm.models.conversion import check_target, read_weights, write_weights
from echocardmae_mm.models.foreign_weights import from_timm
from echocardmae_mm.utils.errors import UserError


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('source', help="timm's name, downloaded by timm; or a file of its weights")
    parser.add_argument('target', type=Path, help='the file to write')
    parser.add_argument('--tubelet-size', type=int, default=2, help='frames of a token')
    parser.add_argument('--force', action='store_true', help='overwrite the target')
    return parser.parse_args()


def image_weights(source: str) -> dict[str, Tensor]:
    """Weights from a file, or by timm's name."""
    if Path(source).is_file():
        return read_weights(Path(source))
    import timm

    try:
        return timm.create_model(source, pretrained=True).state_dict()
    except (OSError, RuntimeError) as error:
        raise UserError(
            f'timm has no weights for {source}: {error}\n'
            'Name another of timm.list_pretrained(), or a file that was downloaded before.'
        ) from error


def main() -> None:
    """Convert a model."""
    args = parse_args()
    check_target(args.target, args.force)
    weights = from_timm(image_weights(args.source), args.tubelet_size)
    write_weights(weights, args.target, {'from': 'timm', 'file': Path(args.source).name})


if __name__ == '__main__':
    try:
        main()
    except (UserError, OSError) as error:
        sys.exit(f'error: {error}')
