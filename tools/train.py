"""Train any config of OpenMMLab's kind; this file needs nothing but mmengine."""

import argparse
import logging
import os
from pathlib import Path

import torch
from argument_types import seed
from launch import NO_GPU, add_common_arguments, build_runner, load_config, override
from mistakes import UserError, report_user_errors
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner import CheckpointLoader

MODES_OF_GRAPHS = ('reduce-overhead', 'max-autotune')
COMPILE_MODES = ('default', *MODES_OF_GRAPHS)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='path of the config')
    parser.add_argument(
        '--work-dir',
        help="where logs and checkpoints go; else work_dirs/ and the config's place below configs/",
    )
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from this checkpoint, or, without a name, from the newest one that loads',
    )
    parser.add_argument('--amp', action='store_true', help='mixed precision (bfloat16 on a CPU)')
    parser.add_argument(
        '--compile',
        nargs='?',
        const='default',
        choices=COMPILE_MODES,
        metavar='MODE',
        help=f'compile the pretraining model; one of {", ".join(COMPILE_MODES)}',
    )
    parser.add_argument('--no-validate', action='store_true', help='leave the validation out')
    parser.add_argument(
        '--auto-scale-lr', action='store_true', help='scale the learning rate with the batch size'
    )
    parser.add_argument('--seed', type=seed, help='seed of the run')
    parser.add_argument(
        '--diff-rank-seed', action='store_true', help='another seed for each process'
    )
    parser.add_argument('--deterministic', action='store_true', help='deterministic CUDA kernels')
    add_common_arguments(parser)
    return parser.parse_args()


def merge(config: Config, args: argparse.Namespace) -> None:
    """Put what the command line says into the config."""
    # What Config.setdefault returns is not what it keeps.
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
    override(config, args.cfg_options)
    forbid_graphs_of_accumulated_steps(config)
    if args.auto_scale_lr:
        scale_rate(config)
    if args.resume:
        resume(config, args.resume)
    elif not config.get('resume') and any(Path(config.work_dir).glob('*.pth')):
        raise UserError(
            f'{config.work_dir} holds the checkpoints of another run\n'
            'Go on with it by --resume, or give --work-dir: nothing is overwritten'
        )


def use_mixed_precision(config: Config) -> None:
    """bfloat16 where the hardware has it, whose range needs no loss scaling; else float16."""
    wrapper = config.optim_wrapper
    if wrapper.setdefault('type', 'OptimWrapper') not in ('OptimWrapper', 'AmpOptimWrapper'):
        raise UserError(f'--amp does not go with optim_wrapper.type={wrapper.type}')
    if NO_GPU:
        wrapper.type = 'echocardmae_mm.CPUAmpOptimWrapper'
        for setting in ('dtype', 'loss_scale', 'use_fsdp'):
            wrapper.pop(setting, None)
    elif wrapper.type == 'OptimWrapper':
        wrapper.type = 'AmpOptimWrapper'
        if torch.cuda.get_device_capability()[0] >= 8:  # older ones emulate it
            wrapper.update(dtype='bfloat16', loss_scale={'enabled': False})


def scale_rate(config: Config) -> None:
    """Let the learning rate go with the batch."""
    scale = config.get('auto_scale_lr') or {}
    if 'base_batch_size' not in scale:
        raise UserError(
            '--auto-scale-lr: the config does not say which batch its rate is for: '
            'auto_scale_lr=dict(base_batch_size=...)'
        )
    config.auto_scale_lr = {**scale, 'enable': True}


def compile_model(config: Config, mode: str) -> None:
    """Let the pretraining model compile what lies between the frames and its losses."""
    if config.model.get('type') != 'echocardmae_mm.EchoCardMAE':
        raise UserError(
            f'--compile goes with echocardmae_mm.EchoCardMAE, not with {config.model.get("type")}'
        )
    before = config.model.get('compile')
    config.model.compile = {**(before if isinstance(before, dict) else {}), 'mode': mode}


def forbid_graphs_of_accumulated_steps(config: Config) -> None:
    """Gradients of a CUDA graph lie in memory that the next one writes to."""
    compiled = config.model.get('compile')
    mode = compiled.get('mode') if isinstance(compiled, dict) else None
    if mode in MODES_OF_GRAPHS and config.optim_wrapper.get('accumulative_counts', 1) > 1:
        raise UserError(
            f'--compile {mode} does not go with accumulative_counts: the gradients lie in memory '
            'that the next graph writes to\nUse --compile without a mode'
        )


def resume(config: Config, checkpoint: str) -> None:
    """Set the checkpoint to go on from."""
    if checkpoint == 'auto':
        found = newest_that_loads(config.work_dir)
    elif '://' in checkpoint or holds_a_training(checkpoint):
        found = checkpoint
    elif Path(checkpoint).is_file():
        raise UserError(
            f'--resume {checkpoint}: holds no training to go on with\n'
            'Take its weights by --cfg-options load_from=..., or by init_cfg of a part'
        )
    else:
        raise UserError(f'--resume {checkpoint}: no such checkpoint')
    if found is None:
        print(f'nothing to resume in {config.work_dir}: starting from the beginning')
    config.resume, config.load_from = found is not None, found or config.get('load_from')
    if found is not None:
        forget_missing_starts(config.model)


def forget_missing_starts(part: object) -> None:
    """What a run once started from need not be there when it is resumed."""
    if isinstance(part, dict):
        start = part.get('init_cfg')
        if isinstance(start, dict) and start.get('type') == 'Pretrained':
            name = str(start.get('checkpoint'))
            if '://' not in name and not Path(name).is_file():
                part['init_cfg'] = None
        part = list(part.values())
    if isinstance(part, (list, tuple)):
        for item in part:
            forget_missing_starts(item)


def newest_that_loads(work_dir: str) -> str | None:
    """The newest checkpoint to resume from; files that a kill left unfinished are removed."""
    for unfinished in Path(work_dir).glob('*.pth.part'):
        unfinished.unlink(missing_ok=True)
    files = sorted(Path(work_dir).glob('*.pth'), key=os.path.getmtime, reverse=True)
    for file in files:
        if holds_a_training(str(file)):
            return str(file)
    return None


def holds_a_training(file: str) -> bool:
    """Whether a checkpoint loads, and holds more than weights."""
    if not Path(file).is_file():
        return False
    try:
        checkpoint = CheckpointLoader.load_checkpoint(file, map_location='cpu')
    except Exception as error:
        print_log(f'passed over, for it does not load: {error}', 'current', logging.WARNING)
        return False
    return {'optimizer', 'meta'} <= set(checkpoint)


@report_user_errors
def main() -> None:
    args = parse_args()
    config = load_config(args)
    merge(config, args)
    build_runner(config, 'train_dataloader', 'val_dataloader').train()


if __name__ == '__main__':
    main()
