"""Recordings and a store that several tests of data sets share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope='session')
def good_root(make_video, tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp('recordings')
    for index in range(8):
        make_video(root / f'day{index % 2}' / f'{index}.avi', 40, seed=index)
    return root


@pytest.fixture(scope='session')
def small_recordings(tmp_path_factory, make_video) -> Path:
    """Videos of 32 x 32: one shorter than a clip, one of another size, one that is none."""
    root = tmp_path_factory.mktemp('recordings')
    for index, frames in enumerate((40, 33, 7, 52)):
        make_video(root / f'{index}.avi', frames, seed=index, size=(32, 32))
    make_video(root / 'large.avi', 30, size=(60, 48))
    (root / 'broken.avi').write_bytes(b'RIFF nothing')
    return root


@pytest.fixture(scope='session')
def small_store(small_recordings, pack_folder, tmp_path_factory) -> str:
    """The store of ``small_recordings``."""
    return pack_folder(small_recordings, tmp_path_factory.mktemp('stores') / 'store')


@pytest.fixture(scope='session')
def pretraining() -> Callable[..., list[dict]]:
    """``pretraining(**settings)`` is a pipeline of two clips of four frames."""

    def make(method='median', strategy='random', same_mask=True, size=32, **sampler):
        return [
            dict(type='echocardmae_mm.RecordingInit'),
            dict(
                type='echocardmae_mm.SampleRandomClips', **{'clip_len': 4, 'interval': 3, **sampler}
            ),
            dict(type='echocardmae_mm.RecordingDecode'),
            dict(type='mmaction.Resize', scale=(size, size), keep_ratio=False),
            dict(type='mmaction.FormatShape', input_format='NCTHW'),
            dict(type='echocardmae_mm.DenoisedTarget', method=method),
            dict(
                type='echocardmae_mm.SectorMask',
                patch_size=8,
                strategy=strategy,
                same_mask=same_mask,
            ),
            dict(
                type='mmaction.PackActionInputs',
                collect_keys=('imgs', 'target', 'sector', 'masked'),
                meta_keys=('img_shape', 'filename', 'sample_idx'),
            ),
        ]

    return make
