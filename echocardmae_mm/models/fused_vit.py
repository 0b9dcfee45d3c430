"""MMAction2's video transformer with fused attention, for fine-tuning."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from typing import Any

from mmaction.models import VisionTransformer

from echocardmae_mm.models.checkpoint_report import pretrained_cfg, report_checkpoint
from echocardmae_mm.models.fused_attention import fuse_attention
from echocardmae_mm.registry import MODELS
from echocardmae_mm.utils.errors import UserError

#: Linear layers and norms as VideoMAE draws them for pretraining.
VIDEOMAE_INIT = [
    dict(type='Xavier', layer='Linear', distribution='uniform', bias=0.0),
    dict(type='Constant', layer='LayerNorm', val=1.0, bias=0.0),
]


@MODELS.register_module()
class FusedVisionTransformer(VisionTransformer):
    """:class:`mmaction.VisionTransformer` by fused attention, told what it starts from.

    Names and values of the parameters are the host's, so each loads what the other saved. With
    ``init_cfg=dict(type='Pretrained', checkpoint=..., prefix='backbone.')`` the log says which
    tensors were taken and which are fresh, and a checkpoint of another size is refused, where the
    host's class would go on with fresh weights.

    Args:
        init_cfg (dict | list[dict], optional): Initialisation, such as the checkpoint. Defaults to
            None: as VideoMAE begins its pretraining, :data:`VIDEOMAE_INIT`.
        attn_bias (bool): Whether queries and values have a learnt bias. False freezes both at
            zero, as the released EchoCardMAE code never applies them. Defaults to True.
        frozen_stages (int): Blocks, from the first on, that are not trained, nor is the patch
            embedding before them: 0 freezes that alone, ``depth`` all but ``fc_norm``. Defaults
            to -1, everything is trained.
        **kwargs: Of :class:`mmaction.VisionTransformer`: ``img_size``, ``patch_size``,
            ``num_frames``, ``tubelet_size``, ``embed_dims``, ``depth``, ``num_heads``, ...

    Raises:
        UserError: If the host's class knows no such argument (by itself it would ignore it), or
            there are not so many blocks.
    """

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
        super().__init__(init_cfg=VIDEOMAE_INIT if init_cfg is None else init_cfg, **kwargs)
        fuse_attention(self.blocks, attn_bias)
        if not -1 <= frozen_stages <= len(self.blocks):
            raise UserError(
                f'{type(self).__name__}: frozen_stages={frozen_stages} must lie between -1 '
                f'(none) and its {len(self.blocks)} blocks'
            )
        self.frozen_stages = frozen_stages
        for module in self._frozen():
            module.requires_grad_(False)

    def init_weights(self) -> None:
        """Initialise, and report on the checkpoint that ``init_cfg`` names.

        Raises:
            UserError: If the checkpoint is missing, holds no such encoder, or one of another size.
        """
        if (pretrained := pretrained_cfg(self.init_cfg)) is not None:
            checkpoint, prefix = pretrained['checkpoint'], pretrained.get('prefix') or ''
            report_checkpoint(self, checkpoint, prefix, left_fresh=self.left_fresh())
        super().init_weights()

    def left_fresh(self) -> Collection[str]:
        """Names of tensors that a checkpoint has and that are not taken from it.

        Returns:
            Collection[str]: None of them here.
        """
        return ()

    def train(self, mode: bool = True) -> FusedVisionTransformer:
        """Switch between training and evaluation; what is frozen stays in evaluation.

        Args:
            mode (bool): Whether to train. Defaults to True.

        Returns:
            FusedVisionTransformer: Itself.
        """
        super().train(mode)
        for module in self._frozen():
            module.eval()
        return self

    def _frozen(self) -> list[Any]:
        if self.frozen_stages < 0:
            return []
        return [self.patch_embed, *self.blocks[: self.frozen_stages]]
