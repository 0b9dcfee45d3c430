"""Load the labels of decoded frames."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from echocardmae_mm.datasets.recordings import read_labels
from echocardmae_mm.datasets.tracing import tracing_mask
from echocardmae_mm.datasets.transforms.echo_transform import EchoTransform
from echocardmae_mm.registry import TRANSFORMS
from echocardmae_mm.utils.errors import RecordingError

IGNORED = 255


@TRANSFORMS.register_module()
class LoadEchoMask(EchoTransform):
    """Draw tracings (EchoNet-Dynamic) or read label images (CAMUS) of a frame or a clip.

    Samples without labels pass unchanged, so ``mmseg.apis.inference_model`` can use the test
    pipeline. By default labels keep the size of the recording, which evaluation needs, even if
    ``Resize`` has changed the frames.

    Required Keys:

        - masks (dict[int, np.ndarray | str], optional): Tracing or path of the label image of each
          labelled frame.
        - num_classes (int): Required with ``masks``; labels must be smaller.
        - ori_shape or original_shape (tuple[int, int]): H, W of the recording.
        - frame (int, optional): The decoded frame. Defaults to 0.
        - frame_inds (int (T,), optional): The frames of a clip, instead of ``frame``.

    Modified Keys:

        - seg_fields (list[str], optional): ``gt_seg_map`` is appended.

    Added Keys:

        - gt_seg_map (uint8 (H, W), or (T, H, W) of a clip): Labels; 255 in frames without labels.

    Args:
        scale (tuple[int, int], optional): Width and height of the labels for training, resized to
            the nearest pixel centres. (MMSegmentation's ``Resize`` rounds down, which shifts labels
            relative to frames.) Defaults to None, the size of the recording.
    """

    def __init__(self, scale: tuple[int, int] | None = None) -> None:
        self.scale = scale

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Load the labels.

        Raises:
            RecordingError: If a label image is missing or damaged, its size differs from the
                frame's, or it contains an unknown label.
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
                results['filename'],
                f'its size is {shape[0]} x {shape[1]}, but its labels have size '
                f'{" x ".join(map(str, mask.shape))}',
            )
        if self.scale is None:
            return mask
        return cv2.resize(mask, self.scale, interpolation=cv2.INTER_NEAREST_EXACT)
