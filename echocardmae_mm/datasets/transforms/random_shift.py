"""Shift frames and their labels together."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from echocardmae_mm.datasets.transforms.load_echo_mask import IGNORED
from echocardmae_mm.registry import TRANSFORMS
from echocardmae_mm.utils.counter_rng import RngStream, random_bits, rng_key


@TRANSFORMS.register_module()
class RandomShift(BaseTransform):
    """Pad, then crop to the previous size at a random position, as in the released code.

    All frames of a clip are shifted equally. Put it after ``Resize``.

    Required Keys:

        - img (uint8 (H, W, 3)), or imgs (list of such)
        - gt_seg_map (uint8 (..., H, W), optional)

    Modified Keys:

        - img or imgs
        - gt_seg_map

    Args:
        pixels (int): Largest shift in each direction. Defaults to 12.
        fill (int): Grey level of the padding; 32 is about the mean of echocardiograms. Labels are
            padded with 0 (background), or with 255 in frames without labels. Defaults to 32.
    """

    def __init__(self, pixels: int = 12, fill: int = 32) -> None:
        self.pixels = pixels
        self.fill = fill

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Shift frames and labels."""
        bits = random_bits(rng_key(results), RngStream.SHIFT, 2)
        down, right = (int(value % (2 * self.pixels + 1)) for value in bits.astype(np.uint64))
        if 'imgs' in results:
            results['imgs'] = [self._shift(img, down, right, self.fill) for img in results['imgs']]
        else:
            results['img'] = self._shift(results['img'], down, right, self.fill)
        if 'gt_seg_map' in results:
            labels = results['gt_seg_map']
            masks = labels.reshape(-1, *labels.shape[-2:])
            shifted = [self._shift(mask, down, right, _outside(mask)) for mask in masks]
            results['gt_seg_map'] = np.stack(shifted).reshape(labels.shape)
        return results

    def _shift(self, image: np.ndarray, down: int, right: int, fill: int) -> np.ndarray:
        height, width = image.shape[:2]
        border, value = (self.pixels,) * 4, (fill,) * 4
        padded = cv2.copyMakeBorder(image, *border, cv2.BORDER_CONSTANT, value=value)
        return np.ascontiguousarray(padded[down : down + height, right : right + width])

    def __repr__(self) -> str:
        return f'{type(self).__name__}(pixels={self.pixels}, fill={self.fill})'


def _outside(mask: np.ndarray) -> int:
    return IGNORED if (mask == IGNORED).all() else 0
