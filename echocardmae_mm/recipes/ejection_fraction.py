"""Ejection fraction from clips (section 3 of the paper; the released train_ef.py, val_ef.py)."""

from __future__ import annotations

from echocardmae_mm.recipes.common import (
    ANY_SCANNER,
    ENCODER,
    Config,
    EncoderSize,
    clip_dataloaders,
    clip_steps,
    clip_time,
    override,
)
from echocardmae_mm.recipes.encoders import recognizer

ECHONET = dict(
    type='echocardmae_mm.EchoNetDynamicDataset', data_root='data/EchoNet-Dynamic', require_ef=True
)


def ejection_fraction(
    dataset: Config | None = None,
    frame_interval: int = 4,
    target_fps: float | None = None,
    span: str | None = None,
    own_sector: bool = False,
    num_clips: int = 1,
    same_start: bool = False,
    num_test_clips: int = 5,
    random_validation: bool = False,
    checkpoint: str | None = ENCODER,
    batch_size: int = 16,
    test_batch_size: int = 8,
    num_workers: int = 4,
    interpolation: str = 'bilinear',
    shift: int = 12,
    fill: int = 32,
    meta_keys: tuple[str, ...] = (),
    model: Config | None = None,
    settings: Config | None = None,
    **size: int,
) -> Config:
    """Regress the ejection fraction with a pretrained encoder and the released code's head.

    Training uses random clips, shifted by up to ``shift`` pixels; validation and test use evenly
    spaced clips.

    Args:
        dataset (dict, optional): A data set with ``ef`` and the splits 'train', 'val' and 'test',
            without split and pipeline. Defaults to None, EchoNet-Dynamic.
        frame_interval (int): Distance between sampled frames. Defaults to 4.
        target_fps (float, optional): Frame rate of the clips, instead of ``frame_interval``.
            Defaults to None.
        span (str, optional): 'cycle' for clips that span a cardiac cycle, instead of both.
            Defaults to None.
        own_sector (bool): Whether to crop each recording to its own sector, except those of
            112 x 112 pixels, the size of EchoNet-Dynamic. Defaults to False.
        num_clips (int): Random clips of each recording in training. Defaults to 1.
        same_start (bool): Whether these clips are the same, each shifted by itself. Defaults to
            False.
        num_test_clips (int): Clips of each recording in validation and test. Defaults to 5.
        random_validation (bool): Whether to validate on one random clip, as the released code
            does, instead of ``num_test_clips``. Defaults to False.
        checkpoint (str, optional): Pretraining checkpoint; None for random weights. Defaults to
            that of ``configs/pretrain_echo.py``.
        batch_size (int): Recordings of a training batch, per process. Defaults to 16.
        test_batch_size (int): Recordings of a batch in validation and test. Defaults to 8.
        num_workers (int): Worker processes of each data loader. Defaults to 4.
        interpolation (str): Interpolation of mmcv's ``imresize``; unused with ``own_sector``.
            Defaults to 'bilinear'.
        shift (int): Largest shift in pixels. Defaults to 12.
        fill (int): Grey level of the border of a shifted clip. Defaults to 32, the mean.
        meta_keys (tuple[str, ...]): Additional columns of the predictions. Defaults to ().
        model (dict, optional): ``model`` of the config, instead of this recipe's, for another
            network; it is merged into that of the ``_base_``. Defaults to None.
        settings (dict, optional): Overrides of the model's settings. Defaults to None.
        **size (int): Fields of :class:`EncoderSize`.

    Returns:
        dict: ``model``, the loaders and the evaluators.
    """
    vit = EncoderSize(**size)
    model = model or recognizer(vit, checkpoint, dict(type='echocardmae_mm.EFHead'))

    crop = ANY_SCANNER if own_sector else None
    time = clip_time(vit.num_frames, frame_interval, target_fps, span)
    pack: list[Config] = [
        dict(type='mmaction.FormatShape', input_format='NCTHW'),
        dict(
            type='mmaction.PackActionInputs',
            algorithm_keys=('ef',),
            meta_keys=('filename', 'patient', *meta_keys, 'source', 'clip_starts', 'padded_frames'),
        ),
    ]
    loaders = clip_dataloaders(
        ECHONET if dataset is None else dataset,
        vit,
        time,
        pack,
        batch_size,
        test_batch_size,
        num_workers,
        num_clips,
        num_test_clips,
        interpolation,
        crop,
        dict(pixels=shift, fill=fill),
        same_start,
    )
    if random_validation:
        one_random = dict(type='echocardmae_mm.SampleRandomClips', num_clips=1, **time)
        steps = clip_steps(one_random, vit.img_size, interpolation, crop)
        loaders['val_dataloader']['dataset']['pipeline'] = [*steps, *pack]
    return dict(
        model=override(model, settings),
        **loaders,
        val_evaluator=dict(type='echocardmae_mm.EFMetric', n_resamples=0),
        test_evaluator=dict(type='echocardmae_mm.EFMetric'),
    )
