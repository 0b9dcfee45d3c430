"""Compare two models on the same recordings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm

from echocardmae_mm.evaluation.bootstrap import Interval, Statistics, bootstrap_runs
from echocardmae_mm.evaluation.compared_task import ComparedTask, columns_of, task_of
from echocardmae_mm.utils.errors import UserError


class Difference(NamedTuple):
    """A statistic of two models.

    Args:
        first (float): Value of the first model.
        second (float): Value of the second model.
        difference (Interval): Second minus first, with its interval over patients.
        detectable (float): The smallest true difference that this number of patients can detect
            with a power of 80 %; NaN without an interval.
    """

    first: float
    second: float
    difference: Interval
    detectable: float


def read_rows(path: str | Path) -> pd.DataFrame:
    """Read a CSV file of predictions, in which a patient may be named NA or None.

    Raises:
        UserError: If it is not a CSV file.
    """
    names = {'patient': str, 'video': str}
    try:
        return pd.read_csv(path, dtype=names, keep_default_na=False, na_values=[''])
    except ValueError as error:
        raise UserError(f'{path}: not a CSV file ({error})') from error


def read_predictions(path: str | Path) -> pd.DataFrame:
    """Read the predictions.csv of a test or a cross-validation.

    Args:
        path (str | Path): A predictions.csv of ejection fractions, segmentations or diagnoses.

    Returns:
        pd.DataFrame: The table, including ``video`` and ``patient``.

    Raises:
        UserError: If the file is missing, lacks a column, a number or a patient, or contains a
            recording twice.
    """
    if not Path(path).is_file():
        raise UserError(f'{path}: no such file; expected the predictions.csv of a test')
    table = read_rows(path)
    task = task_of(table)
    if missing := [name for name in (*task.key, *task.needed) if name not in table]:
        raise UserError(
            f'{path}: missing column {", ".join(missing)}; found {", ".join(table.columns)}'
        )
    if table.empty:
        raise UserError(f'{path}: contains no recording')
    for name in task.needed:
        table[name] = pd.to_numeric(table[name], errors='coerce')
    incomplete = table[table[[*task.key, *task.needed]].isna().any(axis=1)]
    if len(incomplete):
        raise UserError(
            f'{path}: {len(incomplete)} rows, such as {incomplete["video"].iloc[0]}, lack one of '
            f'{", ".join((*task.key, *task.needed))}'
        )
    twice = table[table.duplicated(list(task.key))]
    if len(twice):
        raise UserError(f'{path}: contains recording {twice["video"].iloc[0]} twice')
    return table


def paired(
    runs: Sequence[tuple[pd.DataFrame, pd.DataFrame]],
) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """Check that all tables contain the same recordings, and sort them.

    Args:
        runs (Sequence[tuple[pd.DataFrame, pd.DataFrame]]): One pair of tables from
            :func:`read_predictions` per run, for the first and the second model.

    Raises:
        UserError: If the task, the recordings or the true values differ.
    """
    task = task_of(runs[0][0])
    for table in (table for run in runs for table in run):
        if not task.labels.keys() <= task_of(table).labels.keys():
            raise UserError(
                'the tables belong to different tasks, or one lacks statistics of the first: '
                f'{", ".join(task.labels.values())}'
            )
    tables = [
        tuple(table.sort_values(list(task.key), ignore_index=True) for table in run) for run in runs
    ]
    for table in (table for run in tables for table in run):
        _require_same(tables[0][0], table, task)
    return [(first, second) for first, second in tables]


def summarise_runs(
    tables: Sequence[pd.DataFrame], n_resamples: int = 2000, seed: int = 0
) -> dict[str, Interval]:
    """Statistics of one model, averaged over its runs.

    Args:
        tables (Sequence[pd.DataFrame]): One table from :func:`read_predictions` per run, all of the
            same recordings.
        n_resamples (int): Resamples of patients and runs. Defaults to 2000.
        seed (int): Seed of the bootstrap. Defaults to 0.

    Returns:
        dict[str, Interval]: The task's statistics; intervals are over patients and, with several
        runs, over runs, as in :func:`compare`.

    Raises:
        UserError: If the recordings or the true values differ.
    """
    tables = [first for first, _ in paired([(table, table) for table in tables])]
    task = task_of(tables[0])
    runs = [_statistics_of(table, task) for table in tables]
    return bootstrap_runs(runs, tables[0]['patient'].to_numpy(), n_resamples, seed)


def compare(
    runs: Sequence[tuple[pd.DataFrame, pd.DataFrame]], n_resamples: int = 10000, seed: int = 0
) -> dict[str, Difference]:
    """Compare two models by a bootstrap over patients, paired by recording.

    With several runs per model, such as seeds, each statistic is the mean over runs. The bootstrap
    then resamples pairs of runs as well as patients, with Student's correction for the small number
    of runs, so the interval generalises to other runs.

    Args:
        runs (Sequence[tuple[pd.DataFrame, pd.DataFrame]]): One pair of tables from
            :func:`read_predictions` per run, for the first and the second model, all of the same
            recordings.
        n_resamples (int): Resamples of patients and runs. Defaults to 10000.
        seed (int): Seed of the bootstrap. Defaults to 0.

    Returns:
        dict[str, Difference]: The task's statistics.

    Raises:
        UserError: If the task, the recordings or the true values differ.
    """
    tables = paired(runs)
    task = task_of(tables[0][0])
    models = [[_statistics_of(table, task) for table in run] for run in tables]
    patients = tables[0][0]['patient'].to_numpy()
    intervals = bootstrap_runs(
        [partial(_difference, first, second) for first, second in models],
        patients,
        n_resamples,
        seed,
    )
    rows = np.arange(len(patients))
    first, second = ([run(rows) for run in runs] for runs in zip(*models))
    return {
        name: Difference(
            float(np.mean([run[name] for run in first])),
            float(np.mean([run[name] for run in second])),
            interval,
            detectable_difference(interval),
        )
        for name, interval in intervals.items()
    }


def _statistics_of(table: pd.DataFrame, task: ComparedTask) -> Statistics:
    columns = columns_of(table)

    def statistics(rows: np.ndarray) -> dict[str, float]:
        values = task.statistics(columns, rows)
        return {name: values[name] for name in task.labels}

    return statistics


def _difference(first: Statistics, second: Statistics, rows: np.ndarray) -> dict[str, float]:
    one, other = first(rows), second(rows)
    return {name: other[name] - one[name] for name in one}


def _require_same(first: pd.DataFrame, second: pd.DataFrame, task: ComparedTask) -> None:
    both = first.merge(
        second, on=list(task.key), how='outer', suffixes=('_1', '_2'), indicator=True
    )
    counts = both['_merge'].value_counts()
    if counts['left_only'] or counts['right_only']:
        raise UserError(
            f'the tables contain different recordings: {counts["both"]} in both, '
            f'{counts["left_only"]} only in the first, {counts["right_only"]} only in the second\n'
            'Test both models on the same data'
        )
    for name in task.truth:
        apart = both[(both[f'{name}_1'] - both[f'{name}_2']).abs() > 1e-3]
        if len(apart):
            row = apart.iloc[0]
            raise UserError(
                f'the true {name.upper() if name == "ef" else name} of {len(apart)} recordings '
                f'differs between the tables, such as {row["video"]}: {row[f"{name}_1"]:.1f} and '
                f'{row[f"{name}_2"]:.1f}\nTest both models on the same release of the data'
            )


def detectable_difference(interval: Interval) -> float:
    """Smallest true difference that a sample of this size detects with a power of 80 %.

    Args:
        interval (Interval): 95 % interval of the difference, assumed to be normally distributed.

    Returns:
        float: In the unit of the difference.

    Example:
        >>> round(detectable_difference(Interval(0.5, -0.5, 1.5)), 2)
        1.43
    """
    reach = norm.ppf(0.975)
    standard_error = (interval.high - interval.low) / 2 / reach
    return float((reach + norm.ppf(0.8)) * standard_error)
