"""Convert weights of other projects for this package.

    echocardmae convert echocardmae EchoCardMAE.pt checkpoints/echocardmae.pth
    echocardmae convert videomae VIDEOMAE.pth checkpoints/videomae.pth
    echocardmae convert timm vit_small_patch16_224 checkpoints/vit_small.pth
    echocardmae convert peer r2plus1d_18_32_2_pretrained.pt checkpoints/echonet.pth \
      --config configs/baselines/ef_r2plus1d.py

Load the result with load_from='checkpoints/videomae.pth' in a pretraining config, or into an
encoder with init_cfg=dict(type='Pretrained', checkpoint='checkpoints/videomae.pth',
prefix='backbone.').
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmengine.registry import init_default_scope
from torch import Tensor

from echocardmae_mm.cli.arguments import (
    HelpFormatter,
    add_force,
    at_least,
    command_parser,
    require_free,
)
from echocardmae_mm.cli.configuration import load_config
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.models.peers.peer_weights import from_peer
from echocardmae_mm.models.weight_conversion import (
    bgr_to_rgb,
    from_echocardmae,
    from_timm,
    from_videomae,
)
from echocardmae_mm.models.weight_files import read_weights, write_weights
from echocardmae_mm.recipes.common import MEAN, STD
from echocardmae_mm.registry import MODELS
from echocardmae_mm.utils.errors import UserError

ECHOCARDMAE = """the released EchoCardMAE weights, of either version

The released code reads BGR frames and never applies its attention bias. The converted weights
expect RGB frames and hold zeros for that bias: set attn_bias=False in the config. The converted
file names the mean and std for the preprocessor in its meta."""


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser('convert', __doc__)
    sources = parser.add_subparsers(dest='origin', required=True, metavar='ORIGIN')
    echocardmae = sources.add_parser(
        'echocardmae',
        help='released EchoCardMAE weights',
        description=ECHOCARDMAE,
        formatter_class=HelpFormatter,
    )
    echocardmae.add_argument('source', type=Path, help='the released checkpoint')
    videomae = sources.add_parser('videomae', help='VideoMAE, pretrained or fine-tuned')
    videomae.add_argument('source', type=Path, help='the VideoMAE checkpoint')
    videomae.add_argument(
        '--patch-size', type=at_least(1), help='resize the patch embedding (VideoMAE has 16)'
    )
    timm = sources.add_parser('timm', help='image transformer of timm, inflated over time')
    timm.add_argument('source', help='name of a timm model to download, or a file with its weights')
    timm.add_argument('--tubelet-size', type=at_least(1), default=2, help='frames per token')
    peer = sources.add_parser(
        'peer', help='EchoNet, EchoCoTr, CoReEcho, SAM or SAMUS, to test or fine-tune a baseline'
    )
    peer.add_argument('source', type=Path, help='the published checkpoint')
    peer.add_argument('--config', required=True, help='the config of the baseline')
    for source in (echocardmae, videomae, timm, peer):
        source.add_argument('target', type=Path, help='output file')
        add_force(source, 'the output file')
    return parser.parse_args(argv)


def convert_echocardmae(args: argparse.Namespace) -> None:
    """Convert weights of the released code."""
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
    print(f"decoder: BackgroundTokenDecoder(background='{background}', attn_bias=False)")


def convert_videomae(args: argparse.Namespace) -> None:
    """Convert VideoMAE weights."""
    weights = from_videomae(read_weights(args.source), args.patch_size)
    write_weights(weights, args.target, {'from': 'VideoMAE', 'file': args.source.name})


def convert_timm(args: argparse.Namespace) -> None:
    """Convert an image transformer of timm."""
    weights = from_timm(image_weights(args.source), args.tubelet_size)
    write_weights(weights, args.target, {'from': 'timm', 'file': Path(args.source).name})


def convert_peer(args: argparse.Namespace) -> None:
    """Convert the published weights of a baseline."""
    config = load_config(args.config)
    init_default_scope(config.default_scope)
    model = MODELS.build(config.model)
    method, weights = from_peer(read_weights(args.source), model)
    write_weights(weights, args.target, {'from': method, 'file': args.source.name}, model)


def image_weights(source: str) -> dict[str, Tensor]:
    """Weights from a file, or downloaded by timm's name."""
    if Path(source).is_file():
        return read_weights(Path(source))
    import timm

    try:
        return timm.create_model(source, pretrained=True).state_dict()
    except (OSError, RuntimeError) as error:
        raise UserError(
            f'timm has no weights for {source}: {error}\n'
            'Choose a name from timm.list_pretrained(), or pass a downloaded file'
        ) from error


CONVERTERS = {
    'echocardmae': convert_echocardmae,
    'videomae': convert_videomae,
    'timm': convert_timm,
    'peer': convert_peer,
}


@report_user_errors
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    require_free(args.target, args.force)
    CONVERTERS[args.origin](args)
