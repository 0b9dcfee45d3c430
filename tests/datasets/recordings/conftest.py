"""Recordings and their store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest


@pytest.fixture(scope='module')
def folder(tmp_path_factory, make_video) -> Path:
    """Three videos, a grey NIfTI volume with spacing, and a file that is none."""
    root = tmp_path_factory.mktemp('recordings')
    for index in range(3):
        make_video(root / 'deep' / f'{index}.avi', num_frames=12 + index, seed=index, fps=40)
    volume = np.random.default_rng(0).integers(0, 255, (9, 7, 6), dtype=np.uint8)
    nibabel.save(nibabel.Nifti1Image(volume, np.diag([0.3, 0.2, 1, 1])), root / 'volume.nii.gz')
    (root / 'broken.avi').write_bytes(b'RIFF nothing')
    return root


@pytest.fixture(scope='module')
def store(
    folder: Path, pack_folder: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The store of ``folder``."""
    return Path(pack_folder(folder, tmp_path_factory.mktemp('store') / 'packed'))
