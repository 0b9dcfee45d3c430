"""Recordings and a store that several tests of data sets share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope='session')
def good_root(make_video, tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp('recordings')
    for index in range(8):
        make_video(root / f'day{index % 2}' / f'{index}.avi', 40, seed=index)
    return root
