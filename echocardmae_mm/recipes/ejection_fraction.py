"""Ejection fraction from clips (section 3 of the paper; the released train_ef.py, val_ef.py)."""

from __future__ import annotations

from echocardmae_mm.recipes.common import (
    ENCODER,
    Config,
    clip_preprocessor,
    clip_steps,
    dataloaders,
    encoder,
    override,
    random_shift,
)

ECHONET = dict(
    type='echocardmae_mm.EchoNetDynamicDataset', data_root='data/EchoNet-Dynamic', require_ef=True
)


def ejection_fraction(
    dataset: Config | None = None,
    img_size: int = 112,
    patch_size: int = 16,
    num_frames: int = 16,
    tubelet_size: int = 2,
    frame_interval: int = 4,
    span: str | None = None,
    num_clips: int = 1,
    num_test_clips: int = 5,
    random_validation: bool = False,
    embed_dims: int = 384,
    depth: int = 12,
    num_heads: int = 6,
    checkpoint: str | None = ENCODER,
    batch_size: int = 16,
    test_batch_size: int = 8,
    num_workers: int = 4,
    interpolation: str = 'bilinear',
    padding: int = 12,
    meta_keys: tuple[str, ...] = (),
    settings: Config | None = None,
) -> Config:
    """Regress the ejection fraction with a pretrained encoder and the released code's head.

    Training uses random clips, shifted by up to ``padding`` pixels; validation and test use evenly
    spaced clips.

    Args:
        dataset (dict, optional): A data set with ``ef`` and the splits 'train', 'val' and 'test',
            without split and pipeline. Defaults to None, EchoNet-Dynamic.
        img_size (int): Side of the frames in pixels. Defaults to 112.
        patch_size (int): Side of a patch in pixels. Defaults to 16.
        num_frames (int): Frames of a clip. Defaults to 16.
        tubelet_size (int): Frames of a patch. Defaults to 2.
        frame_interval (int): Distance between sampled frames. Defaults to 4.
        span (str, optional): 'cycle' for clips that span a cardiac cycle. Defaults to None.
        num_clips (int): Random clips of each recording in training. Defaults to 1.
        num_test_clips (int): Clips of each recording in validation and test. Defaults to 5.
        random_validation (bool): Whether to validate on one random clip, as the released code
            does, instead of ``num_test_clips``. Defaults to False.
        embed_dims (int): Width of the encoder. Defaults to 384, ViT-S.
        depth (int): Blocks of the encoder. Defaults to 12.
        num_heads (int): Attention heads of the encoder. Defaults to 6.
        checkpoint (str, optional): Pretraining checkpoint, None for random weights. Defaults to
            that of ``configs/pretrain_echo.py``.
        batch_size (int): Recordings of a training batch, per process. Defaults to 16.
        test_batch_size (int): Recordings of a batch in validation and test. Defaults to 8.
        num_workers (int): Loading processes of each loader. Defaults to 4.
        interpolation (str): How frames are resized. Defaults to 'bilinear'.
        padding (int): Largest shift in pixels. Defaults to 12.
        meta_keys (tuple[str, ...]): Additional columns of the predictions. Defaults to
            ().
        settings (dict, optional): Settings of the model to override. Defaults to None.

    Returns:
        dict: ``model``, the loaders and the evaluators.
    """
    width = dict(embed_dims=embed_dims, depth=depth, num_heads=num_heads)
    model = dict(
        type='mmaction.Recognizer3D',
        data_preprocessor=clip_preprocessor(),
        backbone=encoder(
            img_size,
            patch_size,
            tubelet_size,
            width,
            checkpoint,
            type='echocardmae_mm.FusedVisionTransformer',
            num_frames=num_frames,
        ),
        cls_head=dict(type='echocardmae_mm.EFHead', in_channels=embed_dims),
    )

    time: Config = dict(span=span) if span else dict(frame_interval=frame_interval)
    time['clip_len'] = num_frames
    pack: list[Config] = [
        dict(type='mmaction.FormatShape', input_format='NCTHW'),
        dict(
            type='mmaction.PackActionInputs',
            algorithm_keys=('ef',),
            meta_keys=('filename', 'patient', *meta_keys, 'source', 'clip_starts', 'padded_frames'),
        ),
    ]
    random = dict(type='echocardmae_mm.SampleRandomClips', num_clips=num_clips, **time)
    uniform = dict(type='echocardmae_mm.SampleUniformClips', num_clips=num_test_clips, **time)
    loaders = dataloaders(
        ECHONET if dataset is None else dataset,
        [
            *clip_steps(random, img_size, interpolation),
            random_shift(img_size, padding),
            *pack,
        ],
        [*clip_steps(uniform, img_size, interpolation), *pack],
        batch_size,
        test_batch_size,
        num_workers,
    )
    if random_validation:
        one_random = clip_steps(dict(random, num_clips=1), img_size, interpolation)
        loaders['val_dataloader']['dataset']['pipeline'] = [*one_random, *pack]
    return dict(
        model=override(model, settings),
        **loaders,
        val_evaluator=dict(type='echocardmae_mm.EFMetric', n_resamples=0),
        test_evaluator=dict(type='echocardmae_mm.EFMetric'),
    )
