"""Files that are whole, and JSON that every reader takes."""

import json

import numpy as np
import pytest
import torch

from echocardmae_mm.utils.atomic_files import atomic_path, atomic_write_text, json_text


def test_an_error_leaves_neither_the_file_nor_its_part(tmp_path):
    def interrupted():
        with atomic_path(tmp_path / 'a.avi') as part:
            assert part == tmp_path / 'a.avi.part'
            part.write_text('half')
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not list(tmp_path.iterdir())


def test_a_failure_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / 'a.json'
    atomic_write_text(path, 'old')
    monkeypatch.setattr('os.fsync', lambda _: (_ for _ in ()).throw(OSError(28, 'full')))
    with pytest.raises(OSError, match='full'):
        atomic_write_text(path, 'new')
    assert path.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [path]


def test_json_has_no_nan_and_takes_arrays():
    value = {
        'a': float('nan'),
        'b': np.float32(1.5),
        'c': torch.tensor([1.0, np.inf]),
        3: (True, None, np.arange(2)),
        'd': ValueError('x'),
    }

    def refuse(constant):
        raise AssertionError(constant)

    assert json.loads(json_text(value), parse_constant=refuse) == {
        'a': None, 'b': 1.5, 'c': [1.0, None], '3': [True, None, [0, 1]], 'd': 'x',
    }  # fmt: skip
