"""Steps that the tables of the paper need, their order and their settings."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config

from echocardmae_mm.reproduction.paper_tables import (
    FULL,
    LATENTS,
    TABLES,
    WITH_ALIGNMENT,
    WITHOUT_ALIGNMENT,
    Experiment,
)
from echocardmae_mm.reproduction.scaled_schedule import scaled_schedule
from echocardmae_mm.utils.config import dataset_parts, pretrained_parts
from echocardmae_mm.utils.config_overrides import overrides

FIGURE2 = 'figure2'
ALL = (*TABLES, FIGURE2)
PAPER = tuple(name for name in ALL if name != LATENTS)


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

#: Configs of the method for phantoms; those of peers have the same name in ``phantom/peers``.
_PHANTOM_CONFIGS = {
    'ef_echonet': 'phantom/ef_phantom',
    'ef_camus': 'phantom/ef_phantom_camus',
    'seg_echonet': 'phantom/seg_phantom',
    'seg_camus': 'phantom/seg_phantom_camus',
    'mi_hmcqu': 'phantom/mi_phantom',
}


class Step(NamedTuple):
    """A run with a folder of its own.

    Args:
        name (str): Folder of the step below the folder of the reproduction.
        rule (str): Rule of ``workflow/Snakefile``: 'pretraining', 'finetuning', 'fold',
            'cross_validation' or 'clip_consistency'.
        config (str): Path of the config.
        settings (dict[str, Any]): Settings of the config by their keys.
        seed (int): Random seed.
        needs (tuple[str, ...]): Steps whose checkpoints or predictions it reads.
        starts (tuple[str, ...]): Settings that name a checkpoint of the first of ``needs``: that
            with the best validation result, or of a pretraining the last one.
        folds (int, optional): Number of folds; None for the config's.
        fold (int, optional): Number of the fold, from 0.
    """

    name: str
    rule: str
    config: str
    settings: dict[str, Any]
    seed: int
    needs: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    folds: int | None = None
    fold: int | None = None


class Setup(NamedTuple):
    """Folders and budget of a reproduction.

    Args:
        configs (Path): The folder ``configs``.
        budget (Budget): Its size.
        phantom (bool): Whether to use phantoms and ``configs/phantom``.
        data (Path): Parent of the data sets.
        packed (Path, optional): Store of EchoNet-Dynamic.
    """

    configs: Path
    budget: Budget
    phantom: bool
    data: Path
    packed: Path | None


class Plan(NamedTuple):
    """Steps to run, and where.

    Args:
        root (Path): Folder of the steps.
        results (Path): Folder of the tables.
        seeds (int): Number of seeds.
        amp (bool): Whether to train in mixed precision.
        setup (Setup): Folders and budget.
        steps (dict[str, Step]): By name.
    """

    root: Path
    results: Path
    seeds: int
    amp: bool
    setup: Setup
    steps: dict[str, Step]


def run_of(experiment: Experiment, seed: int) -> str:
    """Folder of an experiment below the folder of the reproduction."""
    start = experiment.start
    name = start.task if isinstance(start, Experiment) else start
    if name is None:
        name = 'scratch' if experiment.weights is None else 'initial'
    return f'{experiment.task}/{Path(name).name}/seed_{seed}'


def runs_of(experiment: Experiment, seeds: int) -> list[str]:
    """Folders of an experiment, one per seed from 0."""
    return [run_of(experiment, seed) for seed in range(seeds)]


def config_of(experiment: Experiment, setup: Setup) -> Path:
    """The config of an experiment."""
    task = experiment.task
    if setup.phantom:
        task = _PHANTOM_CONFIGS.get(task) or f'phantom/peers/{Path(task).name}'
    return setup.configs / f'{task}.py'


def experiments_of(name: str) -> list[Experiment]:
    """Experiments of a table or of Figure 2."""
    if name == FIGURE2:
        return [WITHOUT_ALIGNMENT, WITH_ALIGNMENT]
    return [e for row in TABLES[name].rows for e in row.experiments if e is not None]


def results_of(name: str, seeds: int) -> list[str]:
    """Steps whose results a table shows."""
    if name == FIGURE2:
        return [f'{FIGURE2}/seed_{seed}' for seed in range(seeds)]
    return list(dict.fromkeys(run for e in experiments_of(name) for run in runs_of(e, seeds)))


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
    steps: dict[str, Step] = {}
    for seed in range(seeds):
        for experiment in (e for name in names for e in experiments_of(name)):
            for step in _steps_of(experiment, seed, setup):
                steps.setdefault(step.name, step)
        if FIGURE2 in names:
            step = _clip_consistency(steps, seed)
            steps[step.name] = step
    return list(steps.values())


def _steps_of(experiment: Experiment, seed: int, setup: Setup) -> list[Step]:
    """Steps of an experiment; the last one has its results."""
    path, start = config_of(experiment, setup), experiment.start
    config = _load(path)
    settings = {**_data_settings(config, setup), **scaled_schedule(config, setup.budget.epochs)}
    before: list[Step] = []
    starts: tuple[str, ...] = ()
    initialised = _trained_parts(config)
    if isinstance(start, Experiment):
        before = _steps_of(start, seed, setup)
    elif start is not None:
        before = _pretraining(start, seed, setup)
    else:
        settings.update(dict.fromkeys(initialised))
        settings.update(() if setup.phantom else experiment.weights or ())
    if before:
        starts = tuple(f'{key}.checkpoint' for key in initialised)
        starts += ('load_from',) if config.get('load_from') else ()
    name = run_of(experiment, seed)
    step = Step(
        name,
        'finetuning',
        str(path),
        settings,
        seed,
        tuple(one.name for one in before[-1:]),
        starts,
    )
    splits = [part for part in dataset_parts(config) if 'fold' in part]
    if not splits:
        return [*before, step]
    step = step._replace(folds=setup.budget.folds)
    folds = [
        step._replace(name=f'{name}/fold_{fold}', rule='fold', fold=fold)
        for fold in range(step.folds or splits[0]['num_folds'])
    ]
    needs = (*step.needs, *(fold.name for fold in folds))
    return [*before, *folds, step._replace(rule='cross_validation', needs=needs)]


def _pretraining(name: str, seed: int, setup: Setup) -> list[Step]:
    """Steps of a pretraining: first that of its teacher, if it has one."""
    path = setup.configs / f'{name}.py'
    config, settings = _load(path), {}
    initialised = _trained_parts(config)
    before = _pretraining(FULL, seed, setup) if initialised else []
    epochs = setup.budget.epochs
    if setup.phantom:
        # Apply the ablation's changes to the demo's config.
        full = _load(setup.configs / f'{FULL}.py')
        settings = overrides(config, full)
        settings.pop('train_cfg.max_epochs', None)
        epochs *= config.train_cfg.max_epochs / full.train_cfg.max_epochs
        path = setup.configs / 'phantom' / 'pretrain_phantom.py'
        config = _load(path)
    settings = _data_settings(config, setup) | settings | scaled_schedule(config, epochs)
    step = Step(
        f'pretrain/{Path(name).name}/seed_{seed}',
        'pretraining',
        str(path),
        settings,
        seed,
        tuple(one.name for one in before),
        tuple(f'{key}.checkpoint' for key in initialised),
    )
    return [*before, step]


def _trained_parts(config: Config) -> list[str]:
    """Keys of the settings that initialise a part of the model from an earlier training."""
    parts = pretrained_parts(config)
    return [key for key, path in parts.items() if path.startswith('work_dirs/')]


def _clip_consistency(steps: dict[str, Step], seed: int) -> Step:
    needs = tuple(run_of(e, seed) for e in experiments_of(FIGURE2))
    first = steps[needs[0]]
    settings = {key: first.settings[key] for key in ('data_root', 'packed') & first.settings.keys()}
    return Step(f'{FIGURE2}/seed_{seed}', 'clip_consistency', first.config, settings, seed, needs)


@cache
def _load(path: Path) -> Config:
    return Config.fromfile(path)


def _data_settings(config: Config, setup: Setup) -> dict[str, Any]:
    folder = Path(dataset_parts(config)[0]['data_root']).name
    settings: dict[str, Any] = {'data_root': str(setup.data / folder)}
    if folder == 'EchoNet-Dynamic' and setup.packed is not None:
        settings['packed'] = str(setup.packed)
    return settings
