"""Describe the training set of a model for its bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from rich.progress import track

from echocardmae_mm.apis.bundle import Bundle
from echocardmae_mm.apis.framing import frame_recording
from echocardmae_mm.apis.network import FEATURES
from echocardmae_mm.apis.read_clips import read_clips
from echocardmae_mm.apis.segment_frames import segment_frames
from echocardmae_mm.datasets.recording_dataset import RecordingDataset
from echocardmae_mm.datasets.recordings import open_recording
from echocardmae_mm.datasets.recordings.synthetic import is_synthetic
from echocardmae_mm.evaluation.feature_distance import FeatureDistance, fit_feature_distance
from echocardmae_mm.utils.errors import RecordingError, UserError

S = TypeVar('S')
T = TypeVar('T')

_RATES, _SYNTHETIC, _FEATURES = 50, 20, 300  # recordings sampled
_FRAMES = 16


def describe_training_set(dataset: RecordingDataset) -> dict[str, Any]:
    """Count recordings and patients, and find out the median frame rate.

    Returns:
        dict[str, Any]: ``data``, ``recordings``, ``patients``, ``fps`` (None if unknown) and
        ``synthetic``.

    Raises:
        UserError: If no recording can be read.
    """
    infos = _infos(dataset)
    files = list(dict.fromkeys(dataset.recording_of(info) for info in infos))
    rates = [_given(info, 'fps') for info in infos]
    if not all(rates):
        rates = _first(_RATES, partial(_rate, dataset), infos)
    rates = [rate for rate in rates if rate]
    marks = _first(_SYNTHETIC, is_synthetic, files)
    if not marks:
        raise UserError('no recording of the training set can be read')
    return {
        'data': type(dataset).__name__.removesuffix('Dataset'),
        'recordings': len(files),
        'patients': len({info.get('patient', info['filename']) for info in infos}),
        'fps': float(np.median(rates)) if rates else None,
        'synthetic': all(marks),
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


def recording_features(
    bundle: Bundle,
    source: str | PathLike[str],
    fps: float | None = None,
    spacing: tuple[float, float] | None = None,
) -> np.ndarray | None:
    """Compute the mean features of a recording, for comparison with others in prediction.

    A segmentation model of frames sees 16 evenly spaced frames.

    Args:
        bundle (Bundle): A bundle for any task.
        source (str | PathLike): The file.
        fps (float, optional): Frames per second, in place of the file's. Defaults to None.
        spacing (tuple[float, float], optional): Height and width of a pixel in mm, in place of the
            file's. Defaults to None.

    Returns:
        np.ndarray | None: (C,), float32; None if the model gives no features.

    Raises:
        RecordingError: If the recording cannot be read.
    """
    recording = open_recording(source)
    framed = frame_recording(recording, bundle.config.framing, bundle.config.frame_size, spacing)
    if bundle.task == 'segmentation':
        some = np.linspace(0, len(framed.frames) - 1, min(_FRAMES, len(framed.frames)))
        features = segment_frames(bundle, framed.frames[some.round().astype(int)])[1]
    else:
        features = bundle.network(read_clips(bundle, framed, fps or recording.fps))[FEATURES]
    return None if features is None else features.mean(0).cpu().numpy()


def _infos(dataset: RecordingDataset) -> list[dict[str, Any]]:
    return [dataset.get_data_info(index) for index in range(len(dataset))]


def _given(info: dict[str, Any], name: str) -> Any:
    """A value from the data set's list, or None."""
    return info.get('override', {}).get(name) or info.get(name)


def _rate(dataset: RecordingDataset, info: dict[str, Any]) -> float | None:
    return _given(info, 'fps') or open_recording(dataset.recording_of(info)).fps


def _first(count: int, read: Callable[[S], T], items: Iterable[S]) -> list[T]:
    """Read items until so many are read, leaving out damaged ones, as training does."""
    values: list[T] = []
    for item in items:
        if len(values) == count:
            break
        with suppress(RecordingError):
            values.append(read(item))
    return values
