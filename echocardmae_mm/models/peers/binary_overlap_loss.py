"""The losses of SAMUS and MemSAM."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

_DICE_SHARE = 0.8
_POSITIVE_WEIGHT = 2.0
_SMOOTH = 1e-5


def binary_overlap_losses(logits: Tensor, labels: Tensor, ignore_index: int) -> dict[str, Tensor]:
    """0.2 times the cross-entropy, with positives counted twice, and 0.8 times 1 - Dice.

    Dice has squares in its denominator and is computed once over the batch, as in SAMUS
    (xianlin7/SAMUS, MIT). MemSAM has the same losses.

    Args:
        logits (Tensor): One map for each of S structures, (B, S, ...).
        labels (Tensor): 0 for the background, s for structure s; (B, ...).
        ignore_index (int): Label of pixels to ignore.

    Returns:
        dict[str, Tensor]: ``loss_bce`` and ``loss_dice``, float32 scalars; 0 if no pixel has a
        label.
    """
    structures = labels.new_tensor(range(1, logits.shape[1] + 1))
    structures = structures.view(-1, *[1] * (labels.ndim - 1))
    truth = (labels[:, None] == structures).float()  # (B, S, ...)
    counted = (labels != ignore_index)[:, None].expand_as(truth).float()
    logits = logits.float()
    entropy = F.binary_cross_entropy_with_logits(
        logits, truth, counted, reduction='sum', pos_weight=logits.new_tensor(_POSITIVE_WEIGHT)
    )
    share = logits.sigmoid() * counted
    overlap = 2 * (share * truth).sum() + _SMOOTH
    total = share.square().sum() + truth.square().sum() + _SMOOTH
    return {
        'loss_bce': (1 - _DICE_SHARE) * entropy / counted.sum().clamp(min=1),
        'loss_dice': _DICE_SHARE * (1 - overlap / total),
    }
