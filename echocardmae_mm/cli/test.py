"""Test a checkpoint, and record the results with their origin in test.json.

echocardmae test ef_echonet work_dirs/ef_echonet/best_ef_mae_epoch_40.pth --plot
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.runner import Runner

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
from echocardmae_mm.cli.step_metadata import sha256
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.engine import (
    Leakage,
    check_leakage,
    read_provenance,
    require_fit,
    unwrap_datasets,
)
from echocardmae_mm.evaluation import RESULT
from echocardmae_mm.utils.atomic_files import atomic_write_text, json_text
from echocardmae_mm.utils.config import dicts_of
from echocardmae_mm.utils.errors import UserError
from echocardmae_mm.utils.git import git_commit

PLOTTING_HOOK = 'echocardmae_mm.PredictionsHook'


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser('test', __doc__)
    add_config(parser)
    add_checkpoint(parser)
    parser.add_argument('--work-dir', help='folder of the log and test.json')
    parser.add_argument('--dump', metavar='FILE.pkl', help='save the predictions to this file')
    parser.add_argument('--plot', action='store_true', help='plot the predictions into plots/')
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
    config.load_from, config.resume = args.checkpoint, False
    if args.dump:
        if not args.dump.endswith(('.pkl', '.pickle')):
            raise UserError(f'--dump {args.dump}: expected a file name ending in .pkl')
        evaluators = config.test_evaluator
        evaluators = [evaluators] if isinstance(evaluators, dict) else list(evaluators)
        config.test_evaluator = [*evaluators, dict(type='DumpResults', out_file_path=args.dump)]
    if args.plot:
        plot(config, args)
    if args.show or args.show_dir:
        show(config, args)
    apply_cfg_options(config, args.cfg_options)


def plot(config: Config, args: argparse.Namespace) -> None:
    """Turn on the hook that plots predictions."""
    hooks = [part for _, part in dicts_of(config) if part.get('type') == PLOTTING_HOOK]
    if not hooks:
        raise UserError(f'--plot: {args.config} has no {PLOTTING_HOOK}')
    for hook in hooks:
        hook['plot'] = True


def show(config: Config, args: argparse.Namespace) -> None:
    """Turn on the visualization hook of MMAction2 or MMSegmentation."""
    hook = config.default_hooks.get('visualization')
    if hook is None:
        raise UserError(f'--show: {args.config} has no default_hooks.visualization')
    hook.update(show=args.show, interval=args.interval, wait_time=args.wait_time)
    if hook.type.endswith('SegVisualizationHook'):
        hook.draw = True
        if args.show_dir:
            config.visualizer.save_dir = args.show_dir
    else:
        hook.update(enable=True, out_dir=args.show_dir)


def describe(runner: Runner) -> list[dict]:
    """The test sets and the counts of their indexes."""
    return [
        {
            'type': type(dataset).__name__,
            'data_root': getattr(dataset, 'data_root', None),
            'recordings': len(dataset),
            'found': getattr(dataset, 'report', None),
        }
        for dataset in unwrap_datasets(runner.test_loop.dataloader.dataset)
    ]


def write_result(
    metrics: dict, runner: Runner, overlap: Leakage | None, args: argparse.Namespace
) -> Path:
    """Write work_dir/test.json: the metrics and their origin."""
    checkpoint = Path(args.checkpoint)
    origin = read_provenance(args.checkpoint)
    result = {
        'metrics': metrics,
        'checkpoint': args.checkpoint,
        'checkpoint_sha256': sha256(checkpoint) if checkpoint.is_file() else None,
        'data': describe(runner),
        'overlap': overlap and overlap._asdict(),
        'trained': {name: origin.get(name) for name in ('seed', 'commit', 'version')},
        'seed': runner.seed,
        'commit': git_commit(),
        'config': args.config,
        'config_text': runner.cfg.pretty_text,
    }
    path = Path(runner.work_dir) / RESULT
    atomic_write_text(path, json_text(result))
    return path


@report_user_errors
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    config = load_config(args)
    merge(config, args)
    if config.get('test_dataloader') is None:
        raise UserError(
            f'{args.config}: has no test set\nDefine test_dataloader, test_evaluator and test_cfg'
        )
    runner = build_runner(config, 'test_dataloader')
    dataset = runner.test_loop.dataloader.dataset
    overlap = check_leakage(args.checkpoint, dataset, args.allow_leakage)
    require_fit(runner.model, args.checkpoint)
    metrics = runner.test()
    if is_main_process():
        print(f'results in {write_result(metrics, runner, overlap, args)}')
