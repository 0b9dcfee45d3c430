"""Segmentation head that reuses the pretrained decoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmaction.models.backbones.vit_mae import Block, get_sinusoid_encoding
from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule, ModuleList
from mmengine.registry import MODELS as MMENGINE_MODELS
from torch import Tensor, nn

from echocardmae_mm.models.background_decoder import DECODER_INIT
from echocardmae_mm.models.checkpoint_report import report_checkpoint
from echocardmae_mm.models.fused_attention import fuse_attention
from echocardmae_mm.models.patches import unpatchify
from echocardmae_mm.registry import MODELS
from echocardmae_mm.utils.errors import UserError

_CLASSIFIER = ('classifier.weight', 'classifier.bias')
_PRETRAINING_ONLY = ('mask_token', 'background_token', 'head.weight', 'head.bias')


@MODELS.register_module()
class MAESegHead(BaseModule):
    """The pretrained decoder, with a linear layer that classifies the pixels of each patch.

    This is the head of the released ``train_seg.py``. Its parameter names match those of
    :class:`BackgroundTokenDecoder`, so
    ``init_cfg=dict(type='Pretrained', checkpoint=..., prefix='neck.')`` loads the pretrained
    decoder; only ``classifier`` is newly initialised. Use the head as ``decode_head`` of
    MMSegmentation's ``EncoderDecoder`` for frames and of :class:`ClipSegmentor` for clips.

    The losses ignore frames without labels and pixels labelled ``ignore_index``.

    Args:
        num_classes (int): Number of classes, including the background.
        in_channels (int): Width of the encoder's features. Defaults to 384.
        embed_dims (int): Width of the decoder. Defaults to 192.
        depth (int): Number of blocks. Defaults to 4.
        num_heads (int): Attention heads. Defaults to 3.
        mlp_ratio (float): MLP hidden width divided by token width. Defaults to 4.
        img_size (int): Height and width of the frames in pixels. Defaults to 112.
        patch_size (int): Height and width of a patch in pixels. Defaults to 16.
        num_frames (int): Frames per clip; 1 for single images. Defaults to 1.
        tubelet_size (int): Frames per patch; 1 for single images. Defaults to 1.
        use_learnable_pos_emb (bool): Whether to train the position embeddings, starting from
            sinusoids, as in the released code. Defaults to False.
        norm_cfg (dict): Config of the norm layers; the released code has ``eps=1e-5``. Defaults to
            ``dict(type='LN', eps=1e-6)``.
        attn_bias (bool): See :class:`FusedVisionTransformer`. Defaults to True.
        loss_decode (dict | Sequence[dict]): Losses on (N, num_classes, H, W) and (N, H, W).
            Defaults to :class:`DiceLoss`.
        ignore_index (int): Label of pixels to ignore. Defaults to 255.
        init_cfg (dict, optional): The checkpoint. Parameters that it lacks start with
            ``DECODER_INIT``. Defaults to None.
    """

    align_corners = False

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 384,
        embed_dims: int = 192,
        depth: int = 4,
        num_heads: int = 3,
        mlp_ratio: float = 4.0,
        img_size: int = 112,
        patch_size: int = 16,
        num_frames: int = 1,
        tubelet_size: int = 1,
        use_learnable_pos_emb: bool = False,
        norm_cfg: dict = dict(type='LN', eps=1e-6),  # noqa: B006
        attn_bias: bool = True,
        loss_decode: dict | Sequence[dict] = (dict(type='echocardmae_mm.DiceLoss'),),
        ignore_index: int = 255,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=[*DECODER_INIT, *([init_cfg] if init_cfg else [])])
        self.num_classes = self.out_channels = num_classes
        self.patch_size = patch_size
        self.tubelet_size = tubelet_size
        self.ignore_index = ignore_index
        self.grid = (num_frames // tubelet_size, img_size // patch_size, img_size // patch_size)

        self.encoder_to_decoder = nn.Linear(in_channels, embed_dims, bias=False)
        slots, rows, columns = self.grid
        positions = get_sinusoid_encoding(slots * rows * columns, embed_dims)
        if use_learnable_pos_emb:
            self.pos_embed = nn.Parameter(positions)
        else:
            self.register_buffer('pos_embed', positions, persistent=False)
        self.blocks = ModuleList(
            Block(embed_dims, num_heads, mlp_ratio, norm_cfg=norm_cfg) for _ in range(depth)
        )
        fuse_attention(self.blocks, attn_bias)
        self.norm = build_norm_layer(norm_cfg, embed_dims)[1]
        self.classifier = nn.Linear(embed_dims, num_classes * tubelet_size * patch_size**2)
        losses = [loss_decode] if isinstance(loss_decode, dict) else loss_decode
        self.losses = nn.ModuleList(MMENGINE_MODELS.build(loss) for loss in losses)

    def init_weights(self) -> None:
        """Check the checkpoint of ``init_cfg``, if any, and initialise."""
        report_checkpoint(self, 'decoder', _CLASSIFIER, _PRETRAINING_ONLY)
        super().init_weights()

    def forward(self, inputs: Tensor | Sequence[Tensor]) -> Tensor:
        """Compute the logits of each pixel.

        Args:
            inputs (Tensor | Sequence[Tensor]): Features of the encoder, (B, C, h, w) or, for clips,
                (B, C, t, h, w); the last of a sequence is used.

        Returns:
            Tensor: (B, num_classes, H, W) or, for clips, (B, num_classes, T, H, W).

        Raises:
            UserError: If the feature grid does not match the head.
        """
        features = inputs if isinstance(inputs, Tensor) else inputs[-1]
        is_clip = features.ndim == 5
        grid = tuple(features.shape[2:]) if is_clip else (1, *features.shape[2:])
        if grid != self.grid:
            raise UserError(
                f'MAESegHead expects {self.grid} patches (time, rows, columns) but got {grid}: '
                'set its img_size, patch_size, num_frames and tubelet_size as in the encoder'
            )
        tokens = self.encoder_to_decoder(features.flatten(2).transpose(1, 2)) + self.pos_embed
        for block in self.blocks:
            tokens = block(tokens)
        classes = self.classifier(self.norm(tokens))
        side = grid[1] * self.patch_size, grid[2] * self.patch_size
        logits = unpatchify(classes, self.patch_size, self.tubelet_size, side)
        return logits if is_clip else logits.squeeze(2)

    def loss(
        self, inputs: Tensor | Sequence[Tensor], batch_data_samples: list[Any], train_cfg: dict
    ) -> dict[str, Tensor]:
        """Compute the losses on labelled frames.

        Args:
            inputs (Tensor | Sequence[Tensor]): See :meth:`forward`.
            batch_data_samples (list[SegDataSample]): With ``gt_sem_seg`` of shape (T, H, W), the
                size of the inputs; T is 1 for single images.
            train_cfg (dict): Ignored.

        Returns:
            dict[str, Tensor]: The losses by name.
        """
        logits = self(inputs)
        labels = torch.cat([sample.gt_sem_seg.data for sample in batch_data_samples])
        frames = logits.movedim(2, 1).flatten(0, 1) if logits.ndim == 5 else logits
        labelled = (labels != self.ignore_index).flatten(1).any(1)
        losses: dict[str, Tensor] = {}
        for loss in self.losses:
            name = str(loss.loss_name)
            if labelled.any():
                value = loss(frames[labelled], labels[labelled], ignore_index=self.ignore_index)
            else:
                value = 0 * logits.sum()
            losses[name] = losses.get(name, 0) + value  # as MMSegmentation adds equal names
        return losses

    def predict(
        self, inputs: Tensor | Sequence[Tensor], batch_img_metas: list[dict], test_cfg: dict
    ) -> Tensor:
        """Call :meth:`forward`; MMSegmentation's ``EncoderDecoder`` uses this in testing."""
        return self(inputs)
