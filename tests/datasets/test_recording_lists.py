"""Folders with links, pipes and files that cannot be read."""

from __future__ import annotations

import os

import pytest

from echocardmae_mm.datasets.recording_lists import find_recordings
from echocardmae_mm.datasets.recordings import content_hash, open_recording
from echocardmae_mm.utils.errors import RecordingError


def test_each_folder_counts_once_whatever_links_to_it(tmp_path):
    for name in ('a', 'b'):
        (tmp_path / name).mkdir()
        (tmp_path / name / f'{name}.avi').touch()
    (tmp_path / 'a' / 'up').symlink_to(tmp_path)
    (tmp_path / 'b' / 'up').symlink_to(tmp_path)
    (tmp_path / 'c').symlink_to(tmp_path / 'a')
    elsewhere = tmp_path / 'root'
    elsewhere.symlink_to(tmp_path)
    found = [path.relative_to(elsewhere).as_posix() for path in find_recordings(str(elsewhere))]
    assert found == ['a/a.avi', 'b/b.avi']


def test_pipes_and_dangling_links_do_not_block_a_folder(tmp_path):
    os.mkfifo(tmp_path / 'pipe')
    os.mkfifo(tmp_path / 'pipe.avi')
    (tmp_path / 'gone').symlink_to(tmp_path / 'nowhere')
    (tmp_path / 'gone.avi').symlink_to(tmp_path / 'nowhere')
    found = find_recordings(str(tmp_path))
    assert [path.name for path in found] == ['gone.avi', 'pipe.avi']
    assert [content_hash(str(path)) for path in found] == ['', '']
    for path, reason in zip(found, ('no such file', 'not a file')):
        with pytest.raises(RecordingError, match=f'{path.name}: {reason}'):
            open_recording(path)
