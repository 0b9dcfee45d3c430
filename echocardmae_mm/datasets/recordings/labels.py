"""Read label images, such as those of CAMUS."""

from __future__ import annotations

import numpy as np

from echocardmae_mm.datasets.recordings.opening import open_recording
from echocardmae_mm.datasets.recordings.volume import VolumeRecording
from echocardmae_mm.utils.errors import RecordingError


def read_labels(filename: str, num_classes: int) -> np.ndarray:
    """Read a label image of one frame, uint8 of shape (H, W).

    Raises:
        RecordingError: If the file is missing or damaged, is neither NIfTI nor MetaImage, or
            contains a label that is not below ``num_classes``.
    """
    recording = open_recording(filename)
    if not isinstance(recording, VolumeRecording):
        raise RecordingError(filename, 'not a NIfTI or MetaImage file; label images must be one')
    values = recording.values[0]
    labels = values.astype(np.uint8)
    if not np.array_equal(labels, values):
        raise RecordingError(filename, 'not a label image: expected integers from 0 to 255')
    if labels.max() >= num_classes:
        unknown = labels[labels >= num_classes].min()
        raise RecordingError(
            filename, f'label {unknown} is unknown: expected 0 to {num_classes - 1}'
        )
    return labels
