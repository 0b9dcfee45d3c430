"""Segmentation of frames and of clips (section 3 of the paper; the released train_seg.py)."""

from __future__ import annotations

from typing import Any

from echocardmae_mm.recipes.common import (
    ENCODER,
    Config,
    clip_preprocessor,
    clip_steps,
    dataloaders,
    encoder,
    frame_preprocessor,
    override,
)

ECHONET = dict(type='echocardmae_mm.EchoNetSegDataset', data_root='data/EchoNet-Dynamic')
META_KEYS = (
    'filename', 'img_path', 'patient', 'view', 'quality', 'source', 'instant', 'frame', 'ef',
    'spacing', 'ori_shape', 'img_shape', 'pad_shape', 'scale_factor',
)  # fmt: skip


def segmentation(
    dataset: Config | None = None,
    num_classes: int = 2,
    img_size: int = 112,
    patch_size: int = 16,
    tubelet_size: int = 2,
    embed_dims: int = 384,
    depth: int = 12,
    num_heads: int = 6,
    decoder: Config | None = None,
    checkpoint: str | None = ENCODER,
    batch_size: int = 64,
    num_workers: int = 4,
    shift: int = 12,
    settings: Config | None = None,
) -> Config:
    """Segment single frames with the pretrained encoder and decoder in MMSegmentation.

    Training shifts frames by up to ``shift`` pixels; in tests the labels keep the size of the
    recording.

    Args:
        dataset (dict, optional): A data set of labelled frames with the splits 'train', 'val' and
            'test', without split and pipeline. Defaults to None, EchoNet-Dynamic.
        num_classes (int): Classes, including the background. Defaults to 2.
        img_size (int): Side of the frames in pixels. Defaults to 112.
        patch_size (int): Side of a patch in pixels. Defaults to 16.
        tubelet_size (int): Frames of a patch in pretraining. Defaults to 2.
        embed_dims (int): Width of the encoder. Defaults to 384, ViT-S.
        depth (int): Blocks of the encoder. Defaults to 12.
        num_heads (int): Attention heads of the encoder. Defaults to 6.
        decoder (dict, optional): ``embed_dims``, ``depth`` and ``num_heads`` of the pretrained
            decoder. Defaults to None: 192, 4 and 3.
        checkpoint (str, optional): Pretraining checkpoint, None for random weights. Defaults to
            that of ``configs/pretrain_echo.py``.
        batch_size (int): Frames of a batch, per process. Defaults to 64.
        num_workers (int): Loading processes of each loader. Defaults to 4.
        shift (int): Largest shift in pixels. Defaults to 12.
        settings (dict, optional): Settings of the model to override. Defaults to None.

    Returns:
        dict: ``model``, the loaders and the evaluators.
    """
    width = dict(embed_dims=embed_dims, depth=depth, num_heads=num_heads)
    model = dict(
        type='EncoderDecoder',
        data_preprocessor=frame_preprocessor(img_size),
        backbone=encoder(
            img_size,
            patch_size,
            tubelet_size,
            width,
            checkpoint,
            type='echocardmae_mm.FrameVisionTransformer',
        ),
        decode_head=_head(num_classes, img_size, patch_size, embed_dims, decoder, checkpoint),
        train_cfg=dict(),
        test_cfg=dict(mode='whole'),
    )

    scale = (img_size, img_size)
    resize = dict(type='Resize', scale=scale, keep_ratio=False, interpolation='area')
    pack = dict(type='PackSegInputs', meta_keys=META_KEYS)
    loaders = dataloaders(
        ECHONET if dataset is None else dataset,
        [
            dict(type='echocardmae_mm.LoadEchoFrame'),
            resize,
            dict(type='echocardmae_mm.LoadEchoMask', scale=scale),
            dict(type='echocardmae_mm.RandomShift', pixels=shift),
            pack,
        ],
        [
            dict(type='echocardmae_mm.LoadEchoFrame'),
            resize,
            dict(type='echocardmae_mm.LoadEchoMask'),
            pack,
        ],
        batch_size,
        batch_size,
        num_workers,
    )
    test_pipeline = loaders['test_dataloader']['dataset']['pipeline']
    return dict(
        model=override(model, settings),
        **loaders,
        **_evaluators(),
        test_pipeline=test_pipeline,  # for MMSegmentation's inference API
    )


def clip_segmentation(
    dataset: Config | None = None,
    num_classes: int = 2,
    img_size: int = 112,
    patch_size: int = 16,
    num_frames: int = 16,
    tubelet_size: int = 2,
    frame_interval: int = 4,
    embed_dims: int = 384,
    depth: int = 12,
    num_heads: int = 6,
    decoder: Config | None = None,
    checkpoint: str | None = ENCODER,
    batch_size: int = 16,
    num_workers: int = 4,
    shift: int = 12,
    settings: Config | None = None,
) -> Config:
    """Segment all frames of a clip with the pretrained video encoder and decoder.

    Each clip contains a traced frame, at a random position in training and in the middle in tests;
    the losses count traced frames only. Arguments as :func:`segmentation`, and:

    Args:
        num_frames (int): Frames of a clip. Defaults to 16.
        frame_interval (int): Distance between sampled frames. Defaults to 4.
        settings (dict, optional): Settings of the model to override. Defaults to None.

    Returns:
        dict: ``model``, the loaders and the evaluators.
    """
    width = dict(embed_dims=embed_dims, depth=depth, num_heads=num_heads)
    time = dict(num_frames=num_frames, tubelet_size=tubelet_size)
    model = dict(
        type='echocardmae_mm.ClipSegmentor',
        data_preprocessor=clip_preprocessor(),
        backbone=encoder(
            img_size,
            patch_size,
            tubelet_size,
            width,
            checkpoint,
            type='echocardmae_mm.FusedVisionTransformer',
            num_frames=num_frames,
            use_mean_pooling=False,
            return_feat_map=True,
        ),
        decode_head=_head(
            num_classes, img_size, patch_size, embed_dims, decoder, checkpoint, **time
        ),
        train_cfg=dict(),
        test_cfg=dict(mode='whole'),
    )

    sampler = dict(
        type='echocardmae_mm.SampleLabelledClip',
        clip_len=num_frames,
        frame_interval=frame_interval,
    )
    pack = [
        dict(type='mmaction.FormatShape', input_format='NCTHW'),
        dict(type='echocardmae_mm.PackSegClip'),
    ]
    loaders = dataloaders(
        ECHONET if dataset is None else dataset,
        [
            *clip_steps(sampler, img_size, 'area'),
            dict(type='echocardmae_mm.LoadEchoMask', scale=(img_size, img_size)),
            dict(type='echocardmae_mm.RandomShift', pixels=shift),
            *pack,
        ],
        [
            *clip_steps(dict(sampler, place='middle'), img_size, 'area'),
            dict(type='echocardmae_mm.LoadEchoMask'),
            *pack,
        ],
        batch_size,
        batch_size,
        num_workers,
    )
    test_pipeline = loaders['test_dataloader']['dataset']['pipeline']
    return dict(
        model=override(model, settings),
        **loaders,
        **_evaluators(),
        test_pipeline=test_pipeline,  # for MMSegmentation's inference API
    )


def _head(
    num_classes: int,
    img_size: int,
    patch_size: int,
    in_channels: int,
    decoder: Config | None,
    checkpoint: str | None,
    **time: Any,
) -> Config:
    init_cfg = checkpoint and dict(type='Pretrained', checkpoint=checkpoint, prefix='neck.')
    return dict(
        type='echocardmae_mm.MAESegHead',
        num_classes=num_classes,
        in_channels=in_channels,
        img_size=img_size,
        patch_size=patch_size,
        loss_decode=[
            dict(type='echocardmae_mm.DiceLoss'),
            dict(type='CrossEntropyLoss', avg_non_ignore=True),
        ],
        init_cfg=init_cfg,
        **{'embed_dims': 192, 'depth': 4, 'num_heads': 3, **(decoder or {})},
        **time,
    )


def _evaluators() -> Config:
    return dict(
        val_evaluator=dict(type='echocardmae_mm.EchoSegMetric', distances=False, n_resamples=0),
        test_evaluator=dict(type='echocardmae_mm.EchoSegMetric'),
    )
