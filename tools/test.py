"""Test a checkpoint under any config of OpenMMLab's kind, and write down what was tested."""

import argparse
from pathlib import Path

from argument_types import at_least
from launch import add_common_arguments, build_runner, load_config, override
from mistakes import UserError, report_user_errors
from mmengine.config import Config
from mmengine.dist import is_main_process

from echocardmae_mm.engine import check_leakage, enable_plots, require_fit, write_test_results


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
    if args.show or args.show_dir:
        show(config, args)
    override(config, args.cfg_options)


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


@report_user_errors
def main() -> None:
    args = parse_args()
    config = load_config(args)
    merge(config, args)
    if config.get('test_dataloader') is None:
        raise UserError(f'{args.config}: has no test set: give it a test_dataloader and its kin')
    runner = build_runner(config, 'test_dataloader')
    if args.plot:
        enable_plots(runner)
    dataset = runner.test_dataloader.dataset
    leakage = check_leakage(args.checkpoint, dataset, args.allow_leakage)
    require_fit(runner.model, args.checkpoint)
    metrics = runner.test()
    if is_main_process():
        path = write_test_results(runner, metrics, args.checkpoint, leakage)
        print(f'Results are in {path}')


if __name__ == '__main__':
    main()
