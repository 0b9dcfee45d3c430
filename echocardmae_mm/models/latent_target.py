"""Targets in the latent space of a frozen encoder."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from echocardmae_mm.models.checkpoint_report import pretrained_cfg
from echocardmae_mm.registry import MODELS
from echocardmae_mm.utils.errors import UserError


@MODELS.register_module()
class LatentTarget(BaseModule):
    """Latents of a frozen, already pretrained encoder, in place of denoised pixels.

    The teacher sees every token of the clip, and the model predicts its normalised latents at the
    masked ones. As in SALT (Li et al., "Rethinking JEPA: Compute-Efficient Video SSL with Frozen
    Teachers", 2025), the teacher is never updated, so there is no moving average to tune.

    Args:
        backbone (dict): The teacher. :class:`EchoCardMAE` passes the config of its own encoder
            unless another is given.
        init_cfg (dict): ``dict(type='Pretrained', checkpoint=..., prefix='backbone.')``, the
            teacher's weights.

    Raises:
        UserError: If ``init_cfg`` names no checkpoint.

    Example:
        Train an encoder on the latents of an earlier one:

        >>> model = dict(
        ...     latent_target=dict(
        ...         type='echocardmae_mm.LatentTarget',
        ...         init_cfg=dict(
        ...             type='Pretrained',
        ...             checkpoint='work_dirs/pretrain_echo/epoch_1600.pth',
        ...             prefix='backbone.',
        ...         ),
        ...     )
        ... )
    """

    def __init__(self, backbone: dict[str, Any], init_cfg: dict[str, Any]) -> None:
        super().__init__()
        if pretrained_cfg(init_cfg) is None:
            raise UserError(
                'LatentTarget needs a pretrained teacher: set '
                "init_cfg=dict(type='Pretrained', checkpoint=..., prefix='backbone.')"
            )
        self.backbone = MODELS.build({**backbone, 'init_cfg': init_cfg}).requires_grad_(False)

    @property
    def out_channels(self) -> int:
        """Width of a latent."""
        return int(self.backbone.pos_embed.shape[-1])

    def train(self, mode: bool = True) -> LatentTarget:
        """Keep the teacher in evaluation mode."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, patches: Tensor, ids: Tensor) -> Tensor:
        """Encode a clip and select tokens.

        Args:
            patches (Tensor): Normalised patches of all tokens in order, (B, N, D).
            ids (Tensor): Tokens to return, int64 of shape (B, K).

        Returns:
            Tensor: (B, K, C), each token with mean 0 and variance 1.
        """
        latent = self.backbone.encode(patches)  # (B, N, C)
        chosen = latent.gather(1, ids.unsqueeze(-1).expand(-1, -1, latent.shape[-1]))
        return F.layer_norm(chosen.float(), chosen.shape[-1:])
