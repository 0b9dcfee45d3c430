"""Read one frame of a recording for MMSegmentation."""

from __future__ import annotations

from typing import Any

import numpy as np

from echocardmae_mm.datasets.transforms.echo_transform import EchoTransform
from echocardmae_mm.datasets.transforms.recording_init import RecordingInit
from echocardmae_mm.registry import TRANSFORMS
from echocardmae_mm.utils.errors import RecordingError


@TRANSFORMS.register_module()
class LoadEchoFrame(EchoTransform):
    """Replaces ``LoadImageFromFile`` for recordings and images.

    Frames are RGB: set ``bgr_to_rgb=False`` in the data preprocessor, and pass RGB arrays to
    ``mmseg.apis.inference_model``. That function replaces this transform with
    ``LoadImageFromNDArray``, so the transform must not have arguments.

    Required Keys:

        - filename (str): The recording. Defaults to ``img_path``.
        - frame (int, optional): The frame, from 0. Defaults to 0.
        - packed (tuple[PackedStore, str], optional): See :class:`RecordingInit`.

    Added Keys:

        - img (uint8 (H, W, 3)): RGB.
        - img_shape (tuple[int, int]): H, W.
        - ori_shape (tuple[int, int]): H, W.
        - spacing (tuple[float, float] | None): Height and width of a pixel in mm.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Read the frame.

        Raises:
            RecordingError: If the file is missing or damaged, or lacks the frame.
        """
        results.setdefault('filename', results.get('img_path'))
        results = RecordingInit().transform(results)
        recording, frame = results.pop('recording'), results.get('frame', 0)
        require_frames(results['filename'], len(recording), [frame])
        (results['img'],) = recording.frames([frame])
        results['img_shape'] = results['ori_shape'] = results['img'].shape[:2]
        return results


def require_frames(filename: str, num_frames: int, frames: list[int] | np.ndarray) -> None:
    """Raise a RecordingError if a labelled frame lies beyond the end of a recording."""
    if max(frames) >= num_frames:
        raise RecordingError(
            filename, f'frame {max(frames)} is labelled, but the recording has {num_frames} frames'
        )
