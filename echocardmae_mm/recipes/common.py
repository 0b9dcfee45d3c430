"""Parts shared by the recipes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmengine.config import Config as MMEngineConfig

Config = dict[str, Any]

#: Mean and standard deviation of the released code for R, G, B on the scale 0-255.
MEAN = [32.946, 32.4105, 32.0535]
STD = [50.337, 49.9035, 49.7505]
#: Arguments of CropToSector for recordings of any scanner; those of EchoNet-Dynamic are kept.
ANY_SCANNER = dict(keep_echonet=True)
ENCODER = 'work_dirs/pretrain_echo/epoch_1600.pth'


@dataclass(frozen=True)
class EncoderSize:
    """Size of an encoder and its clips; every recipe takes these fields as arguments.

    Args:
        img_size (int): Side of the frames in pixels. Defaults to 112.
        patch_size (int): Side of a patch in pixels. Defaults to 16.
        num_frames (int): Frames of a clip. Defaults to 16.
        tubelet_size (int): Frames of a patch. Defaults to 2.
        embed_dims (int): Width of a token. Defaults to 384, ViT-S.
        depth (int): Number of blocks. Defaults to 12.
        num_heads (int): Attention heads. Defaults to 6.
    """

    img_size: int = 112
    patch_size: int = 16
    num_frames: int = 16
    tubelet_size: int = 2
    embed_dims: int = 384
    depth: int = 12
    num_heads: int = 6

    @property
    def width(self) -> Config:
        """Arguments of a transformer."""
        return dict(embed_dims=self.embed_dims, depth=self.depth, num_heads=self.num_heads)


def demo_size() -> dict[str, int]:
    """Size of the demo's encoder: a token is 8 pixels wide and 8 frames long."""
    return dict(img_size=56, patch_size=8, tubelet_size=8, embed_dims=128, depth=2, num_heads=4)


def override(model: Config, settings: Config | None) -> Config:
    """Merge settings into a model, as a child config does; ``_delete_=True`` replaces a part."""
    config = MMEngineConfig(dict(model=model))
    config.merge_from_dict(dict(model=settings or {}))
    merged: Config = config.to_dict()['model']
    return merged


def clip_preprocessor() -> Config:
    """MMAction2's preprocessor for clips, with the statistics of the released code."""
    return dict(type='mmaction.ActionDataPreprocessor', mean=MEAN, std=STD, format_shape='NCTHW')


def frame_preprocessor(img_size: int) -> Config:
    """MMSegmentation's preprocessor for RGB frames, with the statistics of the released code."""
    return dict(
        type='SegDataPreProcessor',
        mean=MEAN,
        std=STD,
        bgr_to_rgb=False,
        size=(img_size, img_size),
        pad_val=0,
        seg_pad_val=255,
    )


def clip_steps(
    sampler: Config, img_size: int, interpolation: str = 'bilinear', crop: Config | None = None
) -> list[Config]:
    """Sample, decode and resize the clips of a recording.

    With ``crop``, the arguments of :class:`CropToSector`, each recording is cropped to its own
    sector instead. ``interpolation`` is that of mmcv's ``imresize``.
    """
    if crop is None:
        resize = dict(
            type='echocardmae_mm.ResizeFrames',
            scale=(img_size, img_size),
            keep_ratio=False,
            interpolation=interpolation,
        )
    else:
        resize = dict(type='echocardmae_mm.CropToSector', size=img_size, **crop)
    return [
        dict(type='echocardmae_mm.RecordingInit'),
        sampler,
        dict(type='echocardmae_mm.RecordingDecode'),
        resize,
    ]


def clip_time(
    num_frames: int,
    frame_interval: int = 4,
    target_fps: float | None = None,
    span: str | None = None,
) -> Config:
    """Arguments of a clip sampler for the time that a clip covers.

    ``span='cycle'``, for clips that span a cardiac cycle, replaces ``target_fps``, which replaces
    ``frame_interval``.
    """
    if span:
        return dict(clip_len=num_frames, span=span)
    if target_fps:
        return dict(clip_len=num_frames, target_fps=target_fps)
    return dict(clip_len=num_frames, frame_interval=frame_interval)


def random_shift(img_size: int, num_clips: int = 1, pixels: int = 12, fill: int = 32) -> Config:
    """Shift clips: a single one by torchvision, several each by itself. Grey 32 is the mean."""
    if num_clips > 1:
        return dict(type='echocardmae_mm.RandomShift', pixels=pixels, fill=fill)
    crop = dict(op='RandomCrop', size=img_size, padding=pixels, fill=fill)
    return dict(type='mmaction.TorchVisionWrapper', **crop)


def dataloaders(
    dataset: Config,
    train_pipeline: list[Config],
    test_pipeline: list[Config],
    batch_size: int,
    test_batch_size: int,
    num_workers: int = 4,
) -> Config:
    """Build the loaders of the three splits of a data set.

    Args:
        dataset (dict): The data set, without ``split`` and ``pipeline``.
        train_pipeline (list[dict]): Transforms of training.
        test_pipeline (list[dict]): Transforms of validation and test.
        batch_size (int): Samples of a training batch, per process.
        test_batch_size (int): Samples of a batch in validation and test.
        num_workers (int): Worker processes of each data loader. Defaults to 4.
    """
    held_out = dict(
        batch_size=test_batch_size,
        num_workers=num_workers,
        sampler=dict(type='echocardmae_mm.EpochSampler', shuffle=False),
    )
    test_set = dict(dataset, pipeline=test_pipeline, test_mode=True)
    return dict(
        train_dataloader=dict(
            batch_size=batch_size,
            num_workers=num_workers,
            persistent_workers=True,
            drop_last=True,
            sampler=dict(type='echocardmae_mm.EpochSampler', shuffle=True),
            dataset=dict(dataset, split='train', pipeline=train_pipeline),
        ),
        val_dataloader=dict(held_out, persistent_workers=True, dataset=dict(test_set, split='val')),
        test_dataloader=dict(held_out, dataset=dict(test_set, split='test')),
    )


def clip_dataloaders(
    dataset: Config,
    size: EncoderSize,
    time: Config,
    pack: list[Config],
    batch_size: int,
    test_batch_size: int,
    num_workers: int,
    num_clips: int = 1,
    num_test_clips: int | str = 5,
    interpolation: str = 'bilinear',
    crop: Config | None = None,
    shift: Config | None = None,
    same_start: bool = False,
) -> Config:
    """Build loaders of random, shifted clips for training and evenly spaced clips for tests.

    Arguments are those of :func:`dataloaders`, :func:`clip_steps` and :class:`SampleRandomClips`.
    ``time`` comes from :func:`clip_time`, ``pack`` packs the clips, and ``shift`` holds arguments
    of :func:`random_shift`. MMAction2's inference API reads the ``test_pipeline``.
    """
    random = dict(type='echocardmae_mm.SampleRandomClips', num_clips=num_clips, **time)
    if same_start:
        random['same_start'] = True
    uniform = dict(type='echocardmae_mm.SampleUniformClips', num_clips=num_test_clips, **time)
    frames: Config = dict(img_size=size.img_size, interpolation=interpolation, crop=crop)
    test_pipeline = [*clip_steps(uniform, **frames), *pack]
    return dict(
        **dataloaders(
            dataset,
            [
                *clip_steps(random, **frames),
                random_shift(size.img_size, num_clips, **(shift or {})),
                *pack,
            ],
            test_pipeline,
            batch_size,
            test_batch_size,
            num_workers,
        ),
        test_pipeline=test_pipeline,
    )
