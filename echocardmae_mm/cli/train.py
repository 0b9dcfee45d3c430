"""Train a config.

echocardmae train pretrain_echo --amp
echocardmae train configs/ef_echonet.py --cfg-options train_dataloader.batch_size=16
"""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from glob import glob
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader

from echocardmae_mm.cli.arguments import add_common, add_config, command_parser, seed
from echocardmae_mm.cli.cfg_options import apply_cfg_options
from echocardmae_mm.cli.configuration import (
    NO_GPU,
    RANKS,
    build_runner,
    load_config,
    prepare_data,
)
from echocardmae_mm.cli.run_folder import training_lock
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.utils.config import dicts_of, pretrained_parts, type_name
from echocardmae_mm.utils.errors import UserError

COMPILE_HOOK = 'echocardmae_mm.CompileHook'
CUDA_GRAPH_MODES = ('reduce-overhead', 'max-autotune')
COMPILE_MODES = ('default', *CUDA_GRAPH_MODES)


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser('train', __doc__)
    add_config(parser)
    parser.add_argument(
        '--work-dir',
        help="folder of logs and checkpoints (default: work_dirs/ and the config's path "
        'below configs/)',
    )
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='continue from this checkpoint (default: the newest intact one in --work-dir)',
    )
    parser.add_argument('--amp', action='store_true', help='mixed precision')
    parser.add_argument(
        '--compile',
        nargs='?',
        const='default',
        choices=COMPILE_MODES,
        metavar='MODE',
        help=f'compile the pretraining model; one of {", ".join(COMPILE_MODES)}',
    )
    parser.add_argument('--no-validate', action='store_true', help='skip validation')
    parser.add_argument(
        '--auto-scale-lr', action='store_true', help='scale the learning rate with the batch size'
    )
    parser.add_argument('--seed', type=seed, help='random seed')
    parser.add_argument(
        '--diff-rank-seed', action='store_true', help='use a different seed in each process'
    )
    parser.add_argument('--deterministic', action='store_true', help='deterministic CUDA kernels')
    add_common(parser)
    return parser.parse_args(argv)


def merge(config: Config, args: argparse.Namespace) -> None:
    """Apply the command line to the config."""
    # Config.setdefault returns a copy, not the value that it stores.
    randomness = dict(config.get('randomness') or {})
    if args.seed is not None:
        randomness['seed'] = args.seed
    if args.diff_rank_seed:
        randomness['diff_rank_seed'] = True
    if args.deterministic:
        randomness['deterministic'] = True
        os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')
    if randomness:
        config.randomness = {'seed': None, **randomness}
    if args.no_validate:
        config.val_cfg = config.val_dataloader = config.val_evaluator = None
    if args.amp:
        use_mixed_precision(config)
    if args.compile:
        compile_model(config, args.compile)
    apply_cfg_options(config, args.cfg_options)
    forbid_cuda_graphs_with_accumulation(config)
    if args.auto_scale_lr:
        scale_rate(config)
    if args.resume:
        resume(config, args.resume)
    else:
        refuse_other_run(config)
    choose_checkpoints(config)


def choose_checkpoints(config: Config) -> None:
    """Replace each pattern, such as ``best_*.pth``, by the only checkpoint that it matches."""
    starts = {f'{key}.checkpoint': file for key, file in pretrained_parts(config).items()}
    for key, pattern in {'load_from': config.get('load_from'), **starts}.items():
        if pattern and '*' in pattern:
            found = glob(pattern)
            if len(found) != 1:
                raise UserError(
                    f'{key}={pattern} matches {len(found)} files, expected one\n'
                    f'Train that model first, or name its checkpoint: --cfg-options {key}=FILE'
                )
            config.merge_from_dict({key: found[0]})


def refuse_other_run(config: Config) -> None:
    """Refuse to start in a folder with checkpoints."""
    if not config.get('resume') and any(Path(config.work_dir).glob('*.pth')):
        raise UserError(
            f'{config.work_dir} holds the checkpoints of another run\n'
            'Pass --resume to continue that run, or choose another --work-dir'
        )


@contextmanager
def only_training(config: Config, args: argparse.Namespace) -> Iterator[None]:
    """Hold the work directory in the first of the launched processes, and tidy it."""
    rank = os.environ.get(RANKS.get(args.launcher, ''), '0')
    with training_lock(Path(config.work_dir)) if rank == '0' else nullcontext():
        if rank == '0':
            if not args.resume:
                refuse_other_run(config)  # one may have ended since the first look
            for unfinished in Path(config.work_dir).glob('*.pth.part'):
                unfinished.unlink(missing_ok=True)  # left by a kill
        yield


def use_mixed_precision(config: Config) -> None:
    """Use bfloat16, which needs no loss scaling, if the hardware has it; else float16."""
    wrapper = config.optim_wrapper
    kind = type_name(wrapper) or 'OptimWrapper'
    if kind not in ('OptimWrapper', 'AmpOptimWrapper'):
        raise UserError(f'--amp does not support optim_wrapper.type={kind}')
    if NO_GPU:
        wrapper.type = 'echocardmae_mm.CPUAmpOptimWrapper'
        for setting in ('dtype', 'loss_scale', 'use_fsdp'):
            wrapper.pop(setting, None)
    elif kind == 'OptimWrapper':
        wrapper.type = 'AmpOptimWrapper'
        if torch.cuda.get_device_capability()[0] >= 8:  # older GPUs emulate it
            wrapper.update(dtype='bfloat16', loss_scale={'enabled': False})


def scale_rate(config: Config) -> None:
    """Scale the learning rate with the batch size."""
    scale = config.get('auto_scale_lr') or {}
    if 'base_batch_size' not in scale:
        raise UserError(
            '--auto-scale-lr: the config does not name the batch size of its learning rate\n'
            'Add auto_scale_lr=dict(base_batch_size=...) to it'
        )
    config.auto_scale_lr = {**scale, 'enable': True}


def compile_model(config: Config, mode: str) -> None:
    """Compile the losses of the pretraining model."""
    if type_name(config.model) != 'echocardmae_mm.EchoCardMAE':
        raise UserError(
            f'--compile supports echocardmae_mm.EchoCardMAE, not {type_name(config.model)}'
        )
    hooks = [hook for hook in config.get('custom_hooks') or () if type_name(hook) != COMPILE_HOOK]
    config.custom_hooks = [*hooks, dict(type=COMPILE_HOOK, mode=mode)]


def forbid_cuda_graphs_with_accumulation(config: Config) -> None:
    """Refuse modes whose CUDA graphs would overwrite the gradients accumulated so far."""
    hooks = [part for _, part in dicts_of(config) if type_name(part) == COMPILE_HOOK]
    modes = [hook['mode'] for hook in hooks if hook.get('mode') in CUDA_GRAPH_MODES]
    if modes and config.optim_wrapper.get('accumulative_counts', 1) > 1:
        raise UserError(
            f'--compile {modes[0]} does not support accumulative_counts: the next CUDA graph would '
            'overwrite the gradients\nUse --compile without a mode'
        )


def resume(config: Config, checkpoint: str) -> None:
    """Set the checkpoint to continue from."""
    if checkpoint == 'auto':
        found = newest_intact(config.work_dir)
    elif '://' in checkpoint or holds_training_state(checkpoint):
        found = checkpoint
    elif Path(checkpoint).is_file():
        raise UserError(
            f'--resume {checkpoint}: holds weights only, no training state\n'
            'Load its weights with --cfg-options load_from=..., or init_cfg of a part of the model'
        )
    else:
        raise UserError(f'--resume {checkpoint}: no such checkpoint')
    if found is None:
        print(f'nothing to resume in {config.work_dir}: starting from the beginning')
    config.resume, config.load_from = found is not None, found or config.get('load_from')
    if found is not None:
        drop_missing_pretrained(config)


def drop_missing_pretrained(config: Config) -> None:
    """Remove each ``init_cfg``, one or a list, whose file is missing; a resumed run needs none."""
    for key, checkpoint in pretrained_parts(config).items():
        if '://' not in checkpoint and not Path(checkpoint).is_file():
            config.merge_from_dict({key.rstrip('.0123456789'): None})


def newest_intact(work_dir: str) -> str | None:
    """The newest checkpoint to resume from."""
    files = sorted(Path(work_dir).glob('*.pth'), key=os.path.getmtime, reverse=True)
    return next(filter(holds_training_state, map(str, files)), None)


def holds_training_state(file: str) -> bool:
    """Whether a checkpoint loads and holds a training state, not only weights."""
    if not Path(file).is_file():
        return False
    try:
        checkpoint = CheckpointLoader.load_checkpoint(file, map_location='cpu')
    except Exception as error:
        print_log(f'skipped a checkpoint that does not load: {error}', 'current', logging.WARNING)
        return False
    return {'optimizer', 'meta'} <= set(checkpoint)


@report_user_errors
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    config = load_config(args.config, args.work_dir, args.launcher, args.local_rank)
    merge(config, args)
    prepare_data(config, 'train_dataloader', 'val_dataloader')
    with only_training(config, args):
        build_runner(config).train()
