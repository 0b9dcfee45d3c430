"""Probe what frozen encoders know about synthetic recordings, whose truth is known.

    python tools/evidence/frozen_probes.py ENCODER ... --data data/study --out work_dirs/probes

ENCODER is a checkpoint of CONFIG; 'random', its random weights; or 'pixels', the principal
components of the clips. Ridge or logistic regression predicts each target from the mean token:
ejection fraction, volume, beats per clip and image quality of EchoNet-Dynamic, trained on every
second recording of TRAIN and scored on VAL and TEST; infarction (HMC-QU) and view (CAMUS) in five
folds of patients; and the phase of the cycle from the mean token of each time slot. Numbers are
predicted from every layer, the rest from the last; the ejection fraction also with fewer labels
and, with --attentive, by attentive pooling.

Features are kept in OUT and computed once. OUT/probes.json has all results, with intervals over
patients; OUT/efs has the predicted ejection fractions, and OUT/probes.png is a picture.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS, init_default_scope
from rich.progress import track
from scipy.stats import rankdata
from sklearn.decomposition import PCA
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

import echocardmae_mm  # noqa: F401, registers its components
from echocardmae_mm.datasets.patient_folds import stratified_folds
from echocardmae_mm.evaluation.bootstrap import Interval, bootstrap_intervals
from echocardmae_mm.evaluation.comparison import compare
from echocardmae_mm.evaluation.discrimination import auroc
from echocardmae_mm.evaluation.linear_probe import draw_patients, fit_probe, linear_probe
from echocardmae_mm.recipes import diagnosis, ejection_fraction, infarction
from echocardmae_mm.utils.atomic_files import atomic_write_text, json_text
from echocardmae_mm.utils.git import git_commit

CONFIG = 'configs/phantom/study/pretrain_study.py'
SHARES, DRAWS = (0.01, 0.05, 0.1, 0.25, 1.0), 5
COMPONENTS = 192
INTERVAL = 4  # frames between those of a clip of EchoNet-Dynamic
LABELS = {
    'ef': 'ejection fraction, R²',
    'edv': 'volume, R²',
    'beats': 'beats per clip, R²',
    'phase': 'phase, R²',
    'good_quality': 'quality, AUROC',
    'infarction': 'infarction, AUROC',
    'view': 'view, AUROC',
}
MARKERS = 'osv^Dxp'
SHOWN = {'pixels': 'principal components of pixels', 'random': 'random weights'}
NUMBERS, CLASSES = ('ef', 'edv', 'beats'), ('good_quality',)


class Features(NamedTuple):
    """Features of the recordings of a data set.

    Args:
        names (np.ndarray): Name of each recording, (n,).
        patients (np.ndarray): (n,).
        labels (np.ndarray): Class, or -1, (n,).
        starts (np.ndarray): First frame of each clip, (n, M).
        layers (np.ndarray): Mean token after each block, averaged over clips, (n, L, C).
        slots (np.ndarray): Mean token of each time slot after the last block, (n, M, S, C).
        tokens (np.ndarray): Tokens of the middle clip after the last block, (n, N, C), float16; or
            empty.
    """

    names: np.ndarray
    patients: np.ndarray
    labels: np.ndarray
    starts: np.ndarray
    layers: np.ndarray
    slots: np.ndarray
    tokens: np.ndarray


# Features


def datasets(data: Path) -> dict[str, list[dict[str, Any]]]:
    """Configs of the parts of each data set, with the clips of tests."""

    def parts(recipe: dict[str, Any], splits: tuple[str, ...], **options: Any) -> list[dict]:
        test = recipe['test_dataloader']['dataset']
        return [{**test, **options, 'split': split} for split in splits]

    echonet = dict(
        type='echocardmae_mm.EchoNetDynamicDataset', data_root=str(data / 'EchoNet-Dynamic')
    )
    camus = dict(
        type='echocardmae_mm.CAMUSViewDataset',
        data_root=str(data / 'CAMUS'),
        fold=0,
        num_folds=10,
    )
    hmcqu = infarction(data_root=str(data / 'HMC-QU'), traced_only=False)
    return {
        'echonet': parts(ejection_fraction(echonet, num_test_clips=2), ('train', 'val', 'test')),
        'hmcqu': parts(hmcqu, ('train', 'test')),
        'camus': parts(diagnosis(camus, span='cycle'), ('train', 'test')),
    }


def load_encoder(config: Config, encoder: str) -> Any:
    """The pretraining model with the weights of a checkpoint, or random ones."""
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    if encoder == 'random':
        model.init_weights()
    else:
        state = torch.load(encoder, map_location='cpu', weights_only=False)['state_dict']
        model.load_state_dict(state)
    return model.eval()


@torch.no_grad()
def encode(model: Any, clips: Tensor) -> list[Tensor]:
    """Tokens of clips after the patch embedding and each block, (M, N, C) each."""
    outputs: list[Tensor] = []
    handles = [
        block.register_forward_hook(lambda _, __, output: outputs.append(output))
        for block in model.backbone.blocks
    ]
    with torch.autocast('cpu', torch.bfloat16):
        last = model.extract_feat(clips)
    for handle in handles:
        handle.remove()
    return [*outputs[:-1], last]


def read(part: dict[str, Any]) -> DataLoader:
    """The recordings of a part, one after the other."""
    dataset = DATASETS.build(part)
    if part['type'].endswith('EchoNetDynamicDataset') and part['split'] == 'train':
        dataset = Subset(dataset, range(0, len(dataset), 2))
    return DataLoader(dataset, batch_size=1, num_workers=1, collate_fn=pseudo_collate)


def compute_features(parts: list[dict[str, Any]], model: Any, with_tokens: bool) -> Features:
    """Features of all recordings by an encoder; by small frames if there is none."""
    rows: list[tuple] = []
    for part in parts:
        for batch in track(read(part), 'encoding'):
            clips, sample = batch['inputs'][0], batch['data_samples'][0]  # (M, 3, T, H, W)
            if model is None:
                small = nn.functional.avg_pool3d(clips[:, :1].float(), (1, 8, 8))
                layers, slots = small.mean(0).flatten()[None], small.flatten(2).transpose(1, 2)
                slots, tokens = slots[:, :, :1] * 0, None
            else:
                outputs = encode(model, clips)
                layers = torch.stack([output.float().mean((0, 1)) for output in outputs])
                count = clips.shape[2] // model.tubelet_size
                slots = outputs[-1].float().unflatten(1, (count, -1)).mean(2)
                tokens = outputs[-1][len(clips) // 2]
            rows.append(
                (
                    Path(sample.filename).stem,
                    str(sample.get('patient')),
                    int(sample.gt_label.item()) if 'gt_label' in sample else -1,
                    np.atleast_1d(sample.clip_starts)[: len(clips)],
                    layers.numpy(),
                    slots.numpy(),
                    tokens.half().numpy() if with_tokens and tokens is not None else np.zeros(0),
                )
            )
    return Features(*(np.stack([np.asarray(row[i]) for row in rows]) for i in range(len(rows[0]))))


def cached_features(
    path: Path, parts: list[dict[str, Any]], model: Any, with_tokens: bool
) -> Features:
    """Read features, or compute and keep them."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        features = compute_features(parts, model, with_tokens)
        np.savez(path, **features._asdict())
    with np.load(path) as archive:
        return Features(**{name: archive[name] for name in Features._fields})


# Targets and scores


def targets_of(truth: pd.DataFrame, names: np.ndarray) -> pd.DataFrame:
    """Targets of recordings of EchoNet-Dynamic."""
    rows = truth.set_index('name').loc[names].reset_index()
    clip = 15 * INTERVAL / rows['fps']
    return pd.DataFrame(
        {
            'ef': rows['ef'],
            'edv': rows['edv'],
            'beats': rows['heart_rate'] / 60 * clip,
            'good_quality': (rows['quality'] == 'Good').astype(int),
        }
    )


def phases(truth: pd.DataFrame, features: Features) -> np.ndarray:
    """Sine and cosine of the phase of each time slot, (n, M, S, 2); 0 is end-diastole.

    The truth has one end-diastole; the others follow at the mean heart rate.
    """
    rows = truth.set_index('name').loc[features.names]
    slots = features.slots.shape[2]
    first = np.arange(slots) * 16 / slots + (16 / slots - 1) / 2  # middle of a slot, in clip frames
    frame = features.starts[..., None] + INTERVAL * first  # (n, M, S)
    beat = (rows['fps'] * 60 / rows['heart_rate']).to_numpy()[:, None, None]
    phase = 2 * np.pi * (frame - rows['ed'].to_numpy()[:, None, None]) / beat
    return np.stack([np.sin(phase), np.cos(phase)], -1)


def r2(truth: np.ndarray, predicted: np.ndarray, rows: np.ndarray) -> float:
    """Explained variance of numbers, over the last axes together."""
    error = ((truth[rows] - predicted[rows]) ** 2).mean()
    return float(1 - error / ((truth[rows] - truth[rows].mean(0)) ** 2).mean())


def area(truth: np.ndarray, score: np.ndarray, rows: np.ndarray) -> float:
    """Area under the ROC curve."""
    return auroc(rankdata(score[rows]), truth[rows] == 1)


# Probes


def probe_echonet(
    features: Features, truth: pd.DataFrame, layer: int, names: Sequence[str]
) -> dict[str, Any]:
    """Predictions of each target of the test recordings, from a layer's mean token."""
    split = truth.set_index('name').loc[features.names, 'split'].to_numpy()
    train, test = split == 'TRAIN', split != 'TRAIN'
    values, targets = features.layers[:, layer], targets_of(truth, features.names)
    predicted = {}
    for name in names:
        target = targets[name].to_numpy()
        model = fit_probe(values[train], target[train], features.names[train], name in CLASSES)
        if name in CLASSES:
            predicted[name] = (target[test], model.predict_proba(values[test])[:, 1])
        else:
            predicted[name] = (target[test], model.predict(values[test]))
    return predicted


def probe_phase(features: Features, truth: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """True and predicted phases of the test recordings, (n, M * S, 2)."""
    split = truth.set_index('name').loc[features.names, 'split'].to_numpy()
    train, test = split == 'TRAIN', split != 'TRAIN'
    target, channels = phases(truth, features), features.slots.shape[-1]
    patients = np.repeat(features.names[train], features.slots[0, ..., 0].size)
    train_values = features.slots[train].reshape(-1, channels)
    fits = [
        fit_probe(train_values, target[train][..., i].ravel(), patients, False) for i in range(2)
    ]
    test_values = features.slots[test].reshape(-1, channels)
    predicted = np.stack([fit.predict(test_values) for fit in fits], -1)
    count = int(test.sum())
    return target[test].reshape(count, -1, 2), predicted.reshape(count, -1, 2)


def probe_folds(features: Features, layer: int) -> tuple[np.ndarray, np.ndarray]:
    """True and predicted classes in five folds of patients."""
    folds = stratified_folds(features.patients.tolist(), features.labels.tolist(), 5, 0)
    probed = linear_probe(
        features.layers[:, layer], features.labels.astype(int), features.patients, folds
    )
    return features.labels, probed.predicted[:, 1]


def few_labels(features: Features, truth: pd.DataFrame) -> dict[float, list[pd.DataFrame]]:
    """Predicted ejection fractions of the test recordings, for each share and draw of labels."""
    split = truth.set_index('name').loc[features.names, 'split'].to_numpy()
    train, test = np.flatnonzero(split == 'TRAIN'), split != 'TRAIN'
    values, ef = features.layers[:, -1], targets_of(truth, features.names)['ef'].to_numpy()
    names = features.names[test]
    tables: dict[float, list[pd.DataFrame]] = {}
    for share in SHARES:
        for draw in range(DRAWS if share < 1 else 1):
            generator = np.random.default_rng([7, draw])
            rows = train[draw_patients(ef[train], features.names[train], share, False, generator)]
            model = fit_probe(values[rows], ef[rows], features.names[rows], False)
            table = pd.DataFrame(dict(video=names, patient=names, ef=ef[test]))
            tables.setdefault(share, []).append(
                table.assign(prediction=model.predict(values[test]))
            )
    return tables


class AttentivePooling(nn.Module):
    """One learnt query that attends to all tokens, then a linear layer."""

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


def attentive_efs(features: Features, truth: pd.DataFrame, epochs: int, seed: int) -> np.ndarray:
    """Ejection fractions of the test recordings by attentive pooling."""
    split = truth.set_index('name').loc[features.names, 'split'].to_numpy()
    train, test = np.flatnonzero(split == 'TRAIN'), np.flatnonzero(split != 'TRAIN')
    ef = torch.tensor(targets_of(truth, features.names)['ef'].to_numpy(), dtype=torch.float32)
    mean, std = ef[train].mean(), ef[train].std()
    tokens = torch.from_numpy(features.tokens)
    generator = torch.manual_seed(seed)
    probe = AttentivePooling(tokens.shape[-1])
    optimizer = torch.optim.AdamW(probe.parameters(), 1e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 1e-3, total_steps=epochs * (len(train) // 64)
    )
    for _ in range(epochs):
        order = torch.from_numpy(train)[torch.randperm(len(train), generator=generator)]
        for rows in order.split(64)[: len(train) // 64]:
            loss = nn.functional.mse_loss(probe(tokens[rows].float()), (ef[rows] - mean) / std)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    probe.eval()
    with torch.no_grad():
        predicted = [probe(tokens[rows].float()) for rows in torch.from_numpy(test).split(64)]
    return (torch.cat(predicted) * std + mean).numpy()


# Main


def scored(name: str, truth: np.ndarray, predicted: np.ndarray, patients: np.ndarray) -> Interval:
    """R2 or AUROC with its interval."""
    score = area if truth.dtype.kind in 'iu' else r2
    return bootstrap_intervals(lambda rows: {name: score(truth, predicted, rows)}, patients)[name]


def probe(
    name: str, all_features: dict[str, Features], truth: pd.DataFrame, args: argparse.Namespace
) -> dict[str, Any]:
    """All probes of an encoder."""
    echonet = all_features['echonet']
    split = truth.set_index('name').loc[echonet.names, 'split'].to_numpy()
    test = echonet.names[split != 'TRAIN']
    last = echonet.layers.shape[1] - 1
    layers = [
        {
            target: scored(target, label, predicted, test)
            for target, (label, predicted) in probe_echonet(echonet, truth, layer, targets).items()
        }
        for layer in range(last + 1)
        for targets in [NUMBERS if layer < last else (*NUMBERS, *CLASSES)]
    ]
    for task, target in (('hmcqu', 'infarction'), ('camus', 'view')):
        features = all_features[task]
        label, predicted = probe_folds(features, last)
        layers[last][target] = scored(target, label, predicted, features.patients)
    result: dict[str, Any] = {'layers': layers}
    if name != 'pixels':
        result['phase'] = scored('phase', *probe_phase(echonet, truth), test)
    efs = few_labels(echonet, truth)
    for share, tables in efs.items():
        for draw, table in enumerate(tables):
            folder = args.out / 'efs' / name
            folder.mkdir(parents=True, exist_ok=True)
            table.to_csv(folder / f'share_{share:g}_draw_{draw}.csv', index=False)
    if args.attentive and echonet.tokens.size:
        runs = []
        for seed in range(args.attentive):
            predicted = attentive_efs(echonet, truth, epochs=30, seed=seed)
            ef = targets_of(truth, test)['ef'].to_numpy()
            runs.append(scored('ef', ef, predicted, test))
            table = pd.DataFrame(dict(video=test, patient=test, ef=ef, prediction=predicted))
            table.to_csv(args.out / 'efs' / name / f'attentive_{seed}.csv', index=False)
        result['attentive_ef'] = runs
    return result


def compared(names: list[str], out: Path) -> dict[str, Any]:
    """Differences in MAE between each encoder and the random one, by share of labels."""
    results: dict[str, Any] = {}
    for name in names:
        if name == 'random' or 'random' not in names:
            continue
        for share in SHARES:
            files = sorted((out / 'efs' / name).glob(f'share_{share:g}_draw_*.csv'))
            runs = [
                tuple(
                    pd.read_csv(out / 'efs' / one / file.name, dtype={'patient': str, 'video': str})
                    for one in ('random', name)
                )
                for file in files
            ]
            results.setdefault(name, {})[f'{share:g}'] = compare(runs)['mae']._asdict()
    return results


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('encoders', nargs='+', metavar='ENCODER')
    parser.add_argument('--config', default=CONFIG)
    parser.add_argument('--data', type=Path, default=Path('data/study'))
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--attentive', type=int, default=0, metavar='SEEDS')
    args = parser.parse_args()
    config = Config.fromfile(args.config)
    init_default_scope('mmaction')
    truth = pd.read_csv(args.data / 'truth' / 'EchoNet-Dynamic.csv')
    names, results = [], {}
    for encoder in args.encoders:
        name = Path(encoder).stem
        names.append(name)
        model = None if encoder == 'pixels' else load_encoder(config, encoder)
        features = {
            task: cached_features(
                args.out / 'features' / name / f'{task}.npz',
                parts,
                model,
                with_tokens=bool(args.attentive) and task == 'echonet',
            )
            for task, parts in datasets(args.data).items()
        }
        if model is None:
            features = {task: reduced(of) for task, of in features.items()}
        results[name] = probe(name, features, truth, args)
        print(name, {k: str(v) for k, v in results[name]['layers'][-1].items()}, flush=True)
    record = {
        'commit': git_commit(),
        'config': args.config,
        'encoders': results,
        'against_random': compared(names, args.out),
    }
    atomic_write_text(args.out / 'probes.json', json_text(record))
    plot(results, args.out).savefig(args.out / 'probes.png', dpi=150)


def plot(results: dict[str, Any], out: Path) -> Figure:
    """Scores along pretraining, by layer, and the error by number of labels."""
    figure = Figure(figsize=(13, 4.2), layout='constrained')
    along, by_layer, by_labels = figure.subplots(1, 3)
    epochs = {name: int(name.removeprefix('epoch_')) for name in results if 'epoch_' in name}
    if 'random' in results:
        epochs['random'] = 0
    epochs = dict(sorted(epochs.items(), key=lambda item: item[1]))
    last = list(epochs)[-1]
    for number, (target, label) in enumerate(LABELS.items()):
        color, marker = f'C{number}', MARKERS[number]
        scores = [
            results[name]['layers'][-1].get(target) or results[name][target] for name in epochs
        ]
        low = [score.estimate - score.low for score in scores]
        high = [score.high - score.estimate for score in scores]
        along.errorbar(
            list(epochs.values()),
            [score.estimate for score in scores],
            yerr=[low, high],
            color=color,
            marker=marker,
            capsize=2,
            label=label,
        )
        if target in results[last]['layers'][0]:
            layers = [layer[target].estimate for layer in results[last]['layers']]
            by_layer.plot(range(1, len(layers) + 1), layers, color=color, marker=marker)
    along.set(xlabel='epochs of pretraining (0: random weights)', ylabel='R² or AUROC')
    along.set_title('What the mean token tells')
    by_layer.set(xlabel='block', ylabel='R² or AUROC', title=f'By block, {SHOWN.get(last, last)}')
    figure.legend(*along.get_legend_handles_labels(), loc='outside lower center', ncols=7)
    for number, name in enumerate(name for name in ('pixels', 'random', last) if name in results):
        shares, errors = [], []
        for share in SHARES:
            tables = [pd.read_csv(f) for f in (out / 'efs' / name).glob(f'share_{share:g}_draw_*')]
            errors += [(table['prediction'] - table['ef']).abs().mean() for table in tables]
            shares += [share] * len(tables)
        means = pd.Series(errors).groupby(shares).mean()
        by_labels.plot(
            100 * means.index, means, color=f'C{7 + number}', label=SHOWN.get(name, name)
        )
        by_labels.scatter(100 * np.array(shares), errors, s=10, color=f'C{7 + number}', alpha=0.5)
    by_labels.set(xscale='log', xlabel='labelled recordings (%)', ylabel='MAE of the EF (points)')
    by_labels.set_title('Ejection fraction from few labels')
    by_labels.legend(frameon=False)
    for axis in (along, by_layer, by_labels):
        axis.spines[['top', 'right']].set_visible(False)
    return figure


def reduced(features: Features) -> Features:
    """The principal components of pixels; the labels are not used."""
    values = features.layers[:, 0]
    components = PCA(min(COMPONENTS, len(values)), random_state=0).fit_transform(values)
    return features._replace(layers=components[:, None])


if __name__ == '__main__':
    main()
