"""The results of a label-efficiency study: the table, the picture and all numbers."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmengine.config import Config
from pandas import DataFrame

from echocardmae_mm.cli.configuration import test_metric
from echocardmae_mm.cli.step_metadata import read_metadata
from echocardmae_mm.evaluation import PREDICTIONS
from echocardmae_mm.evaluation.comparison import read_predictions
from echocardmae_mm.evaluation.label_efficiency import LabelEfficiency, label_efficiency, report
from echocardmae_mm.evaluation.label_efficiency_plot import label_efficiency_plot
from echocardmae_mm.reproduction import PRETRAINED, SCRATCH, LabelledRun, run_name
from echocardmae_mm.utils.atomic_files import atomic_write_text, json_text

NAME = 'label_efficiency'


def results_of(
    config: Config, runs: Sequence[LabelledRun], args: argparse.Namespace
) -> LabelEfficiency:
    """Compare the predictions of finished runs, with as many resamples as the config's test."""
    patients = {run.share: run.patients for run in runs}

    def table(share: float, seed: int, start: str) -> DataFrame:
        return read_predictions(args.out / run_name(share, seed, start) / PREDICTIONS)

    tables = {
        share: [
            (table(share, seed, PRETRAINED), table(share, seed, SCRATCH))
            for seed in range(args.seeds)
        ]
        for share in patients
    }
    return label_efficiency(tables, patients, test_metric(config).n_resamples)


def write_results(
    results: LabelEfficiency,
    config: Config,
    runs: Sequence[LabelledRun],
    hashes: Mapping[str, Mapping[str, str]],
    args: argparse.Namespace,
) -> str:
    """Write the picture, the table and all numbers; return the table."""
    metadata = [read_metadata(run.step, args.out) or {} for run in runs]
    commits = sorted({str(one.get('commit')) for one in metadata})
    checkpoints = dict.fromkeys(file for files in hashes.values() for file in files)
    name = Path(config.filename).stem
    root = config.test_dataloader.dataset.get('data_root', '')
    text = (
        f'# {name}: label efficiency\n\n'
        f'{results.label} on {results.recordings} test recordings of {results.patients} patients '
        f'in {root}; {results.seeds} {"seed" if results.seeds == 1 else "seeds"}, commit '
        f'{", ".join(commits)}. Pretrained: {", ".join(checkpoints)}. '
        f'Intervals of 95 % over patients{"" if results.seeds == 1 else " and seeds"}; the '
        'difference is paired. The last column is the smallest true difference that these results '
        'detect with a power of 80 %.'
        f'\n\n{report(results)}\n\n![{name}]({NAME}.png)\n'
    )
    content = {
        'config': args.config,
        'checkpoints': hashes,
        'commits': commits,
        'amp': args.amp,
        'seconds': sum(one.get('seconds', 0.0) for one in metadata),
        'data_root': root,
        **results._asdict(),
        'shares': [
            {
                name: value._asdict() if hasattr(value, '_asdict') else value
                for name, value in one._asdict().items()
            }
            for one in results.shares
        ],
        'config_text': config.pretty_text,
    }
    label_efficiency_plot(results, name).savefig(args.out / f'{NAME}.png', dpi=150)
    atomic_write_text(args.out / f'{NAME}.json', json_text(content))
    atomic_write_text(args.out / f'{NAME}.md', text)
    return text
