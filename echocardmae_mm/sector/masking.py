"""Which tokens of the sector are hidden from the encoder (section 2.2 of the paper).

Each strategy scores the cells of every temporal slot; the ``num_visible`` cells of the sector with
the lowest scores stay visible, so that every slot, clip and video show the same number.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from echocardmae_mm.utils.counter_rng import random_bits53
from echocardmae_mm.utils.counter_rng import RngKey, RngStream, random_uniform

BLOCKS_PER_SLOT = 32
BLOCK_AREA = (0.08, 0.4)
BLOCK_ASPECT = (0.3, 1 / 0.3)


def mask_tokens(
    sector: np.ndarray,
    num_clips: int,
    num_slots: int,
    num_visible: int,
    strategy: str,
    key: RngKey,
) -> np.ndarray:
    """Draw the masked tokens of some clips that share one sector.

    The first clip's mask does not depend on ``num_clips``.

    Args:
        sector (np.ndarray): Grid of tokens, bool of shape (h, w).
        num_clips (int): Number of independent masks.
        num_slots (int): Temporal slots, frames / tubelet.
        num_visible (int): Visible tokens in each slot, at most the tokens of the sector.
        strategy (str): A key of ``STRATEGIES``.
        key (RngKey): Whose draw it is.

    Returns:
        np.ndarray: bool of shape (num_clips, num_slots * h * w), in the order t, h, w.
    """
    inside = sector.ravel()
    scores = STRATEGIES[strategy](sector, num_clips, num_slots, key)
    order = np.argsort(np.where(inside, scores, np.inf), axis=-1, kind='stable')
    masked = np.broadcast_to(inside, scores.shape).copy()
    np.put_along_axis(masked, order[..., :num_visible], False, axis=-1)
    return masked.reshape(num_clips, -1)


def mask_token_batch(
    sector: Tensor,
    num_clips: int,
    num_slots: int,
    num_visible: int,
    strategy: str,
    keys: Tensor,
) -> Tensor:
    """:func:`mask_tokens` of a batch of videos that share one sector, on its device.

    Args:
        sector (Tensor): Grid of tokens, bool of shape (h * w,).
        num_clips (int): Number of independent masks of a video.
        num_slots (int): Temporal slots, frames / tubelet.
        num_visible (int): Visible tokens in each slot.
        strategy (str): One of ``BATCH_STRATEGIES``.
        keys (Tensor): Whose draws they are, int64 of shape (B, 3).

    Returns:
        Tensor: bool of shape (B, num_clips, num_slots * h * w), bit by bit what
        :func:`mask_tokens` draws for each key.
    """
    num_draws = num_slots if strategy == 'random' else 1
    shape = (len(keys), num_clips, num_draws, len(sector))
    ranks = random_bits53(keys, RngStream.MASK, math.prod(shape[1:])).view(shape)
    ranks = torch.where(sector, ranks, torch.iinfo(torch.int64).max)
    shown = ranks.argsort(dim=-1, stable=True)[..., :num_visible]
    masked = sector.expand(shape).scatter(-1, shown, False)
    return masked.expand(-1, -1, num_slots, -1).flatten(2)


def random_scores(sector: np.ndarray, num_clips: int, num_slots: int, key: RngKey) -> np.ndarray:
    """Every slot draws its own cells ("random masking", as in MAE).

    Args:
        sector (np.ndarray): Grid of tokens, bool of shape (h, w).
        num_clips (int): Number of independent masks.
        num_slots (int): Temporal slots.
        key (RngKey): Whose draw it is.

    Returns:
        np.ndarray: float64 of shape (num_clips, num_slots, h * w).
    """
    shape = (num_clips, num_slots, sector.size)
    return random_uniform(key, RngStream.MASK, math.prod(shape)).reshape(shape)


def tube_scores(sector: np.ndarray, num_clips: int, num_slots: int, key: RngKey) -> np.ndarray:
    """One draw of cells holds in all slots ("tube masking", as in VideoMAE).

    Args:
        sector (np.ndarray): Grid of tokens, bool of shape (h, w).
        num_clips (int): Number of independent masks.
        num_slots (int): Temporal slots.
        key (RngKey): Whose draw it is.

    Returns:
        np.ndarray: float64 of shape (num_clips, num_slots, h * w).
    """
    tubes = random_scores(sector, num_clips, 1, key)
    return np.repeat(tubes, num_slots, axis=1)


def block_scores(sector: np.ndarray, num_clips: int, num_slots: int, key: RngKey) -> np.ndarray:
    """Contiguous blocks are masked one after another ("blockwise masking", as in BEiT).

    Each slot draws a sequence of rectangles as BEiT does: an area of 8 to 40 % of the sector, an
    aspect ratio that is log-uniform in 0.3 to 1/0.3, and a centre in the sector. A cell is masked
    with the first rectangle that covers it; the rectangle that would exceed the count shrinks
    towards its centre, which keeps it contiguous and the count exact. Cells under no rectangle come
    last.

    Args:
        sector (np.ndarray): Grid of tokens, bool of shape (h, w).
        num_clips (int): Number of independent masks.
        num_slots (int): Temporal slots.
        key (RngKey): Whose draw it is.

    Returns:
        np.ndarray: float64 of shape (num_clips, num_slots, h * w), the first to be masked highest.
    """
    shape = (num_clips, num_slots, BLOCKS_PER_SLOT, 5)
    area, aspect, cell, down, right = np.moveaxis(
        random_uniform(key, RngStream.MASK, math.prod(shape)).reshape(shape)[..., None], -2, 0
    )
    area = sector.sum() * (BLOCK_AREA[0] + area * (BLOCK_AREA[1] - BLOCK_AREA[0]))
    aspect = np.exp(np.log(BLOCK_ASPECT[0]) + aspect * np.log(BLOCK_ASPECT[1] / BLOCK_ASPECT[0]))
    rows, columns = np.nonzero(sector)
    centre = (cell * len(rows)).astype(np.int64)
    y, x = (axis.ravel() for axis in np.indices(sector.shape))
    offset = np.maximum(
        np.abs(y - rows[centre] - down + 0.5) / np.sqrt(area * aspect),
        np.abs(x - columns[centre] - right + 0.5) / np.sqrt(area / aspect),
    )
    block = np.arange(BLOCKS_PER_SLOT)[:, None]
    return -np.where(offset < 0.5, block + offset, BLOCKS_PER_SLOT + offset).min(axis=-2)


STRATEGIES: dict[str, Callable[[np.ndarray, int, int, RngKey], np.ndarray]] = {
    'random': random_scores,
    'tube': tube_scores,
    'block': block_scores,
}
#: Those that a whole batch can be drawn by on its device; a block's shape rests on floating point.
BATCH_STRATEGIES = ('random', 'tube')
