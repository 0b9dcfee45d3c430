"""Read one frame of a recording, in MMSegmentation's grammar."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from echocardmae_mm.datasets.transforms.recording_init import RecordingInit
from echocardmae_mm.registry import TRANSFORMS
from echocardmae_mm.utils.errors import RecordingError


@TRANSFORMS.register_module()
class LoadEchoFrame(BaseTransform):
    """Stands where ``LoadImageFromFile`` stands, for recordings of any kind and pictures alike.

    Frames are RGB: set ``bgr_to_rgb=False`` in the data preprocessor, and hand RGB arrays to
    ``mmseg.apis.inference_model``. It has no argument, so that this function can put
    ``LoadImageFromNDArray`` in its place.

    Required Keys:

        - filename (str): The recording; ``img_path`` where there is none.
        - frame (int, optional): Which frame, from 0. Defaults to 0.
        - packed (tuple[PackedStore, str], optional): As :class:`RecordingInit`.

    Added Keys:

        - img (uint8 (H, W, 3)): RGB.
        - img_shape (tuple[int, int]): H, W.
        - ori_shape (tuple[int, int]): H, W.
        - spacing (tuple[float, float] | None): Height and width of a pixel in mm.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Read the frame.

        Args:
            results (dict): The pipeline's results dict.

        Returns:
            dict: The same dict.

        Raises:
            RecordingError: If the file is missing or damaged, or has no such frame.
        """
        results.setdefault('filename', results.get('img_path'))
        results = RecordingInit().transform(results)
        recording, frame = results.pop('recording'), results.get('frame', 0)
        require_frames(results['filename'], len(recording), [frame])
        image = recording.frames([frame])[0]
        results['img'] = image
        results['img_shape'] = results['ori_shape'] = image.shape[:2]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'


def require_frames(filename: str, num_frames: int, frames: list[int] | np.ndarray) -> None:
    """Refuse frames that a recording does not have.

    Args:
        filename (str): The recording.
        num_frames (int): Frames that it has.
        frames (list[int] | np.ndarray): Frames that are labelled, from 0.

    Raises:
        RecordingError: If one of them lies beyond the end.
    """
    if max(frames) >= num_frames:
        raise RecordingError(
            filename, f'frame {max(frames)} is labelled, but it has {num_frames} frames'
        )
