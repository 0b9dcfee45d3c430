"""A small pretraining model and batches for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.structures import BaseDataElement

from echocardmae_mm.registry import MODELS

MEAN, STD = (30, 31, 32), (50, 51, 52)
SIZE = dict(img_size=32, patch_size=8, num_frames=4, tubelet_size=2)


@pytest.fixture(scope='session')
def mae_config() -> Callable[..., dict[str, Any]]:
    """``mae_config(**settings)`` is the config of an EchoCardMAE of two blocks and one."""

    def make(
        background='positional',
        attn_bias=True,
        align=None,
        loss_rec=1.0,
        encoder=None,
        decoder=None,
        preprocessor=None,
        **options,
    ):
        if align is not None:
            align = dict(type='echocardmae_mm.AlignmentHead', **align)
        return dict(
            type='echocardmae_mm.EchoCardMAE',
            data_preprocessor=dict(
                type='echocardmae_mm.ClipPairPreprocessor',
                **{'mean': MEAN, 'std': STD, **(preprocessor or {})},
            ),
            backbone=dict(
                type='echocardmae_mm.MaskedVisionTransformer',
                attn_bias=attn_bias,
                num_heads=3,
                **{'embed_dims': 24, 'depth': 2, **(encoder or {})},
            ),
            neck=dict(
                type='echocardmae_mm.BackgroundTokenDecoder',
                num_heads=3,
                background=background,
                attn_bias=attn_bias,
                **{'embed_dims': 12, 'depth': 1, **(decoder or {})},
            ),
            reconstruction_head=dict(
                type='echocardmae_mm.ReconstructionHead', loss_weight=loss_rec
            ),
            alignment_head=align,
            **SIZE,
            **options,
        )

    return make


@pytest.fixture(scope='session')
def build_mae(mae_config) -> Callable[..., Any]:
    """``build_mae(**settings of mae_config)`` builds it from seed 0."""

    def make(background='positional', **settings):
        torch.manual_seed(0)
        model = MODELS.build(mae_config(background, **settings))
        model.init_weights()
        return model

    return make


@pytest.fixture(scope='session')
def batch_of() -> Callable[..., dict[str, Any]]:
    """``batch_of(sectors)`` is a collated batch: a video for each number of sector tokens."""

    def make(sectors, seed=0, visible_a_video=6):
        """A collated batch: one video for each number of sector tokens."""
        rng = np.random.default_rng(seed)
        batch = {name: [] for name in ('imgs', 'target', 'sector', 'masked')}
        for tokens in sectors:
            for name in ('imgs', 'target'):
                pixels = rng.integers(0, 256, (2, 3, 4, 32, 32), dtype=np.uint8)
                batch[name].append(torch.from_numpy(pixels))
            order = rng.permutation(32)
            sector, masked = (
                torch.zeros(2, 32, dtype=torch.bool),
                torch.zeros(2, 32, dtype=torch.bool),
            )
            sector[:, order[:tokens]] = True
            masked[:, order[visible_a_video:tokens]] = True
            batch['sector'].append(sector)
            batch['masked'].append(masked)
        return {'inputs': batch, 'data_samples': [BaseDataElement() for _ in sectors]}

    return make
