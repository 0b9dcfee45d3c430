"""What has to be run for the paper's tables: steps, what each needs, and their settings."""

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
    """How much is run.

    Args:
        epochs (float): Share of the epochs that the configs have.
        folds (int, optional): Folds in place of those of the configs. Defaults to None.
        phantoms (tuple[int, int, int]): With ``--phantom``, how many recordings of EchoNet-Dynamic,
            patients of CAMUS and recordings of HMC-QU are made.
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
    """How a downstream task is run.

    Args:
        data (str): Data set: 'echonet', 'camus' or 'hmcqu'.
        phantom (str): Its config on phantoms, below ``configs/``.
        starts (tuple[str, ...]): Parts of the model that the pretrained weights go into.
        folds (bool): Whether it is cross-validated. Defaults to False.
    """

    data: str
    phantom: str
    starts: tuple[str, ...]
    folds: bool = False


_ENCODER, _WITH_DECODER = ('model.backbone',), ('model.backbone', 'model.decode_head')
TASKS = {
    'ef_echonet': Task('echonet', 'phantom/ef', _ENCODER),
    'ef_camus': Task('camus', 'phantom/ef_camus', _ENCODER, folds=True),
    'seg_echonet': Task('echonet', 'phantom/seg', _WITH_DECODER),
    'seg_camus': Task('camus', 'phantom/seg_camus', _WITH_DECODER),
    'mi_hmcqu': Task('hmcqu', 'phantom/mi', _ENCODER, folds=True),
}
_RIVAL = Task('echonet', '', ())


class Step(NamedTuple):
    """One thing to run, in a folder of its own.

    Args:
        name (str): Its folder below the reproduction's.
        kind (str): 'pretrain', 'finetune', 'cross_validate' or 'consistency'.
        config (str): Path of the config.
        settings (dict[str, Any]): By their place.
        seed (int): Seed.
        needs (tuple[str, ...]): Steps whose checkpoint it starts from or compares.
        starts (tuple[str, ...]): Parts of the model that the checkpoint of ``needs`` goes into.
        folds (int, optional): Folds in place of the config's.
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
    """Where and how much.

    Args:
        configs (Path): The folder ``configs``.
        budget (Budget): How much is run.
        phantom (bool): Whether on phantoms, at the size of ``configs/phantom``.
        data (dict[str, Path]): Folder of each data set: 'echonet', 'camus', 'hmcqu'.
        packed (Path, optional): Store of EchoNet-Dynamic.
    """

    configs: Path
    budget: Budget
    phantom: bool
    data: Mapping[str, Path]
    packed: Path | None


def runs_of(experiment: Experiment, seeds: int) -> list[str]:
    """Folders of an experiment's runs.

    Args:
        experiment (Experiment): A task from an encoder.
        seeds (int): How many seeds, from 0 on.

    Returns:
        list[str]: A folder a seed, below the reproduction's.
    """
    start = experiment.pretraining or 'scratch'
    return [f'{experiment.task}/{Path(start).name}/seed_{seed}' for seed in range(seeds)]


def is_run(experiment: Experiment | None, setup: Setup) -> bool:
    """Whether an experiment is part of a reproduction: rivals have no configs for phantoms.

    Args:
        experiment (Experiment, optional): A task from an encoder.
        setup (Setup): Where and how much.

    Returns:
        bool: False for none.
    """
    return experiment is not None and not (setup.phantom and experiment.task not in TASKS)


def plan(names: Iterable[str], seeds: int, setup: Setup) -> list[Step]:
    """Steps of several tables; what they share is there once.

    Args:
        names (Iterable[str]): Tables, of :data:`ALL`.
        seeds (int): How many seeds of everything, from 0 on.
        setup (Setup): Where and how much.

    Returns:
        list[Step]: Each behind what it needs.
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
            reads = {place: first.settings[place] for place in _DATA if place in first.settings}
            step = Step(f'{FIGURE2}/seed_{seed}', 'consistency', first.config, reads, seed, needs)
            steps[step.name] = step
    return list(steps.values())


_DATA = ('data_root', 'packed')
#: Settings of schedules that count epochs.
_IN_EPOCHS = {'T_max', 'step_size', 'begin', 'end'}


def _steps_of(experiment: Experiment, seed: int, setup: Setup) -> list[Step]:
    task = TASKS.get(experiment.task, _RIVAL)
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
        # What an ablation changes in the paper's config it changes in the demo's too.
        base = Config.fromfile(setup.configs / f'{FULL}.py')
        settings |= overrides(Config.fromfile(config), base)
        config = setup.configs / 'phantom' / 'pretrain.py'
    settings |= _shortened(config, setup.budget)
    return Step(f'pretrain/{Path(name).name}/seed_{seed}', 'pretrain', str(config), settings, seed)


def _data_settings(data: str, setup: Setup) -> dict[str, Any]:
    settings: dict[str, Any] = {'data_root': str(setup.data[data])}
    if data == 'echonet' and setup.packed is not None:
        settings['packed'] = str(setup.packed)
    return settings


def _shortened(config_file: Path, budget: Budget) -> dict[str, Any]:
    """Settings for a share of a config's epochs, its schedules shortened alike."""
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
