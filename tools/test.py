"""Test a checkpoint under any config of OpenMMLab's kind, and write down what was tested."""

import argparse
import hashlib
from pathlib import Path

from argument_types import at_least
from launch import add_common_arguments, build_runner, load_config, override
from mistakes import UserError, report_user_errors
from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.runner import Runner

from echocardmae_mm.engine import (
    Leakage,
    check_leakage,
    git_commit,
    read_provenance,
    require_fit,
    unwrap_datasets,
)
from echocardmae_mm.evaluation import RESULT
from echocardmae_mm.utils.atomic_files import atomic_write_text, json_text

PICTURES = 'echocardmae_mm.PredictionsHook'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='path of the config')
    parser.add_argument('checkpoint', help='path or address of the checkpoint')
    parser.add_argument('--work-dir', help='where the log and test.json go')
    parser.add_argument('--dump', metavar='FILE.pkl', help='keep the predictions in this file')
    parser.add_argument('--plot', action='store_true', help='draw the predictions into plots/')
    parser.add_argument(
        '--allow-leakage',
        action='store_true',
        help='test on recordings that the checkpoint was trained on too; the result says so',
    )
    parser.add_argument('--show', action='store_true', help='show predictions in a window')
    parser.add_argument('--show-dir', help='folder that pictures of predictions go to')
    parser.add_argument(
        '--interval', type=at_least(1), default=1, help='every how many-th one is shown'
    )
    parser.add_argument('--wait-time', type=float, default=2, help='seconds that each is shown')
    add_common_arguments(parser)
    return parser.parse_args()


def merge(config: Config, args: argparse.Namespace) -> None:
    """Put what the command line says into the config."""
    if '://' not in args.checkpoint and not Path(args.checkpoint).is_file():
        raise UserError(f'{args.checkpoint}: no such checkpoint')
    config.load_from, config.resume = args.checkpoint, False
    if args.dump:
        if not args.dump.endswith(('.pkl', '.pickle')):
            raise UserError(f'--dump {args.dump}: expected a name that ends in .pkl')
        evaluators = config.test_evaluator
        evaluators = [evaluators] if isinstance(evaluators, dict) else list(evaluators)
        config.test_evaluator = [*evaluators, dict(type='DumpResults', out_file_path=args.dump)]
    if args.plot:
        plot(config, args)
    if args.show or args.show_dir:
        show(config, args)
    override(config, args.cfg_options)


def plot(config: Config, args: argparse.Namespace) -> None:
    """Let the config's hook draw what its metric predicts."""
    hooks = [hook for hook in config.get('custom_hooks') or () if hook['type'] == PICTURES]
    if not hooks:
        raise UserError(f'{args.config} has no pictures of a test: --plot needs {PICTURES} in it')
    for hook in hooks:
        hook['plot'] = True


def show(config: Config, args: argparse.Namespace) -> None:
    """Turn the host's own pictures on; MMAction2 and MMSegmentation name their settings apart."""
    hook = config.default_hooks.get('visualization')
    if hook is None:
        raise UserError(
            f'{args.config} draws no predictions: it has no default_hooks.visualization'
        )
    hook.update(show=args.show, interval=args.interval, wait_time=args.wait_time)
    if hook.type.endswith('SegVisualizationHook'):
        hook.draw = True
        if args.show_dir:
            config.visualizer.save_dir = args.show_dir
    else:
        hook.update(enable=True, out_dir=args.show_dir)


def describe(runner: Runner) -> list[dict]:
    """The data sets that were tested on, as they were found."""
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
    """Write work_dir/test.json: the figures, and what they came from."""
    checkpoint = Path(args.checkpoint)
    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest() if checkpoint.is_file() else None
    origin = read_provenance(args.checkpoint)
    result = {
        'metrics': metrics,
        'checkpoint': args.checkpoint,
        'checkpoint_sha256': digest,
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
def main() -> None:
    args = parse_args()
    config = load_config(args)
    merge(config, args)
    if config.get('test_dataloader') is None:
        raise UserError(f'{args.config}: has no test set: give it a test_dataloader and its kin')
    runner = build_runner(config, 'test_dataloader')
    dataset = runner.test_loop.dataloader.dataset
    overlap = check_leakage(args.checkpoint, dataset, args.allow_leakage)
    require_fit(runner.model, args.checkpoint)
    metrics = runner.test()
    if is_main_process():
        print(f'figures in {write_result(metrics, runner, overlap, args)}')


if __name__ == '__main__':
    main()
