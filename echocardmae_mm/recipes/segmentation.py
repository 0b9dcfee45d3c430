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
    'spacing', 'ori_shape', 'img_shape', 'pad_shape', 'scale_factor', 'clicks', 'click_labels',
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
    model: Config | None = None,
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
        model (dict, optional): ``model`` of the config, instead of this recipe's, for another
            network; it is merged into that of the ``_base_``. Defaults to None.
        settings (dict, optional): Overrides of the model's settings. Defaults to None.
        **size (int): Fields of :class:`EncoderSize`.

    Returns:
        dict: ``model``, the loaders and the evaluators.
    """
    vit = EncoderSize(**size)
    model = model or dict(
        type='EncoderDecoder',
        data_preprocessor=frame_preprocessor(vit.img_size),
        backbone=encoder(vit, checkpoint, type='echocardmae_mm.FrameVisionTransformer'),
        decode_head=_head(vit, num_classes, decoder, checkpoint),
        train_cfg=dict(),
        test_cfg=dict(mode='whole'),
    )

    return dict(
        model=override(model, settings),
        **frame_loaders(dataset, vit.img_size, shift, batch_size, num_workers),
        **evaluators(network_size=(vit.img_size, vit.img_size) if at_network_size else None),
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
    return dict(
        model=override(model, settings),
        **segmented_clip_loaders(
            dataset,
            sampler,
            dict(sampler, position='middle'),
            vit.img_size,
            shift,
            batch_size,
            num_workers,
        ),
        **evaluators(),
    )


def frame_loaders(
    dataset: Config | None,
    img_size: int,
    shift: int,
    batch_size: int,
    num_workers: int,
    interpolation: str = 'area',
    clicks: bool = False,
) -> Config:
    """Build loaders of frames for MMSegmentation; ``clicks`` adds clicks in the true masks."""
    scale = (img_size, img_size)
    read: list[Config] = [
        dict(type='echocardmae_mm.LoadEchoFrame'),
        dict(type='Resize', scale=scale, keep_ratio=False, interpolation=interpolation),
    ]
    pack = [dict(type='PackSegInputs', meta_keys=META_KEYS)]
    return _loaders(dataset, read, read, pack, scale, shift, batch_size, num_workers, clicks)


def segmented_clip_loaders(
    dataset: Config | None,
    train_sampler: Config,
    test_sampler: Config,
    img_size: int,
    shift: int,
    batch_size: int,
    num_workers: int,
    interpolation: str = 'area',
    clicks: bool = False,
) -> Config:
    """Build loaders of clips with labelled frames; other arguments as for :func:`frame_loaders`."""
    pack = [
        dict(type='mmaction.FormatShape', input_format='NCTHW'),
        dict(type='echocardmae_mm.PackSegClip'),
    ]
    read, read_test = (
        clip_steps(sampler, img_size, interpolation) for sampler in (train_sampler, test_sampler)
    )
    scale = (img_size, img_size)
    return _loaders(dataset, read, read_test, pack, scale, shift, batch_size, num_workers, clicks)


def _loaders(
    dataset: Config | None,
    read: list[Config],
    read_test: list[Config],
    pack: list[Config],
    scale: tuple[int, int],
    shift: int,
    batch_size: int,
    num_workers: int,
    clicks: bool,
) -> Config:
    click = [dict(type='echocardmae_mm.ClickInMask')] if clicks else []
    loaders = dataloaders(
        ECHONET if dataset is None else dataset,
        [
            *read,
            dict(type='echocardmae_mm.LoadEchoMask', scale=scale),
            dict(type='echocardmae_mm.RandomShift', pixels=shift),
            *click,
            *pack,
        ],
        [
            *read_test,
            dict(type='echocardmae_mm.LoadEchoMask'),
            *(dict(step, position='middle') for step in click),
            *pack,
        ],
        batch_size,
        batch_size,
        num_workers,
    )
    # for MMSegmentation's inference API
    return dict(loaders, test_pipeline=loaders['test_dataloader']['dataset']['pipeline'])


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


def evaluators(network_size: tuple[int, int] | None = None) -> Config:
    """Build the evaluators; ``network_size`` is an argument of :class:`EchoSegMetric`."""
    return dict(
        val_evaluator=dict(type='echocardmae_mm.EchoSegMetric', distances=False, n_resamples=0),
        test_evaluator=dict(type='echocardmae_mm.EchoSegMetric', network_size=network_size),
    )
