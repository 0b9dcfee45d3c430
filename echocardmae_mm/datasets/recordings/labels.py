"""Label images, as CAMUS has them beside its frames."""

from __future__ import annotations

import numpy as np

from echocardmae_mm.datasets.recordings.opening import open_recording
from echocardmae_mm.datasets.recordings.volume import VolumeRecording
from echocardmae_mm.utils.errors import RecordingError


def read_labels(filename: str, num_classes: int) -> np.ndarray:
    """Read a label image.

    Args:
        filename (str): A NIfTI or MetaImage file of one frame.
        num_classes (int): Labels must be below.

    Returns:
        np.ndarray: uint8 of shape (H, W), the labels as the file has them.

    Raises:
        RecordingError: If the file is missing or damaged, or holds an unknown label.
    """
    recording = open_recording(filename)
    if not isinstance(recording, VolumeRecording):
        raise RecordingError(filename, 'no NIfTI or MetaImage file, as label images are')
    values = recording.values[0]
    labels = values.astype(np.uint8)
    if not np.array_equal(labels, values):
        raise RecordingError(filename, 'holds values that are no labels: whole numbers to 255')
    if labels.max() >= num_classes:
        unknown = labels[labels >= num_classes].min()
        raise RecordingError(
            filename, f'label {unknown} is unknown: expected 0 to {num_classes - 1}'
        )
    return labels
