"""Steps that the tables of the paper need, their order and their settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config

from echocardmae_mm.reproduction.paper_tables import (
    FULL,
    TABLES,
    WITH_ALIGNMENT,
    WITHOUT_ALIGNMENT,
    Experiment,
)
from echocardmae_mm.utils.config import overrides

FIGURE2 = 'figure2'
ALL = (*TABLES, FIGURE2)


class Budget(NamedTuple):
    """Size of a reproduction.

    Args:
        epochs (float): Share of the epochs of each config.
        folds (int, optional): Number of folds; None for that of each config.
        phantoms (tuple[int, int, int]): With ``--phantom``, recordings of EchoNet-Dynamic,
            patients of CAMUS and recordings of HMC-QU.
    """

    epochs: float
    folds: int | None
    phantoms: tuple[int, int, int]


BUDGETS = {
    'small': Budget(epochs=0.5, folds=2, phantoms=(400, 80, 240)),
    'medium': Budget(epochs=0.5, folds=None, phantoms=(800, 100, 240)),
    'full': Budget(epochs=1.0, folds=None, phantoms=(800, 100, 240)),
}


class Task(NamedTuple):
    """A downstream task.

    Args:
        data (str): Data set: 'echonet', 'camus' or 'hmcqu'.
        phantom (str): Its config for phantoms, below ``configs/``.
        starts (tuple[str, ...]): Parts of the model that load pretrained weights.
        folds (bool): Whether to cross-validate. Defaults to False.
    """

    data: str
    phantom: str
    starts: tuple[str, ...]
    folds: bool = False


_ENCODER, _WITH_DECODER = ('model.backbone',), ('model.backbone', 'model.decode_head')
TASKS = {
    'ef_echonet': Task('echonet', 'phantom/ef_phantom', _ENCODER),
    'ef_camus': Task('camus', 'phantom/ef_phantom_camus', _ENCODER, folds=True),
    'seg_echonet': Task('echonet', 'phantom/seg_phantom', _WITH_DECODER),
    'seg_camus': Task('camus', 'phantom/seg_phantom_camus', _WITH_DECODER),
    'mi_hmcqu': Task('hmcqu', 'phantom/mi_phantom', _ENCODER, folds=True),
}
_BASELINE = Task('echonet', '', ())


class Step(NamedTuple):
    """A run with a folder of its own.

    Args:
        name (str): Folder of the step below the folder of the reproduction.
        kind (str): 'pretrain', 'finetune', 'cross_validate' or 'consistency'.
        config (str): Path of the config.
        settings (dict[str, Any]): Settings of the config by their keys.
        seed (int): Random seed.
        needs (tuple[str, ...]): Steps whose checkpoints it starts from or compares.
        starts (tuple[str, ...]): Parts of the model that load the checkpoint of ``needs``.
        folds (int, optional): Number of folds; None for the config's.
    """

    name: str
    kind: str
    config: str
    settings: dict[str, Any]
    seed: int
    needs: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    folds: int | None = None


class Setup(NamedTuple):
    """Folders and budget of a reproduction.

    Args:
        configs (Path): The folder ``configs``.
        budget (Budget): Its size.
        phantom (bool): Whether to use phantoms and ``configs/phantom``.
        data (dict[str, Path]): Folder of each data set: 'echonet', 'camus', 'hmcqu'.
        packed (Path, optional): Store of EchoNet-Dynamic.
    """

    configs: Path
    budget: Budget
    phantom: bool
    data: Mapping[str, Path]
    packed: Path | None


def runs_of(experiment: Experiment, seeds: int) -> list[str]:
    """Folders of an experiment below the folder of the reproduction, one per seed from 0."""
    start = experiment.pretraining or 'scratch'
    return [f'{experiment.task}/{Path(start).name}/seed_{seed}' for seed in range(seeds)]


def is_run(experiment: Experiment | None, setup: Setup) -> bool:
    """Whether a reproduction includes an experiment: baselines have no configs for phantoms."""
    return experiment is not None and not (setup.phantom and experiment.task not in TASKS)


def plan(names: Iterable[str], seeds: int, setup: Setup) -> list[Step]:
    """Steps of several tables, without duplicates.

    Args:
        names (Iterable[str]): Tables, from :data:`ALL`.
        seeds (int): Number of seeds, from 0.
        setup (Setup): Folders and budget.

    Returns:
        list[Step]: Each after the steps that it needs.
    """
    names = list(names)
    experiments = [
        experiment
        for name in names
        if name in TABLES
        for row in TABLES[name].rows
        for experiment in row.experiments
        if experiment is not None and is_run(experiment, setup)
    ]
    pair = (WITHOUT_ALIGNMENT, WITH_ALIGNMENT)
    if FIGURE2 in names:
        experiments += pair
    steps: dict[str, Step] = {}
    for seed in range(seeds):
        for experiment in experiments:
            for step in _steps_of(experiment, seed, setup):
                steps.setdefault(step.name, step)
        if FIGURE2 in names:
            needs = tuple(runs_of(experiment, seeds)[seed] for experiment in pair)
            first = steps[needs[0]]
            reads = {key: first.settings[key] for key in _DATA if key in first.settings}
            step = Step(f'{FIGURE2}/seed_{seed}', 'consistency', first.config, reads, seed, needs)
            steps[step.name] = step
    return list(steps.values())


_DATA = ('data_root', 'packed')
#: Settings of schedules in epochs.
_IN_EPOCHS = {'T_max', 'step_size', 'begin', 'end'}


def _steps_of(experiment: Experiment, seed: int, setup: Setup) -> list[Step]:
    task = TASKS.get(experiment.task, _BASELINE)
    config = setup.configs / f'{task.phantom if setup.phantom else experiment.task}.py'
    settings = {**_data_settings(task.data, setup), **_shortened(config, setup.budget)}
    steps: list[Step] = []
    needs: tuple[str, ...] = ()
    if experiment.pretraining is None:
        settings.update({f'{part}.init_cfg': None for part in task.starts})
    else:
        pretraining = _pretraining(experiment.pretraining, seed, setup)
        steps, needs = [pretraining], (pretraining.name,)
    return [
        *steps,
        Step(
            runs_of(experiment, seed + 1)[seed],
            'cross_validate' if task.folds else 'finetune',
            str(config),
            settings,
            seed,
            needs,
            task.starts if needs else (),
            setup.budget.folds if task.folds else None,
        ),
    ]


def _pretraining(name: str, seed: int, setup: Setup) -> Step:
    config = setup.configs / f'{name}.py'
    settings = _data_settings('echonet', setup)
    if setup.phantom:
        # Apply the ablation's changes to the demo's config.
        base = Config.fromfile(setup.configs / f'{FULL}.py')
        settings |= overrides(Config.fromfile(config), base)
        config = setup.configs / 'phantom' / 'pretrain_phantom.py'
    settings |= _shortened(config, setup.budget)
    return Step(f'pretrain/{Path(name).name}/seed_{seed}', 'pretrain', str(config), settings, seed)


def _data_settings(data: str, setup: Setup) -> dict[str, Any]:
    settings: dict[str, Any] = {'data_root': str(setup.data[data])}
    if data == 'echonet' and setup.packed is not None:
        settings['packed'] = str(setup.packed)
    return settings


def _shortened(config_file: Path, budget: Budget) -> dict[str, Any]:
    """Settings that shorten a config and its schedules in proportion."""
    if budget.epochs == 1:
        return {}
    config = Config.fromfile(config_file)
    whole = config.train_cfg.max_epochs
    epochs = max(1, round(budget.epochs * whole))
    settings: dict[str, Any] = {'train_cfg.max_epochs': epochs}
    for index, scheduler in enumerate(config.get('param_scheduler') or ()):
        if scheduler.get('by_epoch', True):
            for name in _IN_EPOCHS & scheduler.keys():
                part = round(budget.epochs * scheduler[name])
                settings[f'param_scheduler.{index}.{name}'] = max(part, int(name != 'begin'))
    if config.train_cfg.get('val_interval', 1) > epochs:
        settings['train_cfg.val_interval'] = epochs
    return settings
