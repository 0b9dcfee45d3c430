"""Tables of the paper beside our results, as Markdown."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from mmengine.config import Config

from echocardmae_mm.evaluation import PREDICTIONS, Interval
from echocardmae_mm.evaluation.clip_consistency import (
    STATISTICS,
    consistency,
    consistency_difference,
)
from echocardmae_mm.evaluation.comparison import compare, read_predictions, summarise_runs
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.reproduction.paper_tables import (
    TABLES,
    WITH_ALIGNMENT,
    WITHOUT_ALIGNMENT,
    Column,
    Experiment,
    Row,
    Table,
)
from echocardmae_mm.reproduction.plan import FIGURE2, Plan, Step, run_of, runs_of
from echocardmae_mm.utils.atomic_files import atomic_write_text
from echocardmae_mm.utils.text_files import read_json

#: File with the settings, commit and duration of a step, in its folder.
STEP_METADATA = 'step.json'
_RESAMPLES = 2000
_PICTURE = 'clip_consistency.png'
_CLIPS = {'without': 'without alignment', 'with': 'with alignment'}


def write_table(plan: Plan, name: str) -> Path:
    """Write a table whose steps are all finished.

    Args:
        plan (Plan): The plan of the reproduction.
        name (str): 'table1' to 'table6', 'latents' or 'figure2'.

    Returns:
        Path: The file, ``<plan.results>/<name>.md``.
    """
    plan.results.mkdir(parents=True, exist_ok=True)
    if name == FIGURE2:
        title, body = 'Figure 2. Clip selection', _figure2(plan)
        picture = plan.root / f'{FIGURE2}/seed_0/{_PICTURE}'
        shutil.copyfile(picture, plan.results / f'{FIGURE2}.png')
    else:
        title, body = TABLES[name].title, _table(TABLES[name], plan)
    where = 'On phantoms: not comparable with the paper.\n' if plan.setup.phantom else ''
    path = plan.results / f'{name}.md'
    atomic_write_text(path, f'# {title}\n\n{where}{_amount(plan)}\n\n{body}\n')
    return path


def _amount(plan: Plan) -> str:
    seeds, budget = plan.seeds, plan.setup.budget
    epochs = (
        'all epochs of the configs' if budget.epochs == 1 else f'{budget.epochs:g} of the epochs'
    )
    folds = 'folds of the configs' if budget.folds is None else f'{budget.folds} folds'
    return (
        f'{seeds} {"seed" if seeds == 1 else "seeds"}, {epochs}, {folds}. '
        f'95 % intervals over patients{"" if seeds == 1 else " and seeds"}.'
    )


def _table(table: Table, plan: Plan) -> str:
    header = ['', *(column.label for column in table.columns)]
    if not plan.setup.phantom:
        header[1:] = [f'{c.label}, {who}' for c in table.columns for who in ('paper', 'ours')]
    reference = next((r for r in table.rows if r.method == table.reference), None)
    if reference is not None:
        label = table.columns[0].label
        header += [f'{label} minus that of {table.reference}', 'detectable']
    header += ['patients', 'initialisation', 'config', 'commit', 'time', 'note']
    rows = []
    for row in table.rows:
        run = [experiment for experiment in row.experiments if experiment is not None]
        cells = _cells(row, table, plan)
        if reference is not None:
            cells += _difference(row, reference, table.columns[0], plan)
        origin = _origin(row, run, plan)
        rows.append([row.method, *cells, *origin])
        if run and all(column.over_folds for column in table.columns):
            means = _means_over_folds(run[0], table.columns, plan)
            rows.append([f'{row.method}, mean over folds', *means, *('' for _ in origin)])
    return markdown_table(header, rows)


def _cells(row: Row, table: Table, plan: Plan) -> list[str]:
    cells = []
    for index, column in enumerate(table.columns):
        if not plan.setup.phantom:
            cells.append(_number(row.printed[index] if row.printed else None, column.digits))
        experiment = _experiment(row, column)
        cells.append('' if experiment is None else _ours(experiment, column, plan))
    return cells


def _experiment(row: Row, column: Column) -> Experiment | None:
    return next(iter(row.experiments[column.experiment :]), None)


def _ours(experiment: Experiment, column: Column, plan: Plan) -> str:
    tables = _predictions(experiment, column, plan)
    if tables[0].empty:
        return 'no such recording'
    text = _interval(summarise_runs(tables, _RESAMPLES)[column.statistic], f'.{column.digits}f')
    return f'{text}, n {len(tables[0])}' if column.qualities else text


def _means_over_folds(experiment: Experiment, columns: Sequence[Column], plan: Plan) -> list[str]:
    """Means over folds, as papers print them, and over seeds."""
    folds = [
        read_json(plan.root / run / 'cross_validation.json')['folds']
        for run in runs_of(experiment, plan.seeds)
    ]
    cells = []
    for column in columns:
        means = [seed.get(column.over_folds, {}).get('mean') for seed in folds]
        values = [mean for mean in means if mean is not None]
        mean = _number(float(np.mean(values)) if values else None, column.digits)
        cells += [mean] if plan.setup.phantom else ['', mean]
    return cells


def _difference(row: Row, reference: Row, column: Column, plan: Plan) -> list[str]:
    one, other = (_experiment(r, column) for r in (reference, row))
    if one is None or other is None or one == other:
        return ['', '']
    runs = zip(*(_predictions(e, column, plan) for e in (one, other)))
    difference = compare(list(runs), _RESAMPLES)[column.statistic]
    return [
        _interval(difference.difference, f'+.{column.digits}f'),
        _number(difference.detectable, column.digits),
    ]


def _predictions(experiment: Experiment, column: Column, plan: Plan) -> list[pd.DataFrame]:
    """Predictions of each seed on the recordings of a column."""
    runs = runs_of(experiment, plan.seeds)
    tables = [read_predictions(plan.root / run / PREDICTIONS) for run in runs]
    if not column.qualities:
        return tables
    return [t[t['quality'].str.lower().isin(column.qualities)] for t in tables]


def _origin(row: Row, experiments: Sequence[Experiment], plan: Plan) -> list[str]:
    """Patients, initialisation, configs, commits, duration and note."""
    if not experiments:
        return ['', '', '', '', '', row.note or 'not in this repository']
    root, steps = plan.root, plan.steps
    runs = [run for experiment in experiments for run in runs_of(experiment, plan.seeds)]
    firsts = [run_of(experiment, 0) for experiment in experiments]
    metadata = [
        read_json(path) for run in runs for path in sorted((root / run).rglob(STEP_METADATA))
    ]
    counts = [read_predictions(root / first / PREDICTIONS)['patient'].nunique() for first in firsts]
    starts = dict.fromkeys(
        _start(experiment, steps[first]) for experiment, first in zip(experiments, firsts)
    )
    configs = dict.fromkeys(_short(steps[first].config) for first in firsts)
    commits = dict.fromkeys(str(one['commit'])[:10] for one in metadata)
    seconds = sum(one['seconds'] for one in metadata)
    return [
        ', '.join(map(str, counts)),
        ', '.join(starts),
        ', '.join(configs),
        ', '.join(commits),
        f'{seconds / 60:.0f} min',
        row.note,
    ]


def _start(experiment: Experiment, step: Step) -> str:
    if experiment.start is not None:
        return experiment.start if isinstance(experiment.start, str) else experiment.start.task
    loaded = Config.fromfile(step.config).get('load_from')
    named = [
        str(value)
        for key, value in experiment.weights or ()
        if step.settings.get(key) == value and not key.endswith('.type')
    ]
    return ', '.join([*([loaded] if loaded else []), *named]) or 'random'


def _short(config: str) -> str:
    return Path(config).with_suffix('').as_posix().rpartition('configs/')[2]


def _figure2(plan: Plan) -> str:
    folders = [plan.root / f'{FIGURE2}/seed_{seed}' for seed in range(plan.seeds)]
    clips = {
        name: [pd.read_csv(f / name / 'clips.csv', dtype={'patient': str}) for f in folders]
        for name in _CLIPS
    }
    each = {
        name: [consistency(table, n_resamples=0) for table in tables]
        for name, tables in clips.items()
    }
    runs = list(zip(clips['without'], clips['with']))
    difference = consistency_difference(runs, _RESAMPLES)
    rows = [
        [
            label,
            *(
                _number(float(np.mean([one[statistic].estimate for one in each[name]])), 3)
                for name in _CLIPS
            ),
            _interval(difference[statistic], '+.3f'),
        ]
        for statistic, label in STATISTICS.items()
    ]
    count = len(clips['with'][0])
    table = markdown_table((f'{count} clips', *_CLIPS.values(), 'difference'), rows)
    origin = [experiment.start for experiment in (WITHOUT_ALIGNMENT, WITH_ALIGNMENT)]
    return f'{table}\n\nEncoders: {origin[0]} and {origin[1]}.\n\n![Clips, seed 0]({FIGURE2}.png)'


def _interval(value: Interval, form: str) -> str:
    return f'{value:{form}}' if np.isfinite(value.estimate) else 'not defined'


def _number(value: float | None, digits: int) -> str:
    return '' if value is None else f'{value:.{digits}f}'
