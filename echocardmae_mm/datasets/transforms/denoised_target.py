"""Denoise frames for the reconstruction target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from echocardmae_mm.datasets.transforms.blur import GAUSSIANS, gaussian_blur, mean_blur, median_blur
from echocardmae_mm.datasets.transforms.echo_transform import EchoTransform
from echocardmae_mm.registry import TRANSFORMS
from echocardmae_mm.utils.errors import UserError

BLURS: dict[str, Callable[[Tensor, int], Tensor]] = {
    'median': median_blur,
    'gaussian': gaussian_blur,
    'mean': mean_blur,
    'none': lambda frames, kernel_size: frames.clone(),
}


@TRANSFORMS.register_module()
class DenoisedTarget(EchoTransform):
    """Blur the frames for the reconstruction target (section 2.4 of the paper).

    The encoder sees the original frames. The paper found the median best but does not state its
    kernel size; the released code uses 3. The Gaussian has OpenCV's default sigma,
    ``0.3 * ((kernel_size - 1) / 2 - 1) + 0.8`` pixels, as in albumentations, which the released
    code uses.

    :class:`ClipPairPreprocessor` applies this transform to batches, a pipeline to single samples.

    Required Keys:

        - imgs (uint8, (M, C, T, H, W))

    Added Keys:

        - target (uint8, (M, C, T, H, W))

    Args:
        method (str): 'median', 'gaussian', 'mean' or 'none'. Defaults to 'median'.
        kernel_size (int): Height and width of the kernel in pixels, odd; at most 7 for the
            Gaussian. Defaults to 3.

    Raises:
        UserError: If the method or the kernel size is unknown.

    Example:
        >>> import torch
        >>> from echocardmae_mm.datasets.transforms import DenoisedTarget
        >>> frame = torch.zeros(1, 1, 1, 5, 5, dtype=torch.uint8)
        >>> frame[..., 2, 2] = 255  # a speckle
        >>> DenoisedTarget('median').denoise(frame).max()
        tensor(0, dtype=torch.uint8)
    """

    def __init__(self, method: str = 'median', kernel_size: int = 3) -> None:
        if method not in BLURS:
            raise UserError(
                f'DenoisedTarget: method={method!r} is unknown; choose one of {[*BLURS]}'
            )
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise UserError(f'DenoisedTarget: kernel_size={kernel_size} must be odd and positive')
        if method == 'gaussian' and kernel_size not in GAUSSIANS:
            raise UserError(
                f'DenoisedTarget: kernel_size={kernel_size} is too large for the Gaussian; '
                f'choose one of {[*GAUSSIANS]}'
            )
        self.method = method
        self.kernel_size = kernel_size

    def denoise(self, clips: Tensor) -> Tensor:
        """Blur clips, uint8 of shape (..., H, W), on any device."""
        return BLURS[self.method](clips, self.kernel_size)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add ``target``.

        Raises:
            UserError: If ``imgs`` is not an array of clips.
        """
        imgs = results['imgs']
        if getattr(imgs, 'ndim', 0) != 5:
            raise UserError(
                'DenoisedTarget needs imgs of shape (M, C, T, H, W): '
                "put FormatShape('NCTHW') before it"
            )
        results['target'] = self.denoise(torch.from_numpy(imgs)).numpy()
        return results
