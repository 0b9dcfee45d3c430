"""Classification of recordings."""

from __future__ import annotations

from typing import Any

from echocardmae_mm.recipes.common import (
    ANY_SCANNER,
    ENCODER,
    Config,
    EncoderSize,
    clip_dataloaders,
    clip_time,
    override,
    random_shift,
)
from echocardmae_mm.recipes.encoders import recognizer

PACK: list[Config] = [
    dict(type='mmaction.FormatShape', input_format='NCTHW'),
    dict(
        type='mmaction.PackActionInputs',
        meta_keys=('filename', 'patient', 'view', 'source', 'clip_starts', 'padded_frames'),
    ),
]


def classification_head(num_classes: int, class_weight: list[float] | None = None) -> Config:
    """MMAction2's head for the mean of the tokens, which gives probabilities."""
    return dict(
        type='mmaction.TimeSformerHead',
        num_classes=num_classes,
        average_clips='prob',
        topk=1,
        loss_cls=dict(type='CrossEntropyLoss', class_weight=class_weight),
    )


def diagnosis(
    dataset: Config,
    num_classes: int = 2,
    target_fps: float | None = None,
    span: str | None = None,
    class_weight: list[float] | None = None,
    checkpoint: str | None = ENCODER,
    batch_size: int = 16,
    num_workers: int = 4,
    shift: int = 12,
    settings: Config | None = None,
    **size: int,
) -> Config:
    """Classify recordings with a pretrained encoder and MMAction2's recogniser and head.

    Recordings are cropped to their own sector, except those of 112 x 112 pixels, the size of
    EchoNet-Dynamic. Training uses random clips, shifted by up to ``shift`` pixels; validation
    and test average the probabilities of five evenly spaced clips. With ``span='cycle'``, each
    recording has one clip, which is cropped once and kept in memory.

    Args:
        dataset (dict): A data set with ``label`` and the splits 'train', 'val' and 'test', without
            split and pipeline.
        num_classes (int): Number of classes. ``echocardmae train`` and ``test`` replace it by that
            of a :class:`RecordingTableDataset`. Defaults to 2.
        target_fps (float, optional): Frame rate of the clips. Defaults to None, every fourth frame.
        span (str, optional): 'cycle' for clips that span a cardiac cycle. Defaults to None.
        class_weight (list[float], optional): Weights of the classes. Defaults to None, equal.
        checkpoint (str, optional): Pretraining checkpoint; None for random weights. Defaults to
            that of ``configs/pretrain_echo.py``.
        batch_size (int): Recordings of a training batch, per process. Defaults to 16.
        num_workers (int): Worker processes of each data loader. Defaults to 4.
        shift (int): Largest shift in training, in pixels. Defaults to 12.
        settings (dict, optional): Overrides of the model's settings. Defaults to None.
        **size (int): Fields of :class:`EncoderSize`.

    Returns:
        dict: ``model``, the loaders and the evaluators.
    """
    vit = EncoderSize(**size)
    model = recognizer(vit, checkpoint, classification_head(num_classes, class_weight))
    loaders = clip_dataloaders(
        dataset,
        vit,
        clip_time(vit.num_frames, target_fps=target_fps, span=span),
        PACK,
        batch_size,
        test_batch_size=8,
        num_workers=num_workers,
        num_test_clips=1 if span else 5,
        crop=ANY_SCANNER,
        shift=dict(pixels=shift),
    )
    if span:
        pipeline = loaders['test_pipeline']
        cached = dict(type='echocardmae_mm.CachedTransforms', transforms=pipeline[: -len(PACK)])
        shifted = random_shift(vit.img_size, pixels=shift)
        loaders['train_dataloader']['dataset']['pipeline'] = [cached, shifted, *PACK]
    return dict(
        model=override(model, settings),
        **loaders,
        val_evaluator=dict(type='echocardmae_mm.DiagnosisMetric', n_resamples=0),
        test_evaluator=dict(type='echocardmae_mm.DiagnosisMetric'),
    )


def infarction(data_root: str = 'data/HMC-QU', traced_only: bool = True, **settings: Any) -> Config:
    """Classify infarction on HMC-QU (Table 4 of the paper, which does not specify a head).

    A clip spans one cardiac cycle. Each of five folds by patient is tested once, after training on
    the others for a fixed number of epochs.

    Args:
        data_root (str): Folder of the data set. Defaults to 'data/HMC-QU'.
        traced_only (bool): Whether to use only recordings with a traced wall, the 109 of Table 4.
            Defaults to True.
        **settings (Any): Arguments of :func:`diagnosis`.

    Returns:
        dict: ``model``, the loaders and the evaluator.
    """
    config = diagnosis(
        dict(
            type='echocardmae_mm.HMCQUDataset',
            data_root=data_root,
            view='A4C',
            traced_only=traced_only,
            fold=0,
            num_folds=5,
        ),
        span='cycle',
        # Balance 37 normal recordings and 72 infarctions.
        class_weight=[109 / (2 * 37), 109 / (2 * 72)],
        **settings,
    )
    del config['val_dataloader'], config['val_evaluator']
    return config
