"""Skipped recordings, their replacements, and random numbers, in folders of recordings."""

from __future__ import annotations

import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np
import pydicom.examples
import pytest
import torch
from mmengine.dataset import ConcatDataset, RepeatDataset, pseudo_collate
from torch.utils.data import DataLoader

from echocardmae_mm.datasets import EchoVideoDataset
from echocardmae_mm.engine import EpochSampler
from echocardmae_mm.registry import TRANSFORMS
from echocardmae_mm.utils.counter_rng import EpochIndex
from echocardmae_mm.utils.errors import RecordingError, UserError

PIPELINE = [
    {'type': 'echocardmae_mm.RecordingInit'},
    {'type': 'echocardmae_mm.SampleRandomClips', 'clip_len': 4},
    {'type': 'echocardmae_mm.RecordingDecode'},
    {'type': 'echocardmae_mm.AddGlobalDraws'},
    {'type': 'echocardmae_mm.KeepSmall'},
]


@TRANSFORMS.register_module()
class AddGlobalDraws:
    """Stands for a stock transform: draws from all three global generators."""

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        draws = random.random(), np.random.rand(), torch.rand(1).item()  # noqa: NPY002
        return {**results, 'draws': draws}


@TRANSFORMS.register_module()
class KeepSmall:
    """Stands for packing."""

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        kept = ('filename', 'draws', 'frame_inds')
        return {
            'mean': float(np.mean(results['imgs'])),
            'video': int(results['sample_idx']),
            **{key: results[key] for key in kept},
        }


@pytest.fixture(scope='module')
def mixed_root(make_video, tmp_path_factory) -> Path:
    """Six recordings that can be used, and one of each kind that cannot."""
    root = tmp_path_factory.mktemp('mixed')
    for index in range(6):
        make_video(root / f'good{index}.avi', 40, seed=index)
    whole = (root / 'good0.avi').read_bytes()
    (root / 'bad_empty.avi').write_bytes(b'')
    (root / 'bad_text.avi').write_text('no video')
    (root / 'bad_truncated.avi').write_bytes(whole[:2500])
    make_video(root / 'bad_one_frame.avi', 1)
    dicom = pydicom.examples.ybr_color
    del dicom.PixelData
    dicom.save_as(root / 'bad_no_pixels.dcm')
    return root


def samples(dataset: EchoVideoDataset, indices: list[int], epoch: int = 0) -> list[dict]:
    return dataset.__getitems__([EpochIndex(index, epoch, 11) for index in indices])


def test_unusable_recordings_are_replaced_and_flagged(mixed_root):
    dataset = EchoVideoDataset(str(mixed_root), pipeline=PIPELINE)
    names = [Path(dataset.get_data_info(index)['filename']).name for index in range(len(dataset))]
    bad = [index for index, name in enumerate(names) if name.startswith('bad')]
    assert len(bad) == 5
    batch = samples(dataset, [*bad, 5])
    assert all('good' in sample['filename'] for sample in batch)
    assert dataset.skipped.nonzero().ravel().tolist() == bad
    state = np.random.get_state()[1]  # noqa: NPY002
    reasons = {names[index]: dataset.skip_reason(index) for index in bad}
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    for name, reason in {
        'bad_empty.avi': 'the file is empty',
        'bad_no_pixels.dcm': 'DICOM without pixel data',
        'bad_one_frame.avi': '1 frame; a clip needs at least 2',
        'bad_text.avi': 'not a video: the file contains text',
        'bad_truncated.avi': 'no',
    }.items():
        assert f'{name}: {reason}' in reasons[name]


def test_replacements_are_outside_the_batch_and_deterministic(mixed_root):
    dataset = EchoVideoDataset(str(mixed_root), pipeline=PIPELINE)
    again = EchoVideoDataset(str(mixed_root), pipeline=PIPELINE)
    replacements = set()
    for epoch in range(12):
        batch = samples(dataset, [0, 1, 5, 6], epoch)
        videos = [sample['video'] for sample in batch]
        assert len(set(videos)) == 4
        replacements.update(videos[:2])
        assert videos == [sample['video'] for sample in samples(again, [0, 1, 5, 6], epoch)]
    assert replacements == {7, 8, 9, 10}


def test_testing_stops_at_the_first_bad_recording(mixed_root):
    dataset = EchoVideoDataset(str(mixed_root), pipeline=PIPELINE, test_mode=True)
    with pytest.raises(RecordingError, match=r'bad_empty\.avi'):
        samples(dataset, [7, 0])


def test_nothing_usable_ends_the_run_with_the_last_reason(tmp_path):
    for name in 'abc':
        (tmp_path / f'{name}.avi').write_text('no video')
    dataset = EchoVideoDataset(str(tmp_path), pipeline=PIPELINE)
    with pytest.raises(
        UserError, match=r'recordings in a row could not be used; the last: .*contains text'
    ):
        dataset[0]


def test_random_numbers_depend_only_on_the_sample(good_root):
    dataset = EchoVideoDataset(str(good_root), pipeline=PIPELINE)
    first = samples(dataset, [3])[0]
    samples(dataset, [1, 2])
    torch.manual_seed(99)
    again = samples(dataset, [2, 3])[1]
    assert first['draws'] == again['draws']
    assert first['draws'] != samples(dataset, [3], epoch=1)[0]['draws']
    np.testing.assert_array_equal(first['frame_inds'], again['frame_inds'])


@pytest.mark.parametrize('kind', [ConcatDataset, RepeatDataset])
def test_random_numbers_in_a_wrapper_depend_only_on_the_sample(good_root, kind):
    parts = [EchoVideoDataset(str(good_root), pipeline=PIPELINE) for _ in range(2)]
    dataset = ConcatDataset(parts) if kind is ConcatDataset else RepeatDataset(parts[0], times=2)
    sampler = EpochSampler(dataset, seed=11)
    loader = DataLoader(dataset, batch_size=4, sampler=sampler, collate_fn=list)

    def draws(epoch: int) -> dict[tuple[str, Any], None]:
        sampler.set_epoch(epoch)
        np.random.seed(int(torch.initial_seed()) % 2**32)  # noqa: NPY002
        return {(x['filename'], x['draws']): None for batch in loader for x in batch}

    first = draws(0)
    assert len(first) == len({drawn for _, drawn in first}) == 16
    assert len({filename for filename, _ in first}) == 8
    torch.manual_seed(99)
    assert list(draws(0)) == list(first)
    assert not first.keys() & draws(1).keys()
    first_part = samples(parts[0], [3])[0]
    assert (first_part['filename'], first_part['draws']) in first


def test_the_global_generators_are_restored(good_root):
    dataset = EchoVideoDataset(str(good_root), pipeline=PIPELINE)
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    samples(dataset, [0, 1])
    torch.testing.assert_close(torch.rand(2), expected, rtol=0, atol=0)


def test_stock_samplers_give_new_random_numbers_that_depend_on_the_seed(good_root):
    dataset = EchoVideoDataset(str(good_root), pipeline=PIPELINE)
    np.random.seed(0)  # noqa: NPY002
    first = [dataset[2]['draws'] for _ in range(3)]
    np.random.seed(0)  # noqa: NPY002
    assert [dataset[2]['draws'] for _ in range(3)] == first
    assert len(set(first)) == 3


@pytest.mark.parametrize(('workers', 'persistent'), [(0, False), (2, False), (2, True)])
def test_workers_give_the_same_samples_and_share_what_was_skipped(workers, persistent, mixed_root):
    dataset = EchoVideoDataset(str(mixed_root), pipeline=PIPELINE)
    epochs = []
    order = [0, 5, 6, 7, 8, 1]
    loader = DataLoader(
        dataset,
        batch_sampler=[
            [EpochIndex(i, 2, 1) for i in order[:3]],
            [EpochIndex(i, 2, 1) for i in order[3:]],
        ],
        num_workers=workers,
        persistent_workers=persistent,
        collate_fn=pseudo_collate,
    )
    for _ in range(2):
        epochs.append([draws for batch in loader for draws in zip(*batch['draws'])])
    assert epochs[0] == epochs[1]
    expected = [
        sample['draws']
        for part in (order[:3], order[3:])
        for sample in EchoVideoDataset(str(mixed_root), pipeline=PIPELINE).__getitems__(
            [EpochIndex(i, 2, 1) for i in part]
        )
    ]
    assert epochs[0] == expected
    assert dataset.skipped[[0, 1]].tolist() == [1, 1]
    assert int(dataset.skipped[5:].sum()) == 0


@pytest.mark.parametrize('meta_keys', [('img_shape',), ('filename', 'img_shape')])
def test_a_sample_keeps_its_identity_in_a_stock_packer(good_root, meta_keys):
    pack = [
        {'type': 'mmaction.FormatShape', 'input_format': 'NCTHW'},
        {'type': 'mmaction.PackActionInputs', 'meta_keys': meta_keys},
    ]
    dataset = EchoVideoDataset(str(good_root), pipeline=[*PIPELINE[:3], *pack])
    sample = dataset[3]['data_samples']
    assert sample.filename == dataset.get_data_info(3)['filename']
    assert 'img_shape' in sample.metainfo_keys()


def test_recordings_shorter_than_a_clip_are_counted(make_video, tmp_path):
    make_video(tmp_path / 'long.avi', 40)
    make_video(tmp_path / 'short.avi', 10)
    dataset = EchoVideoDataset(str(tmp_path), pipeline=PIPELINE[:3])
    samples(dataset, [0, 1])
    assert dataset.padded.tolist() == [0, 1]


def test_content_hashes_identify_the_content(good_root, tmp_path):
    dataset = EchoVideoDataset(str(good_root))
    hashes = dataset.content_hashes()
    assert len(set(hashes)) == len(dataset) == 8
    (tmp_path / 'copy.avi').write_bytes(Path(dataset.get_data_info(3)['filename']).read_bytes())
    assert EchoVideoDataset(str(tmp_path)).content_hashes() == [hashes[3]]


def test_it_survives_pickling_and_late_initialisation(good_root):
    dataset = EchoVideoDataset(str(good_root), pipeline=PIPELINE, lazy_init=True)
    assert len(dataset) == 8
    copied = pickle.loads(pickle.dumps(dataset))
    assert samples(copied, [4])[0]['draws'] == samples(dataset, [4])[0]['draws']
