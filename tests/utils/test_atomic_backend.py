from __future__ import annotations

import os

import pytest
import torch
from mmengine.fileio import get_file_backend
from mmengine.runner import save_checkpoint

import echocardmae_mm.utils.atomic_backend  # noqa: F401  (registers it)
from echocardmae_mm.utils.errors import UserError

ATOMIC = {'backend': 'atomic'}


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / 'deep' / 'file.pth'
    backend = get_file_backend(backend_args=ATOMIC)
    backend.put(b'old', file)

    def full_disk(descriptor):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full_disk)
    with pytest.raises(UserError, match=r'file\.pth: cannot be written \(No space.*\n.*--resume'):
        backend.put(b'new', file)
    assert file.read_bytes() == b'old'
    assert list(file.parent.iterdir()) == [file]


def test_checkpoints_go_through_it(tmp_path):
    file = tmp_path / 'epoch_1.pth'
    save_checkpoint({'weight': torch.ones(3)}, str(file), backend_args=ATOMIC)
    assert torch.load(file, weights_only=True)['weight'].tolist() == [1, 1, 1]
    assert list(tmp_path.iterdir()) == [file]
