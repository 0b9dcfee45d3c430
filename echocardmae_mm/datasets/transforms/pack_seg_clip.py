"""Pack a clip and its labels for :class:`ClipSegmentor`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.structures import PixelData

from echocardmae_mm.datasets.transforms.echo_transform import EchoTransform
from echocardmae_mm.registry import TRANSFORMS

META_KEYS = (
    'filename', 'img_path', 'patient', 'view', 'quality', 'source', 'instant', 'frame', 'ef',
    'frame_inds', 'ori_shape', 'spacing', 'padded_frames', 'clicks', 'click_labels',
)  # fmt: skip


@TRANSFORMS.register_module()
class PackSegClip(EchoTransform):
    """Pack frames into a tensor, and labels and metadata into a ``SegDataSample``.

    Required Keys:

        - imgs (uint8 (1, 3, T, H, W)): From ``FormatShape('NCTHW')``.
        - gt_seg_map (uint8 (T, H', W'), optional)
        - original_shape (tuple[int, int]): Stored as ``ori_shape``.

    Added Keys:

        - inputs (uint8 Tensor (1, 3, T, H, W))
        - data_samples (SegDataSample): With ``gt_sem_seg`` of shape (T, H', W').

    Args:
        meta_keys (Sequence[str]): Keys to copy as metadata. Defaults to :data:`META_KEYS`.
    """

    def __init__(self, meta_keys: Sequence[str] = META_KEYS) -> None:
        self.meta_keys = meta_keys

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Return ``inputs`` and ``data_samples``."""
        from mmseg.structures import SegDataSample

        results['ori_shape'] = results['original_shape']
        sample = SegDataSample()
        if 'gt_seg_map' in results:
            labels = torch.from_numpy(results['gt_seg_map']).long()
            sample.gt_sem_seg = PixelData(data=labels)
        sample.set_metainfo({key: results[key] for key in self.meta_keys if key in results})
        return {'inputs': torch.from_numpy(results['imgs']), 'data_samples': sample}
