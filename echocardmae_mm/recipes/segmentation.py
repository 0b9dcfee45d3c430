"""Segmentation of frames and of clips (section 3 of the paper; the released train_seg.py)."""

from __future__ import annotations

from echocardmae_mm.recipes.common import (
    ENCODER,
    Config,
    EncoderSize,
    clip_preprocessor,
    clip_steps,
    dataloaders,
    frame_preprocessor,
    override,
)
from echocardmae_mm.recipes.encoders import encoder

ECHONET = dict(type='echocardmae_mm.EchoNetSegDataset', data_root='data/EchoNet-Dynamic')
META_KEYS = (
    'filename', 'img_path', 'patient', 'view', 'quality', 'source', 'instant', 'frame', 'ef',
    'spacing', 'ori_shape', 'img_shape', 'pad_shape', 'scale_factor',
)  # fmt: skip


def segmentation(
    dataset: Config | None = None,
    num_classes: int = 2,
    decoder: Config | None = None,
    checkpoint: str | None = ENCODER,
    batch_size: int = 64,
    num_workers: int = 4,
    shift: int = 12,
    at_network_size: bool = False,
    settings: Config | None = None,
    **size: int,
) -> Config:
    """Segment single frames with the pretrained encoder and decoder in MMSegmentation.

    Training shifts frames by up to ``shift`` pixels. Tests compare masks at the size of the
    recording.

    Args:
        dataset (dict, optional): A data set of labelled frames with the splits 'train', 'val' and
            'test', without split and pipeline. Defaults to None, EchoNet-Dynamic.
        num_classes (int): Classes, including the background. Defaults to 2.
        decoder (dict, optional): ``embed_dims``, ``depth`` and ``num_heads`` of the pretrained
            decoder. Defaults to None: 192, 4 and 3.
        checkpoint (str, optional): Pretraining checkpoint; None for random weights. Defaults to
            that of ``configs/pretrain_echo.py``.
        batch_size (int): Frames of a batch, per process. Defaults to 64.
        num_workers (int): Worker processes of each data loader. Defaults to 4.
        shift (int): Largest shift in pixels. Defaults to 12.
        at_network_size (bool): Whether a test also reports the metrics at ``img_size``. Defaults to
            False.
        settings (dict, optional): Overrides of the model's settings. Defaults to None.
        **size (int): Fields of :class:`EncoderSize`.

    Returns:
        dict: ``model``, the loaders and the evaluators.
    """
    vit = EncoderSize(**size)
    model = dict(
        type='EncoderDecoder',
        data_preprocessor=frame_preprocessor(vit.img_size),
        backbone=encoder(vit, checkpoint, type='echocardmae_mm.FrameVisionTransformer'),
        decode_head=_head(vit, num_classes, decoder, checkpoint),
        train_cfg=dict(),
        test_cfg=dict(mode='whole'),
    )

    scale = (vit.img_size, vit.img_size)
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
        **_evaluators(network_size=scale if at_network_size else None),
        test_pipeline=test_pipeline,  # for MMSegmentation's inference API
    )


def clip_segmentation(
    dataset: Config | None = None,
    num_classes: int = 2,
    frame_interval: int = 4,
    decoder: Config | None = None,
    checkpoint: str | None = ENCODER,
    batch_size: int = 16,
    num_workers: int = 4,
    shift: int = 12,
    settings: Config | None = None,
    **size: int,
) -> Config:
    """Segment all frames of a clip with the pretrained video encoder and decoder.

    Each clip contains a traced frame, at a random position in training and in the middle in tests.
    Only traced frames contribute to the losses. Other arguments are those of :func:`segmentation`.

    Args:
        frame_interval (int): Distance between sampled frames. Defaults to 4.

    Returns:
        dict: ``model``, the loaders and the evaluators.
    """
    vit = EncoderSize(**size)
    time = dict(num_frames=vit.num_frames, tubelet_size=vit.tubelet_size)
    model = dict(
        type='echocardmae_mm.ClipSegmentor',
        data_preprocessor=clip_preprocessor(),
        backbone=encoder(
            vit,
            checkpoint,
            type='echocardmae_mm.FusedVisionTransformer',
            use_mean_pooling=False,
            return_feat_map=True,
            **time,
        ),
        decode_head=_head(vit, num_classes, decoder, checkpoint, **time),
        train_cfg=dict(),
        test_cfg=dict(mode='whole'),
    )

    sampler = dict(
        type='echocardmae_mm.SampleLabelledClip',
        clip_len=vit.num_frames,
        frame_interval=frame_interval,
    )
    pack = [
        dict(type='mmaction.FormatShape', input_format='NCTHW'),
        dict(type='echocardmae_mm.PackSegClip'),
    ]
    loaders = dataloaders(
        ECHONET if dataset is None else dataset,
        [
            *clip_steps(sampler, vit.img_size, 'area'),
            dict(type='echocardmae_mm.LoadEchoMask', scale=(vit.img_size, vit.img_size)),
            dict(type='echocardmae_mm.RandomShift', pixels=shift),
            *pack,
        ],
        [
            *clip_steps(dict(sampler, place='middle'), vit.img_size, 'area'),
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
    vit: EncoderSize,
    num_classes: int,
    decoder: Config | None,
    checkpoint: str | None,
    **time: int,
) -> Config:
    init_cfg = checkpoint and dict(type='Pretrained', checkpoint=checkpoint, prefix='neck.')
    return dict(
        type='echocardmae_mm.MAESegHead',
        num_classes=num_classes,
        in_channels=vit.embed_dims,
        img_size=vit.img_size,
        patch_size=vit.patch_size,
        loss_decode=[
            dict(type='echocardmae_mm.DiceLoss'),
            dict(type='CrossEntropyLoss', avg_non_ignore=True),
        ],
        init_cfg=init_cfg,
        **{'embed_dims': 192, 'depth': 4, 'num_heads': 3, **(decoder or {})},
        **time,
    )


def _evaluators(network_size: tuple[int, int] | None = None) -> Config:
    return dict(
        val_evaluator=dict(type='echocardmae_mm.EchoSegMetric', distances=False, n_resamples=0),
        test_evaluator=dict(type='echocardmae_mm.EchoSegMetric', network_size=network_size),
    )
