"""Compute features of recordings with frozen encoders, and cache them in files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS
from mmengine.runner import load_checkpoint
from rich.progress import track
from sklearn.decomposition import PCA
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

from echocardmae_mm.recipes import diagnosis, ejection_fraction, infarction
from echocardmae_mm.utils.file_sha256 import file_sha256

PIXELS, RANDOM = 'pixels', 'random'
_COMPONENTS = 192


class Features(NamedTuple):
    """Features of the recordings of a data set.

    Args:
        names (np.ndarray): Name of each recording, (n,).
        patients (np.ndarray): (n,).
        labels (np.ndarray): Class, or -1, (n,).
        starts (np.ndarray): First frame of each clip, (n, M).
        layers (np.ndarray): Mean token after each block, averaged over clips, (n, L, C).
        slots (np.ndarray): Mean token of each time slot after the last block, (n, M, S, C); empty
            for pixels.
        tokens (np.ndarray): Tokens of the second clip after the last block, (n, N, C), float16;
            empty unless requested.
    """

    names: np.ndarray
    patients: np.ndarray
    labels: np.ndarray
    starts: np.ndarray
    layers: np.ndarray
    slots: np.ndarray
    tokens: np.ndarray


def datasets(data: Path) -> dict[str, list[dict[str, Any]]]:
    """Configs of the splits of each data set, with test clips."""

    def parts(recipe: dict[str, Any], *splits: str) -> list[dict]:
        test = recipe['test_dataloader']['dataset']
        return [{**test, 'split': split} for split in splits]

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
        'echonet': parts(ejection_fraction(echonet, num_test_clips=2), 'train', 'val', 'test'),
        'hmcqu': parts(hmcqu, 'train', 'test'),
        'camus': parts(diagnosis(camus, span='cycle'), 'train', 'test'),
    }


def cached_features(
    folder: Path, config: Config, encoder: str, data: Path, with_tokens: bool
) -> dict[str, Features]:
    """Read the cached features of all data sets, or compute and cache them.

    Args:
        folder (Path): Cache; features of another checkpoint are replaced.
        config (Config): Pretraining config.
        encoder (str): Checkpoint of that pretraining, :data:`RANDOM` or :data:`PIXELS`.
        data (Path): Folder of the data sets.
        with_tokens (bool): Whether to include the tokens of EchoNet-Dynamic.

    Returns:
        dict[str, Features]: Features by data set.
    """
    model = None if encoder == PIXELS else load_encoder(config, encoder)
    source = encoder if encoder in (PIXELS, RANDOM) else file_sha256(encoder)
    folder.mkdir(parents=True, exist_ok=True)
    features = {}
    for task, parts in datasets(data).items():
        path, tokens = folder / f'{task}.npz', with_tokens and task == 'echonet'
        found = _read(path, source, tokens and model is not None)
        if found is None:
            found = pixel_features(parts) if model is None else encode_all(parts, model, tokens)
            np.savez(path, source=source, **found._asdict())
        features[task] = found
    return features


def _read(path: Path, source: str, with_tokens: bool) -> Features | None:
    if not path.is_file():
        return None
    with np.load(path) as archive:
        if str(archive['source']) != source or (with_tokens and not archive['tokens'].size):
            return None
        return Features(**{name: archive[name] for name in Features._fields})


def load_encoder(config: Config, encoder: str) -> Any:
    """Build the pretraining model with the weights of a checkpoint or random ones."""
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    if encoder == RANDOM:
        model.init_weights()
    else:
        load_checkpoint(model, encoder, map_location='cpu', strict=True)
    return model.eval()


@torch.no_grad()
def encode(model: Any, clips: Tensor) -> list[Tensor]:
    """Compute the tokens of clips after each block, the last ones normalised, (M, N, C) each."""
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


def encode_all(parts: list[dict[str, Any]], model: Any, with_tokens: bool) -> Features:
    """Compute the features of all recordings with an encoder."""
    rows = []
    for clips, identity in _recordings(parts):
        outputs = encode(model, clips)
        layers = torch.stack([output.float().mean((0, 1)) for output in outputs])
        count = clips.shape[2] // model.tubelet_size
        slots = outputs[-1].float().unflatten(1, (count, -1)).mean(2)
        tokens = outputs[-1][-1].half().numpy() if with_tokens else np.zeros(0)
        rows.append((*identity, layers.numpy(), slots.numpy(), tokens))
    return Features(*(np.stack(column) for column in zip(*rows)))


def pixel_features(parts: list[dict[str, Any]]) -> Features:
    """Compute principal components of downsampled clips, averaged over the clips of a recording."""
    rows = []
    for clips, identity in _recordings(parts):
        small = nn.functional.avg_pool3d(clips[:, :1].float(), (1, 8, 8))
        rows.append((*identity, small.mean(0).flatten().numpy()))
    names, patients, labels, starts, pixels = (np.stack(column) for column in zip(*rows))
    pca = PCA(min(_COMPONENTS, len(pixels)), random_state=0)
    layers, empty = pca.fit_transform(pixels)[:, None], np.zeros((len(pixels), 0))
    return Features(names, patients, labels, starts, layers, empty, empty)


def _recordings(parts: list[dict[str, Any]]) -> Iterator[tuple[Tensor, tuple[Any, ...]]]:
    """Yield clips (M, 3, T, H, W), name, patient, label and clip starts of each recording."""
    for part in parts:
        dataset = DATASETS.build(part)
        if part['type'].endswith('EchoNetDynamicDataset') and part['split'] == 'train':
            dataset = Subset(dataset, range(0, len(dataset), 2))
        loader = DataLoader(dataset, batch_size=1, num_workers=1, collate_fn=pseudo_collate)
        for batch in track(loader, 'reading'):
            clips, sample = batch['inputs'][0], batch['data_samples'][0]
            label = int(sample.gt_label.item()) if 'gt_label' in sample else -1
            starts = np.atleast_1d(sample.clip_starts)[: len(clips)]
            name = Path(sample.filename).stem
            yield clips, (np.array(name), np.array(str(sample.get('patient'))), label, starts)
