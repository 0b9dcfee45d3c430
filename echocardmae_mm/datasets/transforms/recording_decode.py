"""Decode the sampled frames."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from echocardmae_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RecordingDecode(BaseTransform):
    """Decode the frames that were sampled, each once, and let go of the recording.

    Required Keys:

        - recording
        - frame_inds (int (M * T,)): Frames from 0; -1 stands for a black frame.

    Modified Keys:

        - recording (removed)

    Added Keys:

        - imgs (list[np.ndarray]): M * T frames, uint8 RGB of shape (H, W, 3).
        - original_shape (tuple[int, int]): H, W.
        - img_shape (tuple[int, int]): H, W.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Decode.

        Args:
            results (dict): The pipeline's results dict.

        Returns:
            dict: The same dict.

        Raises:
            RecordingError: If a frame is damaged.
        """
        indices = np.ravel(results['frame_inds'])
        there = indices >= 0
        decoded = results.pop('recording').frames(indices[there])
        imgs = np.zeros((len(indices), *decoded.shape[1:]), np.uint8)
        imgs[there] = decoded
        results['imgs'] = list(imgs)
        results['original_shape'] = results['img_shape'] = imgs.shape[1:3]
        return results

    def __repr__(self) -> str:
        return f'{self.__class__.__name__}()'
