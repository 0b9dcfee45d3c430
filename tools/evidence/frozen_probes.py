"""Probe the features of frozen encoders on synthetic recordings with known truth.

    python tools/evidence/frozen_probes.py ENCODER ... --data data/study --out work_dirs/probes

ENCODER is a checkpoint of CONFIG, 'random' for its random weights, or 'pixels' for the principal
components of the clips. Ridge or logistic regression predicts each target from the mean token:
ejection fraction, volume, beats per clip and image quality of EchoNet-Dynamic, trained on every
second recording of TRAIN and scored on VAL and TEST; infarction (HMC-QU) and view (CAMUS) in five
folds of patients. The phase of the cycle is predicted from the mean token of each time slot.
Ejection fraction, volume and beats are predicted from every layer, the other targets from the last;
ejection fraction also with fewer labels and, with --attentive, by attentive pooling.

OUT caches the features. OUT/probes.json holds all results with intervals over patients, OUT/efs the
predicted ejection fractions, and OUT/probes.png a plot.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from encoder_features import RANDOM, Features, cached_features
from mmengine.config import Config
from mmengine.registry import init_default_scope
from probes_plot import plot
from scipy.stats import rankdata
from torch import Tensor, nn

import echocardmae_mm  # noqa: F401, registers its components
from echocardmae_mm.cli.arguments import tool_parser
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.datasets.patient_folds import stratified_folds
from echocardmae_mm.evaluation.bootstrap import Interval, bootstrap_intervals
from echocardmae_mm.evaluation.comparison import compare, read_predictions
from echocardmae_mm.evaluation.discrimination import auroc
from echocardmae_mm.evaluation.linear_probe import draw_patients, fit_probe, linear_probe
from echocardmae_mm.utils.atomic_files import atomic_write_text, json_text
from echocardmae_mm.utils.git import git_commit

CONFIG = 'configs/phantom/study/pretrain_study.py'
SHARES, DRAWS = (0.01, 0.05, 0.1, 0.25, 1.0), 5
INTERVAL = 4  # frames between those of a clip of EchoNet-Dynamic
NUMBERS, CLASS = ('ef', 'edv', 'beats'), 'good_quality'
FOLDED = {'hmcqu': 'infarction', 'camus': 'view'}
EPOCHS, BATCH = 30, 64  # of attentive pooling

Predicted = tuple[np.ndarray, np.ndarray]


# Targets and scores


def targets_of(truth: pd.DataFrame, names: np.ndarray) -> pd.DataFrame:
    """Targets of recordings of EchoNet-Dynamic; ``trains`` marks the training recordings."""
    rows = truth.set_index('name').loc[names].reset_index()
    return pd.DataFrame(
        {
            'ef': rows['ef'],
            'edv': rows['edv'],
            'beats': rows['heart_rate'] / 60 * 15 * INTERVAL / rows['fps'],
            'good_quality': (rows['quality'] == 'Good').astype(int),
            'trains': rows['split'] == 'TRAIN',
        }
    )


def phases(truth: pd.DataFrame, features: Features) -> np.ndarray:
    """Sine and cosine of the phase of each time slot, (n, M, S, 2); 0 is end-diastole.

    The truth has one end-diastole per recording; the phase advances at the mean heart rate.
    """
    rows = truth.set_index('name').loc[features.names]
    slots = features.slots.shape[2]
    middle = (np.arange(slots) + 0.5) * 16 / slots - 0.5  # of each slot, in frames of the clip
    frame = features.starts[..., None] + INTERVAL * middle  # (n, M, S)
    beat = (rows['fps'] * 60 / rows['heart_rate']).to_numpy()[:, None, None]
    phase = 2 * np.pi * (frame - rows['ed'].to_numpy()[:, None, None]) / beat
    return np.stack([np.sin(phase), np.cos(phase)], -1)


def r2(truth: np.ndarray, predicted: np.ndarray, rows: np.ndarray) -> float:
    """Explained variance of numbers, pooled over the last axes."""
    error = ((truth[rows] - predicted[rows]) ** 2).mean()
    return float(1 - error / ((truth[rows] - truth[rows].mean(0)) ** 2).mean())


def area(truth: np.ndarray, score: np.ndarray, rows: np.ndarray) -> float:
    """Area under the ROC curve."""
    return auroc(rankdata(score[rows]), truth[rows] == 1)


def scored(predicted: Predicted, patients: np.ndarray) -> Interval:
    """R2 of numbers or AUROC of classes, with an interval over patients."""
    score = area if predicted[0].dtype.kind in 'iu' else r2
    return bootstrap_intervals(lambda rows: {'': score(*predicted, rows)}, patients)['']


# Probes


def probe_layer(
    features: Features, truth: pd.DataFrame, layer: int, with_class: bool
) -> dict[str, Predicted]:
    """True and predicted targets of the test recordings, from a layer's mean token."""
    targets = targets_of(truth, features.names)
    values, train = features.layers[:, layer], targets['trains'].to_numpy()
    predicted = {}
    for name in (*NUMBERS, *([CLASS] if with_class else [])):
        target = targets[name].to_numpy()
        model = fit_probe(values[train], target[train], features.names[train], name == CLASS)
        guess = model.predict_proba if name == CLASS else model.predict
        predicted[name] = (target[~train], guess(values[~train]).reshape(sum(~train), -1)[:, -1])
    return predicted


def probe_phase(features: Features, truth: pd.DataFrame) -> Predicted:
    """True and predicted phases of the test recordings, (n, M * S, 2)."""
    train = targets_of(truth, features.names)['trains'].to_numpy()
    target, channels = phases(truth, features), features.slots.shape[-1]
    patients = np.repeat(features.names[train], features.slots[0, ..., 0].size)
    values, others = (features.slots[rows].reshape(-1, channels) for rows in (train, ~train))
    predicted = np.stack(
        [
            fit_probe(values, target[train][..., part].ravel(), patients, False).predict(others)
            for part in range(2)
        ],
        -1,
    )
    shape = (sum(~train), -1, 2)
    return target[~train].reshape(shape), predicted.reshape(shape)


def probe_folds(features: Features) -> Predicted:
    """True and predicted classes in five folds of patients, from the last layer."""
    folds = stratified_folds(features.patients.tolist(), features.labels.tolist(), 5, 0)
    probed = linear_probe(features.layers[:, -1], features.labels, features.patients, folds)
    return features.labels, probed.predicted[:, 1]


def few_labels(features: Features, truth: pd.DataFrame, folder: Path) -> None:
    """Write the predicted ejection fractions for each share and draw of labels."""
    targets = targets_of(truth, features.names)
    ef, test = targets['ef'].to_numpy(), ~targets['trains'].to_numpy()
    train, values = np.flatnonzero(~test), features.layers[:, -1]
    for share in SHARES:
        for draw in range(DRAWS if share < 1 else 1):
            generator = np.random.default_rng([7, draw])
            rows = train[draw_patients(ef[train], features.names[train], share, False, generator)]
            model = fit_probe(values[rows], ef[rows], features.names[rows], False)
            path = folder / f'share_{share:g}_draw_{draw}.csv'
            write_efs(path, features.names[test], ef[test], model.predict(values[test]))


class AttentivePooling(nn.Module):
    """A learnable query that attends to all tokens, followed by a linear layer."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.query = nn.Parameter(torch.zeros(1, 1, channels))
        nn.init.trunc_normal_(self.query, std=0.02)
        self.attention = nn.MultiheadAttention(channels, 4, batch_first=True)
        self.linear = nn.Linear(channels, 1)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, N, C) to (B,)."""
        tokens = self.norm(tokens)
        pooled, _ = self.attention(self.query.expand(len(tokens), -1, -1), tokens, tokens)
        return self.linear(pooled).flatten()


def probe_attentively(features: Features, truth: pd.DataFrame, epochs: int, seed: int) -> Predicted:
    """True and predicted ejection fractions of the test recordings by attentive pooling."""
    targets = targets_of(truth, features.names)
    trains = targets['trains'].to_numpy()
    train, test = (torch.from_numpy(np.flatnonzero(rows)) for rows in (trains, ~trains))
    ef = torch.tensor(targets['ef'].to_numpy(), dtype=torch.float32)
    mean, std = ef[train].mean(), ef[train].std()
    tokens = torch.from_numpy(features.tokens)
    generator = torch.manual_seed(seed)
    probe = AttentivePooling(tokens.shape[-1])
    optimizer = torch.optim.AdamW(probe.parameters(), 1e-3, weight_decay=0.05)
    batches = len(train) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, total_steps=epochs * batches)
    for _ in range(epochs):
        order = train[torch.randperm(len(train), generator=generator)]
        for rows in order.split(BATCH)[:batches]:
            loss = nn.functional.mse_loss(probe(tokens[rows].float()), (ef[rows] - mean) / std)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    probe.eval()
    with torch.no_grad():
        predicted = torch.cat([probe(tokens[rows].float()) for rows in test.split(BATCH)])
    return ef[test].numpy(), (predicted * std + mean).numpy()


# Results


def write_efs(path: Path, names: np.ndarray, ef: np.ndarray, predicted: np.ndarray) -> None:
    """Write ejection fractions as ``predictions.csv`` of a test has them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame({'video': names, 'patient': names, 'ef': ef, 'prediction': predicted})
    table.to_csv(path, index=False)


def probe(
    all_features: dict[str, Features], truth: pd.DataFrame, folder: Path, seeds: int
) -> dict[str, Any]:
    """Compute all scores of an encoder, also by layer; write ejection fractions to the folder."""
    features = all_features['echonet']
    test = features.names[~targets_of(truth, features.names)['trains'].to_numpy()]
    count = features.layers.shape[1]
    layers = [
        {
            target: scored(predicted, test)
            for target, predicted in probe_layer(
                features, truth, layer, with_class=layer == count - 1
            ).items()
        }
        for layer in range(count)
    ]
    scores = dict(layers[-1])
    for task, target in FOLDED.items():
        scores[target] = scored(probe_folds(all_features[task]), all_features[task].patients)
    if features.slots.size:
        scores['phase'] = scored(probe_phase(features, truth), test)
    few_labels(features, truth, folder)
    attentive = []
    for seed in range(seeds if features.tokens.size else 0):
        predicted = probe_attentively(features, truth, EPOCHS, seed)
        attentive.append(scored(predicted, test))
        write_efs(folder / f'attentive_{seed}.csv', test, *predicted)
    return {'scores': scores, 'layers': layers, 'attentive_ef': attentive}


def compare_with_random(name: str, out: Path) -> dict[str, Any]:
    """Difference in MAE between an encoder and random weights, by share of labels."""
    differences = {}
    for share in SHARES:
        files = sorted((out / 'efs' / name).glob(f'share_{share:g}_draw_*.csv'))
        runs = [
            (read_predictions(out / 'efs' / RANDOM / file.name), read_predictions(file))
            for file in files
        ]
        differences[f'{share:g}'] = compare(runs)['mae']._asdict()
    return differences


@report_user_errors
def main() -> None:
    parser = tool_parser(__doc__)
    parser.add_argument(
        'encoders', nargs='+', metavar='ENCODER', help="checkpoints, 'random' or 'pixels'"
    )
    parser.add_argument('--config', default=CONFIG, help='pretraining config of the checkpoints')
    parser.add_argument(
        '--data', type=Path, default=Path('data/study'), help='folder of the phantom data sets'
    )
    parser.add_argument('--out', type=Path, required=True, help='output folder')
    parser.add_argument(
        '--attentive', type=int, default=0, metavar='SEEDS', help='seeds of attentive pooling'
    )
    args = parser.parse_args()
    config = Config.fromfile(args.config)
    init_default_scope('mmaction')
    truth = pd.read_csv(args.data / 'truth' / 'EchoNet-Dynamic.csv')
    results, epochs = {}, {}
    for encoder in args.encoders:
        name = Path(encoder).stem
        features = cached_features(
            args.out / 'features' / name, config, encoder, args.data, args.attentive > 0
        )
        results[name] = probe(features, truth, args.out / 'efs' / name, args.attentive)
        print(name, {key: str(value) for key, value in results[name]['scores'].items()}, flush=True)
        if name == RANDOM:
            epochs[name] = 0
        elif found := re.fullmatch(r'epoch_(\d+)', name):
            epochs[name] = int(found[1])
    others = [name for name in results if name != RANDOM and RANDOM in results]
    record = {
        'commit': git_commit(),
        'config': args.config,
        'encoders': results,
        'against_random': {name: compare_with_random(name, args.out) for name in others},
    }
    atomic_write_text(args.out / 'probes.json', json_text(record))
    if epochs:
        plot(results, epochs, args.out).savefig(args.out / 'probes.png', dpi=150)


if __name__ == '__main__':
    main()
