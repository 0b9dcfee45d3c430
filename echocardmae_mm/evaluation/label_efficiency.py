"""Compare pretrained with randomly initialised models by the share of the labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from echocardmae_mm.evaluation.bootstrap import Interval
from echocardmae_mm.evaluation.compared_task import columns_of, task_of
from echocardmae_mm.evaluation.comparison import compare, summarise_runs
from echocardmae_mm.evaluation.markdown import markdown_table

#: Statistic of the task that a constant prediction reaches, or its value.
_NAIVE: dict[str, str | float] = {'mae': 'mae_of_median', 'auroc': 0.5}


class LabelShare(NamedTuple):
    """Results on a share of the labels.

    Args:
        share (float): Share of the training patients.
        patients (int): Training patients.
        pretrained (Interval): The task's main statistic, averaged over seeds.
        scratch (Interval): The same from random weights.
        difference (Interval): Pretrained minus scratch, paired over patients and seeds.
        detectable (float): The smallest true difference that these patients and seeds can detect
            with a power of 80 %.
        of_pretrained (list[float]): The statistic of each seed.
        of_scratch (list[float]): The same from random weights.
    """

    share: float
    patients: int
    pretrained: Interval
    scratch: Interval
    difference: Interval
    detectable: float
    of_pretrained: list[float]
    of_scratch: list[float]


class LabelEfficiency(NamedTuple):
    """Results of a label-efficiency study.

    Args:
        statistic (str): The task's main statistic, such as mae.
        label (str): Its label.
        is_error (bool): Whether less is better.
        naive (float): Score of a constant prediction; NaN if the task has none.
        recordings (int): Tested recordings or frames.
        patients (int): Tested patients.
        seeds (int): Seeds of each share.
        shares (list[LabelShare]): By increasing share.
    """

    statistic: str
    label: str
    is_error: bool
    naive: float
    recordings: int
    patients: int
    seeds: int
    shares: list[LabelShare]


def label_efficiency(
    runs: Mapping[float, Sequence[tuple[pd.DataFrame, pd.DataFrame]]],
    patients: Mapping[float, int],
    n_resamples: int = 2000,
) -> LabelEfficiency:
    """Compare two starts on each share of the labels.

    Args:
        runs (Mapping[float, Sequence]): By share, for each seed the tables of the pretrained and of
            the randomly initialised model from :func:`read_predictions`, all of the same
            recordings.
        patients (Mapping[float, int]): Training patients by share.
        n_resamples (int): Resamples of patients and runs. Defaults to 2000.

    Returns:
        LabelEfficiency: With intervals over patients and, with several seeds, over seeds.

    Raises:
        UserError: If the task, the recordings or the true values differ.
    """
    table = next(iter(runs.values()))[0][0]
    task = task_of(table)
    statistic = next(iter(task.labels))
    rows = np.arange(len(table))
    naive = _NAIVE.get(statistic, np.nan)

    def value(predictions: pd.DataFrame) -> float:
        return task.statistics(columns_of(predictions), rows)[statistic]

    shares = []
    for share, pairs in sorted(runs.items()):
        pretrained, scratch = zip(*pairs)
        difference = compare(list(zip(scratch, pretrained)), n_resamples)[statistic]
        shares.append(
            LabelShare(
                share,
                patients[share],
                summarise_runs(pretrained, n_resamples)[statistic],
                summarise_runs(scratch, n_resamples)[statistic],
                difference.difference,
                difference.detectable,
                [value(predictions) for predictions in pretrained],
                [value(predictions) for predictions in scratch],
            )
        )
    return LabelEfficiency(
        statistic,
        task.labels[statistic],
        is_error=statistic == 'mae',
        naive=task.statistics(columns_of(table), rows)[naive] if isinstance(naive, str) else naive,
        recordings=len(table),
        patients=table['patient'].nunique(),
        seeds=len(shares[0].of_scratch),
        shares=shares,
    )


def report(results: LabelEfficiency) -> str:
    """The results as a Markdown table."""
    digits = 2 if results.statistic == 'mae' else 3
    header = (
        'share of the labels',
        'patients',
        'pretrained',
        'scratch',
        'pretrained - scratch',
        'detectable',
    )
    rows = [
        (
            f'{100 * one.share:g} %',
            one.patients,
            f'{one.pretrained:.{digits}f}',
            f'{one.scratch:.{digits}f}',
            f'{one.difference:+.{digits}f}',
            f'{one.detectable:.{digits}f}',
        )
        for one in results.shares
    ]
    return markdown_table(header, rows)
