"""What tools/train.py and tools/test.py have in common; it needs nothing but mmengine."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import torch
from mistakes import UserError
from mmengine.config import Config, ConfigDict, DictAction
from mmengine.registry import DATASETS, RUNNERS, init_default_scope
from mmengine.runner import Runner

from echocardmae_mm.engine import BriefRunner

NO_GPU = not torch.cuda.is_available()
FOLD_SETTINGS = ('fold', 'num_folds', 'fold_file', 'val_share')


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments that training and testing share."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        type=_key_and_value,
        action=DictAction,
        metavar='KEY=VALUE',
        help='settings to override, such as train_dataloader.batch_size=16 model.x="[1,2]"',
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def load_config(args: argparse.Namespace) -> Config:
    """The config with the settings that every tool takes from the command line.

    The work directory is the command line's, else the config's, else
    work_dirs/<the config's place below configs/>, so that no two configs share one.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    if not Path(args.config).is_file():
        raise UserError(f'{args.config}: no such config')
    try:
        config = Config.fromfile(args.config)
    except (OSError, SyntaxError) as error:
        raise UserError(f'{args.config}: {error}') from error
    if not isinstance(config.get('model'), dict):
        raise UserError(f'{args.config}: has no model; is it a config of a training?')
    config.launcher = args.launcher
    config.work_dir = args.work_dir or config.get('work_dir') or _default_work_dir(args.config)
    return config


def override(config: Config, options: dict | None) -> None:
    """Let the settings of --cfg-options have the last word.

    ``data_root`` reaches every data set that had the config's, ``packed`` every one of ours, and
    what says which fold is held out every one that has folds.
    """
    options = options or {}
    if 'data_root' in options and 'data_root' in config:
        old = config.data_root
        _set_in_parts(config, lambda part: part.get('data_root') == old, 'data_root', options)
    _set_in_parts(config, _is_ours, 'packed', options)
    for name in FOLD_SETTINGS:
        _set_in_parts(config, lambda part: 'fold' in part, name, options)
    try:
        config.merge_from_dict(options)
    except (KeyError, TypeError, IndexError) as error:
        raise UserError(f'--cfg-options: {str(error.args[0]).partition(" of list")[0]}') from error


def build_runner(config: Config, *loaders: str) -> Runner:
    """The runner; before that, the processes are joined and the data of the loaders looked for."""
    for name in loaders:
        loader = config.get(name) or {}
        _complain_of_missing_data(config, loader.get('dataset'))
        if loader.get('num_workers') == 0:
            loader.update(persistent_workers=False)  # torch refuses it without workers
    if config.launcher != 'none' and NO_GPU:
        _join_processes_without_gpu(config)
    return RUNNERS.build(config) if 'runner_type' in config else BriefRunner.from_cfg(config)


def _key_and_value(text: str) -> str:
    if '=' not in text:
        raise UserError(f'--cfg-options {text}: expected key=value')
    value = text.partition('=')[2].strip()
    if ' ' in value and value[0] not in '[({':
        raise UserError(
            f'--cfg-options {text}: blanks are lost on the way\n'
            'Link to the folder under a name without them, or write it into a config'
        )
    return text


def _default_work_dir(config: str) -> str:
    path = Path(config).resolve().with_suffix('')
    parts = path.parts
    below = parts[parts.index('configs') + 1 :] if 'configs' in parts else (path.name,)
    return str(Path('work_dirs', *below))


def _is_ours(part: dict) -> bool:
    return 'data_root' in part and str(part.get('type', '')).startswith('echocardmae_mm.')


def _set_in_parts(
    part: object, chosen: Callable[[dict], bool], name: str, options: dict[str, object]
) -> None:
    """Give a setting to every chosen part of the config, wherever it stands."""
    if name not in options:
        return
    if isinstance(part, Config):
        part = part._cfg_dict
    if isinstance(part, dict):
        if chosen(part):
            part[name] = options[name]
        part = list(part.values())
    if isinstance(part, (list, tuple)):
        for item in part:
            _set_in_parts(item, chosen, name, options)


def _complain_of_missing_data(config: Config, dataset: ConfigDict | None) -> None:
    # Before the runner fills the screen with its log. The data set knows best what to say.
    root = (dataset or {}).get('data_root')
    if root and not Path(root).exists():
        init_default_scope(config.get('default_scope', 'mmengine'))
        DATASETS.build(dataset).full_init()


def _join_processes_without_gpu(config: Config) -> None:
    # mmengine joins processes through CUDA, and leaves a group that exists as it is.
    if config.launcher != 'pytorch':
        raise UserError(f'--launcher {config.launcher} needs GPUs; without them use torchrun')
    torch.distributed.init_process_group('gloo')
    config.model_wrapper_cfg = {
        'type': 'MMDistributedDataParallel',
        'broadcast_buffers': False,
        'find_unused_parameters': config.get('find_unused_parameters', False),
        **(config.get('model_wrapper_cfg') or {}),
        'device_ids': None,
    }
