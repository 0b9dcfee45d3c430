"""Draw the masked tokens of the sector (section 2.2 of the paper).

A strategy scores the tokens of every time slot. The ``num_visible`` sector tokens with the lowest
scores stay visible, so the number of visible tokens is the same in every slot, clip and video.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from echocardmae_mm.utils.counter_rng import RngStream, random_bits53

BLOCKS_PER_SLOT = 32
BLOCK_AREA = (0.08, 0.4)
BLOCK_ASPECT = (0.3, 1 / 0.3)


def mask_tokens(
    sector: Tensor,
    keys: Tensor,
    num_clips: int,
    num_slots: int,
    num_visible: int,
    strategy: str = 'random',
) -> Tensor:
    """Draw the masked tokens of a batch, on the device of ``keys``.

    The masks of a video depend only on its key. Its first mask does not depend on ``num_clips``.

    Args:
        sector (Tensor): Tokens in the sector, bool of shape (B, h, w), or (1, h, w) for all videos.
        keys (Tensor): int64 of shape (B, 3), one :class:`RngKey` per row.
        num_clips (int): Number of independent masks of each video, M.
        num_slots (int): Number of time slots, frames / tubelet size.
        num_visible (int): Number of visible tokens in each slot, fewer than in the sector.
        strategy (str): A key of ``STRATEGIES``. Defaults to 'random'.

    Returns:
        Tensor: bool of shape (B, M, num_slots * h * w), in the order t, h, w.

    Example:
        >>> import torch
        >>> sector = torch.ones(1, 2, 2, dtype=torch.bool)
        >>> mask_tokens(sector, torch.tensor([[0, 0, 7]]), num_clips=1, num_slots=2, num_visible=1)
        tensor([[[ True, False,  True,  True,  True,  True,  True, False]]])
    """
    inside = sector.flatten(1)[:, None, None]  # (B, 1, 1, hw)
    scores = STRATEGIES[strategy](sector, keys, num_clips, num_slots)  # (B, M, T or 1, hw)
    last = math.inf if scores.is_floating_point() else torch.iinfo(scores.dtype).max
    order = torch.where(inside, scores, last).argsort(dim=-1, stable=True)
    masked = inside.expand(scores.shape).scatter(-1, order[..., :num_visible], False)
    return masked.expand(-1, -1, num_slots, -1).flatten(2)  # (B, M, T * hw)


def random_scores(sector: Tensor, keys: Tensor, num_clips: int, num_slots: int) -> Tensor:
    """Score the tokens of each slot independently ("random masking", as in MAE).

    Args:
        sector (Tensor): bool of shape (B or 1, h, w).
        keys (Tensor): int64 of shape (B, 3).
        num_clips (int): Number of independent masks of each video, M.
        num_slots (int): Number of time slots, T.

    Returns:
        Tensor: int64 of shape (B, M, T, h * w).
    """
    shape = (num_clips, num_slots, sector[0].numel())
    return random_bits53(keys, RngStream.MASK, math.prod(shape)).unflatten(1, shape)


def tube_scores(sector: Tensor, keys: Tensor, num_clips: int, num_slots: int) -> Tensor:
    """Use the same scores in all slots ("tube masking", as in VideoMAE): T is 1 in the result.

    See :func:`random_scores` for the arguments.
    """
    return random_scores(sector, keys, num_clips, num_slots=1)


def block_scores(sector: Tensor, keys: Tensor, num_clips: int, num_slots: int) -> Tensor:
    """Mask contiguous blocks one after another ("blockwise masking", as in BEiT).

    Each slot draws a sequence of rectangles as in BEiT: an area of 8 to 40 % of the sector, an
    aspect ratio that is log-uniform in 0.3 to 1/0.3, and a centre in the sector. The first
    rectangle that covers a token masks it. A rectangle that would mask too many tokens shrinks
    towards its centre, which keeps it contiguous and the count exact. Tokens outside all rectangles
    are masked last. Computed on the CPU, because devices round ``exp`` differently.

    See :func:`random_scores` for the arguments.

    Returns:
        Tensor: float64 of shape (B, M, T, h * w).
    """
    grids = sector.cpu().expand(len(keys), -1, -1).numpy()
    shape = (num_clips, num_slots, BLOCKS_PER_SLOT, 5)
    bits = random_bits53(keys.cpu(), RngStream.MASK, math.prod(shape)).numpy()
    uniform = (bits * 2.0**-53).reshape(len(keys), *shape)
    scores = np.stack([_block_scores(*video) for video in zip(grids, uniform)])
    return torch.from_numpy(scores).to(keys.device)


def _block_scores(sector: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    area, aspect, cell, down, right = np.moveaxis(uniform[..., None], -2, 0)  # (M, T, blocks, 1)
    area = sector.sum() * (BLOCK_AREA[0] + area * (BLOCK_AREA[1] - BLOCK_AREA[0]))
    aspect = np.exp(np.log(BLOCK_ASPECT[0]) + aspect * np.log(BLOCK_ASPECT[1] / BLOCK_ASPECT[0]))
    rows, columns = np.nonzero(sector)
    centre = (cell * len(rows)).astype(np.int64)
    y, x = (axis.ravel() for axis in np.indices(sector.shape))  # (hw,)
    # Larger of the two distances to the centre, relative to the sides: below 0.5 inside.
    offset = np.maximum(
        np.abs(y - rows[centre] - down + 0.5) / np.sqrt(area * aspect),
        np.abs(x - columns[centre] - right + 0.5) / np.sqrt(area / aspect),
    )  # (M, T, blocks, hw)
    block = np.arange(BLOCKS_PER_SLOT)[:, None]
    return -np.where(offset < 0.5, block + offset, BLOCKS_PER_SLOT + offset).min(axis=-2)


STRATEGIES: dict[str, Callable[[Tensor, Tensor, int, int], Tensor]] = {
    'random': random_scores,
    'tube': tube_scores,
    'block': block_scores,
}
