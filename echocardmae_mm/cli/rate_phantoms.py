"""Compute statistics of a phantom data set, and how well naive baselines segment it.

echocardmae rate-phantoms data/phantom
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from rich.progress import track

from echocardmae_mm.cli.arguments import command_parser
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.datasets.recordings import open_recording
from echocardmae_mm.phantom.naive_baselines import mean_mask_dice, threshold_dice
from echocardmae_mm.phantom.truth import echonet_rows, read_truth


@report_user_errors
def main(argv: Sequence[str] | None = None) -> None:
    parser = command_parser('rate-phantoms', __doc__)
    parser.add_argument('root', type=Path, help='output folder of echocardmae phantoms')
    root = parser.parse_args(argv).root
    rows = echonet_rows(root)
    images, sectors, ventricles, train, moments = [], [], [], [], []
    for row in track(rows, 'reading'):
        file = root / 'EchoNet-Dynamic' / 'Videos' / f'{row["name"]}.avi'
        recording = open_recording(file)
        frames = np.array(recording.frames(np.arange(len(recording))))
        truth = read_truth(root / 'truth' / 'EchoNet-Dynamic' / f'{row["name"]}.npz')
        values = frames.astype(np.float32)
        moments.append([values.mean(), (values**2).mean()])
        for key in ('ed', 'es'):
            index = int(truth[key])
            images.append(cv2.cvtColor(frames[index], cv2.COLOR_RGB2GRAY))
            sectors.append(truth['sector_mask'])
            ventricles.append(truth['labels'][index] == 1)
            train.append(row['split'] == 'TRAIN')
    mean, square = np.mean(moments, axis=0)
    fractions = np.array([float(row['ef']) for row in rows])
    chosen = np.array(train)
    by_threshold, level = threshold_dice(images, sectors, ventricles, chosen)
    print(f'videos                      {len(rows)}')
    print(f'ejection fraction           {fractions.mean():.1f} sd {fractions.std():.1f}')
    print(f'grey level                  {mean:.1f} sd {np.sqrt(square - mean**2):.1f}')
    print(f'Dice of dark blobs (< {level:3d})  {by_threshold:.3f}')
    print(f'Dice of the mean mask       {mean_mask_dice(ventricles, chosen):.3f}')
