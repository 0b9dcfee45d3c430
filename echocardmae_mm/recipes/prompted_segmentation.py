"""Segmentation from clicks or without them, by the networks of SAMUS and MemSAM."""

from __future__ import annotations

from typing import Any

from echocardmae_mm.recipes.common import Config, frame_preprocessor, override
from echocardmae_mm.recipes.segmentation import (
    ECHONET,
    evaluators,
    frame_loaders,
    segmented_clip_loaders,
)


def samus(
    dataset: Config | None = None,
    num_classes: int = 2,
    clicks: bool = False,
    img_size: int = 256,
    stride: int = 8,
    frozen: bool = True,
    batch_size: int = 8,
    num_workers: int = 4,
    shift: int = 27,
    settings: Config | None = None,
) -> Config:
    """Segment single frames with SAMUS.

    Args:
        dataset (dict, optional): See :func:`segmentation`. Defaults to None, EchoNet-Dynamic.
        num_classes (int): Classes, including the background. Defaults to 2.
        clicks (bool): Whether a click in the true mask prompts each structure, in tests too.
            Defaults to False.
        img_size (int): Side of the frames in pixels. Defaults to 256.
        stride (int): Pixels between patches. Defaults to 8.
        frozen (bool): Whether to train the additions to SAM only. Defaults to True.
        batch_size (int): Frames of a batch, per process. Defaults to 8.
        num_workers (int): Worker processes of each data loader. Defaults to 4.
        shift (int): Largest shift in pixels. Defaults to 27: 12 of 112 pixels.
        settings (dict, optional): Overrides of the model's settings. Defaults to None.

    Returns:
        dict: ``model``, the loaders and the evaluators.
    """
    model = _model(num_classes, clicks, img_size, stride, frozen)
    return dict(
        model=override(model, settings),
        **frame_loaders(dataset, img_size, shift, batch_size, num_workers, 'bilinear', clicks),
        **evaluators(),
    )


def memsam(
    dataset: Config | None = None,
    num_classes: int = 2,
    clicks: bool = False,
    num_frames: int = 10,
    img_size: int = 256,
    frozen: bool = True,
    batch_size: int = 1,
    num_workers: int = 4,
    shift: int = 27,
    settings: Config | None = None,
) -> Config:
    """Segment clips from end-diastole to end-systole with MemSAM.

    Other arguments are those of :func:`samus`; the click lies in the first frame. Only traced
    frames contribute to the losses.

    Args:
        num_frames (int): Frames of a clip. Defaults to 10.

    Returns:
        dict: ``model``, the loaders and the evaluators.
    """
    model = dict(
        _model(num_classes, clicks, img_size, 8, frozen),
        type='echocardmae_mm.MemorySegmentor',
        # MemSAM does not scale the frames.
        data_preprocessor=dict(
            type='mmaction.ActionDataPreprocessor',
            mean=[0.0] * 3,
            std=[1.0] * 3,
            format_shape='NCTHW',
        ),
        memory=dict(type='echocardmae_mm.SpaceTimeMemory'),
    )
    sampler = dict(type='echocardmae_mm.SampleTracedClip', clip_len=num_frames)
    return dict(
        model=override(model, settings),
        **segmented_clip_loaders(
            dataset,
            sampler,
            sampler,
            img_size,
            shift,
            batch_size,
            num_workers,
            'bilinear',
            clicks,
        ),
        **evaluators(),
    )


_DEMO: Config = dict(
    dataset=dict(ECHONET, data_root='data/phantom/EchoNet-Dynamic'),
    img_size=64,
    frozen=False,
    num_workers=2,
    shift=7,
    settings=dict(
        backbone=dict(
            embed_dims=96,
            depth=2,
            num_heads=4,
            global_blocks=(1,),
            window_size=8,
            out_channels=64,
        ),
        decode_head=dict(embed_dims=64, num_heads=4, mlp_dims=128),
    ),
)


def demo_samus(**settings: Any) -> Config:
    """Size of SAMUS for phantoms, trained from scratch; takes settings of :func:`samus`."""
    return samus(**{**_DEMO, **settings}, stride=4, batch_size=16)


def demo_memsam(**settings: Any) -> Config:
    """Size of MemSAM for phantoms, trained from scratch; takes settings of :func:`memsam`."""
    model = memsam(**{**_DEMO, **settings}, num_frames=4, batch_size=8)
    memory = dict(
        embed_dims=64,
        key_dims=32,
        value_dims=64,
        hidden_dims=16,
        fusion_dims=64,
        # Running statistics mix first masks and later ones; a short training ends with wrong ones.
        norm_cfg=dict(type='GN', num_groups=8),
    )
    # Without SAM's weights, frames have to be scaled.
    scaled = dict(memory=memory, data_preprocessor=dict(std=[255.0] * 3))
    return dict(model, model=override(model['model'], scaled))


def _model(num_classes: int, clicks: bool, img_size: int, stride: int, frozen: bool) -> Config:
    return dict(
        type='echocardmae_mm.PromptedSegmentor',
        data_preprocessor=dict(frame_preprocessor(img_size), mean=[0.0] * 3, std=[255.0] * 3),
        backbone=dict(
            type='echocardmae_mm.SAMUSEncoder', img_size=img_size, stride=stride, frozen=frozen
        ),
        decode_head=dict(type='echocardmae_mm.SAMMaskDecoder'),
        num_classes=num_classes,
        clicks=clicks,
        frozen=frozen,
    )
