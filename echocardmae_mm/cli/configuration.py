"""Load configs and build runners from command-line arguments."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path
from traceback import extract_tb

import torch
from mmengine.config import Config, ConfigDict
from mmengine.evaluator import BaseMetric
from mmengine.registry import DATASETS, METRICS, RUNNERS, init_default_scope
from mmengine.runner import Runner

import echocardmae_mm
from echocardmae_mm.cli.cfg_options import set_where_taken
from echocardmae_mm.cli.config_values import require_valid_values
from echocardmae_mm.cli.first_edition import refuse_old_names
from echocardmae_mm.cli.recipe_settings import refuse_discarded_settings
from echocardmae_mm.engine import BriefRunner
from echocardmae_mm.utils.config import classes_to_paths, dicts_of, type_name
from echocardmae_mm.utils.errors import UserError

NO_GPU = not torch.cuda.is_available()
#: Variable with the number of a launched process, by launcher.
RANKS = {'pytorch': 'RANK', 'slurm': 'SLURM_PROCID', 'mpi': 'OMPI_COMM_WORLD_RANK'}
PACKAGED = Path(echocardmae_mm.__file__).parent / '.mim' / 'configs'


def find_config(name: str) -> Path:
    """Find a config by its path, or a packaged one by its path or name, such as ef_echonet.

    The current folder has priority.
    """
    for path in (Path(name), PACKAGED / name, PACKAGED / f'{name}.py'):
        if path.is_file():
            return path
    packaged = [path for path in sorted(PACKAGED.rglob('*.py')) if '_base_' not in path.parts]
    # A peer's config for phantoms has the name of the peer's config, which comes first.
    same_name = [path for path in packaged if path.stem == name]
    same_name.sort(key=lambda path: 'peers' in path.parts)
    if same_name:
        return same_name[0]
    wanted = name.removesuffix('.py').removeprefix('configs/')
    close = get_close_matches(wanted, [path.stem for path in packaged], n=1)
    raise UserError(f'{name}: no such config' + (f'; did you mean {close[0]}?' if close else ''))


def load_config(
    name: str, work_dir: str | None = None, launcher: str = 'none', local_rank: int = 0
) -> Config:
    """Load a config; ``packed`` at its top reaches the data sets that do not set it themselves.

    The work directory is the given one, else the config's, else work_dirs/ and the config's path
    below configs/, so that no two configs share one.

    Raises:
        UserError: If the config cannot be loaded or used.
    """
    if work_dir == '':
        raise UserError('--work-dir: expected a folder, got an empty text')
    os.environ.setdefault('LOCAL_RANK', str(local_rank))
    path = find_config(name)
    try:
        config = Config.fromfile(path)
        refuse_old_names(config)  # imports the classes of a config in pure Python style
        refuse_discarded_settings(path)
    except (OSError, SyntaxError) as error:
        raise UserError(f'{name}: {error}') from error
    except (AttributeError, ImportError, LookupError, NameError, RuntimeError, TypeError) as error:
        raise UserError(_mistake_in_config(name, error)) from error
    if not isinstance(config.get('model'), dict):
        raise UserError(f'{name}: defines no model; is this a training config?')
    classes_to_paths(config)
    if config.get('packed'):
        set_where_taken(config, 'packed', config.packed, only_unset=True)
    config.launcher = launcher
    config.work_dir = work_dir or config.get('work_dir') or default_work_dir(path)
    return config


def _mistake_in_config(config: str, error: Exception) -> str:
    """Place and reason of an error that a config file raised while it was loaded."""
    # mmengine executes a config as a module under its own file name.
    lines = [frame for frame in extract_tb(error.__traceback__) if frame.name == '<module>']
    place = f'{lines[0].filename}, line {lines[0].lineno}' if lines else config
    reason = str(error.args[0] if error.args else error).partition('\n')[0]
    if reason.startswith('Failed to import '):  # mmengine names the line of the config itself
        return f'{config}: {reason}'
    if not reason and isinstance(error, RuntimeError):  # mmengine's substitute for an import
        reason = (
            'a config in pure Python style cannot call what it imports\n'
            "Start the config with _base_ = [] or a base to write it in mmengine's text style"
        )
    if isinstance(error, KeyError) and ' ' not in reason:
        reason = f'no setting {reason!r}'
    if 'in child config cannot inherit' in reason:  # mmengine quotes the whole value
        reason = reason.rpartition('because ')[2].replace('. You may', '\nYou may')
    return f'{place}: {reason}'


def default_work_dir(config: Path) -> str:
    """``work_dirs/`` and the path of a config below its folder ``configs``."""
    path = config.resolve().with_suffix('')
    parts = path.parts
    below = parts[parts.index('configs') + 1 :] if 'configs' in parts else (path.name,)
    return str(Path('work_dirs', *below))


def require_checkpoint(checkpoint: str) -> None:
    """Refuse a checkpoint that is neither a URL nor a file."""
    if '://' not in checkpoint and not Path(checkpoint).is_file():
        raise UserError(f'{checkpoint}: no such checkpoint')


def prepare_data(config: Config, *loaders: str) -> None:
    """Check values and data of the named dataloaders, and fit the model to their classes."""
    require_valid_values(config)
    for name in loaders:
        loader = config.get(name) or {}
        _report_missing_data(config, loader.get('dataset'))
        fit_to_table(config, loader.get('dataset'))
        if loader.get('num_workers') == 0:
            loader.update(persistent_workers=False)  # torch refuses it without workers


def build_runner(config: Config, *loaders: str) -> Runner:
    """Build the runner, after :func:`prepare_data` for the named dataloaders."""
    prepare_data(config, *loaders)
    if config.launcher != 'none' and RANKS.get(config.launcher, '') not in os.environ:
        raise UserError(
            f'--launcher {config.launcher}: the processes were not started by it\n'
            'Start several processes with tools/dist_train.sh or tools/slurm_train.sh'
        )
    if config.launcher != 'none' and NO_GPU:
        _join_processes_without_gpu(config)
    return RUNNERS.build(config) if 'runner_type' in config else BriefRunner.from_cfg(config)


def _report_missing_data(config: Config, dataset: ConfigDict | None) -> None:
    # Raise the data set's own error before the runner fills the screen with its log.
    if dataset is None or dataset.get('data_root') is None:
        return
    if not os.path.exists(os.path.join(dataset.data_root, dataset.get('ann_file') or '')):
        init_default_scope(config.get('default_scope') or 'mmengine')
        DATASETS.build(dataset).full_init()


def fit_to_table(config: Config, dataset: ConfigDict | None) -> None:
    """Give the head one output per class of a table, and use a metric for that many classes."""
    if dataset is None or type_name(dataset) != 'echocardmae_mm.RecordingTableDataset':
        return
    init_default_scope(config.get('default_scope', 'mmengine'))
    table = DATASETS.build({**dataset, 'pipeline': (), 'lazy_init': True})
    table.load_data_list()
    classes = table.metainfo.get('classes')
    head = config.model.get('cls_head')
    if not classes or not head or 'num_classes' not in head:
        return
    head.num_classes = len(classes)
    if len(classes) > 2:
        for _, part in dicts_of(config):
            if type_name(part) == 'echocardmae_mm.DiagnosisMetric':
                part['type'] = 'echocardmae_mm.MultiClassMetric'


def test_metric(config: Config) -> BaseMetric:
    """The first metric of the test."""
    evaluator = config.test_evaluator
    return METRICS.build(evaluator if isinstance(evaluator, dict) else evaluator[0])


def _join_processes_without_gpu(config: Config) -> None:
    # mmengine connects processes through CUDA, but keeps an existing process group.
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
