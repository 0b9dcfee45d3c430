"""The reconstruction loss on the masked sector tokens."""

from __future__ import annotations

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from echocardmae_mm.registry import MODELS


@MODELS.register_module()
class ReconstructionHead(BaseModule):
    """L2 between predicted and denoised patches, L_rec of Eq. 1.

    A clip's loss is the mean over its own masked tokens, the batch's is the mean over clips: it
    does not depend on the company in which a video comes.

    Args:
        loss_weight (float): Factor of the loss. Defaults to 1.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, prediction: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
        """The weighted loss.

        Args:
            prediction (Tensor): Predicted patches, (B, Nm, D).
            target (Tensor): Patches of the target, normalised, (B, Nm, D).
            valid (Tensor, optional): bool of shape (B, Nm), false for tokens that do not
                count. Defaults to None, all count.

        Returns:
            Tensor: float32 scalar.
        """
        error = F.mse_loss(prediction.float(), target.float(), reduction='none').mean(-1)
        per_clip = error.mean(1) if valid is None else (error * valid).sum(1) / valid.sum(1)
        return self.loss_weight * per_clip.mean()
