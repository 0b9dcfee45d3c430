"""Test a checkpoint, and record the results with their origin in test.json.

echocardmae test ef_echonet work_dirs/ef_echonet/best_ef_mae_epoch_40.pth --plot
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from mmengine.config import Config
from mmengine.dist import is_main_process

from echocardmae_mm.cli.arguments import (
    add_allow_leakage,
    add_checkpoint,
    add_common,
    add_config,
    at_least,
    command_parser,
)
from echocardmae_mm.cli.cfg_options import apply_cfg_options
from echocardmae_mm.cli.configuration import build_runner, load_config, require_checkpoint
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.engine import (
    check_leakage,
    enable_plots,
    require_fit,
    require_same_classes,
    write_test_results,
)
from echocardmae_mm.utils.config import type_name
from echocardmae_mm.utils.errors import UserError


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser('test', __doc__)
    add_config(parser)
    add_checkpoint(parser)
    parser.add_argument('--work-dir', help='folder of the log and test.json')
    parser.add_argument('--dump', metavar='FILE.pkl', help='save the predictions to this file')
    parser.add_argument('--plot', action='store_true', help='save plots of predictions in plots/')
    parser.add_argument(
        '--tta',
        action='store_true',
        help="test-time augmentation with the config's tta_model and tta_pipeline",
    )
    add_allow_leakage(parser)
    parser.add_argument('--show', action='store_true', help='show predictions in a window')
    parser.add_argument('--show-dir', help='save images of predictions to this folder')
    parser.add_argument(
        '--interval', type=at_least(1), default=1, help='show every n-th prediction'
    )
    parser.add_argument('--wait-time', type=float, default=2, help='seconds to show each one')
    add_common(parser)
    return parser.parse_args(argv)


def merge(config: Config, args: argparse.Namespace) -> None:
    """Apply the command line to the config."""
    require_checkpoint(args.checkpoint)
    if args.show or args.show_dir:
        show(config, args)
    apply_cfg_options(config, args.cfg_options)
    config.load_from, config.resume = args.checkpoint, False
    parts = ('test_dataloader', 'test_evaluator', 'test_cfg')
    if any(config.get(part) is None for part in parts):
        raise UserError(f'{args.config}: has no test set\nDefine {", ".join(parts)}')
    if args.dump:
        dump(config, args.dump)
    if args.tta:
        augment(config)


def dump(config: Config, file: str) -> None:
    """Save the predictions with mmengine's metric."""
    if not file.endswith(('.pkl', '.pickle')):
        raise UserError(f'--dump {file}: expected a file name ending in .pkl')
    evaluators = config.test_evaluator
    evaluators = [evaluators] if isinstance(evaluators, dict) else list(evaluators)
    config.test_evaluator = [*evaluators, dict(type='DumpResults', out_file_path=file)]


def augment(config: Config) -> None:
    """Test with augmentation, as MMSegmentation's configs define it."""
    if not {'tta_model', 'tta_pipeline'} <= set(config):
        raise UserError(f'--tta: {config.filename} lacks tta_model or tta_pipeline')
    config.test_dataloader.dataset.pipeline = config.tta_pipeline
    config.tta_model.module = config.model
    config.model = config.tta_model


def show(config: Config, args: argparse.Namespace) -> None:
    """Turn on the visualization hook of MMAction2 or MMSegmentation."""
    hook = (config.get('default_hooks') or {}).get('visualization')
    if hook is None:
        raise UserError(f'--show: {args.config} has no default_hooks.visualization')
    hook.update(show=args.show, interval=args.interval, wait_time=args.wait_time)
    if type_name(hook).endswith('SegVisualizationHook'):
        hook.draw = True
        if args.show_dir:
            config.visualizer.save_dir = args.show_dir
    else:
        hook.update(enable=True, out_dir=args.show_dir)


@report_user_errors
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    config = load_config(args.config, args.work_dir, args.launcher, args.local_rank)
    merge(config, args)
    runner = build_runner(config, 'test_dataloader')
    if args.plot:
        enable_plots(runner)
    dataset = runner.test_dataloader.dataset
    leakage = check_leakage(args.checkpoint, dataset, args.allow_leakage)
    require_same_classes(args.checkpoint, dataset)
    require_fit(runner.model, args.checkpoint)
    metrics = runner.test()
    if is_main_process():
        print(f'Results are in {write_test_results(runner, metrics, args.checkpoint, leakage)}')
