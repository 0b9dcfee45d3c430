"""Myocardial infarction on HMC-QU (Table 4 of the paper)."""

from __future__ import annotations

from echocardmae_mm.recipes.common import ENCODER, Config
from echocardmae_mm.recipes.diagnosis import diagnosis


def infarction(
    data_root: str = 'data/HMC-QU',
    checkpoint: str | None = ENCODER,
    batch_size: int = 16,
    num_workers: int = 4,
    shift: int = 12,
    traced_only: bool = True,
    settings: Config | None = None,
    **size: int,
) -> Config:
    """Classify infarction with a pretrained encoder and MMAction2's recogniser and head.

    The paper does not specify a head. A clip spans one cardiac cycle and is cropped to the sector.
    Each of five folds by patient is tested once, after training on the others for a fixed number of
    epochs.

    Args:
        data_root (str): Folder of the data set. Defaults to 'data/HMC-QU'.
        checkpoint (str, optional): Pretraining checkpoint; None for random weights. Defaults to
            that of ``configs/pretrain_echo.py``.
        batch_size (int): Recordings of a batch, per process. Defaults to 16.
        num_workers (int): Worker processes of each data loader. Defaults to 4.
        shift (int): Largest shift in training, in pixels. Defaults to 12.
        traced_only (bool): Whether to use only recordings with a traced wall, the 109 of Table 4.
            Defaults to True.
        settings (dict, optional): Overrides of the model's settings. Defaults to None.
        **size (int): Fields of :class:`EncoderSize`.

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
        checkpoint=checkpoint,
        batch_size=batch_size,
        num_workers=num_workers,
        shift=shift,
        settings=settings,
        **size,
    )
    del config['val_dataloader'], config['val_evaluator']
    return config
