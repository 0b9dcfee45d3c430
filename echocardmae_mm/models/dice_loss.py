"""Dice loss that ignores pixels and frames without a label."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from echocardmae_mm.registry import MODELS


@MODELS.register_module()
class DiceLoss(nn.Module):
    """1 - Dice, averaged over images and classes, as MONAI's ``DiceLoss(softmax=True)``.

    This is the loss of the released ``train_seg.py``; it works as ``loss_decode`` of any
    MMSegmentation head. It excludes pixels labelled ``ignore_index`` and images without labelled
    pixels; MMSegmentation's own ``DiceLoss`` counts such pixels as background.

    Args:
        include_background (bool): Whether to include class 0. Defaults to True.
        smooth (float): Added to numerator and denominator. Defaults to 1e-5.
        loss_weight (float): Weight of the loss. Defaults to 1.
        loss_name (str): Name of the loss in the log. Defaults to 'loss_dice'.

    Example:
        >>> import torch
        >>> from echocardmae_mm.models import DiceLoss
        >>> labels = torch.tensor([[[0, 1], [1, 255]]])
        >>> logits = torch.tensor([[[[9.0, -9.0], [-9.0, 0.0]], [[-9.0, 9.0], [9.0, 0.0]]]])
        >>> bool(DiceLoss()(logits, labels) < 1e-4)  # the last pixel is ignored
        True
    """

    def __init__(
        self,
        include_background: bool = True,
        smooth: float = 1e-5,
        loss_weight: float = 1.0,
        loss_name: str = 'loss_dice',
    ) -> None:
        super().__init__()
        self.first_class = 0 if include_background else 1
        self.smooth = smooth
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(
        self,
        logits: Tensor,
        labels: Tensor,
        weight: Tensor | None = None,
        ignore_index: int = 255,
        **_: Any,
    ) -> Tensor:
        """Compute the weighted loss.

        Args:
            logits (Tensor): (N, K, H, W).
            labels (Tensor): Class of each pixel, int64 of shape (N, H, W).
            weight (Tensor, optional): Weight of each pixel, (N, H, W). Defaults to None, all 1.
            ignore_index (int): Label of pixels to ignore. Defaults to 255.

        Returns:
            Tensor: float32 scalar; 0 if no pixel is labelled.
        """
        counts = labels != ignore_index
        pixels = counts.float() if weight is None else counts * weight
        classes = F.one_hot(labels.where(counts, 0), logits.shape[1]).movedim(-1, 1)
        truth = (classes * pixels[:, None])[:, self.first_class :]
        share = (logits.float().softmax(1) * pixels[:, None])[:, self.first_class :]
        overlap = (share * classes[:, self.first_class :]).sum((2, 3))
        total = share.sum((2, 3)) + truth.sum((2, 3))
        error = 1 - (2 * overlap + self.smooth) / (total + self.smooth)
        labelled = counts.flatten(1).any(1)
        mean = (error.mean(1) * labelled).sum() / labelled.sum().clamp(min=1)
        return self.loss_weight * mean
