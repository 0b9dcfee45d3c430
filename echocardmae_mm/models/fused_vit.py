"""MMAction2's video transformer with fused attention, for fine-tuning."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from typing import Any

from mmaction.models import VisionTransformer
from torch import Tensor

from echocardmae_mm.models.checkpoint_report import report_checkpoint
from echocardmae_mm.models.fused_attention import fuse_attention
from echocardmae_mm.models.patches import PatchConvolution
from echocardmae_mm.registry import MODELS
from echocardmae_mm.utils.errors import UserError


@MODELS.register_module()
class FusedVisionTransformer(VisionTransformer):
    """:class:`mmaction.VisionTransformer` with fused attention and checked checkpoints.

    Parameter names match MMAction2's, so each class loads checkpoints of the other. With
    ``init_cfg=dict(type='Pretrained', checkpoint=..., prefix='backbone.')`` the log lists loaded
    and fresh tensors. A checkpoint that does not fit raises an error; MMAction2's class silently
    keeps its initial weights.

    Args:
        init_cfg (dict | list[dict], optional): Initialisation, such as the checkpoint. Defaults to
            None, that of MMAction2 and of the released code: truncated normal, sd 0.02.
        attn_bias (bool): Whether queries and values have a bias. False freezes both at zero,
            because the released EchoCardMAE code never applies them. Defaults to True.
        frozen_stages (int): Number of blocks to freeze, counted from the first; 0 or more also
            freezes the patch embedding. ``depth`` freezes all but ``fc_norm``. Defaults to -1,
            nothing is frozen.
        **kwargs: Arguments of :class:`mmaction.VisionTransformer`: ``img_size``, ``patch_size``,
            ``num_frames``, ``tubelet_size``, ``embed_dims``, ``depth``, ``num_heads``, ...

    Raises:
        UserError: If an argument is unknown (MMAction2 would ignore it) or ``frozen_stages`` is out
            of range.
    """

    #: Tensors not to load from the checkpoint of ``init_cfg``.
    left_fresh: Collection[str] = ()

    def __init__(
        self,
        init_cfg: dict | list[dict] | None = None,
        attn_bias: bool = True,
        frozen_stages: int = -1,
        **kwargs: Any,
    ) -> None:
        known = set(inspect.signature(VisionTransformer.__init__).parameters)
        known -= {'self', 'kwargs', 'pretrained', 'init_cfg'}
        if unknown := kwargs.keys() - known:
            raise UserError(
                f'{type(self).__name__} has no argument {", ".join(sorted(unknown))}; '
                f'it has attn_bias, frozen_stages, {", ".join(sorted(known))}'
            )
        if init_cfg is not None:
            kwargs['init_cfg'] = init_cfg
        super().__init__(**kwargs)
        fuse_attention(self.blocks, attn_bias)
        self.patch_embed.projection.__class__ = PatchConvolution
        if not -1 <= frozen_stages <= len(self.blocks):
            raise UserError(
                f'{type(self).__name__}: frozen_stages={frozen_stages} must lie between -1 '
                f'(nothing) and {len(self.blocks)} (all blocks)'
            )
        self.frozen_stages = frozen_stages
        for module in self._frozen():
            module.requires_grad_(False)

    def init_weights(self) -> None:
        """Check the checkpoint of ``init_cfg``, if any, and initialise."""
        report_checkpoint(self, left_fresh=self.left_fresh, adapt=self.adapt)
        super().init_weights()

    def adapt(self, state: dict[str, Tensor], prefix: str = '') -> None:
        """Fit the tensors of a checkpoint to this model, in place; nothing to do by default."""

    def train(self, mode: bool = True) -> FusedVisionTransformer:
        """Set the mode; frozen modules stay in evaluation mode."""
        super().train(mode)
        for module in self._frozen():
            module.eval()
        return self

    def _frozen(self) -> list[Any]:
        if self.frozen_stages < 0:
            return []
        return [self.patch_embed, *self.blocks[: self.frozen_stages]]
