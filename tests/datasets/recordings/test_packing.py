"""A store is written once, continues after an interruption, and overwrites nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from echocardmae_mm.datasets.recordings import PackedStore, packing
from echocardmae_mm.datasets.recordings.packing import StoreWriter, decode, pack
from echocardmae_mm.utils.errors import UserError


def recordings(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob('*') if path.is_file())


def packed(root: Path, out: Path, stop_after: int | None = None) -> Path:
    writer = StoreWriter(out, root)
    for count, _ in enumerate(pack(root, recordings(root), writer, map), start=1):
        if count == stop_after:
            return out
    writer.finish()
    return out


def test_a_recording_with_different_channels_keeps_them(tmp_path):
    import cv2

    frames = np.random.default_rng(0).integers(0, 255, (5, 16, 16, 3), dtype=np.uint8)
    writer = cv2.VideoWriter(
        str(tmp_path / 'colour.avi'), cv2.VideoWriter_fourcc(*'MJPG'), 25, (16, 16)
    )
    for frame in frames:
        writer.write(frame)
    writer.release()
    store = PackedStore(packed(tmp_path, tmp_path / '.store'))
    assert store.entry('colour.avi')['shape'] == [5, 16, 16, 3]


@pytest.mark.parametrize('stop_after', [1, 2, 3, 4])
def test_a_resumed_call_gives_the_same_store(folder, store, tmp_path, stop_after):
    out = packed(folder, tmp_path / 'again', stop_after=stop_after)
    with pytest.raises(UserError, match='is incomplete; repeat the command'):
        PackedStore(out)
    # The kill came in the middle of a recording and of a line.
    with (out / 'frames.bin.part').open('ab') as file:
        file.write(b'x' * 1000)
    with (out / 'index.jsonl.part').open('a') as file:
        file.write('{"name": "deep/2.a')
    decoded = []

    def counted(function, paths):
        for path in paths:
            decoded.append(path.name)
            yield function(path)

    writer = StoreWriter(out, folder)
    assert len(writer.recordings) == stop_after
    list(pack(folder, recordings(folder), writer, counted))
    writer.finish()
    assert len(decoded) == 5 - stop_after
    for name in ('frames.bin', 'index.json'):
        assert (out / name).read_bytes() == (store / name).read_bytes()
    assert not list(out.glob('*.part'))


def test_nothing_is_overwritten(folder, store, tmp_path):
    with pytest.raises(UserError, match='contains a finished store'):
        StoreWriter(store, folder)
    packed(folder, tmp_path / 'begun', stop_after=1)
    with pytest.raises(UserError, match='begun with other settings'):
        StoreWriter(tmp_path / 'begun', tmp_path)


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        ('frames.bin', 'does not belong to a store'),
        ('frames.bin.part', 'does not belong to a store'),
        ('index.jsonl.part', 'begun with other settings'),
        ('index.json', 'contains a finished store'),
    ],
)
def test_files_of_another_program_are_not_overwritten(folder, tmp_path, name, message):
    (tmp_path / name).write_bytes(b'precious \xff')
    with pytest.raises(UserError, match=message):
        StoreWriter(tmp_path, folder)
    assert (tmp_path / name).read_bytes() == b'precious \xff'


def test_a_full_disk_is_named_and_the_call_can_be_repeated(folder, tmp_path, monkeypatch):
    writer = StoreWriter(tmp_path / 'store', folder)

    def full(*_):
        raise OSError(28, 'No space left on device')

    first, *_ = recordings(folder / 'deep')
    writer.add('first', decode(first))
    file = writer._file
    monkeypatch.setattr(writer, '_file', type('Full', (), {'write': full})())
    with pytest.raises(UserError, match='No space left on device') as error:
        writer.add('second', decode(first))
    assert 'it continues where it stopped' in str(error.value)
    file.close()
    writer._lock.close()
    assert list(StoreWriter(tmp_path / 'store', folder).recordings) == ['first']


def test_two_processes_do_not_write_one_store(folder, tmp_path):
    first = StoreWriter(tmp_path / 'store', folder)
    with pytest.raises(UserError, match='another process is writing this store'):
        StoreWriter(tmp_path / 'store', folder)
    assert first.recordings == {}


def test_a_second_call_while_the_first_finishes_changes_nothing(folder, tmp_path, monkeypatch):
    def second_call(path, text):
        with pytest.raises(UserError, match='another process is writing this store'):
            StoreWriter(tmp_path / 'store', folder)
        atomic_write_text(path, text)

    atomic_write_text = packing.atomic_write_text
    writer = StoreWriter(tmp_path / 'store', folder)
    for _ in pack(folder, recordings(folder), writer, map):
        pass
    monkeypatch.setattr(packing, 'atomic_write_text', second_call)
    writer.finish()
    assert len(PackedStore(tmp_path / 'store').recordings) == len(recordings(folder))
    assert {file.name for file in (tmp_path / 'store').iterdir()} == {'frames.bin', 'index.json'}


def test_a_kill_between_the_last_two_renames_loses_nothing(folder, store, tmp_path):
    out = packed(folder, tmp_path / 'killed', stop_after=5)
    (out / 'frames.bin.part').rename(out / 'frames.bin')
    writer = StoreWriter(out, folder)
    assert len(writer.recordings) == 5
    writer.finish()
    for name in ('frames.bin', 'index.json'):
        assert (out / name).read_bytes() == (store / name).read_bytes()


def test_lost_pixels_are_decoded_again(folder, store, tmp_path):
    out = packed(folder, tmp_path / 'lost', stop_after=4)
    with (out / 'frames.bin.part').open('r+b') as file:
        file.seek(100)
        file.write(b'lost')
    writer = StoreWriter(out, folder)
    assert len(writer.recordings) < 4
    list(pack(folder, recordings(folder), writer, map))
    writer.finish()
    assert (out / 'frames.bin').read_bytes() == (store / 'frames.bin').read_bytes()


def test_a_link_to_nothing_is_refused_and_the_rest_packed(folder, tmp_path):
    shutil.copy(folder / 'volume.nii.gz', tmp_path)
    (tmp_path / 'gone.avi').symlink_to(tmp_path / 'nowhere.avi')
    writer = StoreWriter(tmp_path / '.store', tmp_path)
    list(pack(tmp_path, [tmp_path / 'gone.avi', tmp_path / 'volume.nii.gz'], writer, map))
    writer.finish()
    store = PackedStore(tmp_path / '.store')
    assert store.entry('gone.avi')['refused'] == 'No such file or directory'
    assert len(store.open('volume.nii.gz', 'x')) > 1
