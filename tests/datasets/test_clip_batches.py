"""Batches read at once are, bit by bit, what the pipeline makes of each sample."""

from __future__ import annotations

import os
import shutil

import nibabel
import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate

from echocardmae_mm.datasets import EchoNetDynamicDataset, EchoVideoDataset
from echocardmae_mm.datasets.transforms import DenoisedTarget, SampleRandomClips, SectorMask
from echocardmae_mm.models import ClipPairPreprocessor
from echocardmae_mm.utils.counter_rng import EpochIndex
from echocardmae_mm.utils.errors import UserError

NAMES = ('imgs', 'target', 'visible', 'masked', 'background')


class OwnSector(SectorMask):
    """Where a subclass looks for the sector, a batch would not."""


class OwnClips(SampleRandomClips):
    """What a subclass draws from may be another generator."""


def prepared(dataset, indices, epoch=0):
    batch = dataset.__getitems__([EpochIndex(index, epoch, seed=5) for index in indices])
    if isinstance(batch, list):
        batch = pseudo_collate(batch)
    return ClipPairPreprocessor([0, 0, 0], [1, 1, 1])(batch)


def assert_equal_batches(one, other):
    for name in NAMES:
        assert torch.equal(one['inputs'][name], other['inputs'][name]), name
    for ours, theirs in zip(one['data_samples'], other['data_samples']):
        assert ours.metainfo == theirs.metainfo


@pytest.mark.parametrize('resident', ['', 'device'])
@pytest.mark.parametrize(
    'settings',
    [
        {},
        dict(strategy='tube', method='none'),
        dict(same_mask=False, interval=1),
        dict(pad='loop', interval=9),
        dict(size=64),
    ],
)
def test_pixels_masks_and_draws_are_those_of_the_pipeline(
    small_recordings, small_store, settings, resident, pretraining
):
    common = dict(
        data_root=str(small_recordings), packed=small_store, pipeline=pretraining(**settings)
    )
    plain = EchoVideoDataset(**common)
    batched = EchoVideoDataset(**common, batched=True, resident=resident)
    for epoch in range(2):
        indices = 4, 0, 2, 3
        assert_equal_batches(prepared(plain, indices, epoch), prepared(batched, indices, epoch))
    assert torch.equal(plain.padded, batched.padded)
    assert plain.padded.any() == (settings.get('interval') != 1)


def test_a_refused_recording_is_replaced_by_the_same_one(
    small_recordings, small_store, pretraining
):
    common = dict(data_root=str(small_recordings), packed=small_store, pipeline=pretraining())
    plain, batched = EchoVideoDataset(**common), EchoVideoDataset(**common, batched=True)
    broken = next(i for i in range(6) if 'broken' in plain.get_data_info(i)['filename'])
    indices = broken, (broken + 1) % 6
    assert_equal_batches(prepared(plain, indices, 3), prepared(batched, indices, 3))
    assert batched.skipped.tolist() == plain.skipped.tolist()
    assert batched.skipped.sum() == 1


def test_evaluation_draws_the_same_whatever_the_epoch(small_recordings, small_store, pretraining):
    common = dict(
        data_root=str(small_recordings), packed=small_store, pipeline=pretraining(), test_mode=True
    )
    plain, batched = EchoVideoDataset(**common), EchoVideoDataset(**common, batched=True)
    preprocessor = ClipPairPreprocessor([0, 0, 0], [1, 1, 1])
    one, other = pseudo_collate(plain.__getitems__([1, 2])), batched.__getitems__([1, 2])
    assert_equal_batches(preprocessor(one), preprocessor(other))


@pytest.mark.parametrize('interpolation', ['bilinear', 'bicubic', 'area'])
def test_a_store_of_one_channel_gives_three(tmp_path, pretraining, pack_folder, interpolation):
    rng = np.random.default_rng(0)
    root = tmp_path / 'volumes'
    root.mkdir()
    for index, side in enumerate((32, 45)):
        volume = rng.integers(0, 255, (side, side, 20), dtype=np.uint8)
        nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), root / f'{index}.nii.gz')
    store = pack_folder(root, tmp_path / 'store', gray=True)
    steps = pretraining()
    steps[3].update(interpolation=interpolation)
    common = dict(data_root=str(root), packed=store, pipeline=steps)
    plain = EchoVideoDataset(**common)
    for options in (dict(batched=True), dict(resident='device')):
        batched = EchoVideoDataset(**common, **options)
        assert_equal_batches(prepared(plain, [0, 1]), prepared(batched, [0, 1]))


def test_loading_processes_read_the_same(small_recordings, small_store, pretraining, batch_loader):
    dataset = EchoVideoDataset(
        str(small_recordings), packed=small_store, pipeline=pretraining(), batched=True
    )
    preprocessor = ClipPairPreprocessor([0, 0, 0], [1, 1, 1])
    alone, helped = (
        [preprocessor(batch) for batch in batch_loader(dataset, workers)] for workers in (0, 2)
    )
    assert len(alone) == 3
    for one, other in zip(alone, helped):
        assert_equal_batches(one, other)


def test_a_subset_reads_its_own_recordings(small_recordings, small_store, pretraining):
    common = dict(data_root=str(small_recordings), packed=small_store, pipeline=pretraining())
    plain, batched = EchoVideoDataset(**common), EchoVideoDataset(**common, batched=True)
    prepared(batched, [0, 1])
    for some in (batched.get_subset([3, 5]), batched):
        if some is batched:
            batched.get_subset_([3, 5])
        one, other = prepared(plain.get_subset([3, 5]), [0, 1]), prepared(some, [0, 1])
        assert_equal_batches(one, other)
        assert len(some.skipped) == 2


def test_what_is_handed_on_is_what_the_pipeline_says(small_recordings, small_store, pretraining):
    steps = pretraining()
    steps[-1].update(meta_keys=('filename', 'clip_starts', 'img_shape', 'not_there'))
    common = dict(data_root=str(small_recordings), packed=small_store, pipeline=steps)
    plain, batched = EchoVideoDataset(**common), EchoVideoDataset(**common, batched=True)
    assert_equal_batches(prepared(plain, [0, 3]), prepared(batched, [0, 3]))


class Black(DenoisedTarget):
    def transform(self, results):
        return {**results, 'target': np.zeros_like(results['imgs'])}


def test_a_subclass_is_not_taken_for_its_parent():
    assert DenoisedTarget().has_batch_form
    assert not Black().has_batch_form


def test_memory_is_used_again_when_a_batch_was_let_go_of_and_not_before(
    small_recordings, small_store, pretraining
):
    dataset = EchoVideoDataset(
        str(small_recordings), packed=small_store, pipeline=pretraining(), batched=True
    )

    def read():
        return dataset.__getitems__([EpochIndex(i, 0, 0) for i in (0, 1)])['inputs'].clips

    held = [read() for _ in range(6)]
    assert len({clips.data_ptr() for clips in held}) == 6
    for clips in held:
        assert torch.equal(clips, held[0])
    addresses = {clips.data_ptr() for clips in held}
    view = held[-1][0, 0, 0]
    expected = view.clone()
    del held
    again = [read() for _ in range(3)]
    assert {clips.data_ptr() for clips in again} <= addresses
    assert view.data_ptr() not in {clips.data_ptr() for clips in again}
    assert torch.equal(view, expected)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda steps: steps.insert(4, dict(type='mmaction.Flip')), 'Flip.* has no form for a'),
        (lambda steps: steps[6].update(sector='auto'), 'SectorMask.* has no form for a whole'),
        (lambda steps: steps[5].update(method='gaussian'), 'DenoisedTarget.* has no form'),
        (lambda steps: steps[6].update(type=OwnSector), 'OwnSector.* has no form for a whole'),
        (lambda steps: steps[1].update(type=OwnClips), 'must begin with RecordingInit, SampleClip'),
        (lambda steps: steps.pop(0), 'must begin with RecordingInit'),
        (lambda steps: steps.__delitem__(slice(5, 7)), 'neither DenoisedTarget nor SectorMask'),
        (lambda steps: steps.pop(3), r'32 x 32 pixels, those of large.avi 60 x 48: put a Resize'),
    ],
)
def test_what_has_no_form_for_a_batch_is_said(
    small_recordings, small_store, change, message, pretraining
):
    steps = pretraining()
    change(steps)
    with pytest.raises(UserError, match=message):
        EchoVideoDataset(str(small_recordings), packed=small_store, pipeline=steps, batched=True)


def test_without_a_store_or_with_an_unknown_place_nothing_is_read(
    small_recordings, small_store, pretraining
):
    with pytest.raises(UserError, match='name it by packed='):
        EchoVideoDataset(str(small_recordings), pipeline=pretraining(), batched=True)
    with pytest.raises(UserError, match="resident='gpu' is unknown"):
        EchoVideoDataset(
            str(small_recordings), packed=small_store, pipeline=pretraining(), resident='gpu'
        )


@pytest.mark.parametrize(('left_out', 'named'), [(5, 'put DenoisedTarget'), (6, 'put SectorMask')])
def test_what_the_model_misses_is_named(
    small_recordings, small_store, left_out, named, pretraining
):
    steps = pretraining()
    del steps[left_out]
    dataset = EchoVideoDataset(
        str(small_recordings), packed=small_store, pipeline=steps, batched=True
    )
    with pytest.raises(UserError, match=named):
        prepared(dataset, [0, 1])


def test_one_clip_is_no_pair(small_recordings, small_store, pretraining):
    steps = pretraining(num_clips=1)
    dataset = EchoVideoDataset(
        str(small_recordings), packed=small_store, pipeline=steps, batched=True
    )
    with pytest.raises(UserError, match='two clips of each video and got 1'):
        prepared(dataset, [0, 1])


def test_a_store_cut_off_while_it_is_read_is_named(
    small_recordings, small_store, tmp_path, pretraining
):
    copy = shutil.copytree(small_store, tmp_path / 'copy')
    dataset = EchoVideoDataset(
        str(small_recordings), packed=str(copy), pipeline=pretraining(), batched=True
    )
    dataset.__getitems__([0, 1])
    os.truncate(copy / 'frames.bin', 1000)
    with pytest.raises(UserError, match='cut off while it was in use'):
        dataset.__getitems__([3, 4])


def test_labelled_data_sets_read_in_batches_too(echonet_root, echonet_store, pretraining):
    common = dict(data_root=str(echonet_root), split='train', pipeline=pretraining(size=112))
    plain = EchoNetDynamicDataset(**common, packed=echonet_store)
    batched = EchoNetDynamicDataset(**common, packed=echonet_store, batched=True)
    assert_equal_batches(prepared(plain, [0, 4]), prepared(batched, [0, 4]))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
@pytest.mark.parametrize('resident', ['', 'device'])
def test_a_gpu_prepares_the_same(small_recordings, small_store, resident, pretraining):
    common = dict(data_root=str(small_recordings), packed=small_store, pipeline=pretraining())
    plain = EchoVideoDataset(**common)
    batched = EchoVideoDataset(**common, batched=True, resident=resident)
    on_gpu = ClipPairPreprocessor([0, 0, 0], [1, 1, 1], non_blocking=True).to('cuda')
    for epoch in range(8):
        indices = [EpochIndex(index, epoch, seed=5) for index in (4, 0, 2, 3)]
        ours = on_gpu(batched.__getitems__(indices))['inputs']
        theirs = prepared(plain, (4, 0, 2, 3), epoch)['inputs']
        for name in NAMES:
            assert torch.equal(ours[name].cpu(), theirs[name]), name
