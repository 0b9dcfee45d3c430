"""Read one frame of a recording for MMSegmentation."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from echocardmae_mm.datasets.transforms.recording_init import RecordingInit
from echocardmae_mm.registry import TRANSFORMS
from echocardmae_mm.utils.errors import RecordingError


@TRANSFORMS.register_module()
class LoadEchoFrame(BaseTransform):
    """Replaces ``LoadImageFromFile``, for recordings and pictures alike.

    Frames are RGB: set ``bgr_to_rgb=False`` in the data preprocessor, and pass RGB arrays to
    ``mmseg.apis.inference_model``, which substitutes ``LoadImageFromNDArray`` for this transform
    and therefore requires that it takes no arguments.

    Required Keys:

        - filename (str): The recording. Defaults to ``img_path``.
        - frame (int, optional): The frame, from 0. Defaults to 0.
        - packed (tuple[PackedStore, str], optional): As for :class:`RecordingInit`.

    Added Keys:

        - img (uint8 (H, W, 3)): RGB.
        - img_shape (tuple[int, int]): H, W.
        - ori_shape (tuple[int, int]): H, W.
        - spacing (tuple[float, float] | None): Height and width of a pixel in mm.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Read the frame.

        Raises:
            RecordingError: If the file is missing or damaged, or has no such frame.
        """
        results.setdefault('filename', results.get('img_path'))
        results = RecordingInit().transform(results)
        recording, frame = results.pop('recording'), results.get('frame', 0)
        require_frames(results['filename'], len(recording), [frame])
        (results['img'],) = recording.frames([frame])
        results['img_shape'] = results['ori_shape'] = results['img'].shape[:2]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'


def require_frames(filename: str, num_frames: int, frames: list[int] | np.ndarray) -> None:
    """Refuse labelled frames beyond the end of a recording.

    Args:
        filename (str): The recording.
        num_frames (int): Number of its frames.
        frames (list[int] | np.ndarray): Labelled frames, from 0.

    Raises:
        RecordingError: If there is such a frame.
    """
    if max(frames) >= num_frames:
        raise RecordingError(
            filename, f'frame {max(frames)} is labelled, but the recording has {num_frames} frames'
        )
