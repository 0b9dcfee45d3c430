"""The reconstruction loss on the masked sector tokens."""

from __future__ import annotations

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from echocardmae_mm.registry import MODELS


@MODELS.register_module()
class ReconstructionHead(BaseModule):
    """L2 between predicted and denoised patches, L_rec of Eq. 1.

    The loss is averaged over the masked tokens of each clip, then over clips, so the loss of a
    video does not depend on the other videos in the batch.

    Args:
        loss_weight (float): Weight of the loss. Defaults to 1.

    Example:
        >>> import torch
        >>> from echocardmae_mm.models import ReconstructionHead
        >>> prediction, target = torch.zeros(2, 5, 1536), torch.ones(2, 5, 1536)
        >>> ReconstructionHead()(prediction, target)
        tensor(1.)
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, prediction: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
        """Compute the weighted loss.

        Args:
            prediction (Tensor): Predicted patches, (B, Nm, D).
            target (Tensor): Normalised target patches, (B, Nm, D).
            valid (Tensor, optional): bool of shape (B, Nm), false for tokens to ignore.
                Defaults to None, all are valid.

        Returns:
            Tensor: float32 scalar.
        """
        error = F.mse_loss(prediction.float(), target.float(), reduction='none').mean(-1)
        per_clip = error.mean(1) if valid is None else (error * valid).sum(1) / valid.sum(1)
        return self.loss_weight * per_clip.mean()
