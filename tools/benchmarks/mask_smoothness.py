"""Measure how much the norm of the gradient varies under each masking strategy (section 2.2).

    python tools/benchmarks/mask_smoothness.py configs/phantom/pretrain_phantom.py --seeds 3 \\
        --cfg-options packed=data/packed/phantom

Each strategy pretrains from the same initialisations on the same clips. The script prints the
standard deviation of the norm's logarithm over the second half of the steps, after it has removed
a linear trend: approximately the relative variation of the norm between steps.
"""

from __future__ import annotations

import argparse
from tempfile import TemporaryDirectory

import numpy as np
from command_line import config_parser, pretraining_config_of
from mmengine.runner import Runner
from scipy.signal import detrend

from echocardmae_mm.cli.arguments import at_least
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.sector.masking import STRATEGIES

NEVER = 10**9


def parse_args() -> argparse.Namespace:
    parser = config_parser(__doc__)
    parser.add_argument('--epochs', type=at_least(1), default=4, help='epochs of each run')
    parser.add_argument('--seeds', type=at_least(1), default=3, help='runs of each strategy')
    return parser.parse_args()


def gradient_norms(args: argparse.Namespace, strategy: str, seed: int, folder: str) -> np.ndarray:
    """Pretrain, and return the norm of the gradient at each step."""
    config = pretraining_config_of(args, folder)
    config.model.data_preprocessor.mask.strategy = strategy
    config.randomness.seed = seed
    config.experiment_name = f'{strategy} {seed}'
    config.log_level = 'WARNING'
    for name in ('reconstruction', 'training_mean', 'curves'):
        config.default_hooks.pop(name, None)
    config.default_hooks.runtime_info = dict(type='RuntimeInfoHook')  # keeps every step's norm
    config.default_hooks.checkpoint.interval = NEVER
    config.val_cfg = config.val_dataloader = config.val_evaluator = None
    config.train_cfg.update(max_epochs=args.epochs)
    # mmengine computes the norm only where it clips the gradient.
    config.optim_wrapper.setdefault('clip_grad', dict(max_norm=float(NEVER)))
    runner = Runner.from_cfg(config)
    runner.train()
    return runner.message_hub.get_scalar('train/grad_norm').data[0]


@report_user_errors
def main() -> None:
    args = parse_args()
    rows = []
    for strategy in STRATEGIES:
        spreads = []
        for seed in range(args.seeds):
            with TemporaryDirectory() as folder:
                norms = gradient_norms(args, strategy, seed, folder)
            half = np.log(norms[len(norms) // 2 :])
            spreads.append(float(detrend(half).std()))
        each = ', '.join(f'{spread:.3f}' for spread in spreads)
        rows.append((strategy, f'{np.mean(spreads):.3f}', each))
    print(markdown_table(('masking', 'spread of the norm', 'of each seed'), rows))


if __name__ == '__main__':
    main()
