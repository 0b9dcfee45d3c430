"""The store gives what the files give, survives interruptions, and says what is wrong with it."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import pickle
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest

from echocardmae_mm.datasets import EchoNetDynamicDataset, EchoVideoDataset
from echocardmae_mm.datasets.recordings import (
    PackedStore,
    content_hash,
    open_recording,
    packing,
)
from echocardmae_mm.datasets.recordings.packing import StoreWriter, decode, pack
from echocardmae_mm.errors import EchoError, RecordingError

PIPELINE = [
    dict(type='echocardmae_mm.OpenRecording'),
    dict(type='echocardmae_mm.SampleClipPair', clip_len=4, interval=2),
    dict(type='echocardmae_mm.ReadFrames'),
]


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


def recordings(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob('*') if path.is_file())


def packed(root: Path, out: Path, gray: bool = False, stop_after: int | None = None) -> Path:
    writer = StoreWriter(out, root, gray)
    for count, _ in enumerate(pack(root, recordings(root), writer, map), start=1):
        if count == stop_after:
            return out
    writer.finish()
    return out


@pytest.fixture(scope='module')
def store(folder, tmp_path_factory) -> Path:
    return packed(folder, tmp_path_factory.mktemp('store') / 'packed')


def test_pixels_and_all_that_is_known_are_those_of_the_files(folder, store):
    for name in ('deep/0.avi', 'deep/2.avi', 'volume.nii.gz'):
        file, copy = open_recording(folder / name), PackedStore(store).open(name, name)
        assert len(copy) == len(file)
        assert copy.fps == file.fps
        assert copy.spacing == pytest.approx(file.spacing) if file.spacing else not copy.spacing
        assert copy.region == file.region
        order = np.random.default_rng(1).integers(0, len(file), 10)
        np.testing.assert_array_equal(copy.frames(order), file.frames(order))


def test_one_channel_is_enough_for_grey_recordings(folder, tmp_path):
    shutil.copy(folder / 'volume.nii.gz', tmp_path)
    out = packed(tmp_path, tmp_path / '.store', gray=True)
    copy, file = (
        PackedStore(out).open('volume.nii.gz', 'x'),
        open_recording(folder / 'volume.nii.gz'),
    )
    np.testing.assert_array_equal(copy.frames(range(len(file))), file.frames(range(len(file))))
    assert (out / 'frames.bin').stat().st_size == 9 * 7 * 6


def test_channels_that_differ_are_not_thrown_away(tmp_path):
    import cv2

    frames = np.random.default_rng(0).integers(0, 255, (5, 16, 16, 3), dtype=np.uint8)
    writer = cv2.VideoWriter(
        str(tmp_path / 'colour.avi'), cv2.VideoWriter_fourcc(*'MJPG'), 25, (16, 16)
    )
    for frame in frames:
        writer.write(frame)
    writer.release()
    with pytest.raises(EchoError, match=r'colour\.avi: its channels differ'):
        packed(tmp_path, tmp_path / '.store', gray=True)


def test_what_cannot_be_read_has_its_reason(store):
    with pytest.raises(RecordingError, match=r'my\.avi: not a video'):
        PackedStore(store).open('broken.avi', 'my.avi')
    with pytest.raises(EchoError, match=r'does not hold other\.avi\nRemove the store and pack'):
        PackedStore(store).open('other.avi', 'other.avi')


@pytest.mark.parametrize('stop_after', [1, 2, 3, 4])
def test_an_interrupted_call_goes_on_and_gives_the_same_store(folder, store, tmp_path, stop_after):
    out = packed(folder, tmp_path / 'again', stop_after=stop_after)
    with pytest.raises(EchoError, match='is half written; the same command goes on with it'):
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


def test_checksums_are_those_of_the_pixels(folder, store):
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
        (spoil_version, r'version 99, expected 2'),
        (truncate, r'5000 bytes, expected \d+: changed or cut off'),
        (lambda store: (store / 'index.json').unlink(), 'is no store'),
    ],
)
def test_a_store_that_is_not_whole_is_refused(store, tmp_path, spoil, message):
    copy = shutil.copytree(store, tmp_path / 'copy')
    spoil(copy)
    with pytest.raises(EchoError, match=message) as error:
        PackedStore(copy)
    assert len(str(error.value).splitlines()) <= 2


def test_a_store_cut_off_while_it_is_read_is_named(store, tmp_path):
    copy = shutil.copytree(store, tmp_path / 'copy')
    recording = PackedStore(copy).open('deep/2.avi', 'x')
    truncate(copy)
    with pytest.raises(EchoError, match='was cut off while it was in use'):
        recording.frames([11])


def test_nothing_is_overwritten(folder, store, tmp_path):
    with pytest.raises(EchoError, match='holds a finished store'):
        StoreWriter(store, folder)
    packed(folder, tmp_path / 'begun', stop_after=1)
    with pytest.raises(EchoError, match='was begun with other settings'):
        StoreWriter(tmp_path / 'begun', folder, gray=True)
    with pytest.raises(EchoError, match='was begun with other settings'):
        StoreWriter(tmp_path / 'begun', tmp_path)


def test_a_full_disk_is_said_and_the_call_can_be_repeated(folder, tmp_path, monkeypatch):
    writer = StoreWriter(tmp_path / 'store', folder)

    def full(*_):
        raise OSError(28, 'No space left on device')

    first, *_ = recordings(folder / 'deep')
    writer.add('first', decode(first))
    file = writer._file
    monkeypatch.setattr(writer, '_file', type('Full', (), {'write': full})())
    with pytest.raises(EchoError, match='No space left on device') as error:
        writer.add('second', decode(first))
    assert 'it goes on with what is there' in str(error.value)
    file.close()
    writer._lock.close()
    assert list(StoreWriter(tmp_path / 'store', folder).recordings) == ['first']


def test_two_processes_do_not_write_one_store(folder, tmp_path):
    first = StoreWriter(tmp_path / 'store', folder)
    with pytest.raises(EchoError, match='another process is writing this store'):
        StoreWriter(tmp_path / 'store', folder)
    assert first.recordings == {}


def test_a_second_call_while_the_first_finishes_changes_nothing(folder, tmp_path, monkeypatch):
    def second_call(path, text):
        with pytest.raises(EchoError, match='another process is writing this store'):
            StoreWriter(tmp_path / 'store', folder)
        write_whole(path, text)

    write_whole = packing.write_whole
    writer = StoreWriter(tmp_path / 'store', folder)
    for _ in pack(folder, recordings(folder), writer, map):
        pass
    monkeypatch.setattr(packing, 'write_whole', second_call)
    writer.finish()
    assert len(PackedStore(tmp_path / 'store').recordings) == len(recordings(folder))
    assert {file.name for file in (tmp_path / 'store').iterdir()} == {'frames.bin', 'index.json'}


def test_a_recording_of_more_than_two_gigabytes_is_compared_whole(store, tmp_path):
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
    (tmp_path / 'index.json').write_text(json.dumps(index))
    assert list(PackedStore(tmp_path).damaged()) == [('long.avi', False)]


def test_a_kill_between_the_last_two_renames_loses_nothing(folder, store, tmp_path):
    out = packed(folder, tmp_path / 'killed', stop_after=5)
    (out / 'frames.bin.part').rename(out / 'frames.bin')
    writer = StoreWriter(out, folder)
    assert len(writer.recordings) == 5
    writer.finish()
    for name in ('frames.bin', 'index.json'):
        assert (out / name).read_bytes() == (store / name).read_bytes()


def test_pixels_that_were_lost_are_decoded_again(folder, store, tmp_path):
    out = packed(folder, tmp_path / 'lost', stop_after=4)
    with (out / 'frames.bin.part').open('r+b') as file:
        file.seek(100)
        file.write(b'lost')
    writer = StoreWriter(out, folder)
    assert len(writer.recordings) < 4
    list(pack(folder, recordings(folder), writer, map))
    writer.finish()
    assert (out / 'frames.bin').read_bytes() == (store / 'frames.bin').read_bytes()


def test_damage_is_found(store, tmp_path):
    copy = shutil.copytree(store, tmp_path / 'copy')
    assert not any(is_damaged for _, is_damaged in PackedStore(copy).damaged())
    with (copy / 'frames.bin').open('r+b') as file:
        file.seek(100)
        file.write(b'rot')
    assert sum(is_damaged for _, is_damaged in PackedStore(copy).damaged()) == 1


def test_a_file_that_changed_since_is_refused(folder, store, tmp_path):
    other = tmp_path / '0.avi'
    other.write_bytes(b'another recording')
    with pytest.raises(EchoError, match='is not the file that was packed'):
        PackedStore(store).open('deep/0.avi', str(other))


def test_a_link_to_nothing_is_refused_and_the_rest_packed(folder, tmp_path):
    shutil.copy(folder / 'volume.nii.gz', tmp_path)
    (tmp_path / 'gone.avi').symlink_to(tmp_path / 'nowhere.avi')
    writer = StoreWriter(tmp_path / '.store', tmp_path)
    list(pack(tmp_path, [tmp_path / 'gone.avi', tmp_path / 'volume.nii.gz'], writer, map))
    writer.finish()
    store = PackedStore(tmp_path / '.store')
    assert store.entry('gone.avi')['refused'] == 'No such file or directory'
    assert len(store.open('volume.nii.gz', 'x')) > 1


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


def test_a_data_set_gives_the_same_samples_from_it(echonet_root, tmp_path):
    out = packed(echonet_root / 'Videos', tmp_path / 'wrong')
    with pytest.raises(EchoError, match=r'does not hold Videos/0X'):
        EchoNetDynamicDataset(str(echonet_root), packed=str(out), pipeline=PIPELINE)[0]

    writer = StoreWriter(tmp_path / 'right', echonet_root)
    list(pack(echonet_root, sorted((echonet_root / 'Videos').iterdir()), writer, map))
    writer.finish()
    common = dict(data_root=str(echonet_root), pipeline=PIPELINE, test_mode=True)
    files = EchoNetDynamicDataset(**common)
    stored = EchoNetDynamicDataset(**common, packed=str(tmp_path / 'right'))
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


def test_frames_of_another_program_are_not_overwritten(folder, tmp_path):
    (tmp_path / 'frames.bin').write_bytes(b'precious')
    with pytest.raises(EchoError, match='is not of a store that was begun here'):
        StoreWriter(tmp_path, folder)
    assert (tmp_path / 'frames.bin').read_bytes() == b'precious'


def test_a_damaged_index_is_said(store, tmp_path):
    shutil.copytree(store, tmp_path / 'damaged')
    (tmp_path / 'damaged' / 'index.json').write_text('{"version": 2, ')
    with pytest.raises(EchoError, match=r'index\.json: damaged\nRemove the store'):
        PackedStore(tmp_path / 'damaged')
