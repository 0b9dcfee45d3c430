"""The store gives what the files give, and says what is wrong with it."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from echocardmae_mm.datasets import EchoNetDynamicDataset, EchoVideoDataset
from echocardmae_mm.datasets.recordings import (
    PackedStore,
    content_hash,
    open_recording,
    packed,
)
from echocardmae_mm.datasets.recordings.packed import index_text
from echocardmae_mm.datasets.recordings.packing import decode
from echocardmae_mm.utils.errors import RecordingError, UserError

PIPELINE = [
    dict(type='echocardmae_mm.RecordingInit'),
    dict(type='echocardmae_mm.SampleRandomClips', clip_len=4, frame_interval=2),
    dict(type='echocardmae_mm.RecordingDecode'),
]


def test_pixels_and_metadata_equal_those_of_the_files(folder, store):
    for name in ('deep/0.avi', 'deep/2.avi', 'volume.nii.gz'):
        file, copy = open_recording(folder / name), PackedStore(store).open(name, name)
        assert len(copy) == len(file)
        assert copy.fps == file.fps
        assert copy.spacing == pytest.approx(file.spacing) if file.spacing else not copy.spacing
        assert copy.region == file.region
        order = np.random.default_rng(1).integers(0, len(file), 10)
        np.testing.assert_array_equal(copy.frames(order), file.frames(order))


def test_grey_recordings_have_one_channel_in_the_store(folder, store):
    copy, file = (
        PackedStore(store).open('volume.nii.gz', 'x'),
        open_recording(folder / 'volume.nii.gz'),
    )
    assert PackedStore(store).entry('volume.nii.gz')['shape'] == [6, 7, 9, 1]
    np.testing.assert_array_equal(copy.frames(range(6)), file.frames(range(6)))


def test_unreadable_recordings_raise_with_a_reason(store):
    with pytest.raises(RecordingError, match=r'my\.avi: not a video'):
        PackedStore(store).open('broken.avi', 'my.avi')
    with pytest.raises(UserError, match=r'does not contain other\.avi\nRemove the store and pack'):
        PackedStore(store).open('other.avi', 'other.avi')


def test_checksums_match_the_pixels(folder, store):
    import hashlib

    entry = PackedStore(store).entry('deep/1.avi')
    frames = decode(folder / 'deep' / '1.avi').frames
    assert entry['checksum'] == hashlib.blake2b(frames.tobytes(), digest_size=16).hexdigest()
    assert entry['content'] == content_hash(str(folder / 'deep' / '1.avi'))


def spoil_version(store: Path) -> None:
    index = json.loads((store / 'index.json').read_text())
    (store / 'index.json').write_text(json.dumps({**index, 'version': 99}))


def truncate(store: Path) -> None:
    with (store / 'frames.bin').open('r+b') as file:
        file.truncate(5000)


@pytest.mark.parametrize(
    ('spoil', 'message'),
    [
        (spoil_version, r'version 99, expected 3'),
        (truncate, r'changed or truncated; found 5000 bytes, expected'),
        (lambda store: (store / 'index.json').unlink(), 'is not a store'),
    ],
)
def test_an_incomplete_store_raises(store, tmp_path, spoil, message):
    copy = shutil.copytree(store, tmp_path / 'copy')
    spoil(copy)
    with pytest.raises(UserError, match=message) as error:
        PackedStore(copy)
    assert len(str(error.value).splitlines()) <= 2


def test_a_store_truncated_while_in_use_is_named(store, tmp_path):
    copy = shutil.copytree(store, tmp_path / 'copy')
    recording = PackedStore(copy).open('deep/2.avi', 'x')
    truncate(copy)
    with pytest.raises(UserError, match='truncated while in use'):
        recording.frames([11])


def test_checksums_cover_recordings_larger_than_two_gigabytes(store, tmp_path):
    block, blocks = bytes(2**20), 2**11 + 1
    size = len(block) * blocks
    with (tmp_path / 'frames.bin').open('wb') as file:
        file.truncate(size)
    whole = hashlib.blake2b(digest_size=16)
    for _ in range(blocks):
        whole.update(block)
    entry = {'offset': 0, 'shape': [1, size, 1, 1], 'checksum': whole.hexdigest()}
    index = json.loads((store / 'index.json').read_text())
    index.update(bytes=size, recordings={'long.avi': entry})
    del index['checksum']
    (tmp_path / 'index.json').write_text(index_text(index))
    assert list(PackedStore(tmp_path).damaged()) == [('long.avi', False)]


def test_damage_is_found(store, tmp_path):
    copy = shutil.copytree(store, tmp_path / 'copy')
    assert not any(is_damaged for _, is_damaged in PackedStore(copy).damaged())
    with (copy / 'frames.bin').open('r+b') as file:
        file.seek(100)
        file.write(b'rot')
    assert sum(is_damaged for _, is_damaged in PackedStore(copy).damaged()) == 1


def test_a_flipped_bit_of_the_index_is_noticed(store, tmp_path):
    copy = shutil.copytree(store, tmp_path / 'copy')
    content = (store / 'index.json').read_bytes()
    for bit in np.random.default_rng(0).choice(8 * len(content), 300, replace=False):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        (copy / 'index.json').write_bytes(flipped)
        with pytest.raises(UserError, match=r'index\.json: (damaged|version)'):
            PackedStore(copy)


def test_damaged_pixels_are_not_used(folder, store, tmp_path):
    copy = shutil.copytree(store, tmp_path / 'copy')
    with (copy / 'frames.bin').open('r+b') as file:
        file.seek(PackedStore(copy).entry('deep/1.avi')['offset'] + 100)
        file.write(b'rot')
    with pytest.raises(RecordingError, match=r'my\.avi: its pixels in the store are damaged'):
        PackedStore(copy).open('deep/1.avi', 'my.avi')
    dataset = EchoVideoDataset(str(folder), packed=str(copy), pipeline=PIPELINE)
    assert all(sample is not None for sample in (dataset[index] for index in range(5)))
    assert dataset.skipped.sum() == 2


def test_a_checksum_is_verified_once_for_all_processes(store, monkeypatch):
    opened = PackedStore(store)
    context = multiprocessing.get_context('fork')
    queue = context.Queue()
    process = context.Process(target=read_in_process, args=(opened, queue))
    process.start()
    queue.get(timeout=60)
    process.join()
    monkeypatch.setattr(packed, 'stored_checksum', None)
    opened.open('deep/1.avi', 'x')
    with pytest.raises(TypeError):
        opened.open('deep/0.avi', 'x')


def test_a_file_that_changed_since_is_refused(folder, store, tmp_path):
    other = tmp_path / '0.avi'
    other.write_bytes(b'another recording')
    with pytest.raises(UserError, match='is not the file that was packed'):
        PackedStore(store).open('deep/0.avi', str(other))


def read_in_process(store: PackedStore, queue: multiprocessing.Queue) -> None:
    queue.put(int(store.open('deep/1.avi', 'x').frames([3]).sum()))


def test_loading_processes_open_it_for_themselves(store):
    opened = PackedStore(store)
    expected = int(opened.open('deep/1.avi', 'x').frames([3]).sum())
    context = multiprocessing.get_context('fork')
    queue = context.Queue()
    process = context.Process(target=read_in_process, args=(opened, queue))
    process.start()
    assert queue.get(timeout=60) == expected
    process.join()
    sent = pickle.loads(pickle.dumps(opened))
    assert int(sent.open('deep/1.avi', 'x').frames([3]).sum()) == expected


def test_a_data_set_gives_the_same_samples_from_it(
    echonet_root, echonet_store, tmp_path, pack_folder
):
    out = pack_folder(echonet_root / 'Videos', tmp_path / 'wrong')
    with pytest.raises(UserError, match=r'does not contain Videos/0X'):
        EchoNetDynamicDataset(str(echonet_root), packed=out, pipeline=PIPELINE)[0]

    common = dict(data_root=str(echonet_root), pipeline=PIPELINE, test_mode=True)
    files = EchoNetDynamicDataset(**common)
    stored = EchoNetDynamicDataset(**common, packed=echonet_store)
    for index in range(len(files)):
        one, other = files[index], stored[index]
        np.testing.assert_array_equal(np.stack(one['imgs']), np.stack(other['imgs']))
        assert one['avg_fps'] == other['avg_fps']
    assert stored.content_hashes() == files.content_hashes()


def test_a_refused_recording_is_replaced_in_training(folder, store):
    dataset = EchoVideoDataset(str(folder), packed=str(store), pipeline=PIPELINE)
    assert len(dataset) == 5
    assert all(sample is not None for sample in (dataset[index] for index in range(5)))
    assert dataset.skipped.sum() == 1


def test_a_damaged_index_is_named(store, tmp_path):
    shutil.copytree(store, tmp_path / 'damaged')
    (tmp_path / 'damaged' / 'index.json').write_text('{"version": 2, ')
    with pytest.raises(UserError, match=r'index\.json: damaged\nRemove the store'):
        PackedStore(tmp_path / 'damaged')
