"""Test a checkpoint under any config of OpenMMLab's kind; this file needs nothing but mmengine."""

import argparse
import hashlib
import json
import os
from pathlib import Path

from launch import choose_work_dir, join_processes, no_traceback_for_mistakes
from mmengine.config import Config, DictAction
from mmengine.dist import is_main_process
from mmengine.runner import Runner


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='path of the config')
    parser.add_argument('checkpoint', help='path or address of the checkpoint')
    parser.add_argument('--work-dir', help='where the log and test.json go')
    parser.add_argument('--dump', metavar='FILE.pkl', help='keep the predictions in this file')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='settings to override, as key=value'
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def merge(config: Config, args: argparse.Namespace) -> Config:
    """The config with what the command line says."""
    config.launcher = args.launcher
    config.work_dir = choose_work_dir(config, args)
    config.load_from, config.resume = args.checkpoint, False
    if args.dump:
        evaluators = config.test_evaluator
        evaluators = [evaluators] if isinstance(evaluators, dict) else list(evaluators)
        config.test_evaluator = [*evaluators, dict(type='DumpResults', out_file_path=args.dump)]
    if args.cfg_options:
        config.merge_from_dict(args.cfg_options)
    return config


def write_result(metrics: dict, runner: Runner, args: argparse.Namespace) -> Path:
    """Writes work_dir/test.json: the figures, and what they came from."""
    checkpoint = Path(args.checkpoint)
    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest() if checkpoint.is_file() else None
    result = {
        'metrics': metrics,
        'config': args.config,
        'cfg_options': args.cfg_options,
        'checkpoint': args.checkpoint,
        'checkpoint_sha256': digest,
        'seed': runner.seed,
    }
    path = Path(runner.work_dir) / 'test.json'
    path.write_text(json.dumps(result, indent=2, default=str) + '\n')
    return path


def main() -> None:
    args = parse_args()
    with no_traceback_for_mistakes():
        config = merge(Config.fromfile(args.config), args)
        join_processes(config)
        runner = Runner.from_cfg(config)
        metrics = runner.test()
        if is_main_process():
            print(f'figures in {write_result(metrics, runner, args)}')


if __name__ == '__main__':
    main()
