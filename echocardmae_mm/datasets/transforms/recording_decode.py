"""Decode the sampled frames."""

from __future__ import annotations

from typing import Any

import numpy as np

from echocardmae_mm.datasets.transforms.echo_transform import EchoTransform
from echocardmae_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RecordingDecode(EchoTransform):
    """Decode the sampled frames and release the recording.

    Required Keys:

        - recording
        - frame_inds (int (M * T,)): Frames from 0; -1 is a black frame.

    Modified Keys:

        - recording (removed)

    Added Keys:

        - imgs (list[np.ndarray]): M * T frames, uint8 RGB of shape (H, W, 3).
        - original_shape (tuple[int, int]): H, W.
        - img_shape (tuple[int, int]): H, W.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Decode the frames.

        Raises:
            RecordingError: If a frame is damaged.
        """
        indices = np.ravel(results['frame_inds'])
        recording = results.pop('recording')
        present = indices >= 0
        if present.all():
            imgs = recording.frames(indices)
        else:
            decoded = recording.frames(indices[present])
            imgs = np.zeros((len(indices), *decoded.shape[1:]), np.uint8)
            imgs[present] = decoded
        results['imgs'] = list(imgs)
        results['original_shape'] = results['img_shape'] = imgs.shape[1:3]
        return results
