"""Blur batches of 8-bit frames on any device, with the same result as OpenCV."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

#: OpenCV's kernels for 8-bit frames with the default sigma; each sums to a power of 2.
GAUSSIANS = {1: (1,), 3: (1, 2, 1), 5: (1, 4, 6, 4, 1), 7: (2, 7, 14, 18, 14, 7, 2)}


def median_blur(frames: Tensor, kernel_size: int) -> Tensor:
    """``cv2.medianBlur``, with replicated borders.

    Args:
        frames (Tensor): uint8 of shape (..., H, W).
        kernel_size (int): Height and width of the kernel in pixels, odd.

    Returns:
        Tensor: uint8 of the same shape.
    """
    if kernel_size == 3 and frames.device.type == 'cpu' and frames.ndim > 3:
        # Clip by clip: the intermediate results stay in the cache.
        return torch.stack([_median_of_nine(clip) for clip in frames])
    if kernel_size == 3:
        return _median_of_nine(frames)
    windows = _pad(frames, kernel_size // 2, 'replicate')
    windows = windows.unfold(-2, kernel_size, 1).unfold(-2, kernel_size, 1)  # (..., H, W, k, k)
    return windows.flatten(-2).median(dim=-1).values


def mean_blur(frames: Tensor, kernel_size: int) -> Tensor:
    """``cv2.blur``, with reflected borders; see :func:`median_blur` for the arguments."""
    total = _convolve(frames, (1,) * kernel_size)
    area = kernel_size**2
    return ((total + area // 2) // area).to(torch.uint8)


def gaussian_blur(frames: Tensor, kernel_size: int) -> Tensor:
    """``cv2.GaussianBlur`` with the default sigma.

    See :func:`median_blur` for the arguments; ``kernel_size`` is a key of ``GAUSSIANS``.
    """
    kernel = GAUSSIANS[kernel_size]
    weight = sum(kernel) ** 2
    return ((_convolve(frames, kernel) + weight // 2) // weight).to(torch.uint8)


def _median_of_nine(frames: Tensor) -> Tensor:
    """Find the median of 3 x 3 pixels in 19 comparisons.

    Sorts each column, then takes the median of the largest minimum, the median of the medians and
    the smallest maximum (Smith, "Implementing median filters in XC4000E FPGAs", Xcell 23, 1996).
    """
    above = torch.cat((frames[..., :1, :], frames[..., :-1, :]), dim=-2)
    below = torch.cat((frames[..., 1:, :], frames[..., -1:, :]), dim=-2)
    low, high = torch.minimum(above, below), torch.maximum(above, below)
    smallest = torch.minimum(low, frames)
    middle = torch.minimum(torch.maximum(low, frames), high)
    largest = torch.maximum(high, frames)
    left, centre, right = _neighbours(smallest)
    largest_of_small = torch.maximum(torch.maximum(left, centre), right)
    middle_of_middle = _median_of_three(*_neighbours(middle))
    left, centre, right = _neighbours(largest)
    smallest_of_large = torch.minimum(torch.minimum(left, centre), right)
    return _median_of_three(largest_of_small, middle_of_middle, smallest_of_large)


def _neighbours(columns: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    left = torch.cat((columns[..., :1], columns[..., :-1]), dim=-1)
    right = torch.cat((columns[..., 1:], columns[..., -1:]), dim=-1)
    return left, columns, right


def _median_of_three(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    low, high = torch.minimum(a, b), torch.maximum(a, b)
    return torch.maximum(low, torch.minimum(high, c))


def _convolve(frames: Tensor, kernel: tuple[int, ...]) -> Tensor:
    """Convolve both axes with integers, exactly: int32 of the shape of ``frames``."""
    size = len(kernel)
    padded = _pad(frames, size // 2, 'reflect').to(torch.int32)
    height, width = frames.shape[-2:]
    rows = torch.stack([k * padded[..., i : i + height, :] for i, k in enumerate(kernel)]).sum(0)
    return torch.stack([k * rows[..., i : i + width] for i, k in enumerate(kernel)]).sum(0)


def _pad(frames: Tensor, margin: int, mode: str) -> Tensor:
    flat = frames.flatten(0, -3).unsqueeze(1).float()  # torch cannot pad integers; floats are exact
    padded = F.pad(flat, (margin,) * 4, mode=mode).to(frames.dtype)
    return padded.view(*frames.shape[:-2], *padded.shape[-2:])
