"""Describe the training set of a model for its bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from rich.progress import track

from echocardmae_mm.apis.bundle import Bundle
from echocardmae_mm.apis.recording_features import recording_features
from echocardmae_mm.datasets.recording_dataset import RecordingDataset
from echocardmae_mm.datasets.recordings import open_recording
from echocardmae_mm.datasets.recordings.synthetic import is_synthetic
from echocardmae_mm.evaluation.feature_distance import FeatureDistance, fit_feature_distance
from echocardmae_mm.utils.errors import RecordingError

T = TypeVar('T')

_RATES, _SYNTHETIC, _FEATURES = 50, 20, 300  # recordings sampled


def describe_training_set(dataset: RecordingDataset) -> dict[str, Any]:
    """Count recordings and patients, and find out the median frame rate.

    Returns:
        dict[str, Any]: ``data``, ``recordings``, ``patients``, ``fps`` (None if unknown) and
        ``synthetic``.
    """
    infos = _infos(dataset)
    files = list(dict.fromkeys(dataset.recording_of(info) for info in infos))
    rates = _known(_given(info, 'fps') for info in infos)
    rates = rates or _known(_readable(_rate, files[:_RATES]))
    marks = _readable(is_synthetic, files[:_SYNTHETIC])
    return {
        'data': type(dataset).__name__.removesuffix('Dataset'),
        'recordings': len(files),
        'patients': len({info.get('patient', info['filename']) for info in infos}),
        'fps': float(np.median(rates)) if rates else None,
        'synthetic': bool(marks) and all(marks),
    }


def fit_training_features(dataset: RecordingDataset, folder: Path) -> FeatureDistance | None:
    """Fit the distance from the features of up to 300 evenly spaced recordings.

    Args:
        dataset (RecordingDataset): The training set.
        folder (Path): The bundle, without such a distance.

    Returns:
        FeatureDistance | None: None if the model gives no features, or there are too few patients;
        the reason is printed.
    """
    recordings = list({dataset.recording_of(info): info for info in _infos(dataset)}.items())
    some = np.linspace(0, len(recordings) - 1, min(_FEATURES, len(recordings)))
    bundle = Bundle(folder)
    features, patients = [], []
    for file, info in track([recordings[round(index)] for index in some], 'features'):
        try:
            found = recording_features(bundle, file, _given(info, 'fps'), _given(info, 'spacing'))
        except RecordingError:
            continue
        if found is None:
            print('no check for unusual features: the model gives no features')
            return None
        features.append(found)
        patients.append(info.get('patient', file))
    try:
        return fit_feature_distance(np.array(features), patients)
    except ValueError as error:
        print(f'no check for unusual features: {error}')
        return None


def _infos(dataset: RecordingDataset) -> list[dict[str, Any]]:
    return [dataset.get_data_info(index) for index in range(len(dataset))]


def _given(info: dict[str, Any], name: str) -> Any:
    """What a list of recordings says about one; None if it does not."""
    return info.get('override', {}).get(name) or info.get(name)


def _known(rates: Iterable[float | None]) -> list[float]:
    return [rate for rate in rates if rate]


def _rate(file: str) -> float | None:
    return open_recording(file).fps


def _readable(read: Callable[[str], T], files: list[str]) -> list[T]:
    """Read files, leaving out the damaged ones, as training does."""
    values = []
    for file in files:
        with suppress(RecordingError):
            values.append(read(file))
    return values
