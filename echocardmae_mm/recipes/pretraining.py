"""Pretraining on pairs of clips, without labels (sections 2 and 3.1 of the paper)."""

from __future__ import annotations

from echocardmae_mm.recipes.common import (
    ENCODER,
    MEAN,
    STD,
    Config,
    EncoderSize,
    clip_steps,
    clip_time,
    dataloaders,
    override,
)

ECHONET = dict(type='echocardmae_mm.EchoNetDynamicDataset', data_root='data/EchoNet-Dynamic')


def pretraining(
    dataset: Config | None = None,
    frame_interval: int = 4,
    target_fps: float | None = None,
    own_sector: bool = False,
    batch_size: int = 64,
    num_workers: int = 4,
    interpolation: str = 'bilinear',
    settings: Config | None = None,
    **size: int,
) -> Config:
    """Pretrain EchoCardMAE: Eq. 1 with lambda 0.2, Eq. 2 with tau 0.1, median-blurred targets.

    Where the paper is silent, the recipe follows the released code; see ``docs/paper-vs-code.md``.

    Args:
        dataset (dict, optional): A data set with the splits 'train', 'val' and 'test', without
            split and pipeline; or :class:`EchoVideoDataset`, which has no splits and disables
            validation and test. Defaults to None, EchoNet-Dynamic.
        frame_interval (int): Distance between sampled frames. Defaults to 4.
        target_fps (float, optional): Frame rate of the clips, instead of ``frame_interval``.
            Defaults to None.
        own_sector (bool): Whether to crop each recording to its own sector; all recordings of
            EchoNet-Dynamic share one. Defaults to False.
        batch_size (int): Recordings of a batch, per process. Defaults to 64.
        num_workers (int): Worker processes of each data loader. Defaults to 4.
        interpolation (str): Interpolation of mmcv's ``imresize``; unused with ``own_sector``.
            Defaults to 'bilinear'.
        settings (dict, optional): Overrides of the model's settings. Defaults to None.
        **size (int): Fields of :class:`EncoderSize`.

    Returns:
        dict: ``model``, the loaders and the evaluators.
    """
    vit = EncoderSize(**size)
    model = dict(
        type='echocardmae_mm.EchoCardMAE',
        img_size=vit.img_size,
        patch_size=vit.patch_size,
        num_frames=vit.num_frames,
        tubelet_size=vit.tubelet_size,
        data_preprocessor=dict(
            type='echocardmae_mm.ClipPairPreprocessor',
            mean=MEAN,
            std=STD,
            denoise=dict(method='median'),
            mask=dict(
                strategy='random', mask_ratio=0.75, sector='auto' if own_sector else 'template'
            ),
        ),
        backbone=dict(type='echocardmae_mm.MaskedVisionTransformer', **vit.width),
        neck=dict(
            type='echocardmae_mm.BackgroundTokenDecoder',
            embed_dims=192,
            depth=4,
            num_heads=3,
            background='positional',
        ),
        reconstruction_head=dict(type='echocardmae_mm.ReconstructionHead'),
        alignment_head=dict(
            type='echocardmae_mm.AlignmentHead',
            temperature=0.1,
            loss_weight=0.2,
            include_positive=False,
            symmetric=False,
        ),
    )

    time = clip_time(vit.num_frames, frame_interval, target_fps)
    sampler = dict(type='echocardmae_mm.SampleRandomClips', **time)
    pipeline = [
        *clip_steps(sampler, vit.img_size, interpolation, {} if own_sector else None),
        *([dict(type='echocardmae_mm.FindSector')] if own_sector else []),
        dict(type='mmaction.FormatShape', input_format='NCTHW'),
        dict(
            type='mmaction.PackActionInputs',
            collect_keys=('imgs', 'key', 'sector_mask') if own_sector else ('imgs', 'key'),
            meta_keys=('img_shape', 'filename', 'sample_idx'),
        ),
    ]
    dataset = ECHONET if dataset is None else dataset
    loaders = dataloaders(dataset, pipeline, pipeline, batch_size, 32, num_workers)
    for loader in loaders.values():
        loader['collate_fn'] = dict(type='echocardmae_mm.stack_clips')
    evaluator: Config | None = dict(type='echocardmae_mm.ReconstructionMetric')
    if 'EchoVideoDataset' in str(dataset['type']):
        loaders['train_dataloader']['dataset'].pop('split')
        loaders |= dict(val_dataloader=None, test_dataloader=None)
        evaluator = None
    return dict(
        model=override(model, settings),
        **loaders,
        val_evaluator=evaluator,
        test_evaluator=evaluator,
    )


def latent_targets(checkpoint: str = ENCODER) -> Config:
    """Replace the denoised pixels of a pretraining by the latents of a frozen encoder.

    A step beyond the paper; see :class:`LatentTarget`. There are no frames to reconstruct, so
    nothing is validated.

    Args:
        checkpoint (str): Pretraining checkpoint of the teacher. Defaults to that of
            ``configs/pretrain_echo.py``.

    Returns:
        dict: Overrides of a config of :func:`pretraining`.
    """
    teacher = dict(type='Pretrained', checkpoint=checkpoint, prefix='backbone.')
    loops = [f'{part}_{kind}' for part in ('val', 'test') for kind in ('dataloader', 'cfg')]
    return dict(
        model=dict(latent_target=dict(type='echocardmae_mm.LatentTarget', init_cfg=teacher)),
        **dict.fromkeys([*loops, 'val_evaluator', 'test_evaluator']),
    )
