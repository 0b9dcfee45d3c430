"""Mean features of a recording by the network of a bundle."""

from __future__ import annotations

from os import PathLike

import numpy as np

from echocardmae_mm.apis.bundle import Bundle
from echocardmae_mm.apis.framing import frame_recording
from echocardmae_mm.apis.network import FEATURES
from echocardmae_mm.apis.read_clips import read_clips
from echocardmae_mm.apis.segment_frames import segment_frames
from echocardmae_mm.datasets.recordings import open_recording

_FRAMES = 16


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
