"""Print the results of `make demo`, each beside a baseline without learning."""

import json
import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from echocardmae_mm.phantom.naive_baselines import mean_mask_dice
from echocardmae_mm.phantom.truth import echonet_rows, read_truth


def interval(metrics: dict[str, float], name: str, digits: int) -> str:
    """An estimate with its 95 % interval."""
    ends = metrics[f'{name}_low'], metrics[f'{name}_high']
    return f'{metrics[name]:.{digits}f} [{ends[0]:.{digits}f}, {ends[1]:.{digits}f}]'


def dice_of_mean_mask(phantoms: Path) -> float:
    """Dice of the mean ventricle of the training recordings on the others."""
    ventricles, train = [], []
    for row in echonet_rows(phantoms):
        truth = read_truth(phantoms / 'truth' / 'EchoNet-Dynamic' / f'{row["name"]}.npz')
        for instant in ('ed', 'es'):
            ventricles.append(truth['labels'][int(truth[instant])] == 1)
            train.append(row['split'] == 'TRAIN')
    return mean_mask_dice(ventricles, np.array(train))


def main() -> None:
    demo, phantoms = map(Path, sys.argv[1:])
    pretrain, ef, seg, mi = (
        json.loads((demo / task / 'test.json').read_text())['metrics']
        for task in ('pretrain', 'ef', 'seg', 'mi')
    )
    error = f'{pretrain["reconstruction/mse"]:.0f}'
    saved = 'reconstruction/reduction_train_mean'
    reduction = {name: 100 * value for name, value in pretrain.items() if name.startswith(saved)}
    table = Table('task', 'metric', 'result', 'baseline', title='Held-out phantoms')
    table.add_row(
        'pretraining',
        'squared error of masked tokens',
        f'{error}, {interval(reduction, saved, 1)} % less',
        f'{pretrain["reconstruction/mse_train_mean"]:.0f}, mean of the training set',
    )
    table.add_row(
        'ejection fraction',
        'mean absolute error, points',
        interval(ef, 'ef/mae', 2),
        f'{ef["ef/mae_of_median"]:.2f}, the median for all',
    )
    table.add_row(
        'segmentation',
        'Dice, pixels pooled',
        interval(seg, 'seg/dice_pooled', 3),
        f'{dice_of_mean_mask(phantoms):.3f}, the mean mask',
    )
    table.add_row(
        'infarction, fold 1 of 5',
        'AUROC',
        interval(mi, 'diagnosis/auroc', 2),
        '0.50, chance',
    )
    Console(width=110).print(table)
    print(f'Intervals: 95 %, over patients. Pictures, predictions and curves: {demo}/')
    print(f'Recordings of another scanner, measured: {demo}/measurements/report.html')


if __name__ == '__main__':
    main()
