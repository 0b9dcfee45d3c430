"""Draw or read the labels of the frames that were read."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from echocardmae_mm.datasets.recordings import read_labels
from echocardmae_mm.datasets.tracing import tracing_mask
from echocardmae_mm.registry import TRANSFORMS
from echocardmae_mm.utils.errors import RecordingError

IGNORED = 255


@TRANSFORMS.register_module()
class LoadEchoMask(BaseTransform):
    """Labels from tracings (EchoNet-Dynamic) or label images (CAMUS); of a clip, frame by frame.

    A recording without labels passes as it is, so that the pipeline of the test serves
    ``mmseg.apis.inference_model`` too. Behind a ``Resize`` of the frames the labels keep the size
    of the recording, as a test wants them.

    Required Keys:

        - masks (dict[int, np.ndarray | str], optional): For each labelled frame its tracing or the
          path of its label image.
        - num_classes (int): With ``masks``; labels must be below.
        - ori_shape or original_shape (tuple[int, int]): H, W of the recording.
        - frame (int, optional): The frame that was read. Defaults to 0.
        - frame_inds (int (T,), optional): The frames of a clip, in place of ``frame``.

    Modified Keys:

        - seg_fields (list[str]): ``gt_seg_map`` is added where there is such a list.

    Added Keys:

        - gt_seg_map (uint8 (H, W), or (T, H, W) of a clip): Labels; 255 in frames of a clip that
          have none.

    Args:
        scale (tuple[int, int], optional): Width and height that the labels are brought to, by the
            nearest pixel's centre, for training. MMSegmentation's ``Resize`` takes the pixel above
            and to the left, which shifts labels against frames. Defaults to None, the size of the
            recording.
    """

    def __init__(self, scale: tuple[int, int] | None = None) -> None:
        self.scale = scale

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Draw or read.

        Args:
            results (dict): The pipeline's results dict.

        Returns:
            dict: The same dict.

        Raises:
            RecordingError: If a label image is missing or damaged, of another size than its frame,
                or holds an unknown label.
        """
        if 'masks' not in results:
            return results
        if 'frame_inds' in results:
            frames = np.ravel(results['frame_inds']).tolist()
            results['gt_seg_map'] = np.stack([self._mask(results, frame) for frame in frames])
        else:
            results['gt_seg_map'] = self._mask(results, results.get('frame', 0))
        if 'seg_fields' in results:
            results['seg_fields'] = [*results['seg_fields'], 'gt_seg_map']
        return results

    def _mask(self, results: dict[str, Any], frame: int) -> np.ndarray:
        shape = results.get('original_shape') or results['ori_shape']
        source = results['masks'].get(frame)
        if source is None:
            mask = np.full(shape, IGNORED, np.uint8)
        elif isinstance(source, str):
            mask = read_labels(source, results['num_classes'])
        else:
            mask = tracing_mask(source, shape)
        if mask.shape != tuple(shape):
            raise RecordingError(
                results['filename'], f'is {shape[0]} x {shape[1]}, its labels are of {mask.shape}'
            )
        if self.scale is None:
            return mask
        return cv2.resize(mask, self.scale, interpolation=cv2.INTER_NEAREST_EXACT)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(scale={self.scale})'
