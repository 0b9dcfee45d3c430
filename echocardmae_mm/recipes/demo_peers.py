"""Small versions of other methods for phantoms, on frames of 56 x 56 pixels."""

from __future__ import annotations

from typing import Any

from echocardmae_mm.recipes.common import Config
from echocardmae_mm.recipes.ejection_fraction import ECHONET, ejection_fraction
from echocardmae_mm.recipes.encoders import uniformer_small

_SIDE = 56


def demo_peer_ejection_fraction(**settings: Any) -> Config:
    """Loaders of :func:`ejection_fraction` on phantoms of EchoNet-Dynamic, for a peer.

    Args:
        **settings (Any): Further arguments of :func:`ejection_fraction`.

    Returns:
        dict: ``model``, the loaders and the evaluators.
    """
    return ejection_fraction(
        dataset=dict(ECHONET, data_root='data/phantom/EchoNet-Dynamic'),
        img_size=_SIDE,
        num_workers=2,
        interpolation='area',
        **settings,
    )


def demo_r2plus1d() -> Config:
    """R(2+1)D-18 of a quarter of the width: MMAction2 has it in any width, torchvision in one.

    Returns:
        dict: The backbone; it replaces that of a ``_base_``.
    """
    return dict(
        _delete_=True,
        type='mmaction.ResNet2Plus1d',
        depth=18,
        base_channels=16,
        pretrained=None,
        pretrained2d=False,
        norm_eval=False,
        norm_cfg=dict(type='BN3d'),
        conv_cfg=dict(type='Conv2plus1d'),
        conv1_kernel=(3, 7, 7),
        conv1_stride_t=1,
        pool1_stride_t=1,
        inflate=(1, 1, 1, 1),
        spatial_strides=(1, 2, 2, 2),
        temporal_strides=(1, 2, 2, 2),
        zero_init_residual=False,
    )


def demo_uniformer(checkpoint: str | None = None) -> Config:
    """UniFormer of half the width, with one block in each stage.

    Args:
        checkpoint (str, optional): See :func:`uniformer_small`. Defaults to None.

    Returns:
        dict: The backbone; it replaces that of a ``_base_``.
    """
    return dict(
        uniformer_small(checkpoint),
        depth=[1, 1, 1, 1],
        embed_dim=[32, 64, 128, 256],
        head_dim=32,
        img_size=_SIDE,
    )
