"""Blurred frames as the target of reconstruction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from torch import Tensor

from echocardmae_mm.datasets.transforms.median_blur import median_blur_3x3
from echocardmae_mm.registry import TRANSFORMS
from echocardmae_mm.utils.errors import UserError

BLURS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    'median': cv2.medianBlur,
    'gaussian': lambda frame, size: cv2.GaussianBlur(frame, (size, size), sigmaX=0),
    'mean': lambda frame, size: cv2.blur(frame, (size, size)),
    'none': lambda frame, size: frame,
}


@TRANSFORMS.register_module()
class DenoisedTarget(BaseTransform):
    """Reconstruct denoised frames from noisy ones (section 2.4 of the paper).

    Each channel of each frame is blurred by itself; the input of the encoder stays as it is. The
    paper found the median best and is silent about the kernel: 3 is the released code's. Sigma of
    the Gaussian is OpenCV's for the kernel, ``0.3 * ((kernel_size - 1) / 2 - 1) + 0.8`` pixels,
    also the default of albumentations, the library that the released code blurs with.

    Required Keys:

        - imgs (uint8, (M, C, T, H, W))

    Added Keys:

        - target (uint8, (M, C, T, H, W))

    Args:
        method (str): 'median', 'gaussian', 'mean' or 'none'. Defaults to 'median'.
        kernel_size (int): Side of the kernel in pixels, odd. Defaults to 3.
    """

    def __init__(self, method: str = 'median', kernel_size: int = 3) -> None:
        if method not in BLURS:
            raise UserError(
                f'DenoisedTarget: method={method!r} is unknown; choose one of {[*BLURS]}'
            )
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise UserError(f'DenoisedTarget: kernel_size={kernel_size} must be odd and positive')
        self.method = method
        self.kernel_size = kernel_size

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add ``target``.

        Args:
            results (dict): The pipeline's results dict.

        Returns:
            dict: The same dict.

        Raises:
            UserError: If ``imgs`` is not an array of clips.
        """
        imgs = results['imgs']
        if getattr(imgs, 'ndim', 0) != 5:
            raise UserError(
                'DenoisedTarget needs imgs of shape (M, C, T, H, W): '
                "put FormatShape('NCTHW') before it"
            )
        blur = BLURS[self.method]
        height, width = imgs.shape[-2:]
        target = np.empty(imgs.shape, imgs.dtype)
        for source, blurred in zip(
            imgs.reshape(-1, height, width), target.reshape(-1, height, width)
        ):
            blurred[...] = blur(source, self.kernel_size)
        results['target'] = target
        return results

    @property
    def has_batch_form(self) -> bool:
        """Whether :meth:`transform_batch` gives the same pixels as :meth:`transform`."""
        if type(self) is not DenoisedTarget:  # What a subclass changes is not known here.
            return False
        return self.method == 'none' or (self.method, self.kernel_size) == ('median', 3)

    def transform_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Add ``target`` to a whole batch, on its device.

        Args:
            batch (dict): ``imgs`` is uint8 of shape (B, C, T, H, W), best a view of channels last.

        Returns:
            dict: The batch and ``target``, like ``imgs``.
        """
        imgs = batch['imgs']
        if self.method == 'none':
            return {**batch, 'target': imgs}
        frames = imgs.movedim(1, -1)
        blurred = _median_on_cpu(frames) if imgs.device.type == 'cpu' else median_blur_3x3(frames)
        return {**batch, 'target': blurred.movedim(-1, 1)}

    def __repr__(self) -> str:
        return f'{type(self).__name__}(method={self.method!r}, kernel_size={self.kernel_size})'


def _median_on_cpu(frames: Tensor) -> Tensor:
    frames = frames.contiguous()
    blurred = torch.empty_like(frames)
    for frame, into in zip(frames.flatten(0, -4).numpy(), blurred.flatten(0, -4).numpy()):
        cv2.medianBlur(frame, 3, dst=into)
    return blurred
