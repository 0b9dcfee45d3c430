"""Train any config of OpenMMLab's kind; this file needs nothing but mmengine."""

import argparse
import os
from pathlib import Path

from launch import NO_GPU, choose_work_dir, join_processes, no_traceback_for_mistakes
from mmengine.config import Config, DictAction
from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader, Runner


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='path of the config')
    parser.add_argument('--work-dir', help='where logs and checkpoints go')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from this checkpoint, or, without a name, from the newest one that loads',
    )
    parser.add_argument('--amp', action='store_true', help='mixed precision (bfloat16 on a CPU)')
    parser.add_argument('--no-validate', action='store_true', help='leave the validation out')
    parser.add_argument(
        '--auto-scale-lr', action='store_true', help='scale the learning rate with the batch size'
    )
    parser.add_argument('--seed', type=int, help='seed of the run')
    parser.add_argument(
        '--diff-rank-seed', action='store_true', help='another seed for each process'
    )
    parser.add_argument('--deterministic', action='store_true', help='deterministic CUDA kernels')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='settings to override, as key=value'
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def newest_that_loads(work_dir: str) -> str | None:
    """The newest checkpoint to resume from; files that a kill left unfinished are passed over."""
    for unfinished in Path(work_dir).glob('*.pth.part'):
        unfinished.unlink()
    files = sorted(Path(work_dir).glob('*.pth'), key=os.path.getmtime, reverse=True)
    for file in files:
        try:
            checkpoint = CheckpointLoader.load_checkpoint(str(file), map_location='cpu')
        except Exception as error:
            print_log(f'{file} does not load and is passed over: {error}', 'current')
            continue
        if 'optimizer' in checkpoint:
            return str(file)
    return None


def merge(config: Config, args: argparse.Namespace) -> Config:
    """The config with what the command line says."""
    config.launcher = args.launcher
    config.work_dir = choose_work_dir(config, args)
    randomness = config.setdefault('randomness', {})
    if args.seed is not None:
        randomness['seed'] = args.seed
    randomness['diff_rank_seed'] = args.diff_rank_seed
    randomness['deterministic'] = args.deterministic
    if args.no_validate:
        config.val_cfg = config.val_dataloader = config.val_evaluator = None
    if args.auto_scale_lr:
        config.setdefault('auto_scale_lr', {})['enable'] = True
    if args.amp and NO_GPU:
        config.optim_wrapper.type = 'echocardmae_mm.CPUAmpOptimWrapper'
    elif args.amp:
        config.optim_wrapper.type = 'AmpOptimWrapper'
        config.optim_wrapper.setdefault('loss_scale', 'dynamic')
    if args.cfg_options:
        config.merge_from_dict(args.cfg_options)
    if args.resume:
        found = newest_that_loads(config.work_dir) if args.resume == 'auto' else args.resume
        if found is None:
            print(f'nothing to resume in {config.work_dir}: starting from the beginning')
        else:
            config.resume, config.load_from = True, found
    return config


def main() -> None:
    args = parse_args()
    with no_traceback_for_mistakes():
        config = merge(Config.fromfile(args.config), args)
        join_processes(config)
        Runner.from_cfg(config).train()


if __name__ == '__main__':
    main()
