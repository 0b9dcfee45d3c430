"""Shift frames and their labels together."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from echocardmae_mm.datasets.transforms.echo_transform import EchoTransform
from echocardmae_mm.datasets.transforms.load_echo_mask import IGNORED
from echocardmae_mm.registry import TRANSFORMS
from echocardmae_mm.utils.counter_rng import RngStream, random_bits, rng_key
from echocardmae_mm.utils.errors import UserError


@TRANSFORMS.register_module()
class RandomShift(EchoTransform):
    """Pad, then crop to the previous size at a random position, as in the released code.

    All frames of a clip are shifted equally, and each clip by itself. Put it after ``Resize``.

    Required Keys:

        - img (uint8 (H, W, 3)), or imgs (list of such)
        - num_clips (int, optional): Clips in imgs, one after the other; otherwise one.
        - gt_seg_map (uint8 (..., H, W), optional): Labels of img or of a single clip.

    Modified Keys:

        - img or imgs
        - gt_seg_map

    Args:
        pixels (int): Largest shift in each direction. Defaults to 12.
        fill (int): Grey level of the padding; 32 is about the mean of echocardiograms. Labels are
            padded with 0 (background), or with 255 in frames without labels. Defaults to 32.
    """

    def __init__(self, pixels: int = 12, fill: int = 32) -> None:
        if pixels < 0:
            raise UserError(f'RandomShift: pixels={pixels} must be at least 0')
        self.pixels = pixels
        self.fill = fill

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Shift frames and labels."""
        clips = int(results.get('num_clips', 1))
        bits = random_bits(rng_key(results), RngStream.SHIFT, 2 * clips).astype(np.uint64)
        shifts = (bits % np.uint64(2 * self.pixels + 1)).reshape(clips, 2)
        if 'imgs' in results:
            frames = results['imgs']
            shift_of = np.repeat(shifts, len(frames) // clips, axis=0)
            results['imgs'] = [self._shift(f, s, self.fill) for f, s in zip(frames, shift_of)]
        else:
            results['img'] = self._shift(results['img'], shifts[0], self.fill)
        if 'gt_seg_map' in results:
            labels = results['gt_seg_map']
            masks = labels.reshape(-1, *labels.shape[-2:])
            shifted = [self._shift(mask, shifts[0], _outside(mask)) for mask in masks]
            results['gt_seg_map'] = np.stack(shifted).reshape(labels.shape)
        return results

    def _shift(self, image: np.ndarray, shift: np.ndarray, fill: int) -> np.ndarray:
        height, width = image.shape[:2]
        down, right = shift.tolist()
        border, value = (self.pixels,) * 4, (fill,) * 4
        padded = cv2.copyMakeBorder(image, *border, cv2.BORDER_CONSTANT, value=value)
        return np.ascontiguousarray(padded[down : down + height, right : right + width])


def _outside(mask: np.ndarray) -> int:
    return IGNORED if (mask == IGNORED).all() else 0
