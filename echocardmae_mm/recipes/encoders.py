"""Encoders for fine-tuning."""

from __future__ import annotations

from typing import Any

from echocardmae_mm.recipes.common import Config, EncoderSize, clip_preprocessor


def encoder(size: EncoderSize, checkpoint: str | None, **settings: Any) -> Config:
    """Build an encoder that starts from a pretraining checkpoint; None for random weights."""
    init_cfg = checkpoint and dict(type='Pretrained', checkpoint=checkpoint, prefix='backbone.')
    return dict(
        img_size=size.img_size,
        patch_size=size.patch_size,
        init_cfg=init_cfg,
        **size.width,
        **settings,
    )


def recognizer(size: EncoderSize, checkpoint: str | None, cls_head: Config) -> Config:
    """Build MMAction2's recognizer on an encoder, with a head that lacks ``in_channels``."""
    return dict(
        type='mmaction.Recognizer3D',
        data_preprocessor=clip_preprocessor(),
        backbone=encoder(
            size,
            checkpoint,
            type='echocardmae_mm.FusedVisionTransformer',
            num_frames=size.num_frames,
            tubelet_size=size.tubelet_size,
        ),
        cls_head=dict(cls_head, in_channels=size.embed_dims),
    )


def uniformer_small(checkpoint: str | None = None) -> Config:
    """MMAction2's UniFormer-S with the dropout of EchoCoTr and CoReEcho, as a new backbone.

    Args:
        checkpoint (str, optional): Recognizer whose backbone to start from. Defaults to None,
            random weights.

    Returns:
        dict: The backbone; it replaces that of a ``_base_``.
    """
    backbone = dict(
        _delete_=True,
        type='mmaction.UniFormer',
        depth=[3, 4, 8, 3],
        img_size=112,
        drop_rate=0.1,
        drop_path_rate=0.0,
        pretrained2d=False,
    )
    if checkpoint:
        backbone['init_cfg'] = dict(type='Pretrained', checkpoint=checkpoint, prefix='backbone.')
    return backbone
